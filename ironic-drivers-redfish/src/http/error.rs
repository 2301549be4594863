//! What can go wrong before there is a response.

use std::error::Error as StdError;

type Source = Box<dyn StdError + Send + Sync>;

/// A request that got no response.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HttpError {
    /// No connection came about; nothing was sent.
    #[error("no connection: {reason}")]
    Connect {
        /// Why, without URL or credentials.
        reason: String,
        /// What the transport said.
        #[source]
        source: Option<Source>,
    },
    /// The TLS handshake failed: a certificate that is not trusted, or no common version.
    #[error("tls: {reason}")]
    Tls {
        /// Why, without URL or credentials.
        reason: String,
        /// What the transport said.
        #[source]
        source: Option<Source>,
    },
    /// The connection broke after the request may have been sent.
    #[error("connection broken: {reason}")]
    Interrupted {
        /// Why, without URL or credentials.
        reason: String,
        /// What the transport said.
        #[source]
        source: Option<Source>,
    },
    /// No response within the time allowed; the request may have been carried out.
    #[error("no response in time")]
    Timeout,
    /// The response body is longer than the limit.
    #[error("response body longer than {limit} bytes")]
    BodyTooLarge {
        /// The limit in bytes.
        limit: usize,
    },
    /// The transport cannot be built, or the request cannot be expressed.
    #[error("invalid request or settings: {reason}")]
    Invalid {
        /// Why, without URL or credentials.
        reason: String,
    },
}

impl HttpError {
    /// Whether the same request may succeed later.
    pub const fn is_retryable(&self) -> bool {
        matches!(
            self,
            Self::Connect { .. } | Self::Interrupted { .. } | Self::Timeout
        )
    }

    /// Whether nothing of the request can have reached the peer.
    pub const fn was_not_sent(&self) -> bool {
        matches!(
            self,
            Self::Connect { .. } | Self::Tls { .. } | Self::Invalid { .. }
        )
    }
}
