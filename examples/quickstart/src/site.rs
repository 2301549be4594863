//! What stands around the machines: the host with its API, and the DHCP, TFTP and HTTP servers.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use ironic_core::Client;
use ironic_core::notify::{Notification, Notifier};
use ironic_pxe::dhcp::HostConfig as DhcpHost;
use ironic_pxe::files::MemoryFiles;
use ironic_standalone::{Host, HostConfig};
use tokio::net::TcpListener;
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
    host: Host,
    stopping: CancellationToken,
    serving: std::sync::Mutex<Option<JoinHandle<Result<(), Failure>>>>,
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
    /// The engine itself, which says why a node does not move.
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

        // Boot files: written by the boot interfaces, read by the machines. These stay in memory;
        // an operator's are in folders.
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

        // The host: the same as the program `ironic`, with its own DHCP, TFTP and HTTP servers, on
        // any free ports: nothing here needs privileges.
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
        let notifications = broadcast::Sender::new(65_536);
        let host = Host::builder(config)
            .boot_files(Arc::new(tftp_files), Arc::new(http_files))
            .notifier(Arc::new(Broadcast(notifications.clone())))
            .start()
            .await
            .map_err(|error| Failure::setup("engine", error))?;
        let missing = || Failure::Setup("a server that machines boot from is not there".to_owned());
        let boot = host.boot().ok_or_else(missing)?;
        let (dhcp, tftp) = (boot.dhcp_addr(), boot.tftp_addr());
        let files_url = format!("http://{}", boot.http_addr().ok_or_else(missing)?);
        let stopping = CancellationToken::new();
        let stop = stopping.clone();
        let running = host.clone();
        let serving = tokio::spawn(async move {
            running
                .run(listener, stop.cancelled_owned())
                .await
                .map_err(|error| Failure::setup("engine", error))
        });
        Ok(Self {
            http: reqwest::Client::builder()
                .no_proxy()
                .build()
                .map_err(|error| Failure::setup("HTTP client", error))?,
            api_url,
            dhcp: dhcp.ok_or_else(missing)?,
            tftp: tftp.ok_or_else(missing)?,
            image,
            notifications,
            files_url,
            host,
            stopping,
            serving: std::sync::Mutex::new(Some(serving)),
            _database: database,
        })
    }

    /// Gives a machine an address, as whoever runs a network would.
    pub(crate) fn know(&self, unit: &Unit) {
        if let Some(boot) = self.host.boot() {
            boot.set_dhcp_host(unit.mac.into(), DhcpHost::new(unit.address));
        }
    }

    pub(crate) fn view(&self) -> SiteView {
        SiteView {
            kernel: format!("{}/{KERNEL}", self.files_url),
            ramdisk: format!("{}/{RAMDISK}", self.files_url),
            image_url: format!("{}/{IMAGE}", self.files_url),
            image_sha256: self.image.sha256.clone(),
            image_sha512: self.image.sha512.clone(),
            client: self.host.client().clone(),
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
        match serving {
            Some(serving) => serving
                .await
                .map_err(|error| Failure::setup("engine", error))?,
            None => Ok(()),
        }
    }
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

[tftp]
listen = "{LOOPBACK}:0"

[http_boot]
listen = "{LOOPBACK}:0"

[dhcp]
mode = "full"
listen = "{LOOPBACK}:0"
reply_to_source = true

[drivers]
enabled_hardware_types = ["ipmi"]
enabled_boot_interfaces = ["ipxe", "pxe"]
enabled_rescue_interfaces = ["agent", "no-rescue"]
"#
    )
}
