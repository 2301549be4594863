use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use ironic_core::{Entropy, OsEntropy};
use ironic_drivers_ipmi::codec::Privilege;
use ironic_drivers_ipmi::command::Guid;
use ironic_drivers_ipmi::server::{BmcConfig, PoweredMachine, User, serve};
use tokio::net::UdpSocket;
use tokio::runtime::{Builder, Runtime};

/// The user whom the rack's BMCs let in.
pub const USER: &str = "admin";
/// That user's password.
pub const PASSWORD: &str = "password";

/// BMCs on the loopback device, all served by one thread of their own.
#[derive(Debug)]
#[must_use = "the BMCs end with it"]
pub struct Rack {
    addresses: Vec<SocketAddr>,
    _serving: Runtime,
}

impl Rack {
    /// Starts this many BMCs.
    ///
    /// # Errors
    /// A socket or the thread could not be had.
    pub fn start(bmcs: usize) -> io::Result<Self> {
        let serving = Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()?;
        let mut addresses = Vec::with_capacity(bmcs);
        for number in 0..bmcs {
            let socket = serving.block_on(UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)))?;
            addresses.push(socket.local_addr()?);
            let user = User::new(USER, PASSWORD, Privilege::Administrator);
            let user = user.map_err(io::Error::other)?;
            let guid = Guid((number as u128).to_be_bytes());
            let config = BmcConfig::new(guid, vec![user]).map_err(io::Error::other)?;
            let machine = Arc::new(PoweredMachine::new());
            serving.spawn(serve(socket, config, machine, |out: &mut [u8]| {
                OsEntropy.fill(out)
            }));
        }
        Ok(Self {
            addresses,
            _serving: serving,
        })
    }

    /// Where the BMCs are.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }
}
