//! The seam to HTTP: one trait, three plain types.

mod error;
#[cfg(feature = "reqwest")]
mod reqwest;
mod tls;

use std::fmt;

use ::http::{HeaderMap, Method, StatusCode, Uri};
use async_trait::async_trait;
use bytes::Bytes;

pub use error::HttpError;
#[cfg(feature = "reqwest")]
pub use reqwest::{ReqwestFactory, ReqwestTransport};
pub use tls::{TlsSettings, TlsVersion, TrustAnchor};

/// The largest response body that a transport may hand back, unless told otherwise: 16 MiB.
pub const DEFAULT_BODY_LIMIT: usize = 16 << 20;

/// One request, complete: what is not in here is not sent.
#[derive(Clone)]
#[non_exhaustive]
pub struct HttpRequest {
    /// The method.
    pub method: Method,
    /// The absolute URL.
    pub url: Uri,
    /// All headers but those that HTTP itself needs (`Host`, `Content-Length`).
    pub headers: HeaderMap,
    /// The body; empty for none.
    pub body: Bytes,
}

impl HttpRequest {
    /// A request without headers and body.
    pub fn new(method: Method, url: Uri) -> Self {
        Self {
            method,
            url,
            headers: HeaderMap::new(),
            body: Bytes::new(),
        }
    }
}

/// Shows neither header values nor the body: both carry credentials.
impl fmt::Debug for HttpRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpRequest")
            .field("method", &self.method)
            .field("path", &self.url.path())
            .field("headers", &self.headers.keys().collect::<Vec<_>>())
            .field("body_len", &self.body.len())
            .finish()
    }
}

/// One response, read to its end.
#[derive(Clone)]
#[non_exhaustive]
pub struct HttpResponse {
    /// The status.
    pub status: StatusCode,
    /// All headers.
    pub headers: HeaderMap,
    /// The whole body.
    pub body: Bytes,
}

impl HttpResponse {
    /// A response of these parts.
    pub fn new(status: StatusCode, headers: HeaderMap, body: impl Into<Bytes>) -> Self {
        Self {
            status,
            headers,
            body: body.into(),
        }
    }

    /// A header's value, when it is there and is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

/// Shows neither header values nor the body: a session's token is a response header.
impl fmt::Debug for HttpResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpResponse")
            .field("status", &self.status)
            .field("headers", &self.headers.keys().collect::<Vec<_>>())
            .field("body_len", &self.body.len())
            .finish()
    }
}

/// Carries one request to a BMC and its response back.
///
/// # Contract
///
/// - One call is at most one request on the wire: no retry, and no redirect is followed (the
///   client decides about both, and credentials must not leave the BMC's authority).
/// - Any status is a response, not an error.
/// - A body longer than the transport's limit is [`HttpError::BodyTooLarge`], found without
///   keeping more than the limit in memory.
/// - [`HttpError::Connect`] means that nothing of the request can have reached the peer. When in
///   doubt a transport answers [`HttpError::Interrupted`].
/// - Dropping the future abandons the request; the peer may still carry it out.
#[async_trait]
pub trait HttpTransport: Send + Sync + fmt::Debug {
    /// Sends `request` and reads the whole response.
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, HttpError>;
}
