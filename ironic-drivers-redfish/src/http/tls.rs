//! How far the BMC's certificate is trusted.

use std::path::PathBuf;

/// The certificates that a BMC's chain must end at.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
#[non_exhaustive]
pub enum TrustAnchor {
    /// The roots that the transport brings or finds on the host.
    #[default]
    Default,
    /// Only the certificates in this PEM file, or in the `.pem`, `.crt`, `.cer` and `.0` files of
    /// this folder.
    Path(PathBuf),
    /// Only these certificates, PEM.
    Pem(Vec<u8>),
    /// Any certificate at all: the peer is not authenticated, credentials go to whoever answers.
    AcceptAny,
}

/// A TLS protocol version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum TlsVersion {
    /// TLS 1.1 (RFC 4346); a transport that cannot go so low starts at what it can.
    Tls11,
    /// TLS 1.2 (RFC 5246).
    Tls12,
    /// TLS 1.3 (RFC 8446).
    Tls13,
}

impl TlsVersion {
    /// The number, as written in `redfish_tls_minimum_version`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Tls11 => "1.1",
            Self::Tls12 => "1.2",
            Self::Tls13 => "1.3",
        }
    }

    /// Reads "1.1", "1.2" or "1.3".
    pub fn from_number(text: &str) -> Option<Self> {
        [Self::Tls11, Self::Tls12, Self::Tls13]
            .into_iter()
            .find(|version| version.as_str() == text)
    }
}

/// The TLS side of a connection.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
#[non_exhaustive]
pub struct TlsSettings {
    /// Whose word for the BMC's identity counts.
    pub trust: TrustAnchor,
    /// The lowest version spoken; `None` leaves it to the transport.
    pub minimum_version: Option<TlsVersion>,
    /// An OpenSSL cipher list; transports that cannot express it say so in the log.
    pub ciphers: Option<String>,
}

impl TlsSettings {
    /// Default roots, the transport's own lowest version.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets what is trusted.
    #[must_use]
    pub fn trust(mut self, trust: TrustAnchor) -> Self {
        self.trust = trust;
        self
    }

    /// Sets the lowest version.
    #[must_use]
    pub const fn minimum_version(mut self, version: Option<TlsVersion>) -> Self {
        self.minimum_version = version;
        self
    }

    /// Sets the cipher list.
    #[must_use]
    pub fn ciphers(mut self, ciphers: Option<String>) -> Self {
        self.ciphers = ciphers;
        self
    }
}
