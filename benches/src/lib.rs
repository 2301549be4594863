//! What the benchmarks run on: fleets of fake machines that live, are brought up or idle, a rack of
//! BMCs, the closing table and its plots.
//!
//! The benchmarks themselves are in `benches/rates`; `make bench` runs them and puts what comes of
//! it into the README, `cargo bench -p ironic-benches -- lifecycle` runs one group and says so.
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

mod counting;
mod figure;
mod fill;
mod fleet;
mod idle;
mod plot;
mod rack;
mod rate;
mod readme;
mod rollout;
pub mod service;
mod states;

pub use counting::{CountingStore, Counts};
pub use figure::{Figure, Target, grouped, render};
pub use fill::fill;
pub use fleet::{Fleet, Waiting};
pub use idle::{Idle, IdleReport};
pub use plot::{Against, Band, Series, against, areas, bars, columns, lines};
pub use rack::{PASSWORD, Rack, USER};
pub use rate::{Rate, find_rates};
pub use readme::into_readme;
pub use rollout::{BANDS, Rollout, RolloutReport};
