use std::{
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
    time::Duration,
};

use ironic_pxe::tftp::{
    ErrorCode, ReadRequest, ReceiveConfig, ReceiveTransfer, RetryPolicy, TftpOptions, TransferError,
};
use reqwest::{StatusCode, Url};
use tokio::{net::UdpSocket, time::Instant};

use super::NetworkError;
use crate::script::{Location, MAX_SCRIPT};

/// Most bytes of a kernel or ramdisk; they are counted, not kept.
const MAX_IMAGE: u64 = 4 << 30;
/// Longest silence of an HTTP server.
const PATIENCE: Duration = Duration::from_secs(60);
/// The largest UDP payload over IPv4.
const LARGEST_DATAGRAM: usize = 65_507;
/// What firmware and boot loaders ask for: blocks that fill an Ethernet frame, some of them in a row.
const BLOCK_SIZE: u16 = 1428;
const WINDOW: u16 = 16;

/// Loads files from boot servers.
#[derive(Debug, Clone)]
pub(crate) struct Fetcher {
    pub(crate) http: reqwest::Client,
    /// Where every TFTP server is, whatever address it is known by.
    pub(crate) tftp: Option<SocketAddr>,
}

impl Fetcher {
    /// A script or configuration.
    pub(crate) async fn script(&self, location: &Location) -> Result<Vec<u8>, NetworkError> {
        let mut content = Vec::new();
        self.fetch(location, MAX_SCRIPT, |part| content.extend_from_slice(part))
            .await?;
        Ok(content)
    }

    /// The size of a kernel, a ramdisk or a boot program, all of which was loaded.
    pub(crate) async fn image(&self, location: &Location) -> Result<u64, NetworkError> {
        let mut size = 0u64;
        self.fetch(location, MAX_IMAGE, |part| {
            size = size.saturating_add(part.len() as u64);
        })
        .await?;
        if size == 0 {
            return Err(NetworkError::Empty {
                location: location.clone(),
            });
        }
        Ok(size)
    }

    async fn fetch(
        &self,
        location: &Location,
        limit: u64,
        sink: impl FnMut(&[u8]),
    ) -> Result<(), NetworkError> {
        match location {
            Location::Tftp { server, path } => {
                let server = self.tftp.unwrap_or(*server);
                let error = match receive(server, path, limit, sink).await {
                    Ok(()) => return Ok(()),
                    Err(error) => error,
                };
                let location = location.clone();
                Err(match error {
                    TransferError::Peer {
                        code: ErrorCode::FileNotFound | ErrorCode::AccessViolation,
                        ..
                    } => NetworkError::NotFound { location },
                    TransferError::TooLarge { limit } => NetworkError::TooLarge { location, limit },
                    source => NetworkError::Tftp { location, source },
                })
            }
            Location::Http(url) => self.download(location, url, limit, sink).await,
        }
    }

    async fn download(
        &self,
        location: &Location,
        url: &Url,
        limit: u64,
        mut sink: impl FnMut(&[u8]),
    ) -> Result<(), NetworkError> {
        let failed = |error: reqwest::Error| NetworkError::Http {
            location: location.clone(),
            // The URL may hold a password, and is told already.
            what: chain_of(&error.without_url()),
        };
        let silent = |_| NetworkError::Silent {
            location: location.clone(),
            seconds: PATIENCE.as_secs(),
        };
        let sent = self.http.get(url.clone()).send();
        let mut response = tokio::time::timeout(PATIENCE, sent)
            .await
            .map_err(silent)?
            .map_err(failed)?;
        match response.status() {
            status if status.is_success() => {}
            StatusCode::NOT_FOUND | StatusCode::FORBIDDEN => {
                return Err(NetworkError::NotFound {
                    location: location.clone(),
                });
            }
            status => {
                return Err(NetworkError::Http {
                    location: location.clone(),
                    what: format!("the server answered {}", status.as_u16()),
                });
            }
        }
        let mut taken = 0u64;
        while let Some(part) = tokio::time::timeout(PATIENCE, response.chunk())
            .await
            .map_err(silent)?
            .map_err(failed)?
        {
            taken = taken.saturating_add(part.len() as u64);
            if taken > limit {
                return Err(NetworkError::TooLarge {
                    location: location.clone(),
                    limit,
                });
            }
            sink(&part);
        }
        Ok(())
    }
}

fn chain_of(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text = format!("{text}: {error}");
        source = error.source();
    }
    text
}

async fn receive(
    server: SocketAddr,
    path: &str,
    limit: u64,
    mut sink: impl FnMut(&[u8]),
) -> Result<(), TransferError> {
    let socket_error = |error: std::io::Error| TransferError::Socket { kind: error.kind() };
    let any: SocketAddr = if server.is_ipv4() {
        (Ipv4Addr::UNSPECIFIED, 0).into()
    } else {
        (Ipv6Addr::UNSPECIFIED, 0).into()
    };
    let socket = UdpSocket::bind(any).await.map_err(socket_error)?;
    let mut request = ReadRequest::new(path);
    let mut options = TftpOptions::new();
    options.blksize = Some(BLOCK_SIZE);
    options.windowsize = Some(WINDOW);
    options.tsize = Some(0);
    request.options = options;
    let config = ReceiveConfig::new(RetryPolicy::default(), limit);
    let origin = Instant::now();
    let mut transfer = ReceiveTransfer::new(server, request, config, Duration::ZERO);
    let mut buffer = vec![0; LARGEST_DATAGRAM];
    loop {
        while let Some((to, bytes)) = transfer.poll_transmit() {
            socket.send_to(&bytes, to).await.map_err(socket_error)?;
        }
        sink(&transfer.take_content());
        if let Some(outcome) = transfer.outcome() {
            return outcome.clone();
        }
        let due = transfer.poll_timeout().unwrap_or_default();
        tokio::select! {
            biased;
            received = socket.recv_from(&mut buffer) => {
                let (length, from) = received.map_err(socket_error)?;
                let bytes = buffer.get(..length).unwrap_or_default();
                transfer.handle_datagram(from, bytes, origin.elapsed());
            }
            () = tokio::time::sleep_until(origin + due) => transfer.handle_timeout(origin.elapsed()),
        }
    }
}
