//! A BMC that takes connections and says nothing.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that meets the unexpected is to stop there"
)]

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use http::{HeaderMap, StatusCode};
use ironic_core::ErrorKind;
use ironic_drivers_redfish::{
    Client, ClientOptions, Connection, HttpError, HttpRequest, HttpResponse, HttpTransport,
    ReqwestTransport, TlsSettings,
};
use serde_json::json;
use support::house::{House, Only};
use tokio::net::TcpListener;
use tokio::time::{Instant, sleep};

/// Takes every connection, and keeps it.
async fn silent() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let mut kept = Vec::new();
        while let Ok((caller, _)) = listener.accept().await {
            kept.push(caller);
        }
    });
    format!("http://{address}")
}

#[tokio::test]
async fn a_silent_bmc_is_given_up_in_time() {
    support::install_provider();
    let limit = Duration::from_millis(1500);
    let options = ClientOptions::new()
        .request_timeout(Duration::from_millis(400))
        .retries(100, Duration::from_millis(50), Duration::from_millis(200))
        .silence_limit(limit);
    let transport = Arc::new(ReqwestTransport::new(&TlsSettings::new()).unwrap());
    let connection = Connection::new(&silent().await).unwrap();
    let client = Client::new(connection, transport, options).unwrap();
    let began = Instant::now();
    let error = client.root().await.unwrap_err();
    let took = began.elapsed();
    assert!(error.is_retryable(), "{error}");
    assert!(took > limit / 2 && took < limit * 3, "{took:?}");
}

/// Says nothing, or refuses for a while.
#[derive(Debug, Default)]
struct Mute {
    requests: AtomicUsize,
    /// Refusals with which it shows that it is there.
    refusals: usize,
}

#[async_trait]
impl HttpTransport for Mute {
    async fn send(&self, _: HttpRequest) -> Result<HttpResponse, HttpError> {
        let number = self.requests.fetch_add(1, Ordering::SeqCst);
        if number < self.refusals {
            sleep(Duration::from_secs(50)).await;
            let busy = StatusCode::SERVICE_UNAVAILABLE;
            return Ok(HttpResponse::new(busy, HeaderMap::new(), ""));
        }
        std::future::pending().await
    }
}

#[tokio::test(start_paused = true)]
async fn as_it_comes_a_minute_of_silence_is_enough() {
    let mute = Arc::new(Mute::default());
    let house = House::over(Only(Arc::clone(&mute))).await;
    let info = json!({"redfish_address": "https://bmc.example.org"});
    let node = house.node(info, |_| {}).await;
    let task = house.look(node).await;
    let power = task.driver().power.clone();
    let began = Instant::now();
    let error = power.get_power_state(&task).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unreachable, "{error}");
    assert!(
        began.elapsed() <= Duration::from_secs(60),
        "{:?}",
        began.elapsed()
    );
    assert!(
        mute.requests.load(Ordering::SeqCst) > 1,
        "it is tried again"
    );
}

#[tokio::test(start_paused = true)]
async fn a_bmc_that_refuses_is_not_silent() {
    let mute = Arc::new(Mute {
        refusals: 4,
        ..Mute::default()
    });
    let connection = Connection::new("https://bmc.example.org").unwrap();
    let client = Client::new(connection, mute.clone(), ClientOptions::new()).unwrap();
    let began = Instant::now();
    client.root().await.unwrap_err();
    assert_eq!(mute.requests.load(Ordering::SeqCst), 5, "all tries");
    assert!(
        began.elapsed() > Duration::from_secs(200),
        "{:?}",
        began.elapsed()
    );
}
