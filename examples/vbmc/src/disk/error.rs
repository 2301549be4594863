use std::io;

use thiserror::Error;

/// Why a disk does not boot.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum DiskError {
    /// The file of the disk failed.
    #[error("disk {disk}: {source}")]
    Io {
        /// The disk.
        disk: String,
        /// What the system says.
        source: io::Error,
    },
    /// The machine has no disk.
    #[error("the machine has no disk")]
    NoDisk,
    /// The first sector does not end with 0x55AA.
    #[error("disk {disk}: no boot signature")]
    NoSignature {
        /// The disk.
        disk: String,
    },
    /// The partition table makes no sense.
    #[error("disk {disk}: {what}")]
    Table {
        /// The disk.
        disk: String,
        /// What is wrong with it.
        what: &'static str,
    },
    /// Nothing on the disk is what this firmware starts.
    #[error("disk {disk}: no {wanted}, which {firmware} firmware starts")]
    NoLoader {
        /// The disk.
        disk: String,
        /// What was looked for.
        wanted: &'static str,
        /// The kind of firmware.
        firmware: &'static str,
    },
    /// No disk has the identifier that was asked for.
    #[error("no disk has the identifier {identifier:#010x}")]
    Identifier {
        /// The identifier.
        identifier: u32,
    },
    /// The config drive cannot be read.
    #[error("disk {disk}: config drive: {what}")]
    ConfigDrive {
        /// The disk.
        disk: String,
        /// Why.
        what: String,
    },
    /// Power was lost.
    #[error("power was lost")]
    PowerLost,
}
