//! An embeddable bare-metal provisioning engine.

#[macro_use]
mod macros;

pub mod agent;
pub mod client;
pub mod conductor;
pub mod config;
pub mod driver;
pub mod engine;
pub mod error;
pub mod flow;
pub mod governor;
pub mod image;
pub mod inspection;
pub mod membership;
pub mod model;
pub mod notify;
pub mod runtime;
pub mod secret;
pub mod states;
pub mod steps;
pub mod store;
pub mod task;
#[cfg(feature = "testing")]
pub mod testing;
pub mod transport;

pub use config::{Config, Policy};
pub use error::{Error, ErrorKind, WireError};
pub use runtime::{Clock, Entropy, OsEntropy, SystemClock, Timestamp};
pub use secret::Secret;
