//! What the host tells of its API: the `OpenAPI` document, checked by a validator that is not
//! ours and against the API itself, and the page.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a test harness"
)]

mod document;
mod page;
mod peer;
mod schemathesis;
