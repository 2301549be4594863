use crate::image::iso9660::{ReadError, WriteError};

/// Why a config drive cannot be made or read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigDriveError {
    /// The config drive, or a part of it, has the wrong JSON type.
    #[error("{field} must be {expected}")]
    WrongType {
        /// Which part.
        field: &'static str,
        /// What it must be.
        expected: &'static str,
    },
    /// The text is not base64.
    #[error("the config drive is not base64")]
    NotBase64,
    /// What the base64 holds is not gzip, or not all of it.
    #[error("the config drive is not gzip, or cut short")]
    NotGzip,
    /// Unpacked, the image has more bytes than allowed.
    #[error("the config drive has more than {limit} bytes")]
    TooLarge {
        /// The limit, in bytes.
        limit: u64,
    },
    /// The image cannot be written.
    #[error("cannot write the config drive")]
    Write(#[from] WriteError),
    /// The image cannot be read.
    #[error("cannot read the config drive")]
    Read(#[from] ReadError),
}
