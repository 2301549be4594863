use std::{io, net::SocketAddr};

use ironic_pxe::{dhcp::ClientError, tftp::TransferError};
use thiserror::Error;

use crate::script::{Location, LocationError, ScriptError};

/// Why the network booted nothing.
#[derive(Debug, Error)]
pub(crate) enum NetworkError {
    #[error("there is no network")]
    NoNetwork,
    #[error("dhcp at {server}: {source}")]
    Dhcp {
        server: SocketAddr,
        source: ClientError,
    },
    #[error("socket: {0}")]
    Socket(#[from] io::Error),
    #[error("the dhcp server at {server} names no boot file")]
    NoBootFile { server: SocketAddr },
    #[error("{program:?} is no boot program that {firmware} firmware runs")]
    Program {
        program: String,
        firmware: &'static str,
    },
    #[error("iPXE is handed the boot program {0:?} in place of a script")]
    NoScript(String),
    #[error("{location}: there is no such file")]
    NotFound { location: Location },
    #[error("{location}: {source}")]
    Tftp {
        location: Location,
        source: TransferError,
    },
    #[error("{location}: {what}")]
    Http { location: Location, what: String },
    #[error("{location}: larger than {limit} bytes")]
    TooLarge { location: Location, limit: u64 },
    #[error("{location}: the file is empty")]
    Empty { location: Location },
    #[error("{location}: no answer in {seconds} s")]
    Silent { location: Location, seconds: u64 },
    #[error("no configuration: {tried} names tried, the last one {last}")]
    NoConfiguration { tried: usize, last: Location },
    #[error("{location}: {source}")]
    Script {
        location: Location,
        source: ScriptError,
    },
    #[error("{name:?}: {source}")]
    Location { name: String, source: LocationError },
}

impl NetworkError {
    /// Whether a server answered that it has no such file for this machine.
    pub(crate) fn is_absence(&self) -> bool {
        matches!(self, Self::NotFound { .. })
    }

    pub(crate) fn script(location: &Location, source: impl Into<ScriptError>) -> Self {
        Self::Script {
            location: location.clone(),
            source: source.into(),
        }
    }
}
