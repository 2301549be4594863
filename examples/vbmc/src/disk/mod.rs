//! Disks as firmware and a first boot see them.

mod config_drive;
mod digest;
mod disks;
mod error;
mod report;
mod table;

pub use config_drive::ConfigDriveReport;
pub use digest::ImageDigest;
pub(crate) use disks::{DiskFile, Disks};
pub use error::DiskError;
pub use report::DiskReport;
pub use table::TableKind;
