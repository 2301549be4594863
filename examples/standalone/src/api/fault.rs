//! What a request is answered that cannot be served.

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use ironic_core::{Error, ErrorKind};
use serde_json::json;

/// A refusal: a status and a text for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    status: StatusCode,
    shape: Shape,
    message: String,
}

/// How the body of a refusal is written. Clients of the original read each of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    /// `faultcode`, `faultstring`, `debuginfo`: a resource refuses.
    Resource,
    /// `code`, `title`, `description`: no resource was reached.
    Routing,
    /// The bare text: nothing was looked at but the headers.
    Plain,
}

/// Marks an answer of which the version headers are left out: the request reached no resource.
#[derive(Debug, Clone, Copy)]
pub(super) struct Unversioned;

impl Fault {
    /// A refusal by a resource.
    pub(super) fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self {
            status,
            shape: Shape::Resource,
            message: message.into(),
        }
    }

    /// What was sent is wrong (400).
    pub(super) fn bad(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }

    /// There is no such thing (404).
    pub(super) fn not_found(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, message)
    }

    /// The version asked for does not have this (406).
    pub(super) fn not_acceptable(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_ACCEPTABLE, message)
    }

    /// The state of things forbids it (409).
    pub(super) fn conflict(message: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, message)
    }

    /// No resource was reached.
    pub(crate) fn routing(status: StatusCode, message: impl Into<String>) -> Self {
        Self {
            shape: Shape::Routing,
            ..Self::new(status, message)
        }
    }

    /// The answer cannot be given in a form that the client takes (406).
    pub(super) fn no_such_representation() -> Self {
        Self {
            shape: Shape::Plain,
            ..Self::not_acceptable("answers are application/json, which the client does not accept")
        }
    }

    /// The same refusal under another status: a missing thing that the request was not about.
    #[must_use]
    pub(super) fn with_status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    /// The other refusal, if this one is of something that is missing or wrong; what failed for
    /// another reason stays what it is.
    #[must_use]
    pub(super) fn instead_of_missing(self, other: Self) -> Self {
        match self.status {
            StatusCode::NOT_FOUND | StatusCode::BAD_REQUEST => other,
            _ => self,
        }
    }

    /// The same, of something that the request refers to besides: a missing one is a wrong
    /// request (400).
    #[must_use]
    pub(super) fn of_something_else(self) -> Self {
        match self.status {
            StatusCode::NOT_FOUND => self.with_status(StatusCode::BAD_REQUEST),
            _ => self,
        }
    }

    /// The status.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The text.
    pub fn message(&self) -> &str {
        &self.message
    }

    fn body(&self) -> String {
        match self.shape {
            Shape::Resource => {
                let by_client = self.status.is_client_error();
                json!({
                    "faultcode": if by_client { "Client" } else { "Server" },
                    "faultstring": self.message,
                    "debuginfo": null,
                })
                .to_string()
            }
            Shape::Routing => json!({
                "code": self.status.as_u16(),
                "title": self.status.canonical_reason(),
                "description": self.message,
            })
            .to_string(),
            Shape::Plain => self.message.clone(),
        }
    }
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.status, self.message)
    }
}

impl std::error::Error for Fault {}

impl IntoResponse for Fault {
    fn into_response(self) -> Response {
        if self.status.is_server_error() {
            tracing::error!(status = self.status.as_u16(), error = %self.message, "not served");
        }
        // The error is a JSON document within a JSON string: clients parse it twice.
        let body = json!({"error_message": self.body()}).to_string();
        let mut response = (self.status, body).into_response();
        let json = HeaderValue::from_static("application/json");
        response.headers_mut().insert(header::CONTENT_TYPE, json);
        if self.shape != Shape::Resource {
            response.extensions_mut().insert(Unversioned);
        }
        response
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self::new(status_of(error.kind()), error.to_string())
    }
}

fn status_of(kind: ErrorKind) -> StatusCode {
    match kind {
        ErrorKind::NotFound => StatusCode::NOT_FOUND,
        ErrorKind::AlreadyExists
        | ErrorKind::Conflict
        | ErrorKind::NodeLocked
        | ErrorKind::StateConflict
        | ErrorKind::Associated => StatusCode::CONFLICT,
        ErrorKind::Protected | ErrorKind::Forbidden => StatusCode::FORBIDDEN,
        ErrorKind::Unauthorized => StatusCode::UNAUTHORIZED,
        ErrorKind::NoFreeWorker | ErrorKind::Unreachable => StatusCode::SERVICE_UNAVAILABLE,
        ErrorKind::Timeout => StatusCode::GATEWAY_TIMEOUT,
        ErrorKind::InvalidParameter
        | ErrorKind::MissingParameter
        | ErrorKind::InvalidState
        | ErrorKind::InMaintenance
        | ErrorKind::NoValidHost
        | ErrorKind::Unsupported => StatusCode::BAD_REQUEST,
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

#[cfg(test)]
mod tests {
    use http::StatusCode;
    use ironic_core::Error;

    use super::Fault;

    #[test]
    fn the_error_is_json_within_json() {
        let fault = Fault::from(Error::not_found("node", "n1"));
        assert_eq!(fault.status(), StatusCode::NOT_FOUND);
        let body: serde_json::Value = serde_json::from_str(&fault.body()).unwrap();
        assert_eq!(body["faultcode"], "Client");
        assert_eq!(body["faultstring"], "node n1 could not be found");
        let routing = Fault::routing(StatusCode::NOT_FOUND, "no such path");
        let body: serde_json::Value = serde_json::from_str(&routing.body()).unwrap();
        assert_eq!(body["code"], 404);
        assert_eq!(body["title"], "Not Found");
    }
}
