use std::{
    net::{Ipv4Addr, SocketAddr, SocketAddrV4},
    time::Duration,
};

use ironic_pxe::dhcp::{ClientConfig, DhcpClient, Lease, PXE_PORT};
use tokio::{net::UdpSocket, time::Instant};

use super::NetworkError;

/// More than any message that a server may send (RFC 2131 §2 and the size that the client announces).
const MAX_DATAGRAM: usize = 4096;

/// The machine's plug in the wall: what it broadcasts reaches this server, and no other.
///
/// The server has to answer to where a request came from, since the machine has no network of its own on which a
/// broadcast could reach it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct DhcpPort(pub(crate) SocketAddrV4);

impl DhcpPort {
    /// Asks for an address and what to boot.
    pub(crate) async fn lease(self, config: ClientConfig) -> Result<Lease, NetworkError> {
        let any = if self.0.ip().is_loopback() {
            Ipv4Addr::LOCALHOST
        } else {
            Ipv4Addr::UNSPECIFIED
        };
        let socket = UdpSocket::bind((any, 0)).await?;
        let origin = Instant::now();
        let mut client = DhcpClient::new(config, Duration::ZERO);
        let mut buffer = vec![0; MAX_DATAGRAM];
        loop {
            while let Some((to, bytes)) = client.poll_transmit() {
                // What cannot be sent is as good as lost, and asked again.
                if let Err(error) = socket.send_to(&bytes, self.route(to)).await {
                    tracing::debug!(%to, %error, "could not send");
                }
            }
            if let Some(outcome) = client.outcome() {
                return outcome.clone().map_err(|source| NetworkError::Dhcp {
                    server: SocketAddr::V4(self.0),
                    source,
                });
            }
            let due = client.poll_timeout().unwrap_or_default();
            tokio::select! {
                biased;
                received = socket.recv_from(&mut buffer) => match received {
                    Ok((len, _)) => {
                        let bytes = buffer.get(..len).unwrap_or_default();
                        client.handle_datagram(bytes, origin.elapsed());
                    }
                    // Nobody listens yet, says an earlier packet's echo.
                    Err(error) => {
                        tracing::debug!(%error, "receiving failed");
                        tokio::time::sleep(Duration::from_millis(10)).await;
                    }
                },
                () = tokio::time::sleep_until(origin + due) => client.handle_timeout(origin.elapsed()),
            }
        }
    }

    fn route(self, to: SocketAddrV4) -> SocketAddrV4 {
        match to.port() {
            // A boot server is asked where it says that it is.
            PXE_PORT => to,
            _ => self.0,
        }
    }
}
