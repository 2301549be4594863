use std::{io, net::SocketAddr, sync::Arc};

use ironic_drivers_ipmi::{
    codec::Privilege,
    command::Guid,
    server::{BmcConfig, BmcConfigError, Machine, User, serve},
};
use thiserror::Error;
use tokio::net::UdpSocket;

/// A BMC with one user, bound to its address and ready to serve.
#[derive(Debug)]
pub struct VirtualBmc {
    socket: UdpSocket,
    address: SocketAddr,
    config: BmcConfig,
}

/// Why a virtual BMC cannot serve.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum VirtualBmcError {
    /// Something else listens at the address.
    #[error("udp {address} is in use by another program; choose another --port")]
    InUse {
        /// The address.
        address: SocketAddr,
    },
    /// The address cannot be bound.
    #[error("cannot listen on udp {address}: {source}")]
    Bind {
        /// The address.
        address: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
    /// User name or password do not fit.
    #[error(transparent)]
    Config(#[from] BmcConfigError),
    /// The machine's GUID could not be drawn.
    #[error("no randomness: {0}")]
    Random(getrandom::Error),
    /// The socket failed while serving.
    #[error("udp {address} failed: {source}")]
    Serve {
        /// The address.
        address: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
}

impl VirtualBmc {
    /// Binds a BMC whose one user is an administrator; port 0 takes a free one.
    ///
    /// # Errors
    /// The address cannot be bound, or user name or password are too long for IPMI.
    pub async fn bind(
        address: SocketAddr,
        username: &str,
        password: &str,
    ) -> Result<Self, VirtualBmcError> {
        let user = User::new(username, password, Privilege::Administrator)?;
        let mut guid = [0; 16];
        fill(&mut guid).map_err(VirtualBmcError::Random)?;
        let config = BmcConfig::new(Guid(guid), vec![user])?;
        let bind = |source: io::Error| match source.kind() {
            io::ErrorKind::AddrInUse => VirtualBmcError::InUse { address },
            _ => VirtualBmcError::Bind { address, source },
        };
        let socket = UdpSocket::bind(address).await.map_err(bind)?;
        let address = socket.local_addr().map_err(bind)?;
        Ok(Self {
            socket,
            address,
            config,
        })
    }

    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves the machine until the future is dropped.
    ///
    /// # Errors
    /// The socket failed.
    pub async fn serve(self, machine: Arc<dyn Machine>) -> Result<(), VirtualBmcError> {
        let address = self.address;
        let random = |out: &mut [u8]| {
            if let Err(error) = fill(out) {
                // Without randomness no session is safe; zeros would be worse than no BMC.
                tracing::error!(%error, "no randomness");
                std::process::abort();
            }
        };
        serve(self.socket, self.config, machine, random)
            .await
            .map_err(|source| VirtualBmcError::Serve { address, source })
    }
}

#[allow(
    clippy::disallowed_methods,
    reason = "the host is where the system's randomness enters"
)]
fn fill(out: &mut [u8]) -> Result<(), getrandom::Error> {
    getrandom::fill(out)
}
