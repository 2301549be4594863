//! The arguments of a request: its query, and the members of its body.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody as _};
use axum::extract::{FromRequest, FromRequestParts, Query, Request};
use http::request::Parts;
use http::{StatusCode, header};
use ironic_core::Error;
use serde_json::{Map, Value};
use tokio::task::JoinError;
use uuid::Uuid;

use super::args;
use super::caller::Visit;
use super::fault::Fault;
use super::passage::Passage;

/// From how many bytes on a body is taken apart where nobody else waits: one of 1 MiB can take 40 ms.
const LONG_BODY: usize = 64 << 10;

/// How large and how deep the bodies of requests may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct BodyLimits {
    /// How many bytes a body may have. Default 1 MiB.
    pub usual: usize,
    /// How many bytes a body may have that brings a config drive. Default 64 MiB.
    pub provision: usize,
    /// How many bytes a body may have that brings what an inspection has found. Default 16 MiB.
    pub inspection: usize,
    /// How deep objects and lists may be nested. Default 25, at most 100.
    pub depth: usize,
}

impl Default for BodyLimits {
    fn default() -> Self {
        Self {
            usual: 1 << 20,
            provision: 64 << 20,
            inspection: 16 << 20,
            depth: 25,
        }
    }
}

/// What a body brings that may be larger than others.
#[derive(Debug, Clone, Copy)]
pub(super) enum Brings {
    /// A config drive.
    Provision,
    /// What an inspection has found.
    Inspection,
}

/// How many bytes a body may have that brings a config drive.
pub(super) const PROVISION_BODY_LIMIT: Brings = Brings::Provision;
/// How many bytes a body may have that brings what an inspection has found.
pub(super) const INSPECTION_BODY_LIMIT: Brings = Brings::Inspection;

/// The largest body that a route takes, where it is not the usual.
#[derive(Debug, Clone, Copy)]
pub(super) struct BodyLimit(pub(super) Brings);

/// The query of a request, then what its body adds. Each argument is taken out once; what is
/// left at the end is unknown.
#[derive(Debug, Default)]
pub(super) struct Arguments(Map<String, Value>);

/// The query of a request alone.
#[derive(Debug, Default)]
pub(super) struct QueryArguments(pub(super) Arguments);

/// The body of a request: `None` when it is empty.
#[derive(Debug)]
pub(super) struct Document(pub(super) Option<Value>);

impl Arguments {
    fn take(&mut self, name: &str) -> Value {
        self.0.remove(name).unwrap_or(Value::Null)
    }

    /// Puts in an argument that the path says, in place of one that the query may say.
    pub(super) fn give(&mut self, name: &str, value: String) {
        self.0.insert(name.to_owned(), Value::String(value));
    }

    /// The argument as it is; null when it is not given.
    pub(super) fn any(&mut self, name: &str) -> Value {
        self.take(name)
    }

    pub(super) fn text(&mut self, name: &str) -> Result<Option<String>, Fault> {
        let value = self.take(name);
        Ok(args::text(name, &value)?.map(str::to_owned))
    }

    pub(super) fn flag(&mut self, name: &str) -> Result<Option<bool>, Fault> {
        args::boolean(name, &self.take(name))
    }

    pub(super) fn uuid(&mut self, name: &str) -> Result<Option<Uuid>, Fault> {
        args::uuid(name, &self.take(name))
    }

    pub(super) fn ident(&mut self, name: &str) -> Result<Option<String>, Fault> {
        let value = self.take(name);
        Ok(args::uuid_or_name(name, &value)?.map(str::to_owned))
    }

    pub(super) fn integer(&mut self, name: &str) -> Result<Option<i128>, Fault> {
        args::integer(name, &self.take(name))
    }

    pub(super) fn list(&mut self, name: &str) -> Result<Option<Vec<String>>, Fault> {
        args::string_list(name, &self.take(name))
    }

    pub(super) fn mac(&mut self, name: &str) -> Result<Option<String>, Fault> {
        args::mac_address(name, &self.take(name))
    }

    /// Refuses (400) whatever has not been taken.
    pub(super) fn end(self) -> Result<(), Fault> {
        match self.0.keys().next() {
            None => Ok(()),
            Some(name) => {
                let shown: String = name.chars().take(80).collect();
                Err(Fault::bad(format!("unexpected argument {shown:?}")))
            }
        }
    }

    fn from_query(parts: &Parts) -> Result<Self, Fault> {
        let Query(pairs) = Query::<Vec<(String, String)>>::try_from_uri(&parts.uri)
            .map_err(|_| Fault::bad("the query cannot be read"))?;
        let mut given = Map::new();
        for (name, value) in pairs {
            let value = Value::String(value);
            match given.get_mut(&name) {
                None => {
                    given.insert(name, value);
                }
                Some(Value::Array(values)) => values.push(value),
                Some(first) => *first = Value::Array(vec![first.take(), value]),
            }
        }
        Ok(Self(given))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for QueryArguments {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Fault> {
        Arguments::from_query(parts).map(Self)
    }
}

impl<S: Send + Sync> FromRequest<S> for Arguments {
    type Rejection = Fault;

    async fn from_request(request: Request, _: &S) -> Result<Self, Fault> {
        let (parts, body) = request.into_parts();
        let mut arguments = Self::from_query(&parts)?;
        match read(&parts, body).await? {
            None => {}
            Some(Value::Object(members)) => arguments.0.extend(members),
            Some(_) => return Err(Fault::bad("the body must be a JSON object")),
        }
        Ok(arguments)
    }
}

impl<S: Send + Sync> FromRequest<S> for Document {
    type Rejection = Fault;

    async fn from_request(request: Request, _: &S) -> Result<Self, Fault> {
        let (parts, body) = request.into_parts();
        read(&parts, body).await.map(Self)
    }
}

/// Reads a body of bounded size as JSON of bounded depth.
async fn read(parts: &Parts, body: Body) -> Result<Option<Value>, Fault> {
    let limits = parts.extensions.get::<Visit>();
    let limits = limits.map_or_else(BodyLimits::default, |visit| visit.bodies);
    let passage = parts.extensions.get::<Arc<Passage>>();
    let limit = match parts.extensions.get::<BodyLimit>() {
        None => limits.usual,
        Some(BodyLimit(Brings::Provision)) => limits.provision,
        Some(BodyLimit(Brings::Inspection)) => limits.inspection,
    };
    let announced = parts
        .headers
        .get(header::CONTENT_LENGTH)
        .and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if announced.is_some_and(|length| length > limit as u64) {
        return Err(too_large(limit));
    }
    let bytes = collect(body, limit, passage.and_then(|way| way.body_timeout)).await?;
    if let Some(passage) = passage {
        passage.begin()?;
    }
    if bytes.is_empty() {
        return Ok(None);
    }
    let most = limits.depth;
    if bytes.len() < LONG_BODY {
        return parse(&bytes, most).map(Some);
    }
    let turn = match parts.extensions.get::<Visit>() {
        // Nobody closes it.
        Some(visit) => Arc::clone(&visit.long_bodies).acquire_owned().await.ok(),
        None => None,
    };
    let parsed = tokio::task::spawn_blocking(move || {
        let parsed = parse(&bytes, most);
        drop(turn);
        parsed
    });
    let stopped = |stopped: JoinError| Error::internal(stopped.to_string());
    parsed.await.map_err(stopped)?.map(Some)
}

fn parse(bytes: &[u8], most: usize) -> Result<Value, Fault> {
    let value: Value = serde_json::from_slice(bytes)
        .map_err(|error| Fault::bad(format!("the body is no JSON: {error}")))?;
    if depth(&value) > most {
        return Err(Fault::bad(format!(
            "the body is nested more than {most} levels deep"
        )));
    }
    Ok(value)
}

fn too_large(limit: usize) -> Fault {
    Fault::new(
        StatusCode::PAYLOAD_TOO_LARGE,
        format!("the body has more than {limit} bytes"),
    )
}

/// All of a body, of which pieces keep coming.
async fn collect(mut body: Body, limit: usize, patience: Option<Duration>) -> Result<Bytes, Fault> {
    let mut first = Bytes::new();
    let mut more = Vec::new();
    loop {
        let next = poll_fn(|cx| Pin::new(&mut body).poll_frame(cx));
        let frame = match patience {
            None => next.await,
            Some(patience) => tokio::time::timeout(patience, next).await.map_err(|_| {
                let message = "nothing more of the body came for too long";
                Fault::new(StatusCode::REQUEST_TIMEOUT, message)
            })?,
        };
        let piece = match frame {
            None => break,
            // Trailers say nothing here.
            Some(Ok(frame)) => frame.into_data().unwrap_or_default(),
            Some(Err(_)) => {
                return Err(Fault::bad("the body ended before it was complete"));
            }
        };
        if first.len() + more.len() + piece.len() > limit {
            return Err(too_large(limit));
        }
        if first.is_empty() && more.is_empty() {
            // Most bodies come in one piece, and need not be copied.
            first = piece;
        } else {
            more.extend_from_slice(&std::mem::take(&mut first));
            more.extend_from_slice(&piece);
        }
    }
    Ok(if more.is_empty() { first } else { more.into() })
}

/// How deep objects and lists are nested. The parser has bounded it already (to 128), so this
/// may call itself.
fn depth(value: &Value) -> usize {
    let within = match value {
        Value::Object(members) => members.values().map(depth).max(),
        Value::Array(items) => items.iter().map(depth).max(),
        _ => return 0,
    };
    1 + within.unwrap_or(0)
}
