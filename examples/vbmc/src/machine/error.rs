use std::{io, path::PathBuf};

use thiserror::Error;

/// Why a machine cannot be made.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum MachineError {
    /// An address that no Ethernet card has.
    #[error("{0} is not the address of a network card: that has six bytes")]
    HardwareAddress(String),
    /// A disk's file cannot be made or opened.
    #[error("disk {}: {source}", path.display())]
    Disk {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A disk's file holds more than the disk would.
    #[error("disk {} has {found} bytes already, more than {size}", path.display())]
    DiskTooLarge {
        /// The file.
        path: PathBuf,
        /// Its size.
        found: u64,
        /// The disk's.
        size: u64,
    },
}
