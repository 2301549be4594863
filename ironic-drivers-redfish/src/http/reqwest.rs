//! [`HttpTransport`] over reqwest and rustls.

use std::collections::BTreeMap;
use std::error::Error as StdError;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};

use super::{
    DEFAULT_BODY_LIMIT, HttpError, HttpRequest, HttpResponse, HttpTransport, TlsSettings,
    TlsVersion, TrustAnchor,
};
use crate::pool::TransportFactory;

/// The default of the original's `[redfish]connect_timeout`.
const DEFAULT_CONNECT_TIMEOUT: Duration = Duration::from_secs(30);

/// No trust store that a person made is larger than this.
const MAX_PEM_BYTES: u64 = 4 << 20;

/// An [`HttpTransport`] over reqwest, HTTP/1.1, without proxies and without redirects.
///
/// TLS is rustls with the provider that the host program has installed
/// (`rustls::crypto::…::default_provider().install_default()`). A cipher list is not expressible
/// there (all of rustls' suites are AEAD) and is reported in the log.
#[derive(Debug, Clone)]
pub struct ReqwestTransport {
    client: reqwest::Client,
    body_limit: usize,
}

impl ReqwestTransport {
    /// A transport of these TLS settings; reads the PEM files now, in this thread.
    ///
    /// # Errors
    ///
    /// [`HttpError::Invalid`] when no TLS provider is installed, or the trust anchor cannot be
    /// read or holds no certificate.
    pub fn new(tls: &TlsSettings) -> Result<Self, HttpError> {
        Self::with_limits(tls, DEFAULT_CONNECT_TIMEOUT, DEFAULT_BODY_LIMIT)
    }

    /// As [`new`](Self::new), with another time allowed for TCP and TLS, and another limit to
    /// response bodies, in bytes.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new).
    pub fn with_limits(
        tls: &TlsSettings,
        connect_timeout: Duration,
        body_limit: usize,
    ) -> Result<Self, HttpError> {
        if rustls::crypto::CryptoProvider::get_default().is_none() {
            return Err(invalid(
                "no rustls crypto provider is installed in this process",
            ));
        }
        if tls.ciphers.is_some() {
            tracing::warn!("a TLS cipher list is set; rustls offers its own suites instead");
        }
        let mut builder = reqwest::Client::builder()
            .tls_backend_rustls()
            .http1_only()
            .no_proxy()
            .referer(false)
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .connect_timeout(connect_timeout);
        builder = match &tls.trust {
            TrustAnchor::Default => builder,
            TrustAnchor::AcceptAny => builder.tls_danger_accept_invalid_certs(true),
            TrustAnchor::Pem(pem) => builder.tls_certs_only(certificates(pem)?),
            TrustAnchor::Path(path) => builder.tls_certs_only(certificates(&read_pem(path)?)?),
        };
        builder = match tls.minimum_version {
            None => builder,
            Some(TlsVersion::Tls11 | TlsVersion::Tls12) => {
                builder.tls_version_min(reqwest::tls::Version::TLS_1_2)
            }
            Some(TlsVersion::Tls13) => builder.tls_version_min(reqwest::tls::Version::TLS_1_3),
        };
        let client = builder
            .build()
            .map_err(|error| invalid(root_cause(&error)))?;
        Ok(Self { client, body_limit })
    }

    async fn read_body(&self, response: &mut reqwest::Response) -> Result<Bytes, HttpError> {
        let too_large = || HttpError::BodyTooLarge {
            limit: self.body_limit,
        };
        if response
            .content_length()
            .is_some_and(|length| length > self.body_limit as u64)
        {
            return Err(too_large());
        }
        let mut body = BytesMut::new();
        while let Some(chunk) = response
            .chunk()
            .await
            .map_err(|error| classify(error, true))?
        {
            if body.len() + chunk.len() > self.body_limit {
                return Err(too_large());
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body.freeze())
    }
}

#[async_trait]
impl HttpTransport for ReqwestTransport {
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let HttpRequest {
            method,
            url,
            headers,
            body,
        } = request;
        let request = http::Request::builder()
            .method(method)
            .uri(url)
            .body(body)
            .map_err(|error| invalid(error.to_string()))?;
        let mut request =
            reqwest::Request::try_from(request).map_err(|error| invalid(root_cause(&error)))?;
        *request.headers_mut() = headers;
        let mut response = self
            .client
            .execute(request)
            .await
            .map_err(|error| classify(error, false))?;
        let body = self.read_body(&mut response).await?;
        Ok(HttpResponse::new(
            response.status(),
            std::mem::take(response.headers_mut()),
            body,
        ))
    }
}

/// Makes one [`ReqwestTransport`] per set of TLS settings and shares it.
#[derive(Debug, Default)]
pub struct ReqwestFactory {
    made: Mutex<BTreeMap<TlsSettings, Arc<ReqwestTransport>>>,
}

impl ReqwestFactory {
    /// A factory that has made nothing yet.
    pub fn new() -> Self {
        Self::default()
    }
}

impl TransportFactory for ReqwestFactory {
    fn transport(&self, tls: &TlsSettings) -> Result<Arc<dyn HttpTransport>, HttpError> {
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(transport) = made.get(tls) {
            return Ok(transport.clone());
        }
        let transport = Arc::new(ReqwestTransport::new(tls)?);
        made.insert(tls.clone(), transport.clone());
        Ok(transport)
    }
}

fn invalid(reason: impl Into<String>) -> HttpError {
    HttpError::Invalid {
        reason: reason.into(),
    }
}

/// The innermost error says what happened; the outer ones repeat the URL.
fn root_cause(error: &(dyn StdError + 'static)) -> String {
    let mut deepest = error;
    while let Some(source) = deepest.source() {
        deepest = source;
    }
    deepest.to_string()
}

fn tls_cause(error: &(dyn StdError + 'static)) -> Option<String> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(tls) = error.downcast_ref::<rustls::Error>() {
            return Some(tls.to_string());
        }
        // An io::Error shows the source of what it wraps, not the wrapped error itself.
        let wrapped = error
            .downcast_ref::<std::io::Error>()
            .and_then(std::io::Error::get_ref);
        next = match wrapped {
            Some(inner) => Some(inner),
            None => error.source(),
        };
    }
    None
}

fn classify(error: reqwest::Error, answered: bool) -> HttpError {
    let error = error.without_url();
    let connecting = error.is_connect() && !answered;
    if let (true, Some(reason)) = (connecting, tls_cause(&error)) {
        return HttpError::Tls {
            reason,
            source: Some(Box::new(error)),
        };
    }
    let reason = root_cause(&error);
    if connecting {
        HttpError::Connect {
            reason,
            source: Some(Box::new(error)),
        }
    } else if error.is_timeout() {
        HttpError::Timeout
    } else if error.is_builder() {
        invalid(reason)
    } else {
        HttpError::Interrupted {
            reason,
            source: Some(Box::new(error)),
        }
    }
}

fn certificates(pem: &[u8]) -> Result<Vec<reqwest::Certificate>, HttpError> {
    let found =
        reqwest::Certificate::from_pem_bundle(pem).map_err(|error| invalid(root_cause(&error)))?;
    if found.is_empty() {
        return Err(invalid("no certificate in the trust anchor"));
    }
    Ok(found)
}

fn read_pem(path: &Path) -> Result<Vec<u8>, HttpError> {
    if !path.is_dir() {
        return read_pem_file(path);
    }
    let folder = std::fs::read_dir(path).map_err(|error| unreadable(path, &error))?;
    let mut files: Vec<_> = folder
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .collect();
    files.sort();
    let mut all = Vec::new();
    for file in files.iter().filter(|file| is_certificate_name(file)) {
        all.extend(read_pem_file(file)?);
        all.push(b'\n');
    }
    Ok(all)
}

fn is_certificate_name(path: &Path) -> bool {
    path.extension()
        .and_then(|extension| extension.to_str())
        .is_some_and(|extension| {
            ["pem", "crt", "cer", "0"].contains(&extension.to_ascii_lowercase().as_str())
        })
}

fn read_pem_file(path: &Path) -> Result<Vec<u8>, HttpError> {
    let length = std::fs::metadata(path)
        .map_err(|error| unreadable(path, &error))?
        .len();
    if length > MAX_PEM_BYTES {
        return Err(invalid(format!(
            "{} is too large for certificates",
            path.display()
        )));
    }
    std::fs::read(path).map_err(|error| unreadable(path, &error))
}

fn unreadable(path: &Path, error: &std::io::Error) -> HttpError {
    invalid(format!("cannot read {}: {error}", path.display()))
}
