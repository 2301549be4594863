//! What a Redfish operation can end with.

mod extended;

use std::time::Duration;

use http::{Method, StatusCode};

use crate::http::HttpError;

pub use extended::{ErrorMessage, ExtendedError};

/// A Redfish operation that did not work out.
///
/// Texts name the method and the path; never a header, a request body or the BMC's credentials.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RedfishError {
    /// There was no response.
    #[error("{method} {path}: {source}")]
    Transport {
        /// The method.
        method: Method,
        /// The path asked for.
        path: String,
        /// Why.
        source: HttpError,
    },
    /// The BMC refused, or failed.
    #[error(transparent)]
    Status(Box<StatusError>),
    /// The response is not the JSON that was expected.
    #[error("{path} is not a usable resource: {reason}")]
    Malformed {
        /// The path asked for.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A member that the operation needs is not there.
    #[error("{path} has no {attribute}")]
    MissingAttribute {
        /// The resource.
        path: String,
        /// The member, in the field's notation (`Links/Sessions`).
        attribute: &'static str,
    },
    /// The BMC names the values it takes, and this is none of them.
    #[error("{value} is not allowed for {parameter}, only {}", allowed.join(", "))]
    NotAllowed {
        /// The parameter.
        parameter: &'static str,
        /// The value asked for.
        value: String,
        /// The values that the BMC takes.
        allowed: Vec<String>,
    },
    /// A link leads away from the BMC, or is not a link.
    #[error("refusing to follow a link: {reason}")]
    ForeignLink {
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A collection does not end, or is too large.
    #[error("collection {path}: {reason}")]
    Collection {
        /// The first page.
        path: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// No system was named, and the BMC has not exactly one.
    #[error("the service has {count} systems; name one")]
    AmbiguousSystem {
        /// How many there are.
        count: usize,
    },
    /// A task ended badly.
    #[error("task {path} ended as {state}: {detail}")]
    TaskFailed {
        /// The task, or its monitor.
        path: String,
        /// `TaskState` (DSP0268 Task).
        state: String,
        /// What its messages say.
        detail: String,
    },
    /// A task did not end in time.
    #[error("task {path} did not end within {} s", after.as_secs())]
    TaskTimeout {
        /// The task's monitor.
        path: String,
        /// How long it was waited for.
        after: Duration,
    },
    /// The session service answered without a token.
    #[error("{path} made a session without X-Auth-Token")]
    NoToken {
        /// The Sessions collection.
        path: String,
    },
    /// The client's own settings do not make sense.
    #[error("invalid settings: {reason}")]
    InvalidSettings {
        /// What is wrong.
        reason: String,
    },
    /// The machine cannot do this in the state it is in.
    #[error("{reason}")]
    InvalidState {
        /// Why not.
        reason: &'static str,
    },
}

/// A response whose status says no.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{method} {path} answered {}: {}", status.as_u16(), extended.summary())]
#[non_exhaustive]
pub struct StatusError {
    /// The method.
    pub method: Method,
    /// The path asked for.
    pub path: String,
    /// The status.
    pub status: StatusCode,
    /// The body's extended error, as far as there is one.
    pub extended: ExtendedError,
}

impl StatusError {
    /// An error of these parts.
    pub fn new(method: Method, path: impl Into<String>, status: StatusCode, body: &[u8]) -> Self {
        Self {
            method,
            path: path.into(),
            status,
            extended: ExtendedError::parse(body),
        }
    }
}

impl From<StatusError> for RedfishError {
    fn from(error: StatusError) -> Self {
        Self::Status(Box::new(error))
    }
}

impl RedfishError {
    /// Whether the same operation may succeed later, with nothing changed on our side.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Transport { source, .. } => source.is_retryable(),
            Self::Status(error) => {
                error.extended.is_not_ready()
                    || matches!(
                        error.status,
                        StatusCode::REQUEST_TIMEOUT
                            | StatusCode::CONFLICT
                            | StatusCode::TOO_MANY_REQUESTS
                            | StatusCode::INTERNAL_SERVER_ERROR
                            | StatusCode::BAD_GATEWAY
                            | StatusCode::SERVICE_UNAVAILABLE
                            | StatusCode::GATEWAY_TIMEOUT
                    )
            }
            Self::TaskTimeout { .. } => true,
            _ => false,
        }
    }

    /// The BMC's status, where it answered with one.
    pub fn status(&self) -> Option<StatusCode> {
        self.refusal().map(|error| error.status)
    }

    /// The BMC's refusal, where there is one.
    pub fn refusal(&self) -> Option<&StatusError> {
        match self {
            Self::Status(error) => Some(error),
            _ => None,
        }
    }

    /// Whether the credentials were refused.
    pub fn is_access_denied(&self) -> bool {
        matches!(
            self.status(),
            Some(StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN)
        )
    }

    /// Whether the resource is not there.
    pub fn is_not_found(&self) -> bool {
        matches!(
            self.status(),
            Some(StatusCode::NOT_FOUND | StatusCode::GONE)
        )
    }

    /// Whether the machine cannot do what was asked at all: the BMC lacks the member or the value.
    pub const fn is_unsupported(&self) -> bool {
        matches!(
            self,
            Self::MissingAttribute { .. } | Self::NotAllowed { .. }
        )
    }
}
