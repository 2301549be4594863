//! Serving the API over HTTP/1: no more connections than there may be, and none that is kept busy
//! by saying nothing.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::{AbortOnDropHandle, TaskTracker};

use crate::tls::Tls;

/// How many connections there are at a time; further ones wait to be accepted.
const MOST_CONNECTIONS: usize = 4096;
/// How long to wait when the system has no room for another connection.
const NO_ROOM: Duration = Duration::from_secs(1);

/// Serves until told to stop; then takes no new connection, and ends when those that there are have
/// been answered.
///
/// A client has `header_timeout` to send the head of a request: also for the next one on a
/// connection that it keeps.
///
/// # Errors
/// Nothing can be accepted from this listener any more.
pub(crate) async fn serve(
    listener: TcpListener,
    tls: Option<Arc<Tls>>,
    router: Router,
    header_timeout: Duration,
    stop: CancellationToken,
) -> io::Result<()> {
    let connections = TaskTracker::new();
    let room = Arc::new(Semaphore::new(MOST_CONNECTIONS));
    let _watch = tls
        .clone()
        .map(|tls| AbortOnDropHandle::new(tokio::spawn(tls.watch())));
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(header_timeout);
    loop {
        let next = async {
            let place = Arc::clone(&room).acquire_owned().await;
            (accept(&listener).await, place)
        };
        let (stream, place) = tokio::select! {
            biased;
            () = stop.cancelled() => break,
            (stream, place) = next => (stream?, place),
        };
        let attended = Attended {
            http: http.clone(),
            router: router.clone(),
            stop: stop.clone(),
        };
        let tls = tls.clone();
        connections.spawn(async move {
            let _place = place;
            match tls {
                None => attended.attend(stream).await,
                Some(tls) => attended.agree(&tls, stream).await,
            }
        });
    }
    drop(listener);
    connections.close();
    connections.wait().await;
    Ok(())
}

/// What a connection is served by.
struct Attended {
    http: http1::Builder,
    router: Router,
    stop: CancellationToken,
}

impl Attended {
    /// Agrees on TLS, and serves a connection to its end.
    async fn agree(self, tls: &Tls, stream: TcpStream) {
        let agreed = tokio::select! {
            biased;
            agreed = tls.accept(stream) => agreed,
            () = self.stop.cancelled() => return,
        };
        match agreed {
            Ok(stream) => self.attend(stream).await,
            // A client that speaks something else, wants another version, or says nothing.
            Err(error) => tracing::debug!(%error, "no agreement on TLS"),
        }
    }

    /// Serves a connection to its end.
    async fn attend(self, stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static) {
        let service = TowerToHyperService::new(self.router);
        let connection = self.http.serve_connection(TokioIo::new(stream), service);
        let mut connection = std::pin::pin!(connection);
        let ended = tokio::select! {
            biased;
            ended = connection.as_mut() => ended,
            () = self.stop.cancelled() => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        if let Err(error) = ended {
            // A client that went away, or said nothing in time.
            tracing::debug!(%error, "a connection has ended");
        }
    }
}

/// The next connection. One that is gone before it is there is no reason to stop, nor is a system
/// that has no room for the moment.
async fn accept(listener: &TcpListener) -> io::Result<TcpStream> {
    use io::ErrorKind as K;

    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                // Answers are small; waiting to fill packets only delays them.
                if let Err(error) = stream.set_nodelay(true) {
                    tracing::debug!(%error, "a connection keeps its packets back");
                }
                return Ok(stream);
            }
            Err(error) => match error.kind() {
                K::ConnectionRefused | K::ConnectionAborted | K::ConnectionReset => {}
                K::InvalidInput | K::Unsupported => return Err(error),
                _ => {
                    tracing::warn!(%error, "connections cannot be accepted for the moment");
                    tokio::time::sleep(NO_ROOM).await;
                }
            },
        }
    }
}
