//! Serving the API over HTTP/1: no more connections than there may be, and none that is kept busy
//! by saying nothing.

mod connections;
mod framing;
mod limits;
mod stream;

pub(crate) use connections::{Connection, Connections};
pub use limits::Limits;

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::response::Response;
use http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::{AbortOnDropHandle, TaskTracker};
use tower::Service;

use crate::tls::Tls;

use connections::Place;
use stream::Guarded;

/// How long to wait when the system has no room for another connection, and none could be ended.
const NO_ROOM: Duration = Duration::from_secs(1);
/// How long to wait when one was ended.
const SOME_ROOM: Duration = Duration::from_millis(20);
/// How many headers the HTTP server reads fastest: it has room for as many at hand.
const USUAL_HEADERS: usize = 100;

/// What is served, and within which limits.
#[derive(Debug, Clone)]
pub(crate) struct Serving {
    pub(crate) router: Router,
    pub(crate) limits: Limits,
    /// How long a client has to send the head of a request: also for the next one on a connection
    /// that it keeps.
    pub(crate) header_timeout: Duration,
    pub(crate) connections: Arc<Connections>,
    /// Spoken with clients, if given.
    pub(crate) tls: Option<Arc<Tls>>,
}

impl Serving {
    /// Serves until told to stop; then takes no new connection, and ends when those that there are
    /// have been answered.
    ///
    /// # Errors
    /// Nothing can be accepted from this listener any more.
    pub(crate) async fn serve(
        self,
        listener: TcpListener,
        stop: CancellationToken,
    ) -> io::Result<()> {
        let serving = Arc::new(self);
        let tls = serving.tls.clone();
        let _watch = tls.map(|tls| AbortOnDropHandle::new(tokio::spawn(tls.watch())));
        let tasks = TaskTracker::new();
        let http = Arc::new(serving.http());
        loop {
            let next = async {
                let (stream, remote) = serving.accept(&listener).await?;
                let place = serving.connections.admit(remote).await;
                Ok::<_, io::Error>((stream, place))
            };
            let (stream, place) = tokio::select! {
                biased;
                () = stop.cancelled() => break,
                next = next => next?,
            };
            let Some(place) = place else {
                // Too many of this address; to say so would take as long as to serve it.
                continue;
            };
            let (serving, http, stop) = (Arc::clone(&serving), Arc::clone(&http), stop.clone());
            tasks.spawn(async move {
                match serving.tls.clone() {
                    None => serving.attend(&http, stream, place, stop).await,
                    Some(tls) => serving.agree(&http, &tls, stream, place, stop).await,
                }
            });
        }
        drop(listener);
        tasks.close();
        tasks.wait().await;
        Ok(())
    }

    fn http(&self) -> http1::Builder {
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new())
            .header_read_timeout(self.header_timeout)
            .keep_alive(self.limits.keep_alive)
            .max_header_size(self.limits.max_header_bytes)
            .max_buf_size(self.limits.max_header_bytes.max(8192));
        if self.limits.max_headers != USUAL_HEADERS {
            http.max_headers(self.limits.max_headers);
        }
        http
    }

    /// Agrees on TLS, and serves a connection to its end.
    async fn agree(
        &self,
        http: &http1::Builder,
        tls: &Tls,
        stream: TcpStream,
        place: Place,
        stop: CancellationToken,
    ) {
        let agreed = tokio::select! {
            biased;
            agreed = tls.accept(stream) => agreed,
            () = place.connection.evicted() => return,
            () = stop.cancelled() => return,
        };
        match agreed {
            Ok(stream) => self.attend(http, stream, place, stop).await,
            // A client that speaks something else, wants another version, or says nothing.
            Err(error) => tracing::debug!(%error, "no agreement on TLS"),
        }
    }

    /// Serves a connection to its end.
    fn attend<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(
        &self,
        http: &http1::Builder,
        stream: S,
        place: Place,
        stop: CancellationToken,
    ) -> impl Future<Output = ()> + Send + use<S> {
        let known = Arc::clone(&place.connection);
        let service = Attended {
            router: self.router.clone(),
            connection: Arc::clone(&known),
        };
        let stream = Guarded::new(stream, Arc::clone(&known), self.limits.write_timeout);
        let connection =
            http.serve_connection(TokioIo::new(stream), TowerToHyperService::new(service));
        async move {
            let _place = place;
            let mut connection = std::pin::pin!(connection);
            let ended = tokio::select! {
                biased;
                ended = connection.as_mut() => ended,
                () = known.evicted() => {
                    tracing::debug!(remote = %known.remote, "a connection made room for another");
                    return;
                }
                () = stop.cancelled() => {
                    connection.as_mut().graceful_shutdown();
                    connection.await
                }
            };
            if let Err(error) = ended {
                // A client that went away, or said nothing in time.
                tracing::debug!(%error, remote = %known.remote, "a connection has ended");
            }
        }
    }

    /// The next connection. One that is gone before it is there is no reason to stop, nor is a
    /// system that has no room for the moment.
    async fn accept(&self, listener: &TcpListener) -> io::Result<(TcpStream, SocketAddr)> {
        use io::ErrorKind as K;

        loop {
            match listener.accept().await {
                Ok((stream, remote)) => {
                    // Answers are small; waiting to fill packets only delays them.
                    if let Err(error) = stream.set_nodelay(true) {
                        tracing::debug!(%error, "a connection keeps its packets back");
                    }
                    return Ok((stream, remote));
                }
                Err(error) => match error.kind() {
                    K::ConnectionRefused | K::ConnectionAborted | K::ConnectionReset => {}
                    K::InvalidInput | K::Unsupported => return Err(error),
                    _ => {
                        tracing::warn!(%error, "connections cannot be accepted for the moment");
                        let room = self.connections.evict(None);
                        tokio::time::sleep(if room { SOME_ROOM } else { NO_ROOM }).await;
                    }
                },
            }
        }
    }
}

/// The router for one connection: requests know on which they came, and it knows when they are
/// answered.
#[derive(Clone)]
struct Attended {
    router: Router,
    connection: Arc<Connection>,
}

impl Service<Request<Incoming>> for Attended {
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request<Incoming>) -> Self::Future {
        let connection = Arc::clone(&self.connection);
        request.extensions_mut().insert(Arc::clone(&connection));
        let answer = self.router.call(request);
        Box::pin(async move {
            let answer = answer.await;
            connection.answered();
            answer
        })
    }
}
