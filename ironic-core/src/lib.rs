//! An embeddable bare-metal provisioning engine.

#[macro_use]
mod macros;

pub mod error;
pub mod image;
pub mod runtime;
pub mod secret;
pub mod states;

pub use error::{Error, ErrorKind, WireError};
pub use runtime::{Clock, Entropy, OsEntropy, SystemClock, Timestamp};
pub use secret::Secret;
