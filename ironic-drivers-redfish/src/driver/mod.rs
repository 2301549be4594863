//! The `redfish` hardware type: what the engine asks for, in Redfish's terms.

mod mapping;
