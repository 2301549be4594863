//! Who is let in: with the real `htpasswd`, `curl`, `openssl`, Keystone and `baremetal`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "tests that run programs"
)]

mod basic;
mod identity_service;
mod keystone;
mod public_paths;
mod service;
mod tls;
