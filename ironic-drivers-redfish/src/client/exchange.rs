//! One request to its answer: permit, time-out, credentials, tries, redirects.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use serde_json::Value;
use tokio::time::Instant;

use super::retry::{Verdict, decide};
use super::session::Ticket;
use super::{Client, Reply};
use crate::error::{RedfishError, StatusError};
use crate::http::{HttpError, HttpRequest, HttpResponse};

/// More redirects than this are a loop.
const MAX_REDIRECTS: usize = 3;

/// A request of the client's, before credentials.
#[derive(Clone)]
pub(super) struct Call {
    pub(super) method: Method,
    /// On the BMC's authority, escaped.
    pub(super) path: String,
    body: Option<Bytes>,
    if_match: Option<String>,
    repeatable: bool,
}

impl Call {
    pub(super) fn new(method: Method, path: String) -> Self {
        let repeatable = method == Method::GET;
        Self {
            method,
            path,
            body: None,
            if_match: None,
            repeatable,
        }
    }

    pub(super) fn json(mut self, body: &Value) -> Self {
        self.body = Some(body.to_string().into());
        self
    }

    pub(super) fn if_match(mut self, etag: Option<String>) -> Self {
        self.if_match = etag;
        self
    }

    pub(super) const fn repeatable(mut self, repeatable: bool) -> Self {
        self.repeatable = repeatable;
        self
    }
}

impl Client {
    /// Sends `call` with credentials and gives its success, or its refusal as an error.
    pub(super) async fn exchange(&self, call: &Call) -> Result<Reply, RedfishError> {
        let ticket = self.ticket().await?;
        let mut response = self.attempt(call, &ticket).await?;
        if response.status == StatusCode::UNAUTHORIZED && self.expire(&ticket).await {
            let renewed = self.ticket().await?;
            response = self.attempt(call, &renewed).await?;
        }
        accept(call, response)
    }

    /// Sends `call` until it is answered for good; any status is an answer.
    pub(super) async fn attempt(
        &self,
        call: &Call,
        ticket: &Ticket,
    ) -> Result<HttpResponse, RedfishError> {
        let mut call = call.clone();
        for _ in 0..=MAX_REDIRECTS {
            let response = self.tries(&call, ticket).await?;
            let keeps_method = matches!(
                response.status,
                StatusCode::TEMPORARY_REDIRECT | StatusCode::PERMANENT_REDIRECT
            );
            let redirects = keeps_method
                || (call.method == Method::GET
                    && matches!(
                        response.status,
                        StatusCode::MOVED_PERMANENTLY | StatusCode::FOUND
                    ));
            match response.header("location") {
                Some(location) if redirects => {
                    call.path = self.connection.base.resolve(location)?
                }
                _ if response.status.is_redirection()
                    && response.status != StatusCode::NOT_MODIFIED =>
                {
                    return Err(RedfishError::Malformed {
                        path: call.path,
                        reason: "a redirect that leads nowhere".to_owned(),
                    });
                }
                _ => return Ok(response),
            }
        }
        Err(RedfishError::Malformed {
            path: call.path,
            reason: "redirects without end".to_owned(),
        })
    }

    async fn tries(&self, call: &Call, ticket: &Ticket) -> Result<HttpResponse, RedfishError> {
        let mut attempt = 0;
        let limit = self.options.silence_limit;
        let mut silence = Duration::ZERO;
        loop {
            let left = limit.saturating_sub(silence);
            let (outcome, took) = self.once(call, ticket, left).await;
            silence = match &outcome {
                Ok(_) => Duration::ZERO,
                Err(_) => silence.saturating_add(took),
            };
            match decide(
                &self.options,
                &call.method,
                call.repeatable,
                attempt,
                outcome.as_ref(),
            ) {
                Verdict::Again(pause)
                    if outcome.is_ok() || silence.saturating_add(pause) < limit =>
                {
                    attempt += 1;
                    if outcome.is_err() {
                        silence = silence.saturating_add(pause);
                    }
                    tracing::debug!(
                        bmc = self.connection.base.host(),
                        method = %call.method,
                        path = %call.path,
                        attempt,
                        pause_ms = u64::try_from(pause.as_millis()).unwrap_or(u64::MAX),
                        outcome = %Outcome(&outcome),
                        "sending again"
                    );
                    tokio::time::sleep(pause).await;
                }
                Verdict::Again(_) | Verdict::Finish => {
                    return outcome.map_err(|source| RedfishError::Transport {
                        method: call.method.clone(),
                        path: call.path.clone(),
                        source,
                    });
                }
            }
        }
    }

    /// Sends `call` once and waits for at most `patience`; how it went, and how long that took.
    pub(super) async fn once(
        &self,
        call: &Call,
        ticket: &Ticket,
        patience: Duration,
    ) -> (Result<HttpResponse, HttpError>, Duration) {
        let request = match self.request(call, ticket) {
            Ok(request) => request,
            Err(error) => return (Err(error), Duration::ZERO),
        };
        // Not counted: it is the client's own callers who are in the way.
        let Ok(_permit) = self.gate.acquire().await else {
            let reason = "the client is closed".to_owned();
            return (Err(HttpError::Invalid { reason }), Duration::ZERO);
        };
        let began = Instant::now();
        let patience = patience.min(self.options.request_timeout);
        let sending = self.transport.send(request);
        let outcome = tokio::time::timeout(patience, sending).await;
        (outcome.unwrap_or(Err(HttpError::Timeout)), began.elapsed())
    }

    fn request(&self, call: &Call, ticket: &Ticket) -> Result<HttpRequest, HttpError> {
        let invalid = |reason: &str| HttpError::Invalid {
            reason: reason.to_owned(),
        };
        let url = self
            .connection
            .base
            .url(&call.path)
            .ok_or_else(|| invalid("the path is not a URL's"))?;
        let mut request = HttpRequest::new(call.method.clone(), url);
        request.headers = headers(self.options.keep_alive);
        ticket.sign(&mut request.headers);
        if let Some(etag) = &call.if_match {
            request.headers.insert(
                header::IF_MATCH,
                etag.parse()
                    .map_err(|_| invalid("the ETag is no header value"))?,
            );
        }
        if let Some(body) = &call.body {
            request.headers.insert(
                header::CONTENT_TYPE,
                HeaderValue::from_static("application/json"),
            );
            request.body = body.clone();
        }
        Ok(request)
    }
}

/// What every request says (DSP0266, "Request headers"). Compression is declined: with it some BMCs
/// hand out weak ETags that they do not take back.
fn headers(keep_alive: bool) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
    headers.insert(
        header::ACCEPT_ENCODING,
        HeaderValue::from_static("identity"),
    );
    headers.insert("odata-version", HeaderValue::from_static("4.0"));
    if !keep_alive {
        headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    headers
}

fn accept(call: &Call, response: HttpResponse) -> Result<Reply, RedfishError> {
    if response.status.as_u16() >= 400 {
        return Err(StatusError::new(
            call.method.clone(),
            call.path.clone(),
            response.status,
            &response.body,
        )
        .into());
    }
    Ok(Reply {
        status: response.status,
        headers: response.headers,
        body: response.body,
        path: call.path.clone(),
    })
}

/// The outcome of a try, for the log.
struct Outcome<'a>(&'a Result<HttpResponse, HttpError>);

impl std::fmt::Display for Outcome<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            Ok(response) => write!(f, "{}", response.status.as_u16()),
            Err(error) => write!(f, "{error}"),
        }
    }
}
