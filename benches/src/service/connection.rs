use std::net::SocketAddr;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::{CONTENT_TYPE, HOST, HeaderValue};
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::TokioIo;
use serde::de::DeserializeOwned;
use tokio::net::TcpStream;

use super::Failure;

/// The microversion that all requests are made in.
const VERSION: (&str, &str) = ("openstack-api-version", "baremetal 1.95");

/// One connection that a client keeps, as the original's own client does.
#[derive(Debug)]
pub struct Connection {
    address: SocketAddr,
    host: HeaderValue,
    sender: SendRequest<Full<Bytes>>,
}

impl Connection {
    /// Connects.
    ///
    /// # Errors
    /// Nobody listens there.
    pub async fn open(address: SocketAddr) -> Result<Self, Failure> {
        Ok(Self {
            address,
            host: HeaderValue::try_from(address.to_string())?,
            sender: connect(address).await?,
        })
    }

    /// Asks for this.
    ///
    /// # Errors
    /// As [`Connection::send`].
    pub async fn get(&mut self, path: &str) -> Result<Answer, Failure> {
        self.send(Method::GET, path, "").await
    }

    /// Sends a request, with this for its body unless it is empty, and waits for all of the answer.
    /// A connection that the service has closed while nothing was asked is opened again.
    ///
    /// # Errors
    /// The connection broke before all of the answer was there.
    pub async fn send(
        &mut self,
        method: Method,
        path: &str,
        body: impl Into<Bytes>,
    ) -> Result<Answer, Failure> {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(HOST, self.host.clone())
            .header(VERSION.0, VERSION.1);
        let body = body.into();
        if !body.is_empty() {
            request = request.header(CONTENT_TYPE, "application/json");
        }
        let mut request = request.body(Full::new(body))?;
        loop {
            if self.sender.ready().await.is_err() {
                self.sender = connect(self.address).await?;
                continue;
            }
            let answer = match self.sender.try_send_request(request).await {
                Ok(answer) => answer,
                Err(mut error) => match error.take_message() {
                    // Not a byte of it was sent.
                    Some(unsent) => {
                        request = unsent;
                        continue;
                    }
                    None => return Err(error.into_error().into()),
                },
            };
            let status = answer.status();
            let body = answer.into_body().collect().await?.to_bytes();
            return Ok(Answer { status, body });
        }
    }
}

async fn connect(address: SocketAddr) -> Result<SendRequest<Full<Bytes>>, Failure> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    // Its end shows at the sender.
    tokio::spawn(connection);
    Ok(sender)
}

/// What a service has answered.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// All of the body.
    pub body: Bytes,
}

impl Answer {
    /// The same, if its status is this one.
    ///
    /// # Errors
    /// It is another one.
    pub fn expect(self, status: StatusCode) -> Result<Self, Failure> {
        if self.status == status {
            return Ok(self);
        }
        let said = String::from_utf8_lossy(&self.body);
        Err(format!("answered {} instead of {status}: {said}", self.status).into())
    }

    /// What the body says.
    ///
    /// # Errors
    /// It is something else.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Failure> {
        Ok(serde_json::from_slice(&self.body)?)
    }
}
