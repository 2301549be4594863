use thiserror::Error;

/// Why bytes are not the message they should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum CodecError {
    /// The bytes end before the structure does.
    #[error("{what} ends {missing} bytes early")]
    Truncated {
        /// The structure that was being read.
        what: &'static str,
        /// How many bytes were wanted beyond the end.
        missing: usize,
    },
    /// Bytes are left over behind the structure.
    #[error("{what} has {extra} bytes too many")]
    Trailing {
        /// The structure that was read.
        what: &'static str,
        /// How many bytes are left.
        extra: usize,
    },
    /// A field holds a value that the structure does not allow.
    #[error("{what} cannot be {value:#04x}")]
    Invalid {
        /// The field.
        what: &'static str,
        /// What it holds.
        value: u32,
    },
    /// A checksum of an IPMI message does not add up (IPMI 2.0 §13.8).
    #[error("{what} checksum does not match")]
    Checksum {
        /// Which of the two checksums.
        what: &'static str,
    },
    /// The authentication code of a packet is not the one that its session gives.
    #[error("packet failed authentication")]
    Integrity,
    /// A payload did not decrypt to a padded message (IPMI 2.0 §13.29).
    #[error("payload failed decryption")]
    Confidentiality,
}
