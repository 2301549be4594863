//! Boot files over HTTP, as a router that a host mounts.

mod range;
mod router;

pub use router::boot_files_router;
