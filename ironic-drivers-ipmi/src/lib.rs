//! IPMI 2.0 / RMCP+ for both ends, and the ipmi hardware type of ironic-core.

pub mod codec;
pub mod command;
#[cfg(feature = "server")]
pub mod server;
mod session;

pub use session::{Key, KeyTooLong, MAX_KEY, Random};
