//! DHCP clients and servers joined in memory.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test")]

use std::net::{Ipv4Addr, SocketAddrV4};
use std::time::Duration;

use ironic_pxe::BootInterface;
use ironic_pxe::boot::{BootConfig, BootNode, dhcp_options};
use ironic_pxe::dhcp::{
    BootFiles, ClientArch, ClientConfig, ClientError, DhcpClient, DhcpMessage, DhcpServer,
    HardwareAddress, HostConfig, Lease, MemoryHosts, MessageType, PXE_PORT, Reply, ServerConfig,
    ServerPort, code,
};
use proptest::prelude::*;

const MAC: [u8; 6] = [0x52, 0x54, 0, 0xa, 0xb, 0xc];
const ADDRESS: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 100);
const SERVER: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
const PROXY: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 2);
const UNSPECIFIED: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, 68);

fn boot_files() -> BootFiles {
    let mut boot = BootFiles::default();
    boot.by_arch
        .insert(ClientArch::BIOS, "undionly.kpxe".into());
    boot.by_arch
        .insert(ClientArch::UEFI_X64, "snponly.efi".into());
    boot.by_arch
        .insert(ClientArch::UEFI_ARM64, "arm64.efi".into());
    boot.ipxe_script = Some("http://192.0.2.3/boot.ipxe".into());
    boot
}

fn server(address: Ipv4Addr, proxy: bool, host: HostConfig) -> DhcpServer<MemoryHosts> {
    let hosts = MemoryHosts::new();
    hosts.insert(MAC.into(), host);
    DhcpServer::new(ServerConfig::new(address).with_proxy(proxy), hosts)
}

fn plain() -> HostConfig {
    let mut host = HostConfig::new(ADDRESS);
    host.routers = vec![SERVER];
    host.host_name = Some("node-1".into());
    host
}

fn client() -> ClientConfig {
    ClientConfig::new(MAC.into(), 0x1234_5678)
}

/// Runs a client against servers; `lose` says which of its packets do not arrive.
fn run(
    config: ClientConfig,
    servers: &[&DhcpServer<MemoryHosts>],
    mut lose: impl FnMut(u32) -> bool,
) -> (Result<Lease, ClientError>, Duration) {
    let (mut now, mut number) = (Duration::ZERO, 0);
    let mut client = DhcpClient::new(config, now);
    loop {
        while let Some((to, bytes)) = client.poll_transmit() {
            number += 1;
            if lose(number) {
                continue;
            }
            let port = if to.port() == PXE_PORT {
                ServerPort::Pxe
            } else {
                ServerPort::Dhcp
            };
            for server in servers {
                if let Some(reply) = server.handle_datagram(&bytes, UNSPECIFIED, port).unwrap() {
                    client.handle_datagram(&reply.message.to_bytes(), now);
                }
            }
        }
        if let Some(outcome) = client.outcome() {
            return (outcome.clone(), now);
        }
        now = client.poll_timeout().unwrap();
        client.handle_timeout(now);
    }
}

#[test]
fn every_kind_of_machine_gets_its_loader() {
    let server = server(SERVER, false, plain().with_boot(boot_files()));
    for (arch, file) in [
        (ClientArch::BIOS, "undionly.kpxe"),
        (ClientArch::UEFI_X64, "snponly.efi"),
        (ClientArch::UEFI_X64_TEXT, "snponly.efi"),
        (ClientArch::UEFI_ARM64, "arm64.efi"),
    ] {
        let (lease, _) = run(client().with_arch(arch), &[&server], |_| false);
        let lease = lease.unwrap();
        assert_eq!(lease.boot_file.as_deref(), Some(file), "{arch:?}");
        assert_eq!((lease.address, lease.next_server), (ADDRESS, Some(SERVER)));
        let (lease, _) = run(client().with_arch(arch).with_ipxe(true), &[&server], |_| {
            false
        });
        assert_eq!(
            lease.unwrap().boot_file.as_deref(),
            Some("http://192.0.2.3/boot.ipxe")
        );
    }
    let (lease, _) = run(client().with_arch(ClientArch::HTTP_X64), &[&server], |_| {
        false
    });
    let lease = lease.unwrap();
    assert_eq!(
        lease.message.options.text(code::VENDOR_CLASS),
        Some("HTTPClient")
    );
    assert_eq!(lease.message.options.addresses(code::ROUTERS), [SERVER]);
    assert_eq!(lease.message.options.text(code::HOST_NAME), Some("node-1"));
    assert_eq!(lease.duration, Duration::from_secs(3600));
}

#[test]
fn lost_packets_are_repeated_with_growing_waits() {
    let server = server(SERVER, false, plain());
    let (lease, elapsed) = run(client(), &[&server], |number| number <= 3);
    assert_eq!(lease.unwrap().address, ADDRESS);
    assert_eq!(elapsed, Duration::from_secs(4 + 8 + 16));
    let (error, elapsed) = run(client(), &[], |_| false);
    assert_eq!(error, Err(ClientError::NoOffer));
    assert_eq!(elapsed, Duration::from_secs(4 + 8 + 16 + 32));
}

#[test]
fn a_proxy_adds_what_to_boot() {
    let addresses = server(SERVER, false, plain());
    let proxy = server(
        PROXY,
        true,
        HostConfig::without_address().with_boot(boot_files()),
    );
    for servers in [[&addresses, &proxy], [&proxy, &addresses]] {
        let config = client()
            .with_arch(ClientArch::UEFI_X64)
            .with_machine_id([7; 16]);
        let (lease, elapsed) = run(config, &servers, |_| false);
        let lease = lease.unwrap();
        assert_eq!((lease.address, lease.server), (ADDRESS, SERVER));
        assert_eq!(lease.boot_file.as_deref(), Some("snponly.efi"));
        assert_eq!(lease.next_server, Some(PROXY));
        assert_eq!(elapsed, Duration::ZERO);
    }
    // One that does not ask as a PXE client is left alone.
    let (error, _) = run(client(), &[&proxy], |_| false);
    assert_eq!(error, Err(ClientError::NoOffer));
    // Without the proxy the machine waits a little, then goes on.
    let (lease, elapsed) = run(client().with_arch(ClientArch::BIOS), &[&addresses], |_| {
        false
    });
    assert_eq!(lease.unwrap().boot_file, None);
    assert_eq!(elapsed, Duration::from_secs(2));
}

#[test]
fn a_proxy_answers_on_its_second_port() {
    let proxy = server(
        PROXY,
        true,
        HostConfig::without_address().with_boot(boot_files()),
    );
    let mut request = DhcpMessage::request(MessageType::Request, MAC.into(), 9);
    request.client_address = ADDRESS;
    request
        .options
        .set(code::VENDOR_CLASS, b"PXEClient:Arch:00000".as_slice());
    request.options.set(code::CLIENT_ARCH, [0, 0]);
    request
        .options
        .set(code::CLIENT_MACHINE_ID, [[0].as_slice(), &[7; 16]].concat());
    let from = SocketAddrV4::new(ADDRESS, 4011);
    let bytes = request.to_bytes();
    let reply = proxy
        .handle_datagram(&bytes, from, ServerPort::Pxe)
        .unwrap()
        .unwrap();
    assert_eq!(reply.to, from);
    let options = &reply.message.options;
    assert_eq!(options.message_type(), Some(MessageType::Ack));
    assert_eq!(options.text(code::BOOT_FILE), Some("undionly.kpxe"));
    assert_eq!(options.text(code::VENDOR_CLASS), Some("PXEClient"));
    assert_eq!(
        options.get(code::VENDOR_SPECIFIC),
        Some([6, 1, 8, 255].as_slice())
    );
    assert_eq!(
        options.get(code::CLIENT_MACHINE_ID),
        request.options.get(code::CLIENT_MACHINE_ID)
    );
    assert_eq!(
        proxy
            .handle_datagram(&bytes, from, ServerPort::Dhcp)
            .unwrap(),
        None
    );
}

fn ask(
    server: &DhcpServer<MemoryHosts>,
    kind: MessageType,
    change: impl FnOnce(&mut DhcpMessage),
) -> Option<Reply> {
    let mut request = DhcpMessage::request(kind, MAC.into(), 9);
    change(&mut request);
    server
        .handle_datagram(&request.to_bytes(), UNSPECIFIED, ServerPort::Dhcp)
        .unwrap()
}

#[test]
fn requests_in_every_state_of_a_client() {
    let server = server(SERVER, false, plain());
    let other = Ipv4Addr::new(192, 0, 2, 200);
    let relay = Ipv4Addr::new(198, 51, 100, 1);
    let set =
        |code, address: Ipv4Addr| move |m: &mut DhcpMessage| m.options.set(code, address.octets());
    let kind = |reply: &Option<Reply>| reply.as_ref().unwrap().message.options.message_type();
    let everyone = SocketAddrV4::new(Ipv4Addr::BROADCAST, 68);

    let right = ask(
        &server,
        MessageType::Request,
        set(code::REQUESTED_ADDRESS, ADDRESS),
    );
    assert_eq!(
        (kind(&right), right.unwrap().to),
        (Some(MessageType::Ack), everyone)
    );
    let wrong = ask(
        &server,
        MessageType::Request,
        set(code::REQUESTED_ADDRESS, other),
    );
    assert_eq!(
        (kind(&wrong), wrong.unwrap().to),
        (Some(MessageType::Nak), everyone)
    );
    // For another server: silence.
    assert_eq!(
        ask(&server, MessageType::Request, set(code::SERVER_ID, other)),
        None
    );

    let renewed = ask(&server, MessageType::Request, |m| {
        m.client_address = ADDRESS
    });
    assert_eq!(kind(&renewed), Some(MessageType::Ack));
    assert_eq!(renewed.unwrap().to, SocketAddrV4::new(ADDRESS, 68));
    let moved = ask(&server, MessageType::Request, |m| m.client_address = other);
    assert_eq!(
        (kind(&moved), moved.unwrap().to),
        (Some(MessageType::Nak), everyone)
    );

    let relayed = ask(&server, MessageType::Discover, |m| {
        m.relay_address = relay;
        m.options.set(82, b"circuit".as_slice());
    });
    let relayed = relayed.unwrap();
    assert_eq!(relayed.to, SocketAddrV4::new(relay, 67));
    assert_eq!(relayed.message.options.get(82), Some(b"circuit".as_slice()));

    let informed = ask(&server, MessageType::Inform, |m| m.client_address = other).unwrap();
    assert_eq!(
        informed.message.options.message_type(),
        Some(MessageType::Ack)
    );
    assert!(informed.message.your_address.is_unspecified());
    assert!(!informed.message.options.contains(code::LEASE_TIME));

    for kind in [
        MessageType::Release,
        MessageType::Decline,
        MessageType::Offer,
    ] {
        assert_eq!(ask(&server, kind, |m| m.client_address = ADDRESS), None);
    }
    let stranger = DhcpMessage::request(MessageType::Discover, [2; 6].into(), 1).to_bytes();
    assert_eq!(
        server
            .handle_datagram(&stranger, UNSPECIFIED, ServerPort::Dhcp)
            .unwrap(),
        None
    );
}

#[test]
fn what_was_not_asked_for_gives_way() {
    let mut host = plain();
    host.options.insert(224, vec![1; 200]);
    host.options.insert(225, vec![2; 200]);
    let server = server(SERVER, false, host);
    let reply = |size: Option<u16>| {
        ask(&server, MessageType::Discover, |m| {
            m.options.set(code::PARAMETER_LIST, [224]);
            if let Some(size) = size {
                m.options.set(code::MAX_SIZE, size.to_be_bytes());
            }
        })
        .unwrap()
        .message
    };
    let small = reply(None);
    assert!(small.options.contains(224) && !small.options.contains(225));
    assert!(small.to_bytes().len() <= 548);
    assert!(reply(Some(1500)).options.contains(225));
}

#[test]
fn a_boot_plans_options_are_what_the_machine_is_told() {
    let mut config = BootConfig::default();
    config.http_url = "http://192.0.2.3:8088".into();
    config.tftp_server = "192.0.2.2".into();
    let mut node = BootNode::new("n");
    node.properties
        .insert("capabilities".into(), "boot_mode:bios".into());
    for (interface, loader, script, next) in [
        (
            BootInterface::Ipxe,
            "undionly.kpxe",
            "http://192.0.2.3:8088/boot.ipxe",
            PROXY,
        ),
        (BootInterface::Pxe, "pxelinux.0", "pxelinux.0", PROXY),
        (
            BootInterface::Http,
            "http://192.0.2.3:8088/pxelinux.0",
            "http://192.0.2.3:8088/pxelinux.0",
            SERVER,
        ),
    ] {
        let options = dhcp_options(&config, &node, interface, None).unwrap();
        let server = server(SERVER, false, plain().with_boot_options(&options));
        for (is_ipxe, file) in [(false, loader), (true, script)] {
            let config = client().with_arch(ClientArch::BIOS).with_ipxe(is_ipxe);
            let lease = run(config, &[&server], |_| false).0.unwrap();
            assert_eq!(lease.boot_file.as_deref(), Some(file), "{interface:?}");
            assert_eq!(lease.next_server, Some(next), "{interface:?}");
        }
    }
}

#[test]
fn addresses_are_read_and_shown() {
    let address: HardwareAddress = "52-54-00:0A:0b:0C".parse().unwrap();
    assert_eq!(
        (address, address.to_string().as_str()),
        (MAC.into(), "52:54:00:0a:0b:0c")
    );
    for text in ["", "5", "52:5", "52:54:+0", "zz", &"00:".repeat(17)] {
        assert!(text.parse::<HardwareAddress>().is_err(), "{text}");
    }
}

proptest! {
    #[test]
    fn random_options_do_no_harm(
        kind in 0u8..10,
        options in proptest::collection::vec(any::<u8>(), 0..200),
        proxy in any::<bool>(),
    ) {
        let server = server(SERVER, proxy, plain().with_boot(boot_files()));
        let mut bytes = DhcpMessage::request(MessageType::Discover, MAC.into(), 9).to_bytes();
        bytes.truncate(240);
        bytes.extend([53, 1, kind, 60, 9]);
        bytes.extend(b"PXEClient");
        bytes.extend(options);
        for port in [ServerPort::Dhcp, ServerPort::Pxe] {
            if let Ok(Some(reply)) = server.handle_datagram(&bytes, UNSPECIFIED, port) {
                prop_assert!(DhcpMessage::parse(&reply.message.to_bytes()).is_ok());
            }
        }
        let mut client = DhcpClient::new(client(), Duration::ZERO);
        client.handle_datagram(&bytes, Duration::ZERO);
    }
}
