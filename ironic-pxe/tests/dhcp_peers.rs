//! Real DHCP programs, with real broadcasts, in network namespaces. Needs root.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that runs programs"
)]

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::Arc;
use std::time::Duration;

use ironic_pxe::dhcp::{
    BootFiles, ClientArch, ClientConfig, DhcpClient, DhcpServer, DhcpService, HardwareAddress,
    HostConfig, Lease, MemoryHosts, ServerConfig, ServerPort,
};
use tokio::net::UdpSocket;
use tokio::time::{Instant, sleep_until, timeout};

/// A namespace that one end of a virtual cable leads into; the other end is outside.
struct Cable {
    namespace: String,
    outside: String,
    inside: String,
}

impl Cable {
    fn new(name: &str, address: &str) -> Self {
        let id = std::process::id() % 100_000;
        let cable = Self {
            namespace: format!("pxe-{name}-{id}"),
            outside: format!("{name}o{id}"),
            inside: format!("{name}i{id}"),
        };
        let Self {
            namespace,
            outside,
            inside,
        } = &cable;
        ip(&["netns", "add", namespace]);
        ip(&[
            "link", "add", outside, "type", "veth", "peer", "name", inside, "netns", namespace,
        ]);
        ip(&["address", "add", address, "dev", outside]);
        ip(&["link", "set", outside, "up"]);
        ip(&["-n", namespace, "link", "set", "lo", "up"]);
        ip(&["-n", namespace, "link", "set", inside, "up"]);
        cable
    }

    fn mac(&self) -> HardwareAddress {
        let output = ip(&[
            "-n",
            &self.namespace,
            "-o",
            "link",
            "show",
            "dev",
            &self.inside,
        ]);
        let text = String::from_utf8(output.stdout).unwrap();
        let address = text
            .split_whitespace()
            .skip_while(|word| *word != "link/ether")
            .nth(1);
        address.unwrap().parse().unwrap()
    }

    fn run(&self, package: &str, arguments: &[&str]) -> Output {
        let (name, _) = arguments.split_first().unwrap();
        let mut command = Command::new("ip");
        command
            .args(["netns", "exec", &self.namespace])
            .args(arguments)
            .stdin(Stdio::null());
        let output = command.output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(
            !said.contains("exec of"),
            "{name} does not run: install the package {package}"
        );
        output
    }
}

impl Drop for Cable {
    fn drop(&mut self) {
        // The namespace takes the cable's both ends with it.
        let _ = Command::new("ip")
            .args(["netns", "delete", &self.namespace])
            .output();
        let _ = Command::new("ip")
            .args(["link", "delete", &self.outside])
            .output();
    }
}

fn ip(arguments: &[&str]) -> Output {
    let output = Command::new("ip").args(arguments).output();
    let output = output.unwrap_or_else(|e| panic!("ip does not run ({e}): install iproute2"));
    assert!(
        output.status.success(),
        "ip {arguments:?} (needs root): {output:?}"
    );
    output
}

async fn bind(port: u16, device: &str) -> UdpSocket {
    // Another test may hold the port for a moment, before it is bound to its own device.
    let mut tries = 0;
    let socket = loop {
        match UdpSocket::bind((Ipv4Addr::UNSPECIFIED, port)).await {
            Ok(socket) => break socket,
            Err(error) => {
                tries += 1;
                assert!(tries < 100, "port {port} (needs root): {error}");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    };
    socket.bind_device(Some(device.as_bytes())).unwrap();
    socket
}

#[tokio::test]
async fn dhclient_and_udhcpc_get_their_lease() {
    let cable = Cable::new("sv", "10.213.7.1/24");
    let server = Ipv4Addr::new(10, 213, 7, 1);
    let mut host = HostConfig::new(Ipv4Addr::new(10, 213, 7, 77));
    host.routers = vec![server];
    host.domain_name = Some("example.test".into());
    host.host_name = Some("node-77".into());
    let mut boot = BootFiles::default();
    boot.default = Some("undionly.kpxe".into());
    host.boot = boot;
    let hosts = MemoryHosts::new();
    hosts.insert(cable.mac(), host);
    let service = DhcpService::start(
        bind(67, &cable.outside).await,
        Arc::new(DhcpServer::new(ServerConfig::new(server), hosts)),
        ServerPort::Dhcp,
    )
    .unwrap();
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().to_owned();
    let programs = tokio::task::spawn_blocking(move || {
        dhclient(&cable, &folder);
        udhcpc(&cable, &folder);
    });
    timeout(Duration::from_secs(60), programs)
        .await
        .unwrap()
        .unwrap();
    drop(service);
}

fn dhclient(cable: &Cable, folder: &Path) {
    let leases = folder.join("leases").display().to_string();
    let config = folder.join("dhclient.conf");
    let asked = "request subnet-mask, routers, domain-name, host-name, tftp-server-name, \
                 bootfile-name;\ntimeout 20;\n";
    fs::write(&config, asked).unwrap();
    let (config, pid) = (
        config.display().to_string(),
        folder.join("pid").display().to_string(),
    );
    let output = cable.run(
        "isc-dhcp-client",
        &[
            "dhclient",
            "-4",
            "-1",
            "-v",
            "-cf",
            &config,
            "-lf",
            &leases,
            "-pf",
            &pid,
            "-sf",
            "/bin/true",
            &cable.inside,
        ],
    );
    assert!(output.status.success(), "{output:?}");
    let lease = fs::read_to_string(folder.join("leases")).unwrap();
    for line in [
        "fixed-address 10.213.7.77;",
        "option subnet-mask 255.255.255.0;",
        "option routers 10.213.7.1;",
        "option domain-name \"example.test\";",
        "option host-name \"node-77\";",
        "option tftp-server-name \"10.213.7.1\";",
        "option bootfile-name \"undionly.kpxe\";",
        "filename \"undionly.kpxe\";",
        "option dhcp-lease-time 3600;",
        "option dhcp-server-identifier 10.213.7.1;",
    ] {
        assert!(lease.contains(line), "{line} is not in {lease}");
    }
    // It stays in the background to renew; and gives the lease back before it leaves.
    let output = cable.run(
        "isc-dhcp-client",
        &[
            "dhclient",
            "-4",
            "-r",
            "-lf",
            &leases,
            "-pf",
            &pid,
            "-sf",
            "/bin/true",
            &cable.inside,
        ],
    );
    assert!(output.status.success(), "{output:?}");
}

fn udhcpc(cable: &Cable, folder: &Path) {
    let script = folder.join("script");
    let told = folder.join("told").display().to_string();
    let text = format!("#!/bin/sh\n[ \"$1\" = bound ] && set > {told}\nexit 0\n");
    fs::write(&script, text).unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    fs::set_permissions(&script, mode).unwrap();
    let script = script.display().to_string();
    // 4 s at most for each of five tries; quits with its lease.
    let output = cable.run(
        "udhcpc",
        &[
            "udhcpc",
            "-i",
            &cable.inside,
            "-f",
            "-q",
            "-n",
            "-t",
            "5",
            "-T",
            "4",
            "-s",
            &script,
            "-O",
            "bootfile",
            "-O",
            "tftp",
            "-V",
            "PXEClient:Arch:00000",
        ],
    );
    assert!(output.status.success(), "{output:?}");
    let told = fs::read_to_string(told).unwrap();
    for line in [
        "ip='10.213.7.77'",
        "subnet='255.255.255.0'",
        "router='10.213.7.1'",
        "siaddr='10.213.7.1'",
        "boot_file='undionly.kpxe'",
        "lease='3600'",
    ] {
        assert!(told.contains(line), "{line} is not in {told}");
    }
}

/// A program that ends with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test]
async fn our_client_boots_by_dnsmasq() {
    let cable = Cable::new("cl", "169.254.213.2/32");
    ip(&[
        "-n",
        &cable.namespace,
        "address",
        "add",
        "10.213.8.1/24",
        "dev",
        &cable.inside,
    ]);
    let mac = HardwareAddress::from([0x52, 0x54, 0, 1, 2, 3]);
    let arguments = [
        "--no-daemon",
        "--conf-file=/dev/null",
        "--port=0",
        "--leasefile-ro",
        "--log-dhcp",
        "--user=root",
        "--pid-file=",
        "--dhcp-range=10.213.8.50,10.213.8.60,255.255.255.0,2h",
        "--dhcp-host=52:54:00:01:02:03,10.213.8.55",
        "--dhcp-match=set:efi,option:client-arch,7",
        "--dhcp-userclass=set:ipxe,iPXE",
        "--dhcp-boot=tag:ipxe,http://10.213.8.1/boot.ipxe",
        "--dhcp-boot=tag:efi,snponly.efi,boot,10.213.8.9",
        "--dhcp-boot=undionly.kpxe",
    ];
    let interface = format!("--interface={}", cable.inside);
    let child = Command::new("ip")
        .args(["netns", "exec", &cable.namespace, "dnsmasq", &interface])
        .args(arguments)
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut dnsmasq = Running(child);
    let socket = bind(68, &cable.outside).await;
    socket.set_broadcast(true).unwrap();
    let client = |number: u32| ClientConfig::new(mac, 0x9000_0000 + number);
    for (config, file, next) in [
        (
            client(1).with_arch(ClientArch::BIOS),
            "undionly.kpxe",
            "10.213.8.1",
        ),
        (
            client(2).with_arch(ClientArch::UEFI_X64),
            "snponly.efi",
            "10.213.8.9",
        ),
        (
            client(3).with_arch(ClientArch::BIOS).with_ipxe(true),
            "http://10.213.8.1/boot.ipxe",
            "10.213.8.1",
        ),
    ] {
        let lease = timeout(Duration::from_secs(50), ask(&socket, config, None)).await;
        let lease = lease.unwrap_or_else(|_| {
            panic!(
                "no lease (install dnsmasq-base): {:?}",
                dnsmasq.0.try_wait()
            )
        });
        assert_eq!(lease.boot_file.as_deref(), Some(file));
        assert_eq!(lease.next_server.unwrap().to_string(), next);
        assert_eq!(lease.address.to_string(), "10.213.8.55");
        assert_eq!(lease.duration, Duration::from_secs(7200));
    }
}

/// Runs a client over a socket; `server` replaces the broadcast address.
async fn ask(socket: &UdpSocket, config: ClientConfig, server: Option<SocketAddr>) -> Lease {
    let origin = Instant::now();
    let mut client = DhcpClient::new(config, Duration::ZERO);
    let mut buffer = [0; 2048];
    loop {
        while let Some((to, bytes)) = client.poll_transmit() {
            socket
                .send_to(&bytes, server.unwrap_or(SocketAddr::V4(to)))
                .await
                .unwrap();
        }
        if let Some(outcome) = client.outcome() {
            return outcome.clone().unwrap();
        }
        tokio::select! {
            biased;
            received = socket.recv_from(&mut buffer) => {
                let (length, _) = received.unwrap();
                client.handle_datagram(&buffer[..length], origin.elapsed());
            }
            () = sleep_until(origin + client.poll_timeout().unwrap()) => {
                client.handle_timeout(origin.elapsed());
            }
        }
    }
}

#[tokio::test]
async fn without_privileges_over_loopback() {
    let mac = HardwareAddress::from([2, 0, 0, 0, 0, 1]);
    let hosts = MemoryHosts::new();
    let mut boot = BootFiles::default();
    boot.default = Some("pxelinux.0".into());
    hosts.insert(
        mac,
        HostConfig::new(Ipv4Addr::new(192, 0, 2, 7)).with_boot(boot),
    );
    let config = ServerConfig::new(Ipv4Addr::LOCALHOST).with_reply_to_source(true);
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let server = Arc::new(DhcpServer::new(config, hosts));
    let service = DhcpService::start(socket, server, ServerPort::Dhcp).unwrap();
    let socket = UdpSocket::bind(SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0))
        .await
        .unwrap();
    let config = ClientConfig::new(mac, 7).with_arch(ClientArch::BIOS);
    let lease = ask(&socket, config, Some(service.local_addr())).await;
    assert_eq!(lease.address, Ipv4Addr::new(192, 0, 2, 7));
    assert_eq!(lease.boot_file.as_deref(), Some("pxelinux.0"));
}
