//! A machine's console, from a TCP connection through the conductor and OpenIPMI's simulator to its
//! serial port.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test that cannot go on stops, and the peer is a process of its own"
)]

mod peers;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use ironic_core::driver::{HardwareType, Registry, fake};
use ironic_core::states::InterfaceKind;
use ironic_core::{Client, Conductor, Config, ErrorKind, MemoryStore, Node, OsEntropy, Uuid};
use ironic_drivers_ipmi::client::IpmiClient;
use ironic_drivers_ipmi::driver::{
    ConsoleSettings, IpmiConsole, IpmiDriver, register, register_console,
};
use peers::IpmiSim;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{sleep, timeout};

const PATIENCE: Duration = Duration::from_secs(30);

/// `ipmi`, of which all that is not IPMI is fake.
struct Ipmi;

impl HardwareType for Ipmi {
    fn name(&self) -> &str {
        "ipmi"
    }

    fn supported(&self, kind: InterfaceKind) -> &[&str] {
        match kind {
            InterfaceKind::Power | InterfaceKind::Management => &["ipmitool"],
            InterfaceKind::Console => &["ipmitool-socat"],
            InterfaceKind::Network | InterfaceKind::Storage => &["noop"],
            _ => &["fake"],
        }
    }
}

struct Room {
    conductor: Conductor,
    client: Client,
    node: Uuid,
    /// The machine's serial port.
    serial: TcpListener,
    _sim: IpmiSim,
}

async fn room(settings: ConsoleSettings, password: &str) -> Room {
    let serial = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let sim = IpmiSim::start_with_serial(serial.local_addr().unwrap()).await;
    let driver = IpmiDriver::new(IpmiClient::new(Arc::new(OsEntropy)));
    let fakes = fake::register(Registry::builder(), &fake::FakeBehaviour::new());
    let console = IpmiConsole::new(settings, Arc::new(OsEntropy));
    let registry = register_console(register(fakes, &driver), console)
        .hardware(Arc::new(Ipmi))
        .enable_hardware_types(["ipmi"])
        .enable(InterfaceKind::Power, ["fake", "ipmitool"])
        .enable(InterfaceKind::Management, ["fake", "ipmitool"])
        .enable(InterfaceKind::Console, ["fake", "ipmitool-socat"])
        .build();
    let mut config = Config::new("cond-a");
    config.sync_power_state_interval = Duration::ZERO;
    let conductor = Conductor::builder()
        .store(Arc::new(MemoryStore::new()))
        .registry(Arc::new(registry.unwrap()))
        .config(config)
        .start()
        .await
        .unwrap();
    let client = Client::local(&conductor);
    let mut node = Node::new(Uuid::nil(), "ipmi");
    let info = json!({"ipmi_address": sim.address.ip().to_string(),
        "ipmi_port": sim.address.port(), "ipmi_username": "admin", "ipmi_password": password,
        "ipmi_cipher_suite": 3});
    node.driver_info = info.as_object().unwrap().clone();
    let node = client.create_node(node).await.unwrap().uuid;
    Room {
        conductor,
        client,
        node,
        serial,
        _sim: sim,
    }
}

fn anywhere() -> ConsoleSettings {
    let mut settings = ConsoleSettings::default();
    settings.ports = vec![20_000..=60_000];
    settings
}

impl Room {
    async fn switch(&self, on: bool) {
        self.client.set_console(self.node, on).await.unwrap();
        let switched = |node: &Node| match &node.last_error {
            Some(error) => panic!("{error}"),
            None => (node.console_enabled == on).then_some(Ok(())),
        };
        let waited = self.client.wait_until(self.node, PATIENCE, switched);
        waited.await.unwrap();
    }

    /// Where the console is to be had.
    async fn address(&self) -> SocketAddr {
        let info = self.client.console(self.node).await.unwrap();
        assert_eq!(info.kind, "socat");
        info.url.strip_prefix("tcp://").unwrap().parse().unwrap()
    }

    async fn serial(&self) -> TcpStream {
        let (serial, _) = timeout(PATIENCE, self.serial.accept())
            .await
            .expect("the BMC does not open the serial port")
            .unwrap();
        serial
    }
}

/// Reads until this has come.
async fn expect(from: &mut TcpStream, what: &str) {
    let mut seen = Vec::new();
    let mut chunk = [0; 4096];
    let reading = async {
        while !String::from_utf8_lossy(&seen).contains(what) {
            let len = from.read(&mut chunk).await.unwrap();
            assert!(len > 0, "it ended after {}", String::from_utf8_lossy(&seen));
            seen.extend_from_slice(&chunk[..len]);
        }
    };
    if timeout(PATIENCE, reading).await.is_err() {
        panic!("no {what:?} in {:?}", String::from_utf8_lossy(&seen));
    }
}

/// Types until the serial port hears it: before serial over LAN is active, nobody does.
async fn type_until_heard(console: &mut TcpStream, serial: &mut TcpStream, what: &str) {
    console.write_all(what.as_bytes()).await.unwrap();
    expect(serial, what).await;
}

#[tokio::test]
async fn what_is_typed_reaches_the_machine_and_what_it_says_comes_back() {
    let room = room(anywhere(), "password").await;
    room.switch(true).await;
    let address = room.address().await;
    let mut console = TcpStream::connect(address).await.unwrap();
    let mut serial = room.serial().await;
    type_until_heard(&mut console, &mut serial, "root\r").await;
    serial.write_all(b"Password: ").await.unwrap();
    expect(&mut console, "Password: ").await;
    // More than fits into many packets, both ways.
    let lines: String = (0..500).map(|n| format!("line {n}\r\n")).collect();
    serial.write_all(lines.as_bytes()).await.unwrap();
    expect(&mut console, "line 499\r\n").await;
    let typed: String = (0..100).map(|n| format!("command {n}\r")).collect();
    type_until_heard(&mut console, &mut serial, &typed).await;

    // The next one finds the console free.
    drop(console);
    let mut console = TcpStream::connect(address).await.unwrap();
    type_until_heard(&mut console, &mut serial, "second").await;
    serial.write_all(b"welcome back").await.unwrap();
    expect(&mut console, "welcome back").await;

    room.switch(false).await;
    expect(&mut console, "the console is stopped").await;
    assert!(TcpStream::connect(address).await.is_err(), "nobody listens");
    let error = room.client.console(room.node).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidParameter, "{error}");
    let node = room.client.node(room.node).await.unwrap();
    assert!(
        !node
            .driver_internal_info
            .contains_key("allocated_ipmi_terminal_port")
    );
    room.conductor.stop().await.unwrap();
}

#[tokio::test]
async fn who_connects_is_told_why_there_is_no_console() {
    let room = room(anywhere(), "passwort").await;
    room.switch(true).await;
    let mut console = TcpStream::connect(room.address().await).await.unwrap();
    expect(&mut console, "authentication failed").await;
    room.conductor.stop().await.unwrap();
}

#[tokio::test]
async fn a_connection_on_which_nothing_happens_is_closed() {
    let mut settings = anywhere();
    settings.idle_timeout = Duration::from_millis(300);
    let room = room(settings, "password").await;
    room.switch(true).await;
    let mut console = TcpStream::connect(room.address().await).await.unwrap();
    expect(&mut console, "nobody has typed").await;
    room.conductor.stop().await.unwrap();
}

#[tokio::test]
async fn without_ports_a_node_has_to_name_one() {
    let room = room(ConsoleSettings::default(), "password").await;
    let error = room.client.set_console(room.node, true).await.unwrap_err();
    assert!(error.to_string().contains("ipmi_terminal_port"), "{error}");
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = free.local_addr().unwrap().port();
    let change = ironic_core::transport::Change::set("driver_info/ipmi_terminal_port", json!(port));
    room.client
        .update_node(room.node, vec![change])
        .await
        .unwrap();
    // While somebody else has it, the console cannot be started, and says so.
    room.client.set_console(room.node, true).await.unwrap();
    let refused = |node: &Node| node.last_error.is_some().then_some(Ok(()));
    let waited = room.client.wait_until(room.node, PATIENCE, refused);
    let text = waited.await.unwrap().last_error.unwrap();
    assert!(text.contains(&port.to_string()), "{text}");
    drop(free);
    for _ in 0..100 {
        room.client.set_console(room.node, true).await.unwrap();
        let node = room.client.node(room.node).await.unwrap();
        if node.console_enabled {
            break;
        }
        sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(room.address().await.port(), port);
    room.conductor.stop().await.unwrap();
}
