//! A transport over TCP keeps the contract: the proof that the trait can be put on a wire.
//!
//! A call is a connection of its own. Each way goes one frame: four bytes of length, the most
//! significant first, and so many bytes of JSON.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use ironic_core::testing::TransportCluster;
use ironic_core::transport::{Handler, Request, Response, Transport};
use ironic_core::{Error, WireError};
use serde::de::DeserializeOwned;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

/// More than any request or answer has.
const MOST: u32 = 64 << 20;

async fn send(stream: &mut TcpStream, frame: &impl serde::Serialize) -> Result<(), String> {
    let json = serde_json::to_vec(frame).map_err(|error| error.to_string())?;
    let length = u32::try_from(json.len()).ok().filter(|len| *len <= MOST);
    let length = length.ok_or("it is larger than a frame may be")?;
    let sent = async {
        stream.write_all(&length.to_be_bytes()).await?;
        stream.write_all(&json).await
    };
    sent.await.map_err(|error| error.to_string())
}

async fn receive<T: DeserializeOwned>(stream: &mut TcpStream) -> Result<T, String> {
    let received = async {
        let length = stream.read_u32().await?;
        let mut json = Vec::new();
        if length <= MOST {
            let mut frame = stream.take(u64::from(length));
            frame.read_to_end(&mut json).await?;
        }
        Ok::<_, std::io::Error>(json)
    };
    let json = received.await.map_err(|error| error.to_string())?;
    // The error of a parser may cite what it could not parse.
    serde_json::from_slice(&json).map_err(|_| "a frame makes no sense".to_owned())
}

/// Where each conductor listens.
#[derive(Default)]
struct Directory(Mutex<BTreeMap<String, SocketAddr>>);

struct TcpTransport {
    directory: Arc<Directory>,
}

#[async_trait]
impl Transport for TcpTransport {
    async fn call(&self, conductor: &str, request: Request) -> Result<Response, Error> {
        let unreachable = |message: String| Error::Unreachable {
            what: format!("conductor {conductor}"),
            message,
        };
        let address = self.directory.0.lock().unwrap().get(conductor).copied();
        let address = address.ok_or_else(|| unreachable("it has no address".to_owned()))?;
        let stream = TcpStream::connect(address).await;
        let mut stream = stream.map_err(|error| unreachable(error.to_string()))?;
        // Nothing is sent twice: from here on nobody knows what arrived.
        send(&mut stream, &request).await.map_err(unreachable)?;
        let answer = receive::<Result<Response, WireError>>(&mut stream).await;
        Ok(answer.map_err(unreachable)??)
    }
}

/// Serves one conductor until it is aborted, and all its connections with it.
async fn serve(listener: TcpListener, handler: Arc<dyn Handler>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            biased;
            Some(_) = connections.join_next() => {}
            Ok((mut stream, _)) = listener.accept() => {
                let handler = Arc::clone(&handler);
                connections.spawn(async move {
                    // A panic closes the connection, which is an answer as well.
                    let request = receive::<Request>(&mut stream).await?;
                    let answer = handler.handle(request).await;
                    let answer = answer.map_err(|error| WireError::from(&error));
                    send(&mut stream, &answer).await
                });
            }
        }
    }
}

#[derive(Default)]
struct TcpCluster {
    directory: Arc<Directory>,
    servers: Mutex<BTreeMap<String, JoinHandle<()>>>,
}

impl TcpCluster {
    fn stop(&self, conductor: &str) -> Option<JoinHandle<()>> {
        self.directory.0.lock().unwrap().remove(conductor);
        self.servers.lock().unwrap().remove(conductor)
    }
}

#[async_trait]
impl TransportCluster for TcpCluster {
    fn transport(&self) -> Arc<dyn Transport> {
        let directory = Arc::clone(&self.directory);
        Arc::new(TcpTransport { directory })
    }

    async fn start(&self, conductor: &str, handler: Arc<dyn Handler>) {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = tokio::spawn(serve(listener, handler));
        let name = conductor.to_owned();
        self.servers.lock().unwrap().insert(name.clone(), server);
        self.directory.0.lock().unwrap().insert(name, address);
    }

    async fn take_away(&self, conductor: &str) {
        if let Some(server) = self.stop(conductor) {
            server.abort();
            let _ = server.await;
        }
    }
}

impl Drop for TcpCluster {
    fn drop(&mut self) {
        for server in self.servers.lock().unwrap().values() {
            server.abort();
        }
    }
}

ironic_core::transport_conformance!(TcpCluster::default);
