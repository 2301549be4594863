//! A service as its clients see it, whoever wrote it: a process that answers HTTP, and what it takes.

mod clients;
mod connection;
mod ours;
mod process;

pub use clients::Clients;
pub use connection::{Answer, Connection};
pub use ours::ours;
pub use process::{Service, free_address, resident};

/// Anything that ends a measurement.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;
