//! What every request goes through before a resource sees it, and every answer after: its name,
//! the version, the path.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header};
use tower::ServiceExt;

use crate::access::{self, Access, Asked};

use super::Api;
use super::caller::Visit;
use super::fault::{Fault, Unversioned};
use super::links::Endpoint;
use super::passage::Passage;
use super::root;
use super::version::{self, Unacceptable, Version, since};

/// The API behind its envelope.
#[derive(Clone)]
pub(super) struct Envelope {
    pub(super) api: Arc<Api>,
    /// The resources, by their paths without `/v1`.
    pub(super) resources: Router,
}

/// Serves one request.
pub(super) async fn serve(State(envelope): State<Envelope>, request: Request) -> Response {
    let passage = request.extensions().get::<Arc<Passage>>().cloned();
    // A host that serves the API behind nothing else has no names for requests of its own.
    let passage = passage.unwrap_or_else(|| {
        let entropy = &*envelope.api.entropy;
        Arc::new(Passage::new(request.headers(), entropy))
    });
    let mut response = envelope.answer(request, &passage).await;
    passage.put_ids(response.headers_mut());
    response
}

impl Envelope {
    async fn answer(&self, mut request: Request, passage: &Passage) -> Response {
        if request.method() == Method::OPTIONS {
            return StatusCode::OK.into_response();
        }
        let path = Path::of(request.uri(), request.headers());
        // Before anything else is looked at: whoever is nobody learns nothing.
        if let Some(access) = request.extensions().get::<Access>().cloned() {
            match access.identify(Asked::of(&request), path.is_public()).await {
                Ok(identity) => request.extensions_mut().insert(identity),
                Err(refusal) => return refusal.into_response(),
            };
        }
        if !accepts_json(request.headers()) {
            return Fault::no_such_representation().into_response();
        }
        let version = match Version::negotiate(request.headers()) {
            Ok(version) => version,
            Err(why) => return refuse_version(&why, path.is_root()),
        };
        let visit = Visit {
            version,
            endpoint: self.endpoint(&request),
            request_id: passage.request_id.clone(),
            bodies: self.api.settings.bodies,
            long_bodies: Arc::clone(&self.api.long_bodies),
            json_suffix: path.json_suffix,
        };
        let mut response = if path.is_root() {
            root::root(&visit.endpoint).into_response()
        } else if let Some(fault) = root::hidden(version, request.method(), &path.rest) {
            fault.into_response()
        } else if request.method() == Method::HEAD && !path.rest.is_empty() {
            // No resource can be asked for its headers alone.
            Fault::new(StatusCode::METHOD_NOT_ALLOWED, "HEAD is not possible here").into_response()
        } else {
            self.reach(request, &path, visit).await
        };
        if response.extensions().get::<Unversioned>().is_none() {
            put_range(response.headers_mut());
            put(response.headers_mut(), version::HEADER, version);
        }
        response
    }

    async fn reach(&self, mut request: Request, path: &Path, visit: Visit) -> Response {
        let Some(uri) = path.within_version(request.uri()) else {
            return Fault::routing(StatusCode::BAD_REQUEST, "the path cannot be read")
                .into_response();
        };
        *request.uri_mut() = uri;
        request.extensions_mut().insert(visit);
        match self.resources.clone().oneshot(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        }
    }

    /// Where the client reaches this service: as configured, else as the request says.
    fn endpoint(&self, request: &Request) -> Endpoint {
        if let Some(url) = &self.api.settings.public_endpoint {
            return Endpoint::new(url);
        }
        let host = request.headers().get(header::HOST);
        let host = host.and_then(|host| host.to_str().ok());
        let authority = request.uri().authority().map(http::uri::Authority::as_str);
        let host = authority.or(host).unwrap_or("localhost");
        let scheme = if self.api.settings.tls {
            "https"
        } else {
            "http"
        };
        Endpoint::new(&format!("{scheme}://{host}"))
    }
}

fn refuse_version(why: &Unacceptable, at_root: bool) -> Response {
    let fault = if at_root {
        Fault::not_acceptable(why.to_string())
    } else {
        Fault::routing(StatusCode::NOT_ACCEPTABLE, why.to_string())
    };
    let mut response = fault.into_response();
    if why.tells_range() {
        put_range(response.headers_mut());
    }
    response
}

fn put_range(headers: &mut HeaderMap) {
    put(headers, version::MINIMUM_HEADER, Version::MINIMUM);
    put(headers, version::MAXIMUM_HEADER, Version::MAXIMUM);
}

fn put(headers: &mut HeaderMap, name: &'static str, version: Version) {
    if let Ok(value) = HeaderValue::from_str(&version.to_string()) {
        headers.insert(HeaderName::from_static(name), value);
    }
}

/// Whether the client takes JSON; one that does not say takes anything.
fn accepts_json(headers: &HeaderMap) -> bool {
    let mut ranges = headers
        .get_all(header::ACCEPT)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|range| range.split(';').next().unwrap_or_default().trim())
        .filter(|range| !range.is_empty())
        .peekable();
    ranges.peek().is_none()
        || ranges.any(|range| matches!(range, "*/*" | "application/*" | "application/json"))
}

/// The path of a request, without the version that it may begin with.
struct Path {
    rest: String,
    names_version: bool,
    json_suffix: bool,
}

impl Path {
    fn of(uri: &Uri, headers: &HeaderMap) -> Self {
        let path = uri.path();
        let path = path.strip_suffix('/').unwrap_or(path);
        let (path, json_suffix) = match path.strip_suffix(".json") {
            Some(bare) if takes_suffix(headers) => (bare, true),
            _ => (path, false),
        };
        let rest = path.strip_prefix("/v1");
        let rest = rest.filter(|rest| rest.is_empty() || rest.starts_with('/'));
        Self {
            names_version: rest.is_some(),
            rest: rest.unwrap_or(path).to_owned(),
            json_suffix,
        }
    }

    fn is_root(&self) -> bool {
        self.rest.is_empty() && !self.names_version
    }

    /// Whether it is open to everybody. Decided by the very text by which the request is routed.
    fn is_public(&self) -> bool {
        self.is_root() || (self.names_version && access::is_public(&self.rest))
    }

    fn within_version(&self, uri: &Uri) -> Option<Uri> {
        let path = if self.rest.is_empty() {
            "/"
        } else {
            &self.rest
        };
        match uri.query() {
            None => path.parse().ok(),
            Some(query) => format!("{path}?{query}").parse().ok(),
        }
    }
}

/// Whether the client is of the time when every path could end in `.json`.
fn takes_suffix(headers: &HeaderMap) -> bool {
    let mut older = HeaderMap::new();
    let Some(asked) = headers.get(version::HEADER) else {
        return false;
    };
    older.insert(version::HEADER, asked.clone());
    Version::negotiate(&older).is_ok_and(|version| !version.has(since::NO_JSON_SUFFIX))
}
