//! The engine's rules against cases computed by running the original.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test fails by panicking and prints its count"
)]

#[path = "vector_kinds/conductor.rs"]
mod conductor;
#[path = "vector_kinds/configdrive.rs"]
mod configdrive;
#[path = "vector_kinds/harness.rs"]
mod harness;
#[path = "vector_kinds/later.rs"]
mod later;
#[path = "vector_kinds/resolution.rs"]
mod resolution;
#[path = "vector_kinds/states.rs"]
mod states;
#[path = "vector_kinds/steps.rs"]
mod steps;
#[path = "vector_kinds/validation.rs"]
mod validation;
