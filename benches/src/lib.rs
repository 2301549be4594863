//! What the benchmarks run on: a fleet of fake machines, a rack of BMCs, and the closing table.
//!
//! The benchmarks themselves are in `benches/rates`; `cargo bench -p ironic-benches` runs them and
//! ends with a table of the rates, `cargo bench -p ironic-benches -- lifecycle` runs one group.
//!
//! ```
//! # #[tokio::main]
//! # async fn main() -> Result<(), ironic_core::Error> {
//! use std::sync::Arc;
//!
//! use ironic_benches::{Fleet, Waiting};
//! use ironic_core::MemoryStore;
//!
//! let fleet = Fleet::start(Arc::new(MemoryStore::new())).await?;
//! fleet.live(4, Waiting::Told).await?;
//! fleet.stop().await
//! # }
//! ```

mod fleet;
mod rack;
mod states;
mod table;

pub use fleet::{Fleet, Waiting};
pub use rack::{PASSWORD, Rack, USER};
pub use table::{Rate, find_rates, render};
