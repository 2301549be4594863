use std::io;

use thiserror::Error;

use crate::codec::{CodecError, CompletionCode, NetFn, Privilege, SessionStatus};

/// Why a BMC did not do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum IpmiError {
    /// Nothing at the address answered a request for a session.
    #[error("no answer to {attempts} requests for a session")]
    Unreachable {
        /// How often it was asked.
        attempts: u32,
    },
    /// The BMC fell silent.
    #[error("no answer to {what} after {attempts} attempts")]
    Timeout {
        /// What it did not answer.
        what: &'static str,
        /// How often it was asked.
        attempts: u32,
        /// Whether a command that does more when it runs twice may have run.
        may_have_run: bool,
    },
    /// One of the two ends could not prove its credentials.
    #[error("authentication failed: {0}")]
    Authentication(AuthenticationFailure),
    /// The user may not have the privilege level.
    #[error("the BMC does not give this user the {wanted} level")]
    Privilege {
        /// The level asked for.
        wanted: Privilege,
    },
    /// The BMC refused to open a session.
    #[error("the BMC refused a session: {status}")]
    Refused {
        /// The BMC's reason.
        status: SessionStatus,
    },
    /// The BMC speaks none of the cipher suites that it may be spoken to in.
    #[error("the BMC speaks none of the allowed cipher suites")]
    NoCipherSuite,
    /// The command did not complete.
    #[error("command {command:#04x} of network function {:#04x}: {code}", net_fn.number())]
    Completion {
        /// The command's network function.
        net_fn: NetFn,
        /// The command's number.
        command: u8,
        /// What the BMC says.
        code: CompletionCode,
    },
    /// The BMC answered with bytes that are no answer.
    #[error("malformed answer: {0}")]
    Protocol(#[from] CodecError),
    /// Too many requests wait for this BMC already.
    #[error("{waiting} requests wait for this BMC already")]
    Busy {
        /// How many.
        waiting: usize,
    },
    /// Credentials do not fit into IPMI's fields.
    #[error("{what} is longer than {max} bytes")]
    TooLong {
        /// User name, password or BMC key.
        what: &'static str,
        /// The limit.
        max: usize,
    },
    /// There is no socket to send from.
    #[error("no socket: {kind}")]
    Socket {
        /// What the system says.
        kind: io::ErrorKind,
    },
    /// The client has ended.
    #[error("the client has ended")]
    Closed,
}

/// Which proof failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum AuthenticationFailure {
    /// The BMC does not know the user.
    #[error("unknown user")]
    User,
    /// Password, or both ends' idea of it, is wrong.
    #[error("wrong password")]
    Password,
    /// The BMC's key (K_g) is another one.
    #[error("wrong BMC key")]
    BmcKey,
}

impl IpmiError {
    /// Whether the same request may succeed later, and is safe to send again.
    #[must_use]
    pub const fn is_retryable(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::Busy { .. } | Self::Socket { .. } => true,
            Self::Timeout { may_have_run, .. } => !*may_have_run,
            Self::Refused { status } => matches!(status.number(), 0x01 | 0x02 | 0x08 | 0x0b),
            Self::Completion { code, .. } => code.is_transient(),
            Self::Authentication(_)
            | Self::Privilege { .. }
            | Self::NoCipherSuite
            | Self::Protocol(_)
            | Self::TooLong { .. }
            | Self::Closed => false,
        }
    }
}
