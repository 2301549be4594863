use std::io;
use std::net::{SocketAddr, SocketAddrV4};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::UdpSocket;
use tokio::task::JoinHandle;

use super::{DhcpServer, HostTable, ServerPort};

// Larger than any message that a client may send without fragments, and than most with.
const LARGEST_MESSAGE: usize = 4096;

/// A running DHCP server on one socket; dropping it ends it.
#[derive(Debug)]
#[must_use = "dropping the service ends it"]
pub struct DhcpService {
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl DhcpService {
    /// Answers requests that arrive at a socket.
    ///
    /// To hear broadcasts of one network only, and to answer on it, bind the socket to all
    /// addresses and to the network's device. A proxy needs one more service on port 4011.
    ///
    /// # Errors
    ///
    /// When the socket has no address, or may not send broadcasts.
    pub fn start<T: HostTable>(
        socket: UdpSocket,
        server: Arc<DhcpServer<T>>,
        port: ServerPort,
    ) -> io::Result<Self> {
        let address = socket.local_addr()?;
        socket.set_broadcast(true)?;
        Ok(Self {
            address,
            task: tokio::spawn(run(socket, server, port)),
        })
    }

    /// Returns the address that is served.
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for DhcpService {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn run<T: HostTable>(socket: UdpSocket, server: Arc<DhcpServer<T>>, port: ServerPort) {
    let mut buffer = vec![0; LARGEST_MESSAGE];
    loop {
        match socket.recv_from(&mut buffer).await {
            Ok((length, SocketAddr::V4(from))) => {
                let bytes = buffer.get(..length).unwrap_or_default();
                answer(&socket, &server, port, bytes, from).await;
            }
            Ok((_, SocketAddr::V6(_))) => {}
            Err(error) => {
                tracing::debug!(%error, "receiving failed");
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        }
    }
}

async fn answer<T: HostTable>(
    socket: &UdpSocket,
    server: &DhcpServer<T>,
    port: ServerPort,
    bytes: &[u8],
    from: SocketAddrV4,
) {
    match server.handle_datagram(bytes, from, port) {
        Ok(Some(reply)) => {
            let message = &reply.message;
            tracing::debug!(
                client = %message.hardware_address, address = %message.your_address,
                file = %message.boot_file.escape_debug(), to = %reply.to, "answered"
            );
            if let Err(error) = socket.send_to(&message.to_bytes(), reply.to).await {
                tracing::warn!(%error, to = %reply.to, "answer could not be sent");
            }
        }
        Ok(None) => {}
        Err(error) => tracing::debug!(%from, %error, "not a DHCP message"),
    }
}
