//! What stands around the machines: the host with its API, and the DHCP, TFTP and HTTP servers.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use ironic_core::agent::{AgentClient, AgentDeploy, HttpAgentTransport};
use ironic_core::driver::RegistryBuilder;
use ironic_core::notify::{Notification, Notifier};
use ironic_core::{Client, OsEntropy};
use ironic_drivers_ipmi::client::IpmiClient;
use ironic_drivers_ipmi::driver::IpmiDriver;
use ironic_pxe::BootServices;
use ironic_pxe::boot::{BootConfig, DhcpProvider};
use ironic_pxe::dhcp::{
    DhcpServer, DhcpService, HostConfig as DhcpHost, MemoryHosts, ServerConfig, ServerPort,
};
use ironic_pxe::files::{MemoryFiles, StripPrefix};
use ironic_pxe::http::boot_files_router;
use ironic_pxe::tftp::{TftpService, TftpServiceConfig};
use ironic_standalone::{Host, HostConfig};
use tokio::net::{TcpListener, UdpSocket};
use tokio::sync::broadcast;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::failure::Failure;
use crate::image::Image;
use crate::rack::Unit;

const LOOPBACK: Ipv4Addr = Ipv4Addr::LOCALHOST;
const IMAGE: &str = "images/demo.raw";
const KERNEL: &str = "images/agent.kernel";
const RAMDISK: &str = "images/agent.initramfs";

pub(crate) struct Site {
    pub(crate) http: reqwest::Client,
    pub(crate) api_url: String,
    pub(crate) dhcp: SocketAddr,
    pub(crate) tftp: SocketAddr,
    pub(crate) image: Image,
    pub(crate) notifications: broadcast::Sender<Notification>,
    files_url: String,
    hosts: MemoryHosts,
    client: Client,
    stopping: CancellationToken,
    serving: std::sync::Mutex<Option<JoinHandle<Result<(), Failure>>>>,
    files: JoinHandle<()>,
    _services: (DhcpService, TftpService),
    _database: tempfile::TempDir,
}

/// What one machine's life needs to know of the site.
#[derive(Debug, Clone)]
pub(crate) struct SiteView {
    pub(crate) kernel: String,
    pub(crate) ramdisk: String,
    pub(crate) image_url: String,
    pub(crate) image_sha256: String,
    pub(crate) image_sha512: String,
    client: Client,
}

impl SiteView {
    /// Why the node does not move, in the engine's words.
    pub(crate) async fn explain(&self, node: &str) -> String {
        let Ok(id) = node.parse() else {
            return "it has no uuid".to_owned();
        };
        match self.client.explain(id).await {
            Ok(Some(blocked)) => blocked.to_string(),
            Ok(None) => "it rests, or is being worked on".to_owned(),
            Err(error) => error.to_string(),
        }
    }
}

/// Passes notifications on to whoever watches.
#[derive(Debug)]
struct Broadcast(broadcast::Sender<Notification>);

impl Notifier for Broadcast {
    fn notify(&self, notification: &Notification) {
        // Nobody watching is no error.
        let _ = self.0.send(notification.clone());
    }
}

impl Site {
    pub(crate) async fn start(image_mib: u64) -> Result<Self, Failure> {
        let image = tokio::task::spawn_blocking(move || Image::make(image_mib))
            .await
            .map_err(|error| Failure::setup("image", error))?;

        // Boot files: written by the boot interfaces, read by the machines.
        let (tftp_files, http_files) = (MemoryFiles::new(), MemoryFiles::new());
        let files = [
            (IMAGE, image.bytes.clone()),
            // What the machines load and then run is the agent; these stand in for its files.
            (KERNEL, vec![0x4b; 6 << 20]),
            (RAMDISK, vec![0x52; 24 << 20]),
        ];
        for (path, content) in files {
            http_files
                .insert(path, content)
                .map_err(|error| Failure::setup("boot files", error))?;
        }
        let listener = TcpListener::bind((LOOPBACK, 0))
            .await
            .map_err(|error| Failure::setup("HTTP", error))?;
        let files_url = format!(
            "http://{}",
            listener
                .local_addr()
                .map_err(|error| Failure::setup("HTTP", error))?
        );
        let router = boot_files_router(Arc::new(http_files.clone()));
        let files = tokio::spawn(async move {
            let service = router.into_make_service_with_connect_info::<SocketAddr>();
            let _ = axum::serve(listener, service).await;
        });

        // TFTP and DHCP, on ports of their own: nothing here needs privileges.
        let boot = boot_config(&files_url);
        let socket = UdpSocket::bind((LOOPBACK, 0))
            .await
            .map_err(|error| Failure::setup("TFTP", error))?;
        let source = Arc::new(StripPrefix::new(&boot.tftp_root, tftp_files.clone()));
        let tftp = TftpService::start(socket, source, TftpServiceConfig::default())
            .map_err(|error| Failure::setup("TFTP", error))?;
        let hosts = MemoryHosts::new();
        let socket = UdpSocket::bind((LOOPBACK, 0))
            .await
            .map_err(|error| Failure::setup("DHCP", error))?;
        let server = DhcpServer::new(
            ServerConfig::new(LOOPBACK).with_reply_to_source(true),
            hosts.clone(),
        );
        let dhcp = DhcpService::start(socket, Arc::new(server), ServerPort::Dhcp)
            .map_err(|error| Failure::setup("DHCP", error))?;

        // The host: the same as the program `ironic`, with these drivers.
        let database = tempfile::tempdir().map_err(|error| Failure::setup("database", error))?;
        let listener = TcpListener::bind((LOOPBACK, 0))
            .await
            .map_err(|error| Failure::setup("API", error))?;
        let api_url = format!(
            "http://{}",
            listener
                .local_addr()
                .map_err(|error| Failure::setup("API", error))?
        );
        let path = database.path().join("ironic.sqlite");
        let config = HostConfig::parse(&host_config(&api_url, &path.display().to_string()))
            .map_err(|error| Failure::setup("settings", error))?;
        let services = BootServices::new(boot, Arc::new(tftp_files), Arc::new(http_files))
            .with_dhcp(Arc::new(hosts.clone()));
        services
            .place_common_files()
            .await
            .map_err(|error| Failure::setup("boot files", error))?;
        let ipmi = IpmiDriver::new(IpmiClient::new(Arc::new(OsEntropy)));
        let agents = AgentClient::new(Arc::new(
            HttpAgentTransport::new().map_err(|error| Failure::setup("agents", error))?,
        ));
        let notifications = broadcast::Sender::new(65_536);
        let host = Host::builder(config)
            .drivers(move |builder| drivers(builder, &ipmi, &services, agents))
            .notifier(Arc::new(Broadcast(notifications.clone())))
            .start()
            .await
            .map_err(|error| Failure::setup("engine", error))?;
        let client = host.client().clone();
        let stopping = CancellationToken::new();
        let stop = stopping.clone();
        let serving = tokio::spawn(async move {
            host.run(listener, stop.cancelled_owned())
                .await
                .map_err(|error| Failure::setup("engine", error))
        });
        Ok(Self {
            http: reqwest::Client::builder()
                .no_proxy()
                .build()
                .map_err(|error| Failure::setup("HTTP client", error))?,
            api_url,
            dhcp: dhcp.local_addr(),
            tftp: tftp.local_addr(),
            image,
            notifications,
            files_url,
            hosts,
            client,
            stopping,
            serving: std::sync::Mutex::new(Some(serving)),
            files,
            _services: (dhcp, tftp),
            _database: database,
        })
    }

    /// Gives a machine an address, as whoever runs a network would.
    pub(crate) fn know(&self, unit: &Unit) {
        let mut host = DhcpHost::new(unit.address);
        host.next_server = Some(LOOPBACK);
        self.hosts.insert(unit.mac.into(), host);
    }

    pub(crate) fn view(&self) -> SiteView {
        SiteView {
            kernel: format!("{}/{KERNEL}", self.files_url),
            ramdisk: format!("{}/{RAMDISK}", self.files_url),
            image_url: format!("{}/{IMAGE}", self.files_url),
            image_sha256: self.image.sha256.clone(),
            image_sha512: self.image.sha512.clone(),
            client: self.client.clone(),
        }
    }

    /// Stops everything, in an orderly way.
    pub(crate) async fn stop(&self) -> Result<(), Failure> {
        self.stopping.cancel();
        let serving = self
            .serving
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .take();
        let stopped = match serving {
            Some(serving) => serving
                .await
                .map_err(|error| Failure::setup("engine", error))?,
            None => Ok(()),
        };
        self.files.abort();
        stopped
    }
}

fn boot_config(files_url: &str) -> BootConfig {
    let mut boot = BootConfig::default();
    files_url.clone_into(&mut boot.http_url);
    boot.tftp_server = LOOPBACK.to_string();
    boot.dhcp_provider = DhcpProvider::Other("embedded".to_owned());
    boot
}

fn drivers(
    builder: RegistryBuilder,
    ipmi: &IpmiDriver,
    services: &BootServices,
    agents: AgentClient,
) -> RegistryBuilder {
    let builder = ironic_drivers_ipmi::driver::register(builder, ipmi);
    ironic_pxe::register(builder, services).deploy("direct", Arc::new(AgentDeploy::new(agents)))
}

/// Settings as an operator would write them; only the times are shorter, as machines here start
/// in less than a second.
fn host_config(api_url: &str, database: &str) -> String {
    format!(
        r#"
[service]
database = "sqlite:{database}"

[conductor]
host = "quickstart"
api_url = "{api_url}"
automated_clean = true
agent_poll_interval = 1
ramdisk_heartbeat_timeout = 10
sync_power_state_interval = 30
graceful_shutdown_timeout = 5

[drivers]
enabled_hardware_types = ["ipmi"]
enabled_power_interfaces = ["ipmitool"]
enabled_management_interfaces = ["ipmitool"]
enabled_boot_interfaces = ["ipxe", "pxe"]
enabled_deploy_interfaces = ["direct"]
enabled_inspect_interfaces = ["agent"]
enabled_network_interfaces = ["noop"]
enabled_storage_interfaces = ["noop"]
enabled_bios_interfaces = ["no-bios"]
enabled_console_interfaces = ["no-console"]
enabled_firmware_interfaces = ["no-firmware"]
enabled_raid_interfaces = ["no-raid"]
enabled_rescue_interfaces = ["no-rescue"]
enabled_vendor_interfaces = ["no-vendor"]
"#
    )
}
