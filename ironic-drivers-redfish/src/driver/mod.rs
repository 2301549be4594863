//! The `redfish` hardware type.
