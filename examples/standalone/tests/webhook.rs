//! Notifications reach whoever takes them by HTTP.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "tests, which run a program"
)]

use std::collections::VecDeque;
use std::io::Write;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::routing::post;
use http::{HeaderMap, StatusCode};
use ironic_core::model::Node;
use ironic_core::{ProvisionState, Uuid, Verb};
use ironic_standalone::{Host, HostConfig, SIGNATURE_HEADER};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::time::timeout;

const PATIENCE: Duration = Duration::from_secs(60);

/// A post as it arrived.
#[derive(Debug, Clone)]
struct Post {
    signature: Option<String>,
    bytes: Vec<u8>,
    body: Value,
}

/// A receiver that answers as it is told, and otherwise takes everything.
#[derive(Clone)]
struct Receiver {
    answers: Arc<Mutex<VecDeque<StatusCode>>>,
    /// Answers wait for this.
    awake: watch::Sender<bool>,
    posts: watch::Sender<Vec<Post>>,
    url: String,
}

impl Receiver {
    async fn start(answers: &[u16]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let answers = answers
            .iter()
            .map(|code| StatusCode::from_u16(*code).unwrap());
        let receiver = Self {
            answers: Arc::new(Mutex::new(answers.collect())),
            awake: watch::Sender::new(true),
            posts: watch::Sender::new(Vec::new()),
            url: format!("http://{}/events", listener.local_addr().unwrap()),
        };
        let router = Router::new()
            .route("/events", post(Self::take))
            .with_state(receiver.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        receiver
    }

    async fn take(
        State(this): State<Self>,
        headers: HeaderMap,
        bytes: axum::body::Bytes,
    ) -> StatusCode {
        assert_eq!(headers["content-type"], "application/json");
        let signature = headers.get(SIGNATURE_HEADER);
        let post = Post {
            signature: signature.map(|text| text.to_str().unwrap().to_owned()),
            body: serde_json::from_slice(&bytes).unwrap(),
            bytes: bytes.to_vec(),
        };
        this.posts.send_modify(|posts| posts.push(post));
        this.awake
            .subscribe()
            .wait_for(|awake| *awake)
            .await
            .unwrap();
        let answer = this.answers.lock().unwrap().pop_front();
        answer.unwrap_or(StatusCode::NO_CONTENT)
    }

    /// Waits until so many posts have come that the last is of this sort.
    async fn wait_for(&self, event_type: &str) -> Vec<Post> {
        let mut posts = self.posts.subscribe();
        let came = |posts: &Vec<Post>| {
            posts
                .iter()
                .any(|post| post.body["event_type"] == event_type)
        };
        let waited = timeout(PATIENCE, posts.wait_for(came)).await;
        match waited {
            Ok(posts) => posts.unwrap().clone(),
            Err(_) => panic!("no {event_type}: {:#?}", self.posts.borrow().clone()),
        }
    }
}

/// A host of machines that are not there, which posts what happens to this receiver.
async fn host(receiver: &Receiver, more: &str) -> Host {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let url = &receiver.url;
    let settings = format!(
        "conductor.host = 'rack-1'\ndrivers.enabled_hardware_types = ['fake-hardware']\n\
         [notifications]\nwebhook_url = '{url}'\nwebhook_retry_interval = 0.01\n{more}"
    );
    let config = HostConfig::parse(&settings).unwrap();
    assert!(
        !format!("{config:?}").contains("s3cret"),
        "secrets stay secret"
    );
    Host::builder(config).start().await.unwrap()
}

/// A node that has been verified.
async fn managed(host: &Host) -> Uuid {
    let client = host.client();
    let node = Node::new(Uuid::nil(), "fake-hardware");
    let node = client.create_node(node).await.unwrap().uuid;
    client
        .provision(node, Verb::Manage, Default::default())
        .await
        .unwrap();
    let manageable = ProvisionState::Manageable;
    client.wait_for(node, manageable, PATIENCE).await.unwrap();
    node
}

/// What OpenSSL makes of a body.
fn hmac(body: &[u8], key: &str) -> String {
    let mut openssl = Command::new("openssl")
        .args(["dgst", "-sha256", "-hmac", key, "-r"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("openssl is missing: apt install openssl");
    openssl.stdin.take().unwrap().write_all(body).unwrap();
    let output = openssl.wait_with_output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    text.split(' ').next().unwrap().to_owned()
}

#[tokio::test]
async fn events_are_posted_as_the_original_tells_them_and_signed() {
    let receiver = Receiver::start(&[]).await;
    let host = host(&receiver, "webhook_secret = 's3cret'").await;
    let node = managed(&host).await;
    let posts = receiver.wait_for("baremetal.node.provision_set.end").await;
    let kinds: Vec<_> = posts
        .iter()
        .map(|post| post.body["event_type"].as_str().unwrap())
        .collect();
    assert_eq!(
        kinds,
        [
            "baremetal.node.create.start",
            "baremetal.node.create.end",
            "baremetal.node.provision_set.start",
            "baremetal.node.provision_set.end",
        ]
    );
    let last = posts.last().unwrap();
    assert_eq!(last.body["publisher_id"], "ironic-conductor.rack-1");
    assert_eq!(last.body["priority"], "INFO");
    assert!(last.body["timestamp"].is_string());
    let payload = &last.body["payload"];
    assert_eq!(payload["ironic_object.namespace"], "ironic");
    assert_eq!(
        payload["ironic_object.name"],
        "NodeSetProvisionStatePayload"
    );
    let data = &payload["ironic_object.data"];
    assert_eq!(data["uuid"], node.to_string());
    assert_eq!(data["previous_provision_state"], "verifying");
    assert_eq!(data["provision_state"], "manageable");
    let ids: std::collections::BTreeSet<_> = posts
        .iter()
        .map(|post| post.body["message_id"].to_string())
        .collect();
    assert_eq!(ids.len(), posts.len(), "each has an id of its own");
    for post in &posts {
        let wanted = format!("sha256={}", hmac(&post.bytes, "s3cret"));
        assert_eq!(post.signature.as_deref(), Some(wanted.as_str()));
    }
    host.stop().await.unwrap();
    assert_eq!(host.webhook().unwrap().dropped(), 0);
}

#[tokio::test]
async fn a_receiver_that_fails_gets_the_same_again_and_nothing_overtakes_it() {
    let receiver = Receiver::start(&[500, 503, 204, 429]).await;
    let host = host(&receiver, "").await;
    managed(&host).await;
    let posts = receiver.wait_for("baremetal.node.provision_set.end").await;
    let seen: Vec<_> = posts
        .iter()
        .map(|post| post.body["event_type"].as_str().unwrap())
        .collect();
    let (create, verify) = ("baremetal.node.create", "baremetal.node.provision_set");
    assert_eq!(
        seen,
        [
            format!("{create}.start"),
            format!("{create}.start"),
            format!("{create}.start"),
            format!("{create}.end"),
            format!("{create}.end"),
            format!("{verify}.start"),
            format!("{verify}.end"),
        ]
    );
    assert_eq!(posts[0].bytes, posts[1].bytes, "word for word");
    assert_eq!(posts[0].bytes, posts[2].bytes);
    assert!(
        posts[0].signature.is_none(),
        "without a secret nothing is signed"
    );
    host.stop().await.unwrap();
    let webhook = host.webhook().unwrap();
    assert_eq!((webhook.delivered(), webhook.refused()), (4, 0));
}

#[tokio::test]
async fn what_is_refused_is_not_sent_again() {
    let receiver = Receiver::start(&[400, 302, 500, 500, 500]).await;
    let host = host(&receiver, "webhook_attempts = 3").await;
    managed(&host).await;
    let posts = receiver.wait_for("baremetal.node.provision_set.end").await;
    // One refused, one sent elsewhere, one given up after three attempts, one taken.
    assert_eq!(posts.len(), 6, "{posts:#?}");
    host.stop().await.unwrap();
    let webhook = host.webhook().unwrap();
    assert_eq!((webhook.delivered(), webhook.refused()), (1, 3));
}

#[tokio::test]
async fn a_receiver_that_sleeps_stops_nobody_and_what_finds_no_room_is_counted() {
    let receiver = Receiver::start(&[]).await;
    receiver.awake.send_replace(false);
    let more = "webhook_queue = 2\nwebhook_senders = 1\nwebhook_timeout = 50";
    let host = host(&receiver, more).await;
    for _ in 0..3 {
        managed(&host).await;
    }
    let webhook = host.webhook().unwrap();
    // Of twelve one is under way, or has not been taken from the queue yet, and two wait.
    assert!((9..=10).contains(&webhook.dropped()), "{webhook:?}");
    assert_eq!(webhook.delivered(), 0);
    receiver.awake.send_replace(true);
    host.stop().await.unwrap();
    assert_eq!(
        webhook.delivered() + webhook.dropped(),
        12,
        "the rest is taken before the end"
    );
}

#[tokio::test]
async fn an_attempt_has_its_time_and_levels_are_heeded() {
    let receiver = Receiver::start(&[]).await;
    receiver.awake.send_replace(false);
    let more = "webhook_timeout = 0.05\nwebhook_attempts = 2";
    let host = host(&receiver, more).await;
    managed(&host).await;
    let posts = receiver.wait_for("baremetal.node.provision_set.end").await;
    let firsts = posts
        .iter()
        .filter(|post| post.body["event_type"] == "baremetal.node.create.start");
    assert_eq!(firsts.count(), 2, "tried again after its time");
    host.stop().await.unwrap();

    let receiver = Receiver::start(&[]).await;
    let host = self::host(&receiver, "level = 'error'").await;
    managed(&host).await;
    host.stop().await.unwrap();
    assert!(receiver.posts.borrow().is_empty(), "nothing has gone wrong");
}
