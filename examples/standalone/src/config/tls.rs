//! `[tls]`: serving the API by TLS.

use std::path::PathBuf;

use ironic_core::Error;

use super::access::set;
use super::sections::section;
use super::value::Seconds;
use crate::tls::{TlsSettings, TlsVersion};

section! {
    /// `[tls]`: serving the API by TLS. Without a certificate it is served in plain text.
    pub struct TlsSection("TLS") {
        /// The certificate and those between it and the root, in PEM.
        cert_file: String,
        /// The private key of the certificate, in PEM, not encrypted.
        key_file: String,
        /// The certificates of which each client must have one under it, in PEM. Default none:
        /// clients need no certificate.
        client_ca_file: String,
        /// The lowest version that is spoken: `1.2` or `1.3`. Default `1.2`.
        minimum_version: String,
        /// How long a client may take until TLS is agreed on, more than 0. Default 10.
        handshake_timeout: Seconds,
        /// How often the files are looked at, whether they have changed; 0 is never. SIGHUP
        /// has them read at any time. Default 30.
        reload_interval: Seconds,
    }
}

impl TlsSection {
    /// How TLS is spoken; none where it is not.
    ///
    /// # Errors
    /// Something is missing, or does not go together.
    pub(crate) fn settings(&self) -> Result<Option<TlsSettings>, Error> {
        let client_ca = set(self.client_ca_file.as_ref());
        let (cert, key) = match (set(self.cert_file.as_ref()), set(self.key_file.as_ref())) {
            (Some(cert), Some(key)) => (cert, key),
            (None, None) if client_ca.is_none() => return Ok(None),
            _ => {
                return Err(Error::invalid(
                    "cert_file and key_file in [tls] must both be given",
                ));
            }
        };
        let mut settings = TlsSettings::new(cert, key);
        settings.client_ca_file = client_ca.map(PathBuf::from);
        settings.minimum_version = match set(self.minimum_version.as_ref()) {
            None | Some("1.2") => TlsVersion::Tls12,
            Some("1.3") => TlsVersion::Tls13,
            Some(_) => {
                return Err(Error::invalid(
                    "minimum_version in [tls] must be 1.2 or 1.3",
                ));
            }
        };
        if let Some(Seconds(timeout)) = self.handshake_timeout {
            settings.handshake_timeout = timeout;
        }
        if settings.handshake_timeout.is_zero() {
            return Err(Error::invalid(
                "handshake_timeout in [tls] must be more than 0",
            ));
        }
        if let Some(Seconds(interval)) = self.reload_interval {
            settings.reload_interval = Some(interval).filter(|interval| !interval.is_zero());
        }
        Ok(Some(settings))
    }
}
