//! What is found out about a request on its way in, for whoever needs it on the way or tells of it
//! afterwards.

use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::extract::{MatchedPath, Request};
use http::{HeaderMap, HeaderName, StatusCode, header};
use ironic_core::Entropy;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::args;
use super::fault::Fault;

/// The header that names a request.
pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-openstack-request-id");
/// The same under the name that it had first.
pub(crate) const OLD_REQUEST_ID: HeaderName = HeaderName::from_static("openstack-request-id");
/// The name that the request of a caller had, of which this one is part.
pub(crate) const GLOBAL_REQUEST_ID: HeaderName =
    HeaderName::from_static("x-openstack-global-request-id");

/// A request on its way.
#[derive(Debug)]
pub(crate) struct Passage {
    /// The request's own name.
    pub(crate) request_id: String,
    /// The name that it came with: that of the request at another service that led to it.
    pub(crate) global_request_id: Option<String>,
    /// Where the other end of the connection is.
    pub(crate) remote: Option<SocketAddr>,
    /// The template of its path, without `/v1`.
    pub(crate) route: OnceLock<MatchedPath>,
    /// Who asks: the user and the project.
    pub(crate) who: OnceLock<(Option<String>, Option<String>)>,
    /// How long the client may send nothing in the midst of the body.
    pub(super) body_timeout: Option<Duration>,
    work: Option<Work>,
}

/// A request's place among those that are worked on.
#[derive(Debug)]
struct Work {
    room: Arc<Semaphore>,
    place: OnceLock<OwnedSemaphorePermit>,
}

impl Passage {
    /// The way of a request with these headers.
    pub(crate) fn new(headers: &HeaderMap, entropy: &dyn Entropy) -> Self {
        let given = headers.get(&REQUEST_ID).and_then(|id| id.to_str().ok());
        Self {
            request_id: format!("req-{}", entropy.uuid()),
            global_request_id: given.filter(|id| is_request_id(id)).map(str::to_owned),
            remote: None,
            route: OnceLock::new(),
            who: OnceLock::new(),
            body_timeout: None,
            work: None,
        }
    }

    /// The same, of a client there.
    #[must_use]
    pub(crate) fn from(mut self, remote: Option<SocketAddr>) -> Self {
        self.remote = remote;
        self
    }

    /// The same, with a body that may be interrupted no longer than this.
    #[must_use]
    pub(crate) fn with_body_timeout(mut self, timeout: Duration) -> Self {
        self.body_timeout = Some(timeout);
        self
    }

    /// The same, which is worked on only where there is room.
    #[must_use]
    pub(crate) fn within(mut self, room: &Arc<Semaphore>) -> Self {
        self.work = Some(Work {
            room: Arc::clone(room),
            place: OnceLock::new(),
        });
        self
    }

    /// All of the request is there: it takes its place among those that are worked on, which it
    /// has until this is dropped.
    ///
    /// # Errors
    /// 503 when there is no room.
    pub(crate) fn begin(&self) -> Result<(), Fault> {
        let Some(work) = &self.work else {
            return Ok(());
        };
        if work.place.get().is_some() {
            return Ok(());
        }
        let place = Arc::clone(&work.room).try_acquire_owned().map_err(|_| {
            let message = "too many requests are being worked on; try again in a moment";
            Fault::new(StatusCode::SERVICE_UNAVAILABLE, message)
        })?;
        // A second place, if two begin at once, goes back by itself.
        let _ = work.place.set(place);
        Ok(())
    }

    /// Whether all of the request is there, as far as anybody has looked.
    pub(crate) fn has_begun(&self) -> bool {
        self.work
            .as_ref()
            .is_none_or(|work| work.place.get().is_some())
    }

    /// The names of a request's answer.
    pub(crate) fn put_ids(&self, headers: &mut HeaderMap) {
        if headers.contains_key(&REQUEST_ID) {
            return;
        }
        if let Ok(id) = http::HeaderValue::from_str(&self.request_id) {
            headers.insert(REQUEST_ID, id.clone());
            headers.insert(OLD_REQUEST_ID, id);
        }
        let global = self.global_request_id.as_deref();
        if let Some(Ok(id)) = global.map(http::HeaderValue::from_str) {
            headers.insert(GLOBAL_REQUEST_ID, id);
        }
    }
}

/// Whether a text is the name of a request: `req-` and a uuid in lower case, with hyphens.
fn is_request_id(text: &str) -> bool {
    text.strip_prefix("req-").is_some_and(|uuid| {
        args::parse_uuid(uuid).is_some_and(|parsed| parsed.hyphenated().to_string() == uuid)
    })
}

/// Takes down which route a request has found.
pub(super) fn note_route(request: Request) -> Request {
    let extensions = request.extensions();
    if let (Some(passage), Some(route)) = (
        extensions.get::<Arc<Passage>>(),
        extensions.get::<MatchedPath>(),
    ) {
        let _ = passage.route.set(route.clone());
    }
    request
}

/// Whether a request says that it has a body.
pub(crate) fn has_body(headers: &HeaderMap) -> bool {
    let length = headers.get(header::CONTENT_LENGTH);
    headers.contains_key(header::TRANSFER_ENCODING) || length.is_some_and(|length| length != "0")
}

#[cfg(test)]
mod tests {
    use super::is_request_id;

    #[test]
    fn names_of_requests_are_as_everywhere_in_openstack() {
        let uuid = "5f4bb6c8-6f47-4d6c-a3a5-2c1d7bb5b3a1";
        assert!(is_request_id(&format!("req-{uuid}")));
        for wrong in [
            uuid.to_owned(),
            format!("req-{}", uuid.to_uppercase()),
            format!("req-{}", uuid.replace('-', "")),
            format!("req-{{{uuid}}}"),
            format!("req-{uuid}\n"),
            format!("req-{uuid}, req-{uuid}"),
            "req-".to_owned(),
        ] {
            assert!(!is_request_id(&wrong), "{wrong:?}");
        }
    }
}
