//! A small Bare Metal API that plays the conductor's role, and simulated machines.
#![allow(dead_code, unused_imports, reason = "each test file uses a part")]

pub(crate) mod tools;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use ironic_agent::{
    Agent, AgentConfig, AgentError, BlockDevice, BootMode, FileHardware, FileHardwareBuilder,
    NetworkInterface, PowerAction,
};
use ironic_core::runtime::SeededEntropy;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

pub(crate) const NODE: &str = "27946b59-9e44-4fa7-8e91-000000000001";
pub(crate) const TOKEN: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
pub(crate) const MAC: &str = "52:54:00:77:00:01";
/// Longest wait for something that is to happen.
const PATIENCE: Duration = Duration::from_secs(30);

/// A request as it arrived.
#[derive(Debug, Clone)]
pub(crate) struct Recorded {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: String,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Value,
}

/// How an image is served.
#[derive(Clone, Default)]
pub(crate) struct ImageFile {
    pub(crate) content: Bytes,
    /// So many times the connection breaks in the middle.
    pub(crate) cuts: usize,
    /// So many times the server fails first.
    pub(crate) failures: usize,
    pub(crate) authorization: Option<String>,
}

#[derive(Default)]
pub(crate) struct Script {
    /// Answers to lookups before the normal one.
    pub(crate) lookups: Vec<(u16, String)>,
    /// What the lookup's `config` has on top.
    pub(crate) config: Value,
    /// What the lookup's `node` has on top.
    pub(crate) node: Value,
    pub(crate) images: BTreeMap<String, ImageFile>,
    /// Answers to heartbeats before the normal one.
    pub(crate) heartbeats: Vec<u16>,
}

struct Api {
    script: Mutex<Script>,
    arrived: watch::Sender<Vec<Recorded>>,
}

/// The service; it ends with the test's runtime.
#[derive(Clone)]
pub(crate) struct Service {
    pub(crate) url: String,
    api: Arc<Api>,
}

impl Service {
    pub(crate) async fn start(script: Script) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        Self::start_on(listener, script)
    }

    pub(crate) fn start_on(listener: TcpListener, script: Script) -> Self {
        let url = format!("http://{}", listener.local_addr().unwrap());
        let api = Arc::new(Api {
            script: Mutex::new(script),
            arrived: watch::Sender::new(Vec::new()),
        });
        let router = Router::new().fallback(answer).with_state(Arc::clone(&api));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, api }
    }

    pub(crate) fn requests(&self) -> Vec<Recorded> {
        self.api.arrived.borrow().clone()
    }

    /// Waits until the requests look as wanted.
    pub(crate) async fn wait_for(&self, what: &str, wanted: impl Fn(&[Recorded]) -> bool) {
        let mut arrived = self.api.arrived.subscribe();
        tokio::time::timeout(PATIENCE, arrived.wait_for(|requests| wanted(requests)))
            .await
            .unwrap_or_else(|_| panic!("{what} did not come: {:#?}", self.requests()))
            .unwrap();
    }

    pub(crate) async fn heartbeat(&self) -> Recorded {
        let is_heartbeat = |request: &Recorded| request.path.starts_with("/v1/heartbeat/");
        self.wait_for("a heartbeat", |all| all.iter().any(is_heartbeat))
            .await;
        self.requests().into_iter().rfind(is_heartbeat).unwrap()
    }
}

async fn answer(State(api): State<Arc<Api>>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let body = to_bytes(body, 16 << 20).await.unwrap();
    let path = head.uri.path().to_owned();
    api.arrived.send_modify(|all| {
        all.push(Recorded {
            method: head.method.to_string(),
            path: path.clone(),
            query: head.uri.query().unwrap_or("").to_owned(),
            headers: head
                .headers
                .iter()
                .map(|(k, v)| (k.to_string(), v.to_str().unwrap_or("").to_owned()))
                .collect(),
            body: serde_json::from_slice(&body).unwrap_or(Value::Null),
        });
    });
    let mut script = api.script.lock().unwrap();
    let json = |code: u16, value: Value| {
        (StatusCode::from_u16(code).unwrap(), value.to_string()).into_response()
    };
    if let Some(name) = path.strip_prefix("/image/") {
        let sent = head.headers.get("authorization");
        let sent = sent.map(|value| value.to_str().unwrap().to_owned());
        return match script.images.get_mut(name) {
            Some(image) if image.authorization == sent => serve_image(image),
            Some(_) => json(401, json!({})),
            None => json(404, json!({})),
        };
    }
    if path.starts_with("/v1/heartbeat/") {
        let code = if script.heartbeats.is_empty() {
            202
        } else {
            script.heartbeats.remove(0)
        };
        return json(code, json!({}));
    }
    match path.as_str() {
        "/" => json(
            200,
            json!({"default_version": {"id": "v1", "version": "1.110"}}),
        ),
        "/v1/continue_inspection" => json(200, json!({"uuid": NODE})),
        "/v1/lookup" => {
            if !script.lookups.is_empty() {
                let (code, text) = script.lookups.remove(0);
                return (StatusCode::from_u16(code).unwrap(), text).into_response();
            }
            json(200, lookup(&script))
        }
        _ => json(404, json!({"error_message": {"faultstring": "not here"}})),
    }
}

fn lookup(script: &Script) -> Value {
    let mut found = json!({
        "node": {"uuid": NODE, "properties": {}, "instance_info": {}, "driver_internal_info": {}},
        "config": {"heartbeat_timeout": 300, "agent_token": TOKEN, "agent_token_required": true,
            "agent_md5_checksum_enable": false},
    });
    for (key, extra) in [("node", &script.node), ("config", &script.config)] {
        if let Some(extra) = extra.as_object() {
            found[key].as_object_mut().unwrap().extend(extra.clone());
        }
    }
    found
}

fn serve_image(image: &mut ImageFile) -> Response {
    if image.failures > 0 {
        image.failures -= 1;
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    let whole = image.content.clone();
    let builder = Response::builder().header("content-length", whole.len());
    if image.cuts == 0 {
        return builder.body(Body::from(whole)).unwrap();
    }
    image.cuts -= 1;
    let half = whole.slice(..whole.len() / 2);
    let parts = [Ok(half), Err(std::io::Error::other("cut"))];
    let stream = futures::stream::iter(parts);
    builder.body(Body::from_stream(stream)).unwrap()
}

/// A simulated machine with one disk.
pub(crate) struct Machine {
    pub(crate) directory: TempDir,
    pub(crate) power: watch::Receiver<Option<PowerAction>>,
    pub(crate) hardware: Arc<FileHardware>,
}

impl Machine {
    pub(crate) fn new(disk: u64) -> Self {
        Self::with(disk, |builder, _| builder)
    }

    pub(crate) fn with(
        disk: u64,
        more: impl FnOnce(FileHardwareBuilder, &std::path::Path) -> FileHardwareBuilder,
    ) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let (sender, power) = watch::channel(None);
        let mut device = BlockDevice::new("/dev/vda", disk);
        device.serial = Some("LABDISK0".to_owned());
        let builder = FileHardware::builder()
            .nic(NetworkInterface::new("enp0s1", MAC).with_ipv4("127.0.0.1"))
            .device(device, directory.path().join("vda.img"))
            .boot_mode(BootMode::Bios)
            .on_power(move |action| {
                sender.send_replace(Some(action));
            });
        let hardware = Arc::new(more(builder, directory.path()).build().unwrap());
        Self {
            directory,
            power,
            hardware,
        }
    }

    pub(crate) fn disk(&self) -> PathBuf {
        self.directory.path().join("vda.img")
    }
}

/// An agent at work; it stops with this value.
pub(crate) struct Running {
    pub(crate) handle: JoinHandle<Result<(), AgentError>>,
    pub(crate) plug: CancellationToken,
    callback: Option<String>,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.plug.cancel();
    }
}

pub(crate) fn client() -> reqwest::Client {
    // Another test may have been faster.
    let _installed = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::new()
}

pub(crate) fn config(api: &str, more: &str) -> AgentConfig {
    let mut config = AgentConfig::from_cmdline(&format!(
        "quiet ipa-api-url={api} ipa-listen-host=127.0.0.1 ipa-listen-port=0 \
         ipa-image-download-connection-retry-interval=0 {more}"
    ))
    .unwrap();
    config.min_heartbeat_interval = Duration::from_millis(50);
    config
}

impl Running {
    pub(crate) fn start(machine: &Machine, config: AgentConfig) -> Self {
        let plug = CancellationToken::new();
        let agent = Agent::builder(config, machine.hardware.clone(), client())
            .entropy(Arc::new(SeededEntropy::new(1)))
            .stop(plug.clone())
            .build();
        Self {
            handle: tokio::spawn(agent.run()),
            plug,
            callback: None,
        }
    }

    /// An agent whose callback URL is known.
    pub(crate) async fn ready(machine: &Machine, service: &Service) -> Self {
        Self::ready_with(machine, service, "").await
    }

    pub(crate) async fn ready_with(machine: &Machine, service: &Service, more: &str) -> Self {
        let mut running = Self::start(machine, config(&service.url, more));
        let heartbeat = service.heartbeat().await;
        running.callback = heartbeat.body["callback_url"].as_str().map(str::to_owned);
        running
    }

    pub(crate) fn callback(&self) -> &str {
        self.callback.as_deref().unwrap()
    }

    pub(crate) async fn get(&self, path: &str) -> (u16, Value) {
        let url = format!("{}{path}", self.callback());
        read(client().get(url).send().await.unwrap()).await
    }

    pub(crate) async fn post(&self, path: &str, body: impl Into<reqwest::Body>) -> (u16, Value) {
        let url = format!("{}{path}", self.callback());
        read(client().post(url).body(body).send().await.unwrap()).await
    }

    /// Starts a command as the conductor does.
    pub(crate) async fn command(&self, name: &str, params: Value, wait: bool) -> (u16, Value) {
        let path = format!("/v1/commands/?wait={wait}&agent_token={TOKEN}");
        self.post(&path, json!({"name": name, "params": params}).to_string())
            .await
    }

    /// Runs a command to its end.
    pub(crate) async fn complete(&self, name: &str, params: Value) -> Value {
        let (code, body) = tokio::time::timeout(PATIENCE, self.command(name, params, true))
            .await
            .unwrap_or_else(|_| panic!("{name} did not end"));
        assert_eq!(code, 200, "{name}: {body}");
        body
    }
}

async fn read(response: reqwest::Response) -> (u16, Value) {
    let code = response.status().as_u16();
    let body = response.bytes().await.unwrap();
    (code, serde_json::from_slice(&body).unwrap_or(Value::Null))
}

/// Members of objects at every level; lists by their first element.
pub(crate) fn shape(value: &Value) -> Value {
    match value {
        Value::Object(map) => map.iter().map(|(k, v)| (k.clone(), shape(v))).collect(),
        Value::Array(list) => list
            .first()
            .map_or(json!([]), |first| json!([shape(first)])),
        _ => Value::Null,
    }
}

pub(crate) fn recorded(name: &str) -> Value {
    let path = format!("{}/tests/data/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

pub(crate) fn node() -> Value {
    json!({"uuid": NODE, "properties": {}, "instance_info": {}, "driver_internal_info": {},
        "driver_info": {}, "target_raid_config": {}})
}

pub(crate) fn sha256(content: &[u8]) -> String {
    use sha2::Digest as _;

    sha2::Sha256::digest(content)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}
