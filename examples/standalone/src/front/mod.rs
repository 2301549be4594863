//! What every request goes through first, whatever it is for: limits, its names, cross-origin
//! headers, the access log, numbers.

mod access_log;
mod cors;

pub use cors::Cors;

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, Method, StatusCode, header};
use ironic_core::Entropy;
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout};
use tower::ServiceExt as _;
use tracing::Instrument as _;

use crate::api::{Fault, Passage, has_body};
use crate::metrics::{Page, Requests};
use crate::serve::{Connection, Limits};
use access_log::Answered;

/// For how long a client should leave the service alone that has too much to do, in seconds.
const RETRY_AFTER: HeaderValue = HeaderValue::from_static("1");

/// The way in.
#[derive(Clone)]
pub(crate) struct Front {
    /// Whatever is served.
    pub(crate) inner: Router,
    pub(crate) limits: Limits,
    pub(crate) cors: Arc<Cors>,
    /// Whether every request is logged.
    pub(crate) access_log: bool,
    pub(crate) entropy: Arc<dyn Entropy>,
    pub(crate) requests: Option<Arc<Requests>>,
    /// What is served at `/metrics`, unless it has an address of its own.
    pub(crate) page: Option<Arc<Page>>,
}

/// The front with the place that there is for requests.
#[derive(Clone)]
struct Open {
    front: Arc<Front>,
    room: Arc<Semaphore>,
}

impl Front {
    /// Serves what is behind.
    pub(crate) fn into_router(self) -> Router {
        let room = Arc::new(Semaphore::new(self.limits.max_requests_in_flight));
        let front = Arc::new(self);
        Router::new()
            .fallback(serve)
            .with_state(Open { front, room })
    }
}

/// Serves one request.
async fn serve(State(open): State<Open>, request: Request) -> Response {
    let Open { front, room } = &open;
    let started = Instant::now();
    let connection = request.extensions().get::<Arc<Connection>>().cloned();
    let remote = connection.as_ref().map(|connection| connection.remote);
    let passage = Passage::new(request.headers(), &*front.entropy)
        .from(remote)
        .with_body_timeout(front.limits.body_timeout)
        .within(room);
    let passage = Arc::new(passage);
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let asked = front.cors.asked(&method, request.headers());
    let counted = front.requests.as_ref().map(|requests| requests.begin());
    let span = tracing::info_span!(
        "request",
        id = passage.request_id.as_str(),
        global_id = passage.global_request_id.as_deref(),
        method = method.as_str(),
        path = path.as_str(),
    );
    let doubtful = connection.is_some_and(|connection| connection.is_doubtful());
    let answer = front.answer(request, &passage, doubtful).instrument(span);
    let mut response = answer.await;
    drop(counted);
    let nowhere = [StatusCode::NOT_FOUND, StatusCode::METHOD_NOT_ALLOWED];
    if method == Method::OPTIONS && nowhere.contains(&response.status()) {
        // Browsers ask of any path what they may do there.
        response = StatusCode::OK.into_response();
    }
    let headers = response.headers_mut();
    passage.put_ids(headers);
    if let Some(asked) = asked {
        front.cors.allow(&asked, headers);
    }
    let route = route(&passage, &path);
    let took = started.elapsed();
    if let Some(requests) = &front.requests {
        requests.answered(&method, &route, response.status(), took);
    }
    if front.access_log {
        let quiet = matches!(path.as_str(), "/healthcheck" | "/metrics");
        let answered = Answered {
            method: &method,
            route: &route,
            path: &path,
            passage: &passage,
            response: &response,
            took,
        };
        if quiet {
            tracing::trace!(target: "ironic::access", path, "answered");
        } else {
            answered.log();
        }
    }
    response
}

impl Front {
    async fn answer(
        &self,
        mut request: Request,
        passage: &Arc<Passage>,
        doubtful: bool,
    ) -> Response {
        if doubtful {
            let message = "where the request ends is in doubt: one length, or chunks of it";
            return closing(Fault::routing(StatusCode::BAD_REQUEST, message));
        }
        let uri = request.uri();
        let length = uri.path().len() + uri.query().map_or(0, |query| query.len() + 1);
        let most = self.limits.max_uri_bytes;
        if length > most {
            let message = format!("path and query have more than {most} bytes");
            return closing(Fault::routing(StatusCode::URI_TOO_LONG, message));
        }
        match uri.path() {
            // However much there is to do, whether and what can be asked.
            "/healthcheck" => {}
            "/metrics" if self.page.is_some() && request.method() == Method::GET => {
                return match &self.page {
                    Some(page) => page.answer().await,
                    None => StatusCode::NOT_FOUND.into_response(),
                };
            }
            // Others take their place when their body is there.
            _ if has_body(request.headers()) => {}
            _ => {
                if let Err(fault) = passage.begin() {
                    return with_retry(fault.into_response());
                }
            }
        }
        request.extensions_mut().insert(Arc::clone(passage));
        let inner = self.inner.clone().oneshot(request);
        match timeout(self.limits.request_timeout, inner).await {
            Ok(Ok(response)) => with_retry(response),
            Ok(Err(never)) => match never {},
            Err(_) if passage.has_begun() => {
                let message = "there was no answer in time; what was begun goes on";
                Fault::routing(StatusCode::GATEWAY_TIMEOUT, message).into_response()
            }
            Err(_) => {
                let message = "the request did not become complete in time";
                closing(Fault::routing(StatusCode::REQUEST_TIMEOUT, message))
            }
        }
    }
}

/// A refusal after which nothing more is read from the connection.
fn closing(fault: Fault) -> Response {
    let mut response = fault.into_response();
    let close = HeaderValue::from_static("close");
    response.headers_mut().insert(header::CONNECTION, close);
    response
}

/// An answer that says when to come again, where it says to come again.
fn with_retry(mut response: Response) -> Response {
    if response.status() == StatusCode::SERVICE_UNAVAILABLE {
        let headers = response.headers_mut();
        headers.entry(header::RETRY_AFTER).or_insert(RETRY_AFTER);
    }
    response
}

/// The template of a request's path, as it was asked for; `other` if it led nowhere.
fn route(passage: &Passage, path: &str) -> String {
    if let Some(route) = passage.route.get() {
        let route = route.as_str();
        return format!("/v1{}", route.strip_suffix('/').unwrap_or(route));
    }
    match path {
        "/" | "/docs" | "/healthcheck" | "/metrics" | "/openapi.json" => path.to_owned(),
        _ => "other".to_owned(),
    }
}
