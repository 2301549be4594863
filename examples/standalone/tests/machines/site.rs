//! What stands around a machine: the program, configured by its settings alone, and a server that
//! has nothing to do with it.

use std::fs;
use std::net::{SocketAddr, SocketAddrV4, TcpListener, UdpSocket};
use std::path::Path;
use std::process::Stdio;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use sha2::{Digest, Sha256, Sha512};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::time::timeout;

/// How long any one thing may take; most take less than a second.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);
pub(crate) const MAC: [u8; 6] = [0x52, 0x54, 0, 0x12, 0, 1];

/// What a machine has done, as lines.
pub(crate) type Doings = Arc<Mutex<Vec<String>>>;

/// A network of its own on loopback.
pub(crate) struct Site {
    folder: TempDir,
    pub(crate) api: SocketAddr,
    pub(crate) dhcp: SocketAddrV4,
    pub(crate) tftp: SocketAddr,
    http: SocketAddr,
    pub(crate) image_sha256: String,
    image_sha512: String,
    client: reqwest::Client,
    program: Option<Child>,
    /// What the machine has done, for who asks why it did no more.
    doings: Option<Doings>,
}

/// An address for what has to come back to it: free now, and none that the system gives to whoever
/// asks for any (Linux: from 32768 on), nor one that a test in another process looks at.
fn address() -> SocketAddr {
    const FIRST: u32 = 10_000;
    const EACH: u32 = 20;
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let mine = FIRST + std::process::id() % 1_000 * EACH;
    for _ in 0..EACH {
        let port = mine + NEXT.fetch_add(1, Ordering::Relaxed) % EACH;
        let address = SocketAddr::from(([127, 0, 0, 1], port.try_into().unwrap()));
        if TcpListener::bind(address).is_ok() && UdpSocket::bind(address).is_ok() {
            return address;
        }
    }
    panic!("no port of {EACH} from {mine} on is free");
}

/// A whole-disk image with a partition that UEFI boots and one that BIOS boots.
fn image() -> Vec<u8> {
    let mut image: Vec<u8> = (0..4_u32 << 20)
        .map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8)
        .collect();
    image[..512].fill(0);
    for (at, flag, kind, start, sectors) in [
        (446, 0x00, 0xef, 2048_u32, 1024_u32),
        (462, 0x80, 0x83, 3072, 5120),
    ] {
        image[at..at + 8].copy_from_slice(&[flag, 0xfe, 0xff, 0xff, kind, 0xfe, 0xff, 0xff]);
        image[at + 8..at + 12].copy_from_slice(&start.to_le_bytes());
        image[at + 12..at + 16].copy_from_slice(&sectors.to_le_bytes());
    }
    image[510..512].copy_from_slice(&[0x55, 0xaa]);
    image
}

fn hex(hash: &[u8]) -> String {
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A server of ramdisks somewhere in the network.
async fn ramdisks() -> String {
    let router = Router::new().route(
        "/agent.initramfs",
        axum::routing::get(|| async { vec![0x52_u8; 3 << 20] }),
    );
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/agent.initramfs", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    url
}

impl Site {
    pub(crate) async fn start(conductor: &str) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let folder = tempfile::tempdir().unwrap();
        let image = image();
        let [api, http, tftp, dhcp] = std::array::from_fn(|_| address());
        let SocketAddr::V4(dhcp) = dhcp else {
            unreachable!("loopback is of IPv4 here");
        };
        let root = folder.path();
        fs::create_dir_all(root.join("httpboot")).unwrap();
        fs::write(root.join("httpboot/image.raw"), &image).unwrap();
        fs::create_dir(root.join("images")).unwrap();
        fs::write(root.join("images/agent.kernel"), vec![0x4b; 2 << 20]).unwrap();
        let site = Self {
            api,
            dhcp,
            tftp,
            http,
            image_sha256: hex(&Sha256::digest(&image)),
            image_sha512: hex(&Sha512::digest(&image)),
            client: reqwest::Client::builder().no_proxy().build().unwrap(),
            program: None,
            doings: None,
            folder,
        };
        let settings = site.settings(conductor, &ramdisks().await);
        fs::write(site.path().join("ironic.toml"), settings).unwrap();
        site
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    fn settings(&self, conductor: &str, ramdisk: &str) -> String {
        let root = self.path().display();
        let (api, http, tftp, dhcp) = (self.api, self.http, self.tftp, self.dhcp);
        format!(
            r#"
[service]
listen = "{api}"
database = "sqlite:{root}/ironic.sqlite"
[conductor]
host = "rack"
api_url = "http://{api}"
agent_poll_interval = 1
ramdisk_heartbeat_timeout = 10
graceful_shutdown_timeout = 5
{conductor}
[boot]
tftp_root = "{root}/tftpboot"
http_root = "{root}/httpboot"
deploy_kernel = "file://{root}/images/agent.kernel"
deploy_ramdisk = "{ramdisk}"
file_url_allowed_paths = ["{root}/images"]
[tftp]
listen = "{tftp}"
[http_boot]
listen = "{http}"
[dhcp]
mode = "full"
listen = "{dhcp}"
reply_to_source = true
hosts = [{{ mac = "52:54:00:12:00:01", address = "10.77.0.1" }}]
[drivers]
enabled_hardware_types = ["ipmi"]
enabled_boot_interfaces = ["ipxe", "pxe"]
"#
        )
    }

    /// Starts the program, and waits until it is ready.
    pub(crate) async fn run(&mut self) {
        let log = fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.path().join("log"))
            .unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_ironic"))
            .args(["serve", "--config"])
            .arg(self.path().join("ironic.toml"))
            .env_clear()
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let line = timeout(PATIENCE, lines.next_line()).await.unwrap().unwrap();
        assert!(line.is_some(), "it does not start: {}", self.log());
        self.program = Some(child);
    }

    /// Ends the program without any warning.
    pub(crate) async fn kill(&mut self) {
        self.program.take().unwrap().kill().await.unwrap();
    }

    /// What the program has said.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.path().join("log")).unwrap_or_default()
    }

    /// How many machines DHCP keeps what to boot for.
    pub(crate) fn kept_by_dhcp(&self) -> usize {
        let folder = self.path().join("tftpboot/.dhcp");
        fs::read_dir(folder).map_or(0, Iterator::count)
    }

    /// Sends a request; a node that is locked for the moment is asked again.
    pub(crate) async fn ask(&self, method: Method, path: &str, body: Option<Value>) -> Value {
        for _ in 0..100 {
            let mut request = self
                .client
                .request(method.clone(), format!("http://{}{path}", self.api))
                .header("X-OpenStack-Ironic-API-Version", "latest");
            if let Some(body) = &body {
                request = request.json(body);
            }
            let answer = timeout(PATIENCE, request.send()).await.unwrap().unwrap();
            let status = answer.status();
            let text = answer.text().await.unwrap();
            if status == StatusCode::CONFLICT && text.contains("is locked") {
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
            assert!(status.is_success(), "{method} {path}: {status} {text}");
            return serde_json::from_str(&text).unwrap_or(Value::Null);
        }
        panic!("{path} stays locked: {}", self.log());
    }

    /// Enrols the machine behind this BMC.
    pub(crate) async fn enrol(&self, bmc: SocketAddr, boot: &str, mode: &str) -> String {
        let node = json!({
            "driver": "ipmi",
            "boot_interface": boot,
            "driver_info": {
                "ipmi_address": bmc.ip().to_string(),
                "ipmi_port": bmc.port(),
                "ipmi_username": "admin",
                "ipmi_password": "password",
            },
            "properties": {"capabilities": format!("boot_mode:{mode}")},
        });
        let node = self.ask(Method::POST, "/v1/nodes", Some(node)).await;
        let node = node["uuid"].as_str().unwrap().to_owned();
        let port = json!({"node_uuid": node, "address": "52:54:00:12:00:01"});
        self.ask(Method::POST, "/v1/ports", Some(port)).await;
        node
    }

    /// Asks for a verb.
    pub(crate) async fn verb(&self, node: &str, target: &str) {
        let path = format!("/v1/nodes/{node}/states/provision");
        let body = json!({ "target": target });
        self.ask(Method::PUT, &path, Some(body)).await;
    }

    /// Says what to deploy, and asks for it.
    pub(crate) async fn deploy(&self, node: &str) {
        let patch = json!([{"op": "add", "path": "/instance_info", "value": {
            "image_source": format!("http://{}/image.raw", self.http),
            "image_disk_format": "raw",
            "image_os_hash_algo": "sha512",
            "image_os_hash_value": self.image_sha512,
        }}]);
        self.ask(Method::PATCH, &format!("/v1/nodes/{node}"), Some(patch))
            .await;
        self.verb(node, "active").await;
    }

    /// Watches what the machine does from here on.
    pub(crate) fn watch(&mut self, doings: Doings) {
        self.doings = Some(doings);
    }

    /// What was done here, by the machine and by the program.
    fn doings(&self) -> String {
        let doings = self.doings.as_ref().map(|doings| doings.lock().unwrap());
        format!("machine: {doings:#?}\nprogram:\n{}", self.log())
    }

    /// Waits until the node is in a state; the node as it is then.
    pub(crate) async fn reach(&self, node: &str, state: &str) -> Value {
        let path = format!("/v1/nodes/{node}");
        let mut now = String::new();
        let reached = async {
            loop {
                let node = self.ask(Method::GET, &path, None).await;
                now = node["provision_state"].as_str().unwrap().to_owned();
                if now == state {
                    return node;
                }
                // What fails verifying is an enrolled node again.
                let failed = now.ends_with("failed") || now == "error" || now == "enrol";
                let why = &node["last_error"];
                assert!(!failed, "{now}, not {state}: {why}\n{}", self.doings());
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        match timeout(PATIENCE, reached).await {
            Ok(node) => node,
            Err(_) => panic!("{now}, not {state} in time\n{}", self.doings()),
        }
    }
}
