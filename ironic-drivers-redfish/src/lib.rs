//! A tolerant Redfish client, and the redfish hardware type of ironic-core.
