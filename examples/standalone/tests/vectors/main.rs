//! The API's rules against cases computed by running the original.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test harness"
)]

mod arguments;
mod requests;
mod steps;
mod surface;
mod tally;
mod world;
