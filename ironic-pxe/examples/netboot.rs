//! Boots one machine over one network: DHCP, TFTP and HTTP in one process.
//!
//! ```text
//! netboot ADDRESS DEVICE MAC MACHINE_ADDRESS KERNEL RAMDISK LOADER_FOLDER [ipxe|pxe [bios|uefi]]
//! ```
//!
//! ADDRESS is this host's on DEVICE. LOADER_FOLDER holds `undionly.kpxe`, `pxelinux.0` and the
//! like. Needs the right to bind ports 67 and 69. Ends with its standard input.
#![allow(clippy::disallowed_methods, reason = "a program reads its arguments")]

use std::error::Error;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;

use ironic_pxe::BootInterface;
use ironic_pxe::boot::{
    BootConfig, BootNode, BootPort, BootRequest, RamdiskParams, common_files, prepare_ramdisk,
};
use ironic_pxe::dhcp::{
    DhcpServer, DhcpService, HostConfig, MemoryHosts, SERVER_PORT, ServerConfig, ServerPort,
};
use ironic_pxe::files::{MemoryFiles, StripPrefix};
use ironic_pxe::http::boot_files_router;
use ironic_pxe::tftp::{TftpService, TftpServiceConfig};
use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, UdpSocket};

const UUID: &str = "2a18b1ad-fd05-49b2-8c72-f78ef9265abb";
const HTTP_PORT: u16 = 8088;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [
        address,
        device,
        mac,
        machine,
        kernel,
        ramdisk,
        loaders,
        rest @ ..,
    ] = arguments.as_slice()
    else {
        return Err("seven arguments are needed, see the source".into());
    };
    let address: Ipv4Addr = address.parse()?;
    let interface = rest.first().map_or("ipxe", String::as_str);
    let interface = BootInterface::from_name(interface).ok_or("unknown boot interface")?;

    let mode = rest.get(1).map_or("bios", String::as_str);

    let mut config = BootConfig::default();
    config.http_url = format!("http://{address}:{HTTP_PORT}");
    config.tftp_server = address.to_string();
    config.kernel_append_params = "console=ttyS0,115200".into();
    config.add_all_ports = true;
    let mut node = BootNode::new(UUID);
    node.driver_info
        .insert("deploy_kernel".into(), kernel.as_str().into());
    node.driver_info
        .insert("deploy_ramdisk".into(), ramdisk.as_str().into());
    node.properties
        .insert("capabilities".into(), format!("boot_mode:{mode}").into());
    node.ports.push(BootPort::new(mac.as_str()));
    let params = RamdiskParams::new().with("ipa-api-url", format!("http://{address}:6385"));
    let mut plan = prepare_ramdisk(&BootRequest::new(&config, &node, interface), &params)?;
    plan.files.extend(common_files(&config)?);

    let (tftp, http) = (MemoryFiles::new(), MemoryFiles::new());
    for file in std::fs::read_dir(Path::new(loaders))? {
        let file = file?;
        if file.file_type()?.is_file() {
            tftp.insert(
                &file.file_name().to_string_lossy(),
                std::fs::read(file.path())?,
            )?;
        }
    }
    plan.write_files(&config, &tftp, &http).await?;
    for image in &plan.images {
        let files = if image.path.starts_with(&config.tftp_root) {
            &tftp
        } else {
            &http
        };
        let below = image.path.trim_start_matches(&config.tftp_root);
        let below = below.trim_start_matches(&config.http_root);
        files.insert(below, std::fs::read(&image.href)?)?;
    }

    let hosts = MemoryHosts::new();
    let host = HostConfig::new(machine.parse()?);
    let options = plan.dhcp_options.unwrap_or_default();
    hosts.insert(mac.parse()?, host.with_boot_options(&options));
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, SERVER_PORT)).await?;
    socket.bind_device(Some(device.as_bytes()))?;
    let server = Arc::new(DhcpServer::new(ServerConfig::new(address), hosts));
    let _dhcp = DhcpService::start(socket, server, ServerPort::Dhcp)?;

    let source = Arc::new(StripPrefix::new(&config.tftp_root, tftp));
    let socket = UdpSocket::bind((address, 69)).await?;
    let _tftp = TftpService::start(socket, source, TftpServiceConfig::default())?;

    let listener = TcpListener::bind((address, HTTP_PORT)).await?;
    let router = boot_files_router(Arc::new(http));
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    let mut input = tokio::io::stdin();
    tokio::select! {
        biased;
        served = axum::serve(listener, service) => served?,
        ended = wait_for_end(&mut input) => ended?,
    }
    Ok(())
}

async fn wait_for_end(input: &mut tokio::io::Stdin) -> io::Result<()> {
    let mut buffer = [0; 64];
    while input.read(&mut buffer).await? > 0 {}
    Ok(())
}
