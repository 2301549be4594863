//! The program `ironic` as its users run it: its command line, what it does with hostile input,
//! and what becomes of machines when it is killed.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "tests that run a program"
)]

mod access_log;
mod attack;
mod command_line;
mod crash;
mod hostile;
mod journal;
mod killed;
mod limits;
mod numbers;
#[path = "../postgres/mod.rs"]
mod postgres;
mod program;
mod raw;
mod smuggling;
