use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use ironic_core::agent::{AgentClient, AgentDeploy};
use ironic_core::config::Config;
use ironic_core::driver::fake::{self, FakeBehaviour};
use ironic_core::model::{MacAddress, Port};
use ironic_core::runtime::{ManualClock, SeededEntropy};
use ironic_core::states::InterfaceKind;
use ironic_core::store::{Repository, Store};
use ironic_core::transport::{HeartbeatArgs, ProvisionArgs};
use ironic_core::{
    Client, Conductor, MemoryStore, Node, ProvisionState, Registry, Timestamp, Uuid, Verb,
};
use ironic_pxe::boot::BootConfig;
use ironic_pxe::dhcp::{HostConfig, MemoryHosts};
use ironic_pxe::files::MemoryFiles;
use ironic_pxe::{BootInterface, BootServices};
use serde_json::json;

use crate::agent::Agent;
use crate::bmc::Bmc;
use crate::files::Interrupted;
use crate::ramdisk_deploy::RamdiskDeploy;

pub(crate) const NODE: Uuid = Uuid::from_u128(0x2a18);
pub(crate) const MAC: &str = "52:54:00:0a:0b:0d";
pub(crate) const ADDRESS: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 77);
pub(crate) const HTTP: &str = "http://192.0.2.3:8088";
pub(crate) const LONG: Duration = Duration::from_secs(3600);

/// One machine with its BMC and agent, and all that serves it.
pub(crate) struct House {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) fakes: FakeBehaviour,
    pub(crate) bmc: Bmc,
    pub(crate) tftp: Interrupted,
    pub(crate) http: Interrupted,
    pub(crate) hosts: MemoryHosts,
    pub(crate) boot: BootConfig,
    pub(crate) config: Config,
}

impl House {
    pub(crate) fn new() -> Self {
        let images = MemoryFiles::new();
        for name in ["kernel", "ramdisk", "own-kernel", "own-ramdisk"] {
            images
                .insert(&format!("images/{name}"), format!("the {name}"))
                .unwrap();
        }
        let http = Interrupted::never(images);
        let left: Arc<AtomicU64> = Arc::clone(&http.left);
        let tftp = Interrupted {
            inner: MemoryFiles::new(),
            left,
        };
        let hosts = MemoryHosts::new();
        hosts.insert(MAC.parse().unwrap(), HostConfig::new(ADDRESS));
        let mut boot = BootConfig::default();
        boot.http_url = HTTP.into();
        boot.tftp_server = "192.0.2.2".into();
        let mut config = Config::new("cond-a");
        config.sync_power_state_interval = Duration::ZERO;
        config.api_url = Some("http://192.0.2.4:6385".into());
        config.policy.automated_clean = false;
        Self {
            store: Arc::new(MemoryStore::new()),
            fakes: FakeBehaviour::new(),
            bmc: Bmc::default(),
            tftp,
            http,
            hosts,
            boot,
            config,
        }
    }

    pub(crate) async fn conductor(&self) -> Conductor {
        self.conductor_over(Arc::clone(&self.store)).await
    }

    pub(crate) async fn conductor_over(&self, store: Arc<dyn Store>) -> Conductor {
        let services = BootServices::new(
            self.boot.clone(),
            Arc::new(self.tftp.clone()),
            Arc::new(self.http.clone()),
        )
        .with_dhcp(Arc::new(self.hosts.clone()));
        let agent = AgentClient::new(Arc::new(Agent(self.fakes.clone())));
        let builder = fake::register(Registry::builder(), &self.fakes)
            .management("bmc", Arc::new(self.bmc.clone()))
            .deploy("direct", Arc::new(AgentDeploy::new(agent)))
            .deploy("ramdisk", Arc::new(RamdiskDeploy))
            .enable(InterfaceKind::Management, ["bmc"])
            .default_interface(InterfaceKind::Management, "bmc")
            .enable(InterfaceKind::Deploy, ["direct", "ramdisk"])
            .enable(
                InterfaceKind::Boot,
                BootInterface::ALL.map(BootInterface::name),
            );
        let registry = ironic_pxe::register(builder, &services).build().unwrap();
        Conductor::builder()
            .store(store)
            .registry(Arc::new(registry))
            .config(self.config.clone())
            .clock(Arc::new(ManualClock::new(Timestamp::from_micros(
                1_800_000_000_000_000,
            ))))
            .entropy(Arc::new(SeededEntropy::new(1)))
            .start()
            .await
            .unwrap()
    }

    pub(crate) fn repository(&self) -> Repository {
        Repository::new(Arc::clone(&self.store))
    }

    /// What stands in both roots, links read through, without the images that nodes name.
    pub(crate) fn files(&self) -> BTreeMap<String, String> {
        let roots = [("tftp", &self.tftp.inner), ("http", &self.http.inner)];
        let mut found = BTreeMap::new();
        for (root, files) in roots {
            for path in files.paths() {
                let content = files
                    .get(&path)
                    .unwrap_or_else(|_| "a dangling link".into());
                let content = String::from_utf8(content.into()).unwrap();
                found.insert(format!("{root}/{path}"), content);
            }
        }
        found.retain(|path, _| !path.starts_with("http/images/"));
        found
    }

    /// The files that belong to the node: all but those that every machine finds.
    pub(crate) fn own_files(&self) -> Vec<String> {
        let common = ["http/boot.ipxe", "http/grub/grub.cfg", "tftp/grub/grub.cfg"];
        let mut own: Vec<_> = self.files().into_keys().collect();
        own.retain(|path| !common.contains(&path.as_str()));
        own
    }

    /// What DHCP tells firmware, and then iPXE, to load.
    pub(crate) fn told(&self) -> [Option<String>; 2] {
        let host = self.hosts.get(MAC.parse().unwrap()).unwrap();
        assert_eq!(host.address, Some(ADDRESS), "the operator's word stands");
        [host.boot.default, host.boot.ipxe_script]
    }

    /// What the machine's firmware and boot loader would find: the configuration for its card.
    pub(crate) fn found_config(&self, kind: BootInterface) -> Option<String> {
        let (files, link) = match kind {
            BootInterface::Ipxe | BootInterface::HttpIpxe => (
                &self.http.inner,
                "pxelinux.cfg/52-54-00-0a-0b-0d".to_owned(),
            ),
            BootInterface::Pxe | BootInterface::Http => (&self.tftp.inner, format!("{MAC}.conf")),
        };
        let text = files.get(&link).ok()?;
        Some(String::from_utf8(text.into()).unwrap())
    }
}

/// A node as its operator describes it.
pub(crate) fn described(boot: BootInterface) -> Node {
    let mut node = Node::new(NODE, "fake-hardware");
    node.interfaces
        .set(InterfaceKind::Boot, Some(boot.name().into()));
    for (key, image) in [("deploy_kernel", "kernel"), ("deploy_ramdisk", "ramdisk")] {
        let href = format!("{HTTP}/images/{image}");
        node.driver_info.insert(key.into(), href.into());
    }
    let info = json!({"image_source": "http://192.0.2.9/disk.raw", "image_checksum": "0"});
    node.instance_info = info.as_object().unwrap().clone();
    node
}

pub(crate) fn port() -> Port {
    let address: MacAddress = MAC.parse().unwrap();
    Port::new(Uuid::from_u128(0x9047), NODE, address)
}

/// Puts a node and its port on record as they are, without a conductor's opinion.
pub(crate) async fn put(house: &House, node: &Node, ports: &[Port]) {
    house.repository().create(node).await.unwrap();
    for port in ports {
        house.repository().create(port).await.unwrap();
    }
}

pub(crate) async fn ask(client: &Client, verb: Verb) {
    let args = ProvisionArgs::default();
    client.provision(NODE, verb, args).await.unwrap();
}

/// Waits until the node is in a state and nobody holds it.
pub(crate) async fn reaches(client: &Client, state: ProvisionState) -> Node {
    for _ in 0..1000 {
        let node = client.node(NODE).await.unwrap();
        assert!(!node.provision_state.is_failure(), "{:?}", node.last_error);
        if node.provision_state == state && client.reservation(NODE).await.unwrap().is_none() {
            return node;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let why = client.explain(NODE).await.unwrap();
    panic!("the node does not reach {state}: {why:?}");
}

/// The ramdisk has started: it looks its node up and calls.
pub(crate) async fn agent_calls(client: &Client) {
    let answer = client.lookup(Some(NODE), &[]).await.unwrap();
    let token = client.node(NODE).await.unwrap();
    let token = token.internal_str("agent_secret_token").map(str::to_owned);
    assert_eq!(answer.node.uuid, NODE);
    let url = format!("http://192.0.2.77/{NODE}");
    let args = HeartbeatArgs::new(url, token);
    client.heartbeat(NODE, args).await.unwrap();
}
