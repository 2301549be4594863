use std::io;
use std::net::SocketAddr;

/// Why boot services do not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServiceError {
    /// A server's address cannot be had.
    #[error("{setting}: cannot listen on {address}: {source}{}", advice(source))]
    Listen {
        /// The setting that says so.
        setting: &'static str,
        /// The address.
        address: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
    /// A server cannot be limited to a network device.
    #[error(
        "[dhcp] interface: cannot use the network device {name:?}: {source}{}",
        advice(source)
    )]
    Device {
        /// The device.
        name: String,
        /// What the system says.
        source: io::Error,
    },
    /// A folder or file of the settings cannot be used.
    #[error("{setting}: {path} cannot be used: {message}")]
    Path {
        /// The setting.
        setting: &'static str,
        /// The folder or file.
        path: String,
        /// What is wrong with it.
        message: String,
    },
    /// A setting is missing that cannot be told from others.
    #[error("{setting} has to be set: {why}")]
    Missing {
        /// The setting.
        setting: &'static str,
        /// Why it is needed.
        why: &'static str,
    },
    /// What was kept cannot be taken up again, or files cannot be placed.
    #[error(transparent)]
    Engine(#[from] ironic_core::Error),
}

impl ServiceError {
    pub(super) fn path(setting: &'static str, path: &str, error: &impl ToString) -> Self {
        Self::Path {
            setting,
            path: path.to_owned(),
            message: error.to_string(),
        }
    }
}

/// What an operator can do about it.
fn advice(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::PermissionDenied => {
            "; ports below 1024 and network devices take root, or the capabilities \
             CAP_NET_BIND_SERVICE and CAP_NET_RAW"
        }
        io::ErrorKind::AddrInUse => "; another program has it, perhaps dnsmasq or tftpd",
        io::ErrorKind::AddrNotAvailable => "; it is no address of this machine",
        _ => "",
    }
}
