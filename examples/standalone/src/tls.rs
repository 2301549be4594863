//! Serving by TLS: the files, reading them again, and the agreement with a client.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;
use rustls::version::{TLS12, TLS13};
use rustls::{RootCertStore, ServerConfig, SupportedProtocolVersion};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::edition::Edition;

/// The only protocol that is spoken within, as clients are told (RFC 7301).
const HTTP_1: &[u8] = b"http/1.1";

/// The lowest version of TLS that is spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TlsVersion {
    /// 1.2 (RFC 5246) and 1.3.
    Tls12,
    /// 1.3 (RFC 8446) alone.
    Tls13,
}

impl TlsVersion {
    fn versions(self) -> &'static [&'static SupportedProtocolVersion] {
        static FROM_12: [&SupportedProtocolVersion; 2] = [&TLS13, &TLS12];
        static FROM_13: [&SupportedProtocolVersion; 1] = [&TLS13];
        match self {
            Self::Tls12 => &FROM_12,
            Self::Tls13 => &FROM_13,
        }
    }
}

/// How TLS is spoken.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct TlsSettings {
    /// The certificate and those between it and the root, in PEM.
    pub cert_file: PathBuf,
    /// The private key of the certificate, in PEM.
    pub key_file: PathBuf,
    /// The certificates of which each client must have one under it, in PEM. Default none.
    pub client_ca_file: Option<PathBuf>,
    /// Default 1.2.
    pub minimum_version: TlsVersion,
    /// How long a client may take until TLS is agreed on. Default 10 s, more than 0.
    pub handshake_timeout: Duration,
    /// How often the files are looked at, whether they have changed. Default 30 s.
    pub reload_interval: Option<Duration>,
}

impl TlsSettings {
    /// By this certificate and its key.
    #[must_use]
    pub fn new(cert_file: impl Into<PathBuf>, key_file: impl Into<PathBuf>) -> Self {
        Self {
            cert_file: cert_file.into(),
            key_file: key_file.into(),
            client_ca_file: None,
            minimum_version: TlsVersion::Tls12,
            handshake_timeout: Duration::from_secs(10),
            reload_interval: Some(Duration::from_secs(30)),
        }
    }

    fn files(&self) -> impl Iterator<Item = &Path> {
        let files = [Some(&self.cert_file), Some(&self.key_file)];
        let files = files.into_iter().chain([self.client_ca_file.as_ref()]);
        files.flatten().map(PathBuf::as_path)
    }
}

/// Why TLS cannot be spoken by these files.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// A file cannot be read.
    #[error("{what} {} cannot be read: {source}", path.display())]
    Unreadable {
        /// Which of the files.
        what: &'static str,
        /// Where it is.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A file has something else in it.
    #[error("{what} {} {wrong}", path.display())]
    Content {
        /// Which of the files.
        what: &'static str,
        /// Where it is.
        path: PathBuf,
        /// What is wrong with it.
        wrong: String,
    },
    /// The files do not go together, or are not for TLS.
    #[error("the certificate {} and its key cannot be used: {source}", path.display())]
    Unusable {
        /// The certificate.
        path: PathBuf,
        /// Why not.
        source: rustls::Error,
    },
    /// No provider of cryptography is there.
    #[error("TLS is to be spoken, and no rustls crypto provider is installed in this process")]
    NoProvider,
}

/// What connections are accepted by.
pub(crate) struct Tls {
    settings: TlsSettings,
    current: RwLock<Current>,
}

struct Current {
    config: Arc<ServerConfig>,
    editions: Vec<Option<Edition>>,
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tls")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

impl Tls {
    /// Reads the files.
    pub(crate) fn open(settings: TlsSettings) -> Result<Self, TlsError> {
        let editions = settings.files().map(Edition::at).collect();
        let config = Arc::new(read(&settings)?);
        Ok(Self {
            settings,
            current: RwLock::new(Current { config, editions }),
        })
    }

    /// Agrees on TLS with a client.
    pub(crate) async fn accept(&self, stream: TcpStream) -> io::Result<TlsStream<TcpStream>> {
        let config = {
            let current = self.current.read();
            let current = current.unwrap_or_else(PoisonError::into_inner);
            Arc::clone(&current.config)
        };
        let accepting = TlsAcceptor::from(config).accept(stream);
        let accepted = tokio::time::timeout(self.settings.handshake_timeout, accepting).await;
        accepted.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
    }

    /// Reads the files again, for the connections to come. What is wrong with them is logged, and
    /// those that were read before go on.
    pub(crate) fn reload(&self) {
        self.take(self.settings.files().map(Edition::at).collect());
    }

    /// The same, if a file has changed since they were last read.
    fn reload_changed(&self) {
        let editions: Vec<_> = self.settings.files().map(Edition::at).collect();
        let current = self.current.read();
        let same = current.unwrap_or_else(PoisonError::into_inner).editions == editions;
        if !same {
            self.take(editions);
        }
    }

    fn take(&self, editions: Vec<Option<Edition>>) {
        // Not under the lock: connections are accepted meanwhile.
        let read = read(&self.settings);
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        current.editions = editions;
        match read {
            Ok(config) => {
                current.config = Arc::new(config);
                let certificate = self.settings.cert_file.display();
                tracing::info!(%certificate, "TLS goes by the files as they are now");
            }
            Err(error) => {
                tracing::error!(%error, "TLS goes on by the files as they were");
            }
        }
    }

    /// Looks whether the files have changed, for ever.
    pub(crate) async fn watch(self: Arc<Self>) {
        let Some(interval) = self.settings.reload_interval else {
            return std::future::pending().await;
        };
        loop {
            tokio::time::sleep(interval).await;
            let tls = Arc::clone(&self);
            // Files may be slow, and a panic there is no reason to stop.
            let _ = tokio::task::spawn_blocking(move || tls.reload_changed()).await;
        }
    }
}

fn read(settings: &TlsSettings) -> Result<ServerConfig, TlsError> {
    let provider = CryptoProvider::get_default().ok_or(TlsError::NoProvider)?;
    let provider = Arc::clone(provider);
    let chain = certificates("the certificate", &settings.cert_file)?;
    let key = private_key(&settings.key_file)?;
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider));
    let unusable = |source| TlsError::Unusable {
        path: settings.cert_file.clone(),
        source,
    };
    let builder = builder
        .with_protocol_versions(settings.minimum_version.versions())
        .map_err(unusable)?;
    let builder = match &settings.client_ca_file {
        None => builder.with_no_client_auth(),
        Some(path) => builder.with_client_cert_verifier(clients_under(path, provider)?),
    };
    let mut config = builder.with_single_cert(chain, key).map_err(unusable)?;
    config.alpn_protocols = vec![HTTP_1.to_vec()];
    Ok(config)
}

/// Takes clients that have a certificate under one of these.
fn clients_under(
    path: &Path,
    provider: Arc<CryptoProvider>,
) -> Result<Arc<dyn ClientCertVerifier>, TlsError> {
    let what = "the certificate of clients' certificates";
    let wrong = |why: String| TlsError::Content {
        what,
        path: path.to_owned(),
        wrong: format!("cannot be used: {why}"),
    };
    let mut roots = RootCertStore::empty();
    for certificate in certificates(what, path)? {
        roots
            .add(certificate)
            .map_err(|error| wrong(error.to_string()))?;
    }
    WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider)
        .build()
        .map_err(|error| wrong(error.to_string()))
}

fn content(what: &'static str, path: &Path) -> Result<Vec<u8>, TlsError> {
    std::fs::read(path).map_err(|source| TlsError::Unreadable {
        what,
        path: path.to_owned(),
        source,
    })
}

fn certificates(what: &'static str, path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let wrong = |wrong: &str| TlsError::Content {
        what,
        path: path.to_owned(),
        wrong: wrong.to_owned(),
    };
    let pem = content(what, path)?;
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
    let found = found.map_err(|_| wrong("is damaged"))?;
    if found.is_empty() {
        return Err(wrong("has no certificate in PEM in it"));
    }
    Ok(found)
}

fn private_key(path: &Path) -> Result<PrivateKeyDer<'static>, TlsError> {
    let what = "the private key";
    let pem = content(what, path)?;
    PrivateKeyDer::from_pem_slice(&pem).map_err(|error| {
        let marker = b"-----BEGIN ENCRYPTED PRIVATE KEY-----";
        let encrypted = pem.windows(marker.len()).any(|part| part == marker);
        let wrong = match error {
            _ if encrypted => "is encrypted, and nobody is there to ask for the passphrase",
            pem::Error::NoItemsFound => "has no private key in PEM in it",
            _ => "is damaged",
        };
        TlsError::Content {
            what,
            path: path.to_owned(),
            wrong: wrong.to_owned(),
        }
    })
}
