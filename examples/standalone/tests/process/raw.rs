//! Bytes as they are.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::program::{PATIENCE, Program};

/// Sends bytes as they are and reads until the service closes the connection.
pub(crate) async fn raw(program: &Program, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(program.address()).await.unwrap();
    let (mut reader, mut writer) = stream.split();
    let exchange = async {
        let sent = async {
            // The service may well close before it has read everything.
            let _ = writer.write_all(bytes).await;
        };
        let mut answer = Vec::new();
        let received = async {
            let _ = reader.read_to_end(&mut answer).await;
        };
        tokio::join!(sent, received);
        String::from_utf8_lossy(&answer).into_owned()
    };
    timeout(PATIENCE, exchange).await.expect("no answer")
}

/// The status of an answer.
pub(crate) fn status(answer: &str) -> Option<u16> {
    let line = answer.strip_prefix("HTTP/1.1 ");
    let line = line.or_else(|| answer.strip_prefix("HTTP/1.0 "))?;
    line.get(..3)?.parse().ok()
}

/// A request with a body.
pub(crate) fn request(method: &str, path: &str, body: &[u8]) -> Vec<u8> {
    let mut bytes = format!(
        "{method} {path} HTTP/1.1\r\nHost: x\r\nX-OpenStack-Ironic-API-Version: 1.115\r\n\
         Connection: close\r\nContent-Length: {}\r\n\r\n",
        body.len()
    )
    .into_bytes();
    bytes.extend(body);
    bytes
}
