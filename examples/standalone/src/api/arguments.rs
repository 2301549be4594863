//! The arguments of a request: its query, and the members of its body.

use axum::body::{Body, to_bytes};
use axum::extract::{FromRequest, FromRequestParts, Query, Request};
use http::request::Parts;
use http::{StatusCode, header};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::args;
use super::fault::Fault;

/// How many bytes a body may have.
pub(super) const BODY_LIMIT: usize = 1 << 20;
/// How many bytes a body may have that brings a config drive.
pub(super) const PROVISION_BODY_LIMIT: usize = 64 << 20;
/// How many bytes a body may have that brings what an inspection has found.
pub(super) const INSPECTION_BODY_LIMIT: usize = 16 << 20;
/// How deep objects and lists may be nested in a body.
const DEPTH_LIMIT: usize = 25;

/// The largest body that a route takes, where it is not [`BODY_LIMIT`].
#[derive(Debug, Clone, Copy)]
pub(super) struct BodyLimit(pub(super) usize);

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
    let limit = parts
        .extensions
        .get::<BodyLimit>()
        .map_or(BODY_LIMIT, |limit| limit.0);
    let too_large = || {
        Fault::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            format!("the body has more than {limit} bytes"),
        )
    };
    let announced = parts
        .headers
        .get(header::CONTENT_LENGTH)
        .and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if announced.is_some_and(|length| length > limit as u64) {
        return Err(too_large());
    }
    let bytes = match to_bytes(body, limit).await {
        Ok(bytes) => bytes,
        Err(error) if is_over_limit(&error) => return Err(too_large()),
        Err(_) => return Err(Fault::bad("the body ended before it was complete")),
    };
    if bytes.is_empty() {
        return Ok(None);
    }
    let value: Value = serde_json::from_slice(&bytes)
        .map_err(|error| Fault::bad(format!("the body is no JSON: {error}")))?;
    if depth(&value) > DEPTH_LIMIT {
        return Err(Fault::bad(format!(
            "the body is nested more than {DEPTH_LIMIT} levels deep"
        )));
    }
    Ok(Some(value))
}

fn is_over_limit(error: &axum::Error) -> bool {
    let mut cause: Option<&dyn std::error::Error> = Some(error);
    while let Some(error) = cause {
        if error.to_string().contains("length limit exceeded") {
            return true;
        }
        cause = error.source();
    }
    false
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
