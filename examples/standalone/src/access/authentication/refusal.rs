//! What is answered to a request of which it was not found out who sends it.

use std::time::Duration;

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use serde_json::json;

/// Why a request goes no further. Its text is told to whoever asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// No credentials, or wrong ones: 401.
    #[error("{message}")]
    Unauthorized {
        /// What is missing.
        message: &'static str,
        /// How to ask: the value of `WWW-Authenticate` (RFC 9110 §11.6.1).
        challenge: String,
    },
    /// The credentials are written in a way that nobody can read: 400.
    #[error("{message}")]
    Malformed {
        /// What is wrong with them.
        message: &'static str,
    },
    /// It cannot be found out at the moment: 503.
    #[error("{message}")]
    Unavailable {
        /// What is not there.
        message: &'static str,
        /// When to ask again, in whole seconds.
        retry_after: Duration,
    },
    /// It cannot be found out before somebody looks after this service: 500.
    #[error("{message}")]
    Broken {
        /// What fails, without its details, which are in the log.
        message: &'static str,
    },
}

impl Refusal {
    /// Whether the same request may succeed later on.
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Unavailable { .. })
    }

    /// The status of the answer.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::Unauthorized { .. } => StatusCode::UNAUTHORIZED,
            Self::Malformed { .. } => StatusCode::BAD_REQUEST,
            Self::Unavailable { .. } => StatusCode::SERVICE_UNAVAILABLE,
            Self::Broken { .. } => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let status = self.status();
        let body = json!({"error": {
            "code": status.as_u16(),
            "title": status.canonical_reason(),
            "message": self.to_string(),
        }});
        let mut response = (status, body.to_string()).into_response();
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/json"),
        );
        match self {
            Self::Unauthorized { challenge, .. } => {
                if let Ok(challenge) = HeaderValue::from_str(&challenge) {
                    headers.insert(header::WWW_AUTHENTICATE, challenge);
                }
            }
            Self::Unavailable { retry_after, .. } => {
                headers.insert(header::RETRY_AFTER, retry_after.as_secs().max(1).into());
            }
            Self::Malformed { .. } | Self::Broken { .. } => {}
        }
        response
    }
}
