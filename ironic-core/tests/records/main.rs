//! Records besides nodes, as a user sees them, on fake hardware in paused time.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

mod allocations;
#[path = "../engine/house.rs"]
#[allow(dead_code, reason = "it serves the engine's tests too")]
mod house;
mod node_records;
mod templates;
mod types;
