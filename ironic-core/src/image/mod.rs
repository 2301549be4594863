//! Images: what to write to a disk, where it comes from and how to know it arrived whole.
//!
//! A node's `instance_info` names its image ([`ImageRef`]) and says what it must hash to
//! ([`ExpectedChecksum`]); an [`ImageService`] asks the server that has it. The instance's own metadata
//! travel as a [config drive](configdrive), a small [ISO 9660 image](iso9660).

pub mod configdrive;
pub mod iso9660;

mod checksum;
mod error;
mod expected_checksum;
mod reference;
mod service;

pub use checksum::{Checksum, ChecksumAlgorithm};
pub use error::ImageError;
pub use expected_checksum::{ChecksumPolicy, ExpectedChecksum};
pub use reference::{HttpUrl, ImageRef};
pub use service::{ImageMeta, ImageService};
