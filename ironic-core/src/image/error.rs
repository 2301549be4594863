use std::time::Duration;

/// Why an image cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ImageError {
    /// A reference is neither a URL nor a uuid, or a URL without what its scheme needs.
    #[error("not an image reference: {reason}")]
    InvalidReference {
        /// What is wrong; never the reference itself, which may hold a password.
        reason: &'static str,
    },
    /// A reference has a scheme that no image service knows.
    #[error("images cannot be fetched by {scheme:?}")]
    UnsupportedScheme {
        /// The scheme, in lower case.
        scheme: String,
    },
    /// A checksum, or the name of its algorithm, is not one.
    #[error("invalid checksum: {reason}")]
    InvalidChecksum {
        /// What is wrong.
        reason: &'static str,
    },
    /// The checksum is MD5, which the policy forbids.
    #[error("checksums by md5 are not allowed")]
    Md5NotAllowed,
    /// The checksum is to be read from a URL, which the policy forbids.
    #[error("checksums from a URL are not allowed")]
    ChecksumUrlNotAllowed,
    /// A checksum is needed and not given, or only one of algorithm and value is.
    #[error("missing {field}")]
    MissingChecksum {
        /// The member of `instance_info` that is missing.
        field: &'static str,
    },
    /// A file of checksums has none for the image.
    #[error("no checksum for {file_name:?} in the file of checksums")]
    NotInChecksumFile {
        /// The image's file name.
        file_name: String,
    },
    /// There is no such image.
    #[error("image {image} not found")]
    NotFound {
        /// The reference, without its secrets.
        image: String,
    },
    /// The server answered with something other than the image.
    #[error("image {image}: the server answered {status}")]
    Refused {
        /// The reference, without its secrets.
        image: String,
        /// The HTTP status.
        status: u16,
    },
    /// The server did not answer.
    #[error("image {image}: {reason}")]
    Unreachable {
        /// The reference, without its secrets.
        image: String,
        /// What happened.
        reason: String,
    },
    /// The server took longer than it may.
    #[error("image {image}: no answer within {limit:?}")]
    Timeout {
        /// The reference, without its secrets.
        image: String,
        /// How long it may take.
        limit: Duration,
    },
}

impl ImageError {
    /// Whether the same call may succeed later.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::Timeout { .. } => true,
            // Too many requests, and what a server says when it is the one that fails (RFC 9110 §15.6).
            Self::Refused { status, .. } => *status == 429 || *status >= 500,
            _ => false,
        }
    }
}
