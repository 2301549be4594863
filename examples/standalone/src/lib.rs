//! The reference host: the Bare Metal REST API on SQLite.

pub mod store;
