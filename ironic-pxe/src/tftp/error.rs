use thiserror::Error;

use super::ErrorCode;

/// Why a transfer ended without the whole file.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum TransferError {
    /// The other end stayed silent.
    #[error("no answer after {attempts} attempts")]
    TimedOut {
        /// How often the last packets were sent.
        attempts: u32,
    },
    /// The other end gave up.
    #[error("the other end answered {code}: {message}")]
    Peer {
        /// Its error code.
        code: ErrorCode,
        /// Its words, without control characters.
        message: String,
    },
    /// The other end broke the protocol.
    #[error("protocol error: {0}")]
    Protocol(&'static str),
    /// The file is larger than the receiver takes.
    #[error("file is larger than {limit} bytes")]
    TooLarge {
        /// The limit in bytes.
        limit: u64,
    },
    /// The content could not be read.
    #[error("content could not be read")]
    Content,
    /// The socket failed.
    #[error("socket failed: {kind}")]
    Socket {
        /// What failed.
        kind: std::io::ErrorKind,
    },
}

impl TransferError {
    /// Tells whether the same transfer may succeed later.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::TimedOut { .. } | Self::Content | Self::Socket { .. } => true,
            Self::Peer { code, .. } => matches!(code, ErrorCode::Undefined),
            Self::Protocol(_) | Self::TooLarge { .. } => false,
        }
    }
}
