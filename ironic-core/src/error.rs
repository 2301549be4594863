//! What went wrong, for deciding: one [`Error`], its [`ErrorKind`] and a stable code.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use std::time::Duration;

string_enum! {
    /// What sort of failure an [`Error`] is; a host maps a kind to an HTTP status.
    #[non_exhaustive]
    pub enum ErrorKind("error kind") {
        /// The thing named does not exist (404).
        NotFound = "not_found",
        /// A thing of that identity exists already (409).
        AlreadyExists = "already_exists",
        /// Somebody else changed the record at the same time (409).
        Conflict = "conflict",
        /// The node is reserved by another task (409).
        NodeLocked = "node_locked",
        /// A value is wrong (400).
        InvalidParameter = "invalid_parameter",
        /// A value is missing (400).
        MissingParameter = "missing_parameter",
        /// The verb does not fit the state of the node (400).
        InvalidState = "invalid_state",
        /// The state of the node forbids the change (409).
        StateConflict = "state_conflict",
        /// The node is in maintenance (400).
        InMaintenance = "in_maintenance",
        /// The node belongs to an instance (409).
        Associated = "associated",
        /// The node is protected (403).
        Protected = "protected",
        /// The caller may not do this (403).
        Forbidden = "forbidden",
        /// The caller did not say, or not credibly, who it is (401).
        Unauthorized = "unauthorized",
        /// No conductor or node fits the request (400).
        NoValidHost = "no_valid_host",
        /// All workers are busy (503).
        NoFreeWorker = "no_free_worker",
        /// The driver does not offer this (400).
        Unsupported = "unsupported",
        /// A peer did not answer (503).
        Unreachable = "unreachable",
        /// Something took longer than it may (504).
        Timeout = "timeout",
        /// A driver or a machine refused or failed (500).
        Driver = "driver",
        /// A defect of this program or of its storage (500).
        Internal = "internal",
    }
}

impl ErrorKind {
    /// Whether the same request may succeed later without anybody changing anything.
    pub fn is_retryable(self) -> bool {
        matches!(
            self,
            Self::Conflict
                | Self::NodeLocked
                | Self::NoFreeWorker
                | Self::Unreachable
                | Self::Timeout
        )
    }
}

/// Any failure of the engine.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Nothing of this kind has this identity.
    #[error("{what} {id} could not be found")]
    NotFound {
        /// The kind of thing, for example `node`.
        what: &'static str,
        /// What was asked for.
        id: String,
    },
    /// A unique value is taken.
    #[error("{what} with {key} already exists")]
    AlreadyExists {
        /// The kind of thing.
        what: &'static str,
        /// The unique value, for example `name rack1-u4`.
        key: String,
    },
    /// A record changed between reading and writing it.
    #[error("{what} {id} was changed by somebody else; read it again and retry")]
    Conflict {
        /// The kind of thing.
        what: &'static str,
        /// Which one.
        id: String,
    },
    /// The node is reserved.
    #[error("node {node} is locked by host {host}{}; retry after the current operation has completed", for_what(purpose.as_deref(), since.as_deref()))]
    NodeLocked {
        /// The node.
        node: Uuid,
        /// Who holds the reservation.
        host: String,
        /// What for, for example `provision: deploy`, where that is known.
        purpose: Option<String>,
        /// Since when, as RFC 3339 has it, where that is known.
        since: Option<String>,
    },
    /// A value is wrong.
    #[error("{message}")]
    InvalidParameter {
        /// Which value, why it is wrong, and what would be right.
        message: String,
    },
    /// A value is missing.
    #[error("{message}")]
    MissingParameter {
        /// Which value, and where to set it.
        message: String,
    },
    /// The verb does not fit the state.
    #[error(
        "the requested action \"{verb}\" can not be performed on node {node} while it is in state \"{state}\""
    )]
    InvalidState {
        /// What was asked for.
        verb: String,
        /// The node.
        node: Uuid,
        /// The state it is in.
        state: String,
    },
    /// The state of the node forbids the change.
    #[error("{message}")]
    StateConflict {
        /// What is in the way.
        message: String,
    },
    /// The node is in maintenance.
    #[error(
        "the {verb} operation can't be performed on node {node} because it's in maintenance mode"
    )]
    InMaintenance {
        /// What was asked for.
        verb: String,
        /// The node.
        node: Uuid,
    },
    /// The node has an instance.
    #[error("node {node} is associated with instance {instance}")]
    Associated {
        /// The node.
        node: Uuid,
        /// The instance that holds it.
        instance: String,
    },
    /// The node is protected against this.
    #[error("node {node} is protected and cannot be undeployed, rebuilt or deleted")]
    Protected {
        /// The node.
        node: Uuid,
    },
    /// The caller may not do this.
    #[error("{message}")]
    Forbidden {
        /// Which permission is missing.
        message: String,
    },
    /// The caller's credentials are missing or wrong.
    #[error("{message}")]
    Unauthorized {
        /// What is missing.
        message: String,
    },
    /// No conductor or node fits.
    #[error("no valid host was found: {reason}")]
    NoValidHost {
        /// Why none fits.
        reason: String,
    },
    /// All workers are busy.
    #[error("conductor {host} has no free worker for this request; retry later")]
    NoFreeWorker {
        /// The conductor.
        host: String,
    },
    /// As many nodes do this as may at a time.
    #[error(
        "unable to process the request now: {limit} nodes are {action} already, which is as many as {setting} allows; retry later"
    )]
    ConcurrentLimit {
        /// What was asked for: `provisioning`, `unprovisioning`, `cleaning`.
        action: &'static str,
        /// How many may do it at a time.
        limit: u64,
        /// The setting that says so.
        setting: &'static str,
    },
    /// The driver does not offer this.
    #[error("driver {driver} does not support {extension}")]
    Unsupported {
        /// The driver or interface.
        driver: String,
        /// What it lacks.
        extension: String,
    },
    /// A peer did not answer.
    #[error("{what} cannot be reached: {message}")]
    Unreachable {
        /// The peer.
        what: String,
        /// The last thing that was seen.
        message: String,
    },
    /// Something took too long.
    #[error("timed out after {}s: {what}", after.as_secs())]
    Timeout {
        /// What was waited for.
        what: String,
        /// For how long.
        after: Duration,
    },
    /// A driver or a machine refused or failed.
    #[error("{message}")]
    Driver {
        /// The interface that failed, for example `ipmitool`.
        interface: String,
        /// What it said.
        message: String,
    },
    /// A defect of this program or of its storage.
    #[error("{message}")]
    Internal {
        /// What was found.
        message: String,
    },
    /// An error that came over a transport.
    #[error("{}", .0.message)]
    Remote(WireError),
}

impl Error {
    /// What sort of failure this is.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::NotFound { .. } => ErrorKind::NotFound,
            Self::AlreadyExists { .. } => ErrorKind::AlreadyExists,
            Self::Conflict { .. } => ErrorKind::Conflict,
            Self::NodeLocked { .. } => ErrorKind::NodeLocked,
            Self::InvalidParameter { .. } => ErrorKind::InvalidParameter,
            Self::MissingParameter { .. } => ErrorKind::MissingParameter,
            Self::InvalidState { .. } => ErrorKind::InvalidState,
            Self::StateConflict { .. } => ErrorKind::StateConflict,
            Self::InMaintenance { .. } => ErrorKind::InMaintenance,
            Self::Associated { .. } => ErrorKind::Associated,
            Self::Protected { .. } => ErrorKind::Protected,
            Self::Forbidden { .. } => ErrorKind::Forbidden,
            Self::Unauthorized { .. } => ErrorKind::Unauthorized,
            Self::NoValidHost { .. } => ErrorKind::NoValidHost,
            Self::NoFreeWorker { .. } | Self::ConcurrentLimit { .. } => ErrorKind::NoFreeWorker,
            Self::Unsupported { .. } => ErrorKind::Unsupported,
            Self::Unreachable { .. } => ErrorKind::Unreachable,
            Self::Timeout { .. } => ErrorKind::Timeout,
            Self::Driver { .. } => ErrorKind::Driver,
            Self::Internal { .. } => ErrorKind::Internal,
            Self::Remote(wire) => wire.kind,
        }
    }

    /// A short code that stays the same between releases, for history events and machines.
    pub fn code(&self) -> &str {
        match self {
            Self::Remote(wire) => &wire.code,
            Self::ConcurrentLimit { .. } => "concurrent_limit",
            other => other.kind().as_str(),
        }
    }

    /// Whether the same request may succeed later without anybody changing anything.
    pub fn is_retryable(&self) -> bool {
        self.kind().is_retryable()
    }

    /// An [`Error::InvalidParameter`] with this message.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::InvalidParameter {
            message: message.into(),
        }
    }

    /// An [`Error::MissingParameter`] with this message.
    pub fn missing(message: impl Into<String>) -> Self {
        Self::MissingParameter {
            message: message.into(),
        }
    }

    /// An [`Error::NotFound`].
    pub fn not_found(what: &'static str, id: impl ToString) -> Self {
        Self::NotFound {
            what,
            id: id.to_string(),
        }
    }

    /// An [`Error::Driver`] of this interface.
    pub fn driver(interface: impl Into<String>, message: impl Into<String>) -> Self {
        Self::Driver {
            interface: interface.into(),
            message: message.into(),
        }
    }

    /// What came of several things of which none waits for another to succeed: the error of the one
    /// that failed, or what all say that did, as an [`Error::Driver`] of this interface.
    pub(crate) fn joined(
        interface: &str,
        outcomes: impl IntoIterator<Item = Result<(), Self>>,
    ) -> Result<(), Self> {
        let mut failed = outcomes.into_iter().filter_map(Result::err);
        let Some(first) = failed.next() else {
            return Ok(());
        };
        let texts = failed.map(|error| format!("; {error}"));
        match texts.collect::<String>() {
            others if others.is_empty() => Err(first),
            others => Err(Self::driver(interface, format!("{first}{others}"))),
        }
    }

    /// An [`Error::Internal`] with this message.
    pub fn internal(message: impl Into<String>) -> Self {
        Self::Internal {
            message: message.into(),
        }
    }
}

fn for_what(purpose: Option<&str>, since: Option<&str>) -> String {
    let purpose = purpose.filter(|purpose| !purpose.is_empty());
    let purpose = purpose.map(|purpose| format!(" for \"{purpose}\""));
    let since = since.map(|since| format!(" since {since}"));
    purpose.unwrap_or_default() + &since.unwrap_or_default()
}

/// A name that no value of this sort has.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown {what} {name:?}")]
pub struct UnknownName {
    what: &'static str,
    name: String,
}

impl UnknownName {
    pub(crate) fn new(what: &'static str, name: &str) -> Self {
        Self {
            what,
            name: name.chars().take(64).collect(),
        }
    }
}

impl From<UnknownName> for Error {
    fn from(error: UnknownName) -> Self {
        Self::invalid(error.to_string())
    }
}

/// An [`Error`] as it travels between conductors.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct WireError {
    /// What sort of failure.
    pub kind: ErrorKind,
    /// The stable code.
    pub code: String,
    /// The text for people.
    pub message: String,
    /// Machine-readable facts, empty for most errors.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub details: Value,
}

impl From<&Error> for WireError {
    fn from(error: &Error) -> Self {
        let details = match error {
            Error::Remote(wire) => wire.details.clone(),
            Error::NodeLocked {
                node,
                host,
                purpose,
                since,
            } => serde_json::json!({
                "node": node, "host": host, "purpose": purpose, "since": since,
            }),
            _ => Value::Null,
        };
        Self {
            kind: error.kind(),
            code: error.code().to_owned(),
            message: error.to_string(),
            details,
        }
    }
}

impl From<WireError> for Error {
    fn from(wire: WireError) -> Self {
        Self::Remote(wire)
    }
}

#[cfg(test)]
mod tests {
    use super::{Error, ErrorKind, WireError};

    #[test]
    fn an_error_keeps_its_kind_code_and_text_over_the_wire() {
        let error = Error::NodeLocked {
            node: uuid::Uuid::nil(),
            host: "cond-a".into(),
            purpose: Some("provision: deploy".into()),
            since: Some("2026-11-22T20:00:00Z".into()),
        };
        let text = error.to_string();
        for part in ["cond-a", "provision: deploy", "2026-11-22T20:00:00Z"] {
            assert!(text.contains(part), "{text}");
        }
        let wire = WireError::from(&error);
        let json = serde_json::to_string(&wire).unwrap();
        let back = Error::from(serde_json::from_str::<WireError>(&json).unwrap());
        assert_eq!(back.kind(), ErrorKind::NodeLocked);
        assert_eq!(back.code(), "node_locked");
        assert_eq!(back.to_string(), error.to_string());
        assert!(back.is_retryable());
    }

    #[test]
    fn failures_are_joined_and_a_single_one_stays_itself() {
        let fails = |text: &str| Err(Error::internal(text));
        assert!(Error::joined("x", [Ok(()), Ok(())]).is_ok());
        let one = Error::joined("x", [Ok(()), fails("relay"), Ok(())]).unwrap_err();
        assert_eq!(
            (one.kind(), one.to_string()),
            (ErrorKind::Internal, "relay".to_owned())
        );
        let both = Error::joined("x", [fails("relay"), Ok(()), fails("disk")]).unwrap_err();
        assert_eq!(both.kind(), ErrorKind::Driver);
        assert!(both.to_string().ends_with("relay; disk"), "{both}");
    }
}
