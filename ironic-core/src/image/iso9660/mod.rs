//! Small ISO 9660 images, written and read in memory.
//!
//! The format that carries a [config drive](super::configdrive): ISO 9660 (ECMA-119) with the two
//! extensions that give files their own names back, Joliet and Rock Ridge. [`Writer`] makes the same
//! bytes of the same tree every time; [`Reader`] reads those and what genisoimage and xorriso make,
//! and believes nothing that an image says about itself.
//!
//! ```
//! use ironic_core::Timestamp;
//! use ironic_core::image::iso9660::{Reader, Tree, Writer};
//!
//! let mut tree = Tree::new();
//! tree.insert("openstack/latest/meta_data.json", "{}")?;
//! let image = Writer::new("config-2", Timestamp::EPOCH).write(&tree)?;
//!
//! let volume = Reader::new().read(&image)?;
//! assert_eq!(volume.label(), "config-2");
//! assert_eq!(volume.tree(), &tree);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Layout
//!
//! In sectors of 2048 bytes:
//!
//! ```text
//!  0..16  system area, zero
//!  16     primary volume descriptor        ECMA-119 §8.4
//!  17     Joliet volume descriptor         ECMA-119 §8.5, Joliet §"SVD"
//!  18     end of the descriptors           ECMA-119 §8.3
//!  19..   path tables: L and M of the primary tree, L and M of Joliet's
//!         directories of the primary tree, with Rock Ridge's fields
//!         what of those fields did not fit (SUSP §5.1, "CE")
//!         directories of Joliet's tree
//!         contents, each once however many files have it
//! ```

mod attributes;
mod blocks;
mod descriptor;
mod error;
mod names;
mod path_table;
mod plan;
mod reader;
mod record;
mod rock_ridge;
mod time;
mod tree;
mod view;
mod volume;
mod walk;
mod writer;

#[cfg(test)]
mod peer_tests;
#[cfg(test)]
mod tests;

pub use error::{ReadError, TreeError, WriteError};
pub use reader::Reader;
pub use tree::Tree;
pub use volume::{Naming, RockRidge, Volume};
pub use writer::Writer;

/// Bytes in a sector, which is also the logical block of every image here.
pub const SECTOR: usize = 2048;

/// First sector of the volume descriptors (ECMA-119 §6.3).
const FIRST_DESCRIPTOR: u32 = 16;

/// Number of sectors that `bytes` bytes need.
const fn sectors(bytes: u64) -> u64 {
    bytes.div_ceil(SECTOR as u64)
}
