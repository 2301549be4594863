//! IPMI 2.0 / RMCP+ for both ends, and the ipmi hardware type of ironic-core.
