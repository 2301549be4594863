//! Boot servers, a small Bare Metal API and machines between them, all on loopback.
#![allow(dead_code, reason = "each test file uses a part")]

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use ironic_pxe::BootInterface;
use ironic_pxe::boot::{
    BootConfig, BootNode, BootPlan, BootPort, BootRequest, RamdiskParams, common_files,
    prepare_ramdisk,
};
use ironic_pxe::dhcp::{
    DhcpServer, DhcpService, HardwareAddress, HostConfig, MemoryHosts, ServerConfig, ServerPort,
};
use ironic_pxe::files::{MemoryFiles, StripPrefix};
use ironic_pxe::http::boot_files_router;
use ironic_pxe::tftp::{TftpService, TftpServiceConfig};
use ironic_vbmc::{
    Firmware, MachineEvent, MachineReport, MachineState, SimulatedMachine, SimulatedMachineBuilder,
};
use serde_json::{Value, json};
use tokio::net::{TcpListener, UdpSocket};
use tokio::sync::{broadcast, watch};
use uuid::Uuid;

pub(crate) const MIB: u64 = 1 << 20;
pub(crate) const TOKEN: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
/// Longest wait for something that is to happen.
const PATIENCE: Duration = Duration::from_secs(60);

/// A heartbeat as it arrived.
#[derive(Debug, Clone)]
pub(crate) struct Heartbeat {
    pub(crate) node: String,
    pub(crate) callback_url: String,
}

#[derive(Default)]
struct Api {
    /// Nodes by hardware address.
    nodes: Mutex<BTreeMap<String, String>>,
    heartbeats: watch::Sender<Vec<Heartbeat>>,
}

/// Everything that a machine finds at the other end of its cables.
pub(crate) struct Lab {
    pub(crate) hosts: MemoryHosts,
    pub(crate) tftp_files: MemoryFiles,
    pub(crate) http_files: MemoryFiles,
    pub(crate) web: SocketAddr,
    pub(crate) http: reqwest::Client,
    dhcp: DhcpService,
    tftp: TftpService,
    api: Arc<Api>,
}

/// A machine that the lab knows.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Host {
    pub(crate) number: u8,
    pub(crate) node: Uuid,
    pub(crate) mac: [u8; 6],
    pub(crate) address: Ipv4Addr,
}

/// The machine of a number. Test programs run side by side, so that each has addresses of its own.
pub(crate) fn host(number: u8) -> Host {
    let [high, low] = u16::try_from(std::process::id() % 0xfe00)
        .unwrap()
        .to_be_bytes();
    Host {
        number,
        node: Uuid::from_u128(0x2794_6b59_9e44_4fa7_8e91_0000_0000_0000 + u128::from(number)),
        mac: [0x52, 0x54, 0, 0x77, 0, number],
        address: Ipv4Addr::new(127, high + 1, low, number),
    }
}

impl Host {
    pub(crate) fn mac_text(&self) -> String {
        HardwareAddress::from(self.mac).to_string()
    }
}

impl Lab {
    pub(crate) async fn start() -> Self {
        let _installed = rustls::crypto::ring::default_provider().install_default();
        let local = (Ipv4Addr::LOCALHOST, 0);
        let hosts = MemoryHosts::new();
        let config = ServerConfig::new(Ipv4Addr::LOCALHOST).with_reply_to_source(true);
        let server = Arc::new(DhcpServer::new(config, hosts.clone()));
        let socket = UdpSocket::bind(local).await.unwrap();
        let dhcp = DhcpService::start(socket, server, ServerPort::Dhcp).unwrap();
        let tftp_files = MemoryFiles::new();
        let socket = UdpSocket::bind(local).await.unwrap();
        let source = Arc::new(StripPrefix::new("/tftpboot", tftp_files.clone()));
        let tftp = TftpService::start(socket, source, TftpServiceConfig::default()).unwrap();
        let http_files = MemoryFiles::new();
        let api = Arc::new(Api::default());
        let router = Router::new()
            .route("/", get(root))
            .route("/v1/lookup", get(lookup))
            .route("/v1/heartbeat/{node}", post(heartbeat))
            .with_state(Arc::clone(&api))
            // Where GRUB's configurations are, even for machines that load GRUB over HTTP.
            .nest(
                "/tftpboot",
                boot_files_router(Arc::new(tftp_files.clone())),
            )
            .fallback_service(boot_files_router(Arc::new(StripPrefix::new(
                "/httpboot",
                http_files.clone(),
            ))));
        let listener = TcpListener::bind(local).await.unwrap();
        let web = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self {
            hosts,
            tftp_files,
            http_files,
            web,
            http: reqwest::Client::new(),
            dhcp,
            tftp,
            api,
        }
    }

    pub(crate) fn dhcp(&self) -> SocketAddrV4 {
        match self.dhcp.local_addr() {
            SocketAddr::V4(address) => address,
            SocketAddr::V6(address) => panic!("{address}"),
        }
    }

    pub(crate) fn tftp(&self) -> SocketAddr {
        self.tftp.local_addr()
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.web)
    }

    /// Makes the servers boot the agent on a machine, by the plan that a conductor would carry out.
    pub(crate) async fn prepare(&self, host: Host, interface: BootInterface, firmware: Firmware) {
        let mut config = BootConfig::default();
        config.tftp_server = Ipv4Addr::LOCALHOST.to_string();
        config.http_url = self.url("");
        let mut node = BootNode::new(host.node.to_string());
        let mode = if firmware == Firmware::Bios {
            "bios"
        } else {
            "uefi"
        };
        node.provision_state = "deploying".to_owned();
        node.deploy_interface = "direct".to_owned();
        node.properties = object(json!({
            "cpu_arch": "x86_64", "capabilities": format!("boot_mode:{mode}")}));
        node.driver_info = object(json!({
            "deploy_kernel": "file:///k", "deploy_ramdisk": "file:///r"}));
        node.instance_info = object(json!({"image_source": "http://192.0.2.1/image"}));
        node.driver_internal_info = object(json!({"is_whole_disk_image": true}));
        node.ports = vec![BootPort::new(host.mac_text())];
        let request = BootRequest::new(&config, &node, interface);
        let params = RamdiskParams::new().with("ipa-api-url", self.url(""));
        let plan = prepare_ramdisk(&request, &params).unwrap();
        for image in &plan.images {
            let content = format!("{} of {}", image.label, host.node);
            let (files, root) = match image.path.strip_prefix("/tftpboot/") {
                Some(_) => (&self.tftp_files, "/tftpboot"),
                None => (&self.http_files, "/httpboot"),
            };
            let path = image.path.strip_prefix(root).unwrap();
            files.insert(path, content).unwrap();
        }
        self.write(&config, &plan).await;
        let mut common = BootPlan::default();
        common.files = common_files(&config).unwrap();
        self.write(&config, &common).await;
        let options = plan.dhcp_options.unwrap();
        let known = HostConfig::new(host.address).with_boot_options(&options);
        self.hosts.insert(host.mac.into(), known);
        self.know(host);
    }

    async fn write(&self, config: &BootConfig, plan: &BootPlan) {
        plan.write_files(config, &self.tftp_files, &self.http_files)
            .await
            .unwrap();
    }

    /// Makes the API find a machine's node.
    pub(crate) fn know(&self, host: Host) {
        let node = host.node.to_string();
        self.api.nodes.lock().unwrap().insert(host.mac_text(), node);
    }

    /// Makes DHCP hand out a boot file.
    pub(crate) fn boot_file(&self, host: Host, firmware: &str, ipxe: Option<&str>) {
        let mut known = HostConfig::new(host.address);
        known.boot.default = Some(firmware.to_owned());
        known.boot.ipxe_script = ipxe.map(str::to_owned);
        self.hosts.insert(host.mac.into(), known);
    }

    pub(crate) fn machine(&self, host: Host, firmware: Firmware) -> SimulatedMachineBuilder {
        SimulatedMachine::builder(host.mac.into(), self.http.clone())
            .name(format!("machine-{}", host.number))
            .firmware(firmware)
            .dhcp(self.dhcp())
            .tftp(self.tftp())
            .tune_agent(|config| config.min_heartbeat_interval = Duration::from_millis(50))
    }

    /// Waits for a machine's agent and returns how to call it.
    pub(crate) async fn agent(&self, host: Host) -> AgentClient {
        let node = host.node.to_string();
        let mut heartbeats = self.api.heartbeats.subscribe();
        let is_it = |all: &Vec<Heartbeat>| all.iter().any(|heartbeat| heartbeat.node == node);
        let all = tokio::time::timeout(PATIENCE, heartbeats.wait_for(is_it))
            .await
            .expect("a heartbeat")
            .unwrap();
        let last = all.iter().rfind(|heartbeat| heartbeat.node == node);
        AgentClient {
            url: last.unwrap().callback_url.clone(),
            http: self.http.clone(),
        }
    }

    /// Forgets all heartbeats, so that the next one is a new agent's.
    pub(crate) fn forget_heartbeats(&self) {
        self.api.heartbeats.send_replace(Vec::new());
    }
}

/// The conductor's side of an agent.
#[derive(Debug)]
pub(crate) struct AgentClient {
    pub(crate) url: String,
    http: reqwest::Client,
}

impl AgentClient {
    /// Runs a command; the agent's answer, unless it is gone.
    pub(crate) async fn command(
        &self,
        name: &str,
        params: Value,
        wait: bool,
    ) -> Result<Value, reqwest::Error> {
        let url = format!("{}/v1/commands/?wait={wait}&agent_token={TOKEN}", self.url);
        let body = json!({"name": name, "params": params}).to_string();
        self.http.post(url).body(body).send().await?.json().await
    }

    pub(crate) async fn is_there(&self) -> bool {
        // No connection from before, which might be served for a moment longer.
        let fresh = reqwest::Client::new();
        fresh
            .get(format!("{}/v1/status", self.url))
            .send()
            .await
            .is_ok()
    }
}

async fn root() -> Json<Value> {
    Json(json!({"default_version": {"id": "v1", "version": "1.110"}}))
}

async fn lookup(
    State(api): State<Arc<Api>>,
    Query(query): Query<BTreeMap<String, String>>,
) -> (StatusCode, Json<Value>) {
    let addresses = query.get("addresses").cloned().unwrap_or_default();
    let nodes = api.nodes.lock().unwrap();
    match addresses.split(',').find_map(|address| nodes.get(address)) {
        None => (StatusCode::NOT_FOUND, Json(json!({}))),
        Some(node) => (
            StatusCode::OK,
            Json(json!({
                "node": {"uuid": node, "properties": {}, "instance_info": {},
                    "driver_internal_info": {}},
                "config": {"heartbeat_timeout": 300, "agent_token": TOKEN,
                    "agent_token_required": true, "agent_md5_checksum_enable": false},
            })),
        ),
    }
}

async fn heartbeat(
    State(api): State<Arc<Api>>,
    axum::extract::Path(node): axum::extract::Path<String>,
    Json(body): Json<Value>,
) -> StatusCode {
    assert_eq!(body["agent_token"], TOKEN);
    let callback_url = body["callback_url"].as_str().unwrap().to_owned();
    let beat = Heartbeat { node, callback_url };
    api.heartbeats.send_modify(|all| all.push(beat));
    StatusCode::ACCEPTED
}

/// Follows a machine, and remembers what it saw.
pub(crate) struct Watcher {
    reports: broadcast::Receiver<MachineReport>,
    pub(crate) seen: Vec<MachineReport>,
}

impl Watcher {
    pub(crate) fn new(machine: &SimulatedMachine) -> Self {
        Self {
            reports: machine.subscribe(),
            seen: Vec::new(),
        }
    }

    /// Waits for an event that `pick` takes, from here on.
    pub(crate) async fn wait<T>(
        &mut self,
        what: &str,
        mut pick: impl FnMut(&MachineEvent) -> Option<T>,
    ) -> T {
        loop {
            let report = tokio::time::timeout(PATIENCE, self.reports.recv()).await;
            let Ok(report) = report else {
                panic!("{what} did not come: {:#?}", self.lines());
            };
            let report = report.unwrap();
            let picked = pick(&report.event);
            let failed = matches!(report.event, MachineEvent::BootFailed { .. });
            self.seen.push(report);
            if failed && picked.is_none() {
                panic!("{what} will not come: {:#?}", self.lines());
            }
            if let Some(picked) = picked {
                return picked;
            }
        }
    }

    pub(crate) async fn boot_failed(&mut self) -> String {
        self.wait("a failed boot", |event| match event {
            MachineEvent::BootFailed { why } => Some(why.clone()),
            _ => None,
        })
        .await
    }

    pub(crate) async fn agent(&mut self) -> String {
        self.wait("the agent", |event| match event {
            MachineEvent::AgentStarted { command_line } => Some(command_line.expose().clone()),
            _ => None,
        })
        .await
    }

    pub(crate) async fn disk(&mut self) -> Arc<ironic_vbmc::DiskReport> {
        self.wait("a boot from disk", |event| match event {
            MachineEvent::BootedDisk(report) => Some(Arc::clone(report)),
            _ => None,
        })
        .await
    }

    /// What came that nobody waited for.
    pub(crate) fn rest(&mut self) -> Vec<String> {
        let mut rest = Vec::new();
        while let Ok(report) = self.reports.try_recv() {
            rest.push(report.event.to_string());
            self.seen.push(report);
        }
        rest
    }

    /// All events so far, in words.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.seen
            .iter()
            .map(|report| report.event.to_string())
            .collect()
    }
}

pub(crate) async fn until(machine: &SimulatedMachine, state: MachineState) {
    let mut states = machine.watch();
    tokio::time::timeout(PATIENCE, states.wait_for(|now| *now == state))
        .await
        .unwrap_or_else(|_| panic!("{machine:?} is not {state:?}"))
        .unwrap();
}

fn object(value: Value) -> serde_json::Map<String, Value> {
    match value {
        Value::Object(map) => map,
        other => panic!("{other}"),
    }
}

/// An image with one partition from the first MiB on, of the kind that is given, made by sfdisk.
#[allow(
    clippy::disallowed_methods,
    reason = "partition tables are the work of a real tool"
)]
pub(crate) fn image(path: &Path, table: &str) {
    use std::io::{Seek as _, SeekFrom, Write as _};
    use std::process::{Command, Stdio};

    let mut file = std::fs::File::options()
        .create(true)
        .truncate(true)
        .read(true)
        .write(true)
        .open(path)
        .unwrap();
    // A GPT needs room behind the last partition.
    let behind = if table == "gpt" { MIB } else { 0 };
    file.set_len(3 * MIB + behind).unwrap();
    let mut sfdisk = Command::new("sfdisk")
        .args(["-q", path.to_str().unwrap()])
        .stdin(Stdio::piped())
        .spawn()
        .expect("sfdisk is missing: install the package fdisk");
    let kind = if table == "gpt" { "uefi" } else { "83" };
    let script = format!("label: {table}\nstart=2048, size=4096, type={kind}\n");
    sfdisk
        .stdin
        .take()
        .unwrap()
        .write_all(script.as_bytes())
        .unwrap();
    assert!(sfdisk.wait().unwrap().success());
    file.seek(SeekFrom::Start(MIB)).unwrap();
    let noise: Vec<u8> = (0u32..)
        .flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes())
        .take(4096 * 512)
        .collect();
    file.write_all(&noise).unwrap();
}
