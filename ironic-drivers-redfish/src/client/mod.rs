//! One BMC's client.

mod collection;
mod etag;
mod exchange;
mod http_date;
mod options;
mod retry;
mod session;
mod task;

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode, header};
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::sync::{Mutex, Semaphore};

use crate::connection::Connection;
use crate::error::{RedfishError, StatusError};
use crate::http::HttpTransport;
use crate::model::ServiceRoot;

use exchange::Call;
use session::SessionState;

pub use options::ClientOptions;
pub use task::{Look, Until};

/// A resource as it was when it was read.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Resource<T> {
    /// Where it was read.
    pub path: String,
    /// Its ETag: the header, else `@odata.etag`.
    pub etag: Option<String>,
    /// What it says.
    pub value: T,
}

/// A service's answer to a request that changes something.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Reply {
    /// The status, below 400. With 202 the operation goes on; see [`Client::finish`].
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
    /// The path that was asked.
    pub(crate) path: String,
}

/// A client of one BMC.
///
/// It bounds the requests under way at the same time, logs in when it first has to and again
/// when its session has expired, and sends a request again where that does no harm. It makes no
/// request of its own accord; one that is no longer needed is to be [`close`](Client::close)d, so
/// that the BMC, which has room for few sessions, gets its own back.
#[derive(Debug)]
pub struct Client {
    connection: Connection,
    options: ClientOptions,
    transport: Arc<dyn HttpTransport>,
    gate: Arc<Semaphore>,
    session: Arc<Mutex<SessionState>>,
}

impl Client {
    /// A client; nothing is sent yet.
    ///
    /// # Errors
    ///
    /// [`RedfishError::InvalidSettings`] when the options make no sense.
    pub fn new(
        connection: Connection,
        transport: Arc<dyn HttpTransport>,
        options: ClientOptions,
    ) -> Result<Self, RedfishError> {
        options.check()?;
        Ok(Self {
            gate: Arc::new(Semaphore::new(options.concurrency)),
            session: Arc::default(),
            connection,
            options,
            transport,
        })
    }

    /// The same client, with its session and its bounds, over a transport made of its own.
    pub(crate) fn over(
        &self,
        wrap: impl FnOnce(Arc<dyn HttpTransport>) -> Arc<dyn HttpTransport>,
    ) -> Self {
        Self {
            connection: self.connection.clone(),
            options: self.options.clone(),
            transport: wrap(Arc::clone(&self.transport)),
            gate: Arc::clone(&self.gate),
            session: Arc::clone(&self.session),
        }
    }

    /// Who is called, and as whom.
    pub const fn connection(&self) -> &Connection {
        &self.connection
    }

    /// The client's limits.
    pub const fn options(&self) -> &ClientOptions {
        &self.options
    }

    /// The service root, which services show to anybody.
    ///
    /// # Errors
    ///
    /// As [`get`](Self::get).
    pub async fn root(&self) -> Result<Resource<ServiceRoot>, RedfishError> {
        self.get(&self.connection.root).await
    }

    /// Reads a resource. `link` is a path, or a URL on the BMC's own authority.
    ///
    /// # Errors
    ///
    /// [`RedfishError::ForeignLink`] for any other link; [`RedfishError::Transport`] and
    /// [`RedfishError::Status`] when it cannot be read; [`RedfishError::Malformed`] when it is not
    /// a JSON object.
    pub async fn get<T: DeserializeOwned>(&self, link: &str) -> Result<Resource<T>, RedfishError> {
        let call = Call::new(Method::GET, self.connection.base.resolve(link)?);
        resource(self.exchange(&call).await?)
    }

    /// Changes members of a resource, with `etag` as `If-Match` as far as the BMC takes it.
    ///
    /// The members of `body` are the wanted state, so the request counts as repeatable.
    ///
    /// # Errors
    ///
    /// As [`get`](Self::get).
    pub async fn patch(
        &self,
        link: &str,
        etag: Option<&str>,
        body: &Value,
    ) -> Result<Reply, RedfishError> {
        let path = self.connection.base.resolve(link)?;
        let call = Call::new(Method::PATCH, path).json(body).repeatable(true);
        let refusal = match self.patch_matching(&call, etag).await? {
            Ok(reply) => return Ok(reply),
            Err(refusal) => refusal,
        };
        // The BMC insists on a tag (RFC 9110 §13.1.1, RFC 6585 §3), and ours was none or an old one.
        let current = self.get::<Value>(&call.path).await?.etag;
        if current.is_none() || current.as_deref() == etag {
            return Err(refusal.into());
        }
        self.patch_matching(&call, current.as_deref())
            .await?
            .map_err(RedfishError::from)
    }

    /// One PATCH per candidate of `If-Match`, until one is not refused for its tag.
    async fn patch_matching(
        &self,
        call: &Call,
        etag: Option<&str>,
    ) -> Result<Result<Reply, StatusError>, RedfishError> {
        let mut refusal = None;
        for candidate in etag::candidates(etag) {
            match self.exchange(&call.clone().if_match(candidate)).await {
                Ok(reply) => return Ok(Ok(reply)),
                Err(RedfishError::Status(error)) if is_tag_refusal(error.status) => {
                    refusal = Some(error)
                }
                Err(error) => return Err(error),
            }
        }
        match refusal {
            Some(refusal) => Ok(Err(*refusal)),
            None => Err(RedfishError::InvalidState {
                reason: "nothing was sent",
            }),
        }
    }

    /// Posts to a collection or an action. `repeatable` says that doing it twice ends where doing
    /// it once does; only then is it sent again after a response got lost.
    ///
    /// # Errors
    ///
    /// As [`get`](Self::get).
    pub async fn post(
        &self,
        link: &str,
        body: &Value,
        repeatable: bool,
    ) -> Result<Reply, RedfishError> {
        let path = self.connection.base.resolve(link)?;
        self.exchange(
            &Call::new(Method::POST, path)
                .json(body)
                .repeatable(repeatable),
        )
        .await
    }

    /// Deletes a resource.
    ///
    /// # Errors
    ///
    /// As [`get`](Self::get).
    pub async fn delete(&self, link: &str) -> Result<Reply, RedfishError> {
        let path = self.connection.base.resolve(link)?;
        self.exchange(&Call::new(Method::DELETE, path).repeatable(true))
            .await
    }

    /// The paths of all systems.
    ///
    /// # Errors
    ///
    /// As [`get`](Self::get), and [`RedfishError::MissingAttribute`] when the service has no
    /// `Systems`.
    pub async fn systems(&self) -> Result<Vec<String>, RedfishError> {
        let root = self.root().await?;
        let Some(systems) = root.value.systems.and_then(|link| link.id) else {
            return Err(RedfishError::MissingAttribute {
                path: root.path,
                attribute: "Systems",
            });
        };
        self.members(&systems).await
    }
}

impl Reply {
    /// A header's value, when it is there and is text.
    pub fn header(&self, name: impl header::AsHeaderName) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

fn is_tag_refusal(status: StatusCode) -> bool {
    matches!(
        status,
        StatusCode::PRECONDITION_FAILED | StatusCode::PRECONDITION_REQUIRED
    )
}

fn resource<T: DeserializeOwned>(reply: Reply) -> Result<Resource<T>, RedfishError> {
    let malformed = |error: serde_json::Error| RedfishError::Malformed {
        path: reply.path.clone(),
        reason: error.to_string(),
    };
    let body: Value = serde_json::from_slice(&reply.body).map_err(malformed)?;
    let tags = [
        reply.header(header::ETAG),
        body.get("@odata.etag").and_then(Value::as_str),
    ];
    let etag = tags
        .into_iter()
        .flatten()
        .find(|etag| !etag.trim().is_empty());
    let etag = etag.map(str::to_owned);
    let value = serde_json::from_value(body).map_err(malformed)?;
    Ok(Resource {
        etag,
        value,
        path: reply.path,
    })
}
