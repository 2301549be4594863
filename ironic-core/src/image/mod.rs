//! Images: what to write to a disk.

pub mod configdrive;
pub mod iso9660;
