//! The boot interfaces that this crate knows, by their registered names.

mod kind;

pub use kind::BootInterface;
