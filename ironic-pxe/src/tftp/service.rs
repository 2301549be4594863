use std::collections::BTreeSet;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::net::UdpSocket;
use tokio::sync::Semaphore;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::Instant;

use super::{
    ErrorCode, Packet, ReadRequest, ReceiveConfig, ReceiveTransfer, RetryPolicy, SendTransfer,
    TransferError, TransferLimits,
};
use crate::files::{FileError, FileSource, OpenFile};

// The largest UDP payload over IPv4.
const LARGEST_DATAGRAM: usize = 65_507;

/// Settings of a TFTP server.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct TftpServiceConfig {
    /// Most transfers at once, default 256; further requests wait for the machine's next try.
    pub transfers: usize,
    /// The most that a transfer agrees to.
    pub limits: TransferLimits,
    /// When to repeat.
    pub retry: RetryPolicy,
}

impl Default for TftpServiceConfig {
    fn default() -> Self {
        Self {
            transfers: 256,
            limits: TransferLimits::default(),
            retry: RetryPolicy::default(),
        }
    }
}

impl TftpServiceConfig {
    /// Makes a configuration.
    pub fn new(transfers: usize, limits: TransferLimits, retry: RetryPolicy) -> Self {
        Self {
            transfers,
            limits,
            retry,
        }
    }
}

/// A running TFTP server; dropping it ends it and all of its transfers.
#[derive(Debug)]
#[must_use = "dropping the service ends it"]
pub struct TftpService {
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl TftpService {
    /// Serves read requests that arrive at a socket.
    ///
    /// Each transfer gets a socket of its own on the same address. A socket bound to all addresses
    /// leaves the choice of a reply's address to routing, which suits hosts with one address per
    /// network.
    ///
    /// # Errors
    ///
    /// When the socket has no address.
    pub fn start(
        socket: UdpSocket,
        source: Arc<dyn FileSource>,
        config: TftpServiceConfig,
    ) -> io::Result<Self> {
        let address = socket.local_addr()?;
        let server = Server {
            address,
            source,
            config,
            slots: Arc::new(Semaphore::new(config.transfers)),
            active: Arc::default(),
        };
        Ok(Self {
            address,
            task: tokio::spawn(server.run(socket)),
        })
    }

    /// Returns the address that is served.
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for TftpService {
    fn drop(&mut self) {
        self.task.abort();
    }
}

struct Server {
    address: SocketAddr,
    source: Arc<dyn FileSource>,
    config: TftpServiceConfig,
    slots: Arc<Semaphore>,
    active: Arc<Mutex<BTreeSet<SocketAddr>>>,
}

impl Server {
    async fn run(self, socket: UdpSocket) {
        let mut transfers = JoinSet::new();
        let mut buffer = vec![0; LARGEST_DATAGRAM];
        loop {
            tokio::select! {
                biased;
                Some(_) = transfers.join_next() => {}
                received = socket.recv_from(&mut buffer) => match received {
                    Ok((length, peer)) => {
                        let bytes = buffer.get(..length).unwrap_or_default();
                        if let Some(transfer) = self.accept(bytes, peer) {
                            transfers.spawn(transfer);
                        }
                    }
                    // An unreachable port of a former peer shows up here on some systems.
                    Err(error) => {
                        tracing::debug!(%error, "receiving failed");
                        tokio::time::sleep(Duration::from_millis(10)).await;
                    }
                }
            }
        }
    }

    fn accept(
        &self,
        bytes: &[u8],
        peer: SocketAddr,
    ) -> Option<impl Future<Output = ()> + Send + use<>> {
        let request = match Packet::parse(bytes) {
            Ok(Packet::Read(request)) => Ok(request),
            Ok(Packet::Write { .. }) => Err(ErrorCode::AccessViolation),
            Ok(_) | Err(_) => return None,
        };
        let slot = match Arc::clone(&self.slots).try_acquire_owned() {
            Ok(slot) => slot,
            Err(_) => {
                tracing::warn!(%peer, "too many transfers, request left to the machine's next try");
                return None;
            }
        };
        // A repeated request belongs to the transfer that it started.
        let guard = ActivePeer::new(Arc::clone(&self.active), peer)?;
        let (source, config) = (Arc::clone(&self.source), self.config);
        let local = SocketAddr::new(self.address.ip(), 0);
        Some(async move {
            let (_slot, _guard) = (slot, guard);
            let outcome = match request {
                Ok(request) => serve(local, peer, &request, &*source, config).await,
                Err(code) => refuse(local, peer, code).await,
            };
            if let Err(error) = outcome {
                tracing::info!(%peer, %error, "transfer ended early");
            }
        })
    }
}

struct ActivePeer {
    active: Arc<Mutex<BTreeSet<SocketAddr>>>,
    peer: SocketAddr,
}

impl ActivePeer {
    fn new(active: Arc<Mutex<BTreeSet<SocketAddr>>>, peer: SocketAddr) -> Option<Self> {
        let is_new = active
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(peer);
        is_new.then_some(Self { active, peer })
    }
}

impl Drop for ActivePeer {
    fn drop(&mut self) {
        self.active
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&self.peer);
    }
}

async fn connect(local: SocketAddr, peer: SocketAddr) -> Result<UdpSocket, TransferError> {
    let socket = UdpSocket::bind(local).await.map_err(socket_error)?;
    socket.connect(peer).await.map_err(socket_error)?;
    Ok(socket)
}

async fn refuse(local: SocketAddr, peer: SocketAddr, code: ErrorCode) -> Result<(), TransferError> {
    let message = match code {
        ErrorCode::FileNotFound => "file not found",
        ErrorCode::AccessViolation => "access denied",
        _ => "file can not be read",
    };
    let bytes = Packet::Error {
        code,
        message: message.into(),
    }
    .to_bytes();
    connect(local, peer)
        .await?
        .send(&bytes)
        .await
        .map_err(socket_error)?;
    Ok(())
}

async fn serve(
    local: SocketAddr,
    peer: SocketAddr,
    request: &ReadRequest,
    source: &dyn FileSource,
    config: TftpServiceConfig,
) -> Result<(), TransferError> {
    let mut file = match source.open(&request.filename, Some(peer)).await {
        Ok(file) => file,
        Err(error) => {
            tracing::info!(%peer, file = %request.filename.escape_debug(), %error, "request refused");
            return refuse(local, peer, refusal(&error)).await;
        }
    };
    tracing::debug!(%peer, file = %request.filename.escape_debug(), size = file.size(), "transfer");
    let socket = connect(local, peer).await?;
    let origin = Instant::now();
    let mut transfer = SendTransfer::new(
        request,
        file.size(),
        config.limits,
        config.retry,
        Duration::ZERO,
    );
    let mut buffer = vec![0; LARGEST_DATAGRAM];
    loop {
        fill(&mut transfer, &mut file).await;
        while let Some(bytes) = transfer.poll_transmit() {
            // A full send buffer is no reason to end: the packet is repeated.
            if let Err(error) = socket.send(&bytes).await {
                tracing::debug!(%peer, %error, "sending failed");
            }
            fill(&mut transfer, &mut file).await;
        }
        if let Some(outcome) = transfer.outcome() {
            return outcome.clone();
        }
        let due = transfer.poll_timeout().unwrap_or_default();
        tokio::select! {
            biased;
            received = socket.recv(&mut buffer) => match received {
                Ok(length) => {
                    let bytes = buffer.get(..length).unwrap_or_default();
                    transfer.handle_datagram(bytes, origin.elapsed());
                }
                // The machine closed its port: it has all it wants, or is gone.
                Err(error) => return Err(socket_error(error)),
            },
            () = tokio::time::sleep_until(origin + due) => {
                transfer.handle_timeout(origin.elapsed());
            }
        }
    }
}

async fn fill(transfer: &mut SendTransfer, file: &mut OpenFile) {
    while let Some(wanted) = transfer.wanted() {
        match file.read_at(wanted.offset, wanted.length).await {
            Ok(content) => transfer.supply(&content),
            Err(error) => {
                tracing::warn!(%error, "content could not be read");
                transfer.abort(ErrorCode::Undefined);
            }
        }
    }
}

fn refusal(error: &FileError) -> ErrorCode {
    match error {
        FileError::NotFound => ErrorCode::FileNotFound,
        FileError::Forbidden => ErrorCode::AccessViolation,
        _ => ErrorCode::Undefined,
    }
}

/// Fetches a file, from a socket and port of its own.
///
/// # Errors
///
/// When the server refuses, stays silent or breaks the protocol. Dropping the future ends the
/// transfer; the server notices by its own time-out.
pub async fn fetch(
    server: SocketAddr,
    request: ReadRequest,
    config: ReceiveConfig,
) -> Result<Vec<u8>, TransferError> {
    let any = if server.is_ipv4() {
        "0.0.0.0:0"
    } else {
        "[::]:0"
    };
    let socket = UdpSocket::bind(any).await.map_err(socket_error)?;
    let origin = Instant::now();
    let mut transfer = ReceiveTransfer::new(server, request, config, Duration::ZERO);
    let mut buffer = vec![0; LARGEST_DATAGRAM];
    let mut content = Vec::new();
    loop {
        while let Some((to, bytes)) = transfer.poll_transmit() {
            socket.send_to(&bytes, to).await.map_err(socket_error)?;
        }
        content.append(&mut transfer.take_content());
        if let Some(outcome) = transfer.outcome() {
            return outcome.clone().map(|()| content);
        }
        let due = transfer.poll_timeout().unwrap_or_default();
        tokio::select! {
            biased;
            received = socket.recv_from(&mut buffer) => {
                let (length, from) = received.map_err(socket_error)?;
                let bytes = buffer.get(..length).unwrap_or_default();
                transfer.handle_datagram(from, bytes, origin.elapsed());
            }
            () = tokio::time::sleep_until(origin + due) => {
                transfer.handle_timeout(origin.elapsed());
            }
        }
    }
}

fn socket_error(error: io::Error) -> TransferError {
    TransferError::Socket { kind: error.kind() }
}
