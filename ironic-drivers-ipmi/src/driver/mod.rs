//! The `ipmi` hardware type: what a node's `driver_info` says of its BMC.

mod info;
mod lenient;

pub use info::{Bridging, DriverInfo, DriverInfoError, ProtocolVersion};
