//! What machines boot by: files in folders, TFTP and HTTP servers for them, and DHCP.

mod error;
mod hosts;
mod images;
mod roots;

pub use error::ServiceError;
pub(crate) use roots::Roots;

use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::sync::{Arc, Mutex, PoisonError};

use ironic_core::model::Port;
use ironic_core::store::{Kind, Query, Repository};
use ironic_pxe::BootServices;
use ironic_pxe::boot::{BootConfig, DhcpProvider};
use ironic_pxe::dhcp::{
    DhcpServer, DhcpService, HardwareAddress, HostConfig as DhcpHost, ServerConfig, ServerPort,
};
use ironic_pxe::files::StripPrefix;
use ironic_pxe::http::boot_files_router;
use ironic_pxe::tftp::{TftpService, TftpServiceConfig};
use tokio::net::{TcpListener, UdpSocket};
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::config::{DhcpMode, HostConfig};
use hosts::BootHosts;
use images::HostImages;
use roots::SharedFiles;

/// Where firmware asks (RFC 2131 §4.1), and where it asks for no more than what to boot (PXE 2.1
/// §2.2.3).
const DHCP_PORT: u16 = 67;
const PXE_PORT: u16 = 4011;

/// The servers that machines boot from, as far as the settings want any of them.
///
/// They run until the host stops.
#[derive(Debug)]
pub struct BootServers {
    tftp: Option<SocketAddr>,
    http: Option<SocketAddr>,
    dhcp: Option<SocketAddr>,
    hosts: Option<BootHosts>,
    running: Mutex<Option<Running>>,
}

/// What ends when it is dropped.
#[derive(Debug, Default)]
#[allow(dead_code, reason = "kept to be dropped")]
struct Running {
    tftp: Option<TftpService>,
    dhcp: Vec<DhcpService>,
    http: Option<DropGuard>,
}

impl BootServers {
    /// Where TFTP is served.
    pub fn tftp_addr(&self) -> Option<SocketAddr> {
        self.tftp
    }

    /// Where boot files are served over HTTP.
    pub fn http_addr(&self) -> Option<SocketAddr> {
        self.http
    }

    /// Where DHCP is served.
    pub fn dhcp_addr(&self) -> Option<SocketAddr> {
        self.dhcp
    }

    /// Tells DHCP of a machine, besides those of the settings, or changes what it is told; what
    /// it boots stays the business of its node. Without DHCP nothing happens.
    pub fn set_dhcp_host(&self, mac: HardwareAddress, host: DhcpHost) {
        if let Some(hosts) = &self.hosts {
            hosts.set(mac, Some(host));
        }
    }

    /// Takes a machine's address away again.
    pub fn remove_dhcp_host(&self, mac: HardwareAddress) {
        if let Some(hosts) = &self.hosts {
            hosts.set(mac, None);
        }
    }

    /// Ends all of them; connections that are being answered over HTTP end by themselves.
    pub(crate) fn stop(&self) {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        *running = None;
    }
}

impl std::fmt::Debug for BootHosts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BootHosts").finish_non_exhaustive()
    }
}

/// Sockets that are taken and not served yet.
struct Sockets {
    tftp: Option<UdpSocket>,
    http: Option<TcpListener>,
    dhcp: Vec<(UdpSocket, ServerPort)>,
}

/// Whether the settings say anything that machines could boot by.
pub(crate) fn wanted(config: &HostConfig) -> bool {
    config.tftp.listen.is_some()
        || config.http_boot.listen.is_some()
        || config.boot.tftp_server.is_some()
        || config.boot.http_url.is_some()
        || mode(config) != DhcpMode::Off
}

fn mode(config: &HostConfig) -> DhcpMode {
    config.dhcp.mode.unwrap_or_default()
}

/// Starts what the settings want; nothing if they want nothing. `roots` stands for the folders of
/// the settings.
pub(crate) async fn start(
    config: &HostConfig,
    roots: Option<Roots>,
    repository: &Repository,
) -> Result<Option<(BootServices, BootServers)>, ServiceError> {
    if !wanted(config) {
        return Ok(None);
    }
    let sockets = Sockets::take(config).await?;
    let boot = boot_config(config, &sockets)?;
    let roots = match roots {
        Some(roots) => roots,
        None => Roots::folders(&boot)?,
    };
    roots.place_loaders(&config.boot).await?;
    roots.report_missing(&boot, &config.drivers).await;

    let images = HostImages::new(&config.boot, &boot.http_url, roots.http.clone())?;
    let mut services = BootServices::new(boot.clone(), roots.tftp.clone(), roots.http.clone())
        .with_images(Arc::new(images));
    let mut hosts = None;
    if mode(config) != DhcpMode::Off {
        let known = dhcp_hosts(config, &roots, repository).await?;
        services = services.with_dhcp(Arc::new(known.clone()));
        hosts = Some(known);
    }
    services.place_common_files().await?;
    let servers = sockets.serve(config, &boot, &roots, hosts)?;
    Ok(Some((services, servers)))
}

/// The machines of the settings, and what machines of this store were told to boot.
async fn dhcp_hosts(
    config: &HostConfig,
    roots: &Roots,
    repository: &Repository,
) -> Result<BootHosts, ServiceError> {
    let hosts = BootHosts::new(roots.tftp.clone());
    let fixed = config.dhcp.static_hosts();
    for (mac, host) in fixed.map_err(|error| ironic_core::Error::invalid(error.to_string()))? {
        hosts.set(mac, Some(host));
    }
    let ports = repository.list::<Port>(&Query::all(Kind::Port)).await?;
    let macs = ports.iter().map(|port| port.value.address.to_string());
    let macs: Vec<HardwareAddress> = macs.filter_map(|mac| mac.parse().ok()).collect();
    let restored = hosts.restore(macs.into_iter()).await?;
    if restored > 0 {
        tracing::info!(
            machines = restored,
            "DHCP goes on telling machines what to boot"
        );
    }
    Ok(hosts)
}

/// What boot files are made by, with the addresses that can be told from the sockets.
fn boot_config(config: &HostConfig, sockets: &Sockets) -> Result<BootConfig, ServiceError> {
    let mut boot = config.boot.boot_config();
    boot.automated_clean = config.conductor.policy.automated_clean;
    boot.dhcp_provider = match mode(config) {
        DhcpMode::Off => DhcpProvider::None,
        _ => DhcpProvider::Other("embedded".to_owned()),
    };
    if let Some(listener) = &sockets.http
        && boot.http_url.is_empty()
    {
        let address = concrete(listener.local_addr().ok(), "[boot] http_url")?;
        boot.http_url = format!("http://{address}");
    }
    if let Some(socket) = &sockets.tftp
        && boot.tftp_server.is_empty()
    {
        let address = concrete(socket.local_addr().ok(), "[boot] tftp_server")?;
        boot.tftp_server = address.ip().to_string();
    }
    Ok(boot)
}

/// An address that machines can be told; `setting` is where an operator says another.
fn concrete(
    address: Option<SocketAddr>,
    setting: &'static str,
) -> Result<SocketAddr, ServiceError> {
    address
        .filter(|address| !address.ip().is_unspecified())
        .ok_or(ServiceError::Missing {
            setting,
            why: "machines are told where the server is, and it listens on all addresses",
        })
}

impl Sockets {
    async fn take(config: &HostConfig) -> Result<Self, ServiceError> {
        let tftp = match config.tftp.listen {
            Some(address) => Some(udp("[tftp] listen", address).await?),
            None => None,
        };
        let http = match config.http_boot.listen {
            Some(address) => {
                let listener = TcpListener::bind(address).await;
                Some(listener.map_err(listen_error("[http_boot] listen", address))?)
            }
            None => None,
        };
        let dhcp = Self::take_dhcp(config).await?;
        Ok(Self { tftp, http, dhcp })
    }

    async fn take_dhcp(config: &HostConfig) -> Result<Vec<(UdpSocket, ServerPort)>, ServiceError> {
        let settings = &config.dhcp;
        let mode = mode(config);
        if mode == DhcpMode::Off {
            return Ok(Vec::new());
        }
        let any = SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, DHCP_PORT);
        let listen = settings.listen.unwrap_or(any);
        let beside = (mode == DhcpMode::Proxy).then(|| SocketAddrV4::new(*listen.ip(), PXE_PORT));
        let wanted = [
            ("[dhcp] listen", Some(listen), ServerPort::Dhcp),
            (
                "[dhcp] pxe_listen",
                settings.pxe_listen.or(beside),
                ServerPort::Pxe,
            ),
        ];
        let mut sockets = Vec::new();
        for (setting, address, port) in wanted {
            let Some(address) = address else { continue };
            let socket = udp(setting, address.into()).await?;
            if let Some(name) = &settings.interface {
                bind_device(&socket, name).map_err(|source| ServiceError::Device {
                    name: name.clone(),
                    source,
                })?;
            }
            sockets.push((socket, port));
        }
        Ok(sockets)
    }

    fn serve(
        self,
        config: &HostConfig,
        boot: &BootConfig,
        roots: &Roots,
        hosts: Option<BootHosts>,
    ) -> Result<BootServers, ServiceError> {
        let mut running = Running::default();
        if let Some(socket) = self.tftp {
            // Loaders ask for files by their whole path too.
            let files = StripPrefix::new(&boot.tftp_root, SharedFiles(roots.tftp.clone()));
            let address = config.tftp.listen.unwrap_or(([0, 0, 0, 0], 0).into());
            let service = TftpService::start(socket, Arc::new(files), TftpServiceConfig::default());
            running.tftp = Some(service.map_err(listen_error("[tftp] listen", address))?);
        }
        if let Some(hosts) = &hosts {
            let server = Arc::new(DhcpServer::new(server_config(config, boot)?, hosts.clone()));
            for (socket, port) in self.dhcp {
                let address = socket.local_addr().unwrap_or(([0, 0, 0, 0], 0).into());
                let service = DhcpService::start(socket, Arc::clone(&server), port);
                let service = service.map_err(listen_error("[dhcp] listen", address))?;
                running.dhcp.push(service);
            }
        }
        let mut http = None;
        if let Some(listener) = self.http {
            http = listener.local_addr().ok();
            running.http = Some(serve_http(listener, roots));
        }
        Ok(BootServers {
            tftp: running.tftp.as_ref().map(TftpService::local_addr),
            http,
            dhcp: running.dhcp.first().map(DhcpService::local_addr),
            hosts,
            running: Mutex::new(Some(running)),
        })
    }
}

fn serve_http(listener: TcpListener, roots: &Roots) -> DropGuard {
    let router = boot_files_router(roots.http.clone());
    let stopping = CancellationToken::new();
    let stopped = stopping.clone().cancelled_owned();
    tokio::spawn(async move {
        let service = router.into_make_service_with_connect_info::<SocketAddr>();
        let served = axum::serve(listener, service).with_graceful_shutdown(stopped);
        if let Err(error) = served.await {
            tracing::error!(%error, "boot files are not served over HTTP any more");
        }
    });
    stopping.drop_guard()
}

fn server_config(config: &HostConfig, boot: &BootConfig) -> Result<ServerConfig, ServiceError> {
    let settings = &config.dhcp;
    let listen = settings.listen.map(|listen| *listen.ip());
    let own = listen.filter(|address| !address.is_unspecified());
    let address = settings
        .server_address
        .or(own)
        .or_else(|| boot.tftp_server.parse().ok())
        .ok_or(ServiceError::Missing {
            setting: "[dhcp] server_address",
            why: "machines tell servers apart by it, and this one listens on all addresses",
        })?;
    Ok(ServerConfig::new(address)
        .with_proxy(mode(config) == DhcpMode::Proxy)
        .with_reply_to_source(settings.reply_to_source.unwrap_or_default()))
}

async fn udp(setting: &'static str, address: SocketAddr) -> Result<UdpSocket, ServiceError> {
    let socket = UdpSocket::bind(address).await;
    socket.map_err(listen_error(setting, address))
}

fn listen_error(
    setting: &'static str,
    address: SocketAddr,
) -> impl FnOnce(std::io::Error) -> ServiceError {
    move |source| ServiceError::Listen {
        setting,
        address,
        source,
    }
}

#[cfg(target_os = "linux")]
fn bind_device(socket: &UdpSocket, name: &str) -> std::io::Result<()> {
    socket.bind_device(Some(name.as_bytes()))
}

#[cfg(not(target_os = "linux"))]
fn bind_device(_socket: &UdpSocket, _name: &str) -> std::io::Result<()> {
    Err(std::io::ErrorKind::Unsupported.into())
}
