//! The reqwest transport before peers that do not behave.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that meets the unexpected is to stop there"
)]

use std::net::Ipv4Addr;
use std::time::Duration;

use http::{Method, Uri};
use ironic_drivers_redfish::{
    HttpError, HttpRequest, HttpResponse, HttpTransport, ReqwestTransport, TlsSettings, TrustAnchor,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

const LIMIT: usize = 1 << 16;

fn transport() -> ReqwestTransport {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let tls = TlsSettings::new().trust(TrustAnchor::AcceptAny);
    ReqwestTransport::with_limits(&tls, Duration::from_secs(5), LIMIT).unwrap()
}

/// Asks a peer that answers the first request with `head` and then `chunk`, `count` times.
async fn ask(head: &'static str, chunk: Vec<u8>, count: usize) -> Result<HttpResponse, HttpError> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let url: Uri = format!("http://{}/x", listener.local_addr().unwrap())
        .parse()
        .unwrap();
    let peer = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut request = [0; 4096];
        let _ = stream.read(&mut request).await;
        stream.write_all(head.as_bytes()).await.unwrap();
        for _ in 0..count {
            if stream.write_all(&chunk).await.is_err() {
                break;
            }
        }
        let _ = stream.shutdown().await;
    });
    let response = transport().send(HttpRequest::new(Method::GET, url)).await;
    peer.await.unwrap();
    response
}

#[tokio::test]
async fn bodies_are_bounded() {
    let exact = ask(
        "HTTP/1.1 200 OK\r\ncontent-length: 65536\r\n\r\n",
        vec![b'x'; LIMIT],
        1,
    )
    .await;
    assert_eq!(exact.unwrap().body.len(), LIMIT);
    for (name, head, chunk) in [
        (
            "announced",
            "HTTP/1.1 200 OK\r\ncontent-length: 65537\r\n\r\n",
            vec![],
        ),
        (
            "announced beyond reason",
            "HTTP/1.1 200 OK\r\ncontent-length: 4611686018427387904\r\n\r\n",
            vec![],
        ),
        (
            "in chunks",
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n",
            [&b"1000\r\n"[..], &[b'x'; 0x1000], b"\r\n"].concat(),
        ),
        (
            "to the end of the connection",
            "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n",
            vec![b'x'; 0x1000],
        ),
    ] {
        let error = ask(head, chunk, 10_000).await.unwrap_err();
        assert!(
            matches!(error, HttpError::BodyTooLarge { limit: LIMIT }),
            "{name}: {error:?}"
        );
        assert!(!error.is_retryable());
    }
}

#[tokio::test]
async fn what_breaks_off_may_have_been_done() {
    for (name, head) in [
        ("no answer", ""),
        ("half a head", "HTTP/1.1 200 OK\r\ncontent-"),
        (
            "half a body",
            "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc",
        ),
        ("not HTTP", "SSH-2.0-OpenSSH_9.2\r\n\r\n"),
    ] {
        let error = ask(head, Vec::new(), 0).await.unwrap_err();
        assert!(
            matches!(error, HttpError::Interrupted { .. }),
            "{name}: {error:?}"
        );
        assert!(error.is_retryable() && !error.was_not_sent());
    }
}

#[tokio::test]
async fn redirects_are_answers() {
    let head = "HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n";
    let response = ask(head, Vec::new(), 0).await.unwrap();
    assert_eq!(
        (response.status.as_u16(), response.header("location")),
        (302, Some("http://127.0.0.1:1/"))
    );
}

#[tokio::test]
async fn anchors_that_hold_no_certificate_are_refused() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let folder = tempfile::tempdir().unwrap();
    for trust in [
        TrustAnchor::Pem(b"no certificate".to_vec()),
        TrustAnchor::Pem(b"-----BEGIN CERTIFICATE-----\n!!\n-----END CERTIFICATE-----\n".to_vec()),
        TrustAnchor::Path(folder.path().to_owned()),
        TrustAnchor::Path(folder.path().join("gone.pem")),
    ] {
        let error = ReqwestTransport::new(&TlsSettings::new().trust(trust.clone())).unwrap_err();
        assert!(
            matches!(error, HttpError::Invalid { .. }),
            "{trust:?}: {error:?}"
        );
    }
}
