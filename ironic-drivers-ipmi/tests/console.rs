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
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use ironic_core::driver::{HardwareType, Registry, fake};
use ironic_core::states::InterfaceKind;
use ironic_core::{
    Client, Conductor, Config, Entropy as _, ErrorKind, MemoryStore, Node, OsEntropy, Uuid,
};
use ironic_drivers_ipmi::client::IpmiClient;
use ironic_drivers_ipmi::codec::Privilege;
use ironic_drivers_ipmi::command::Guid;
use ironic_drivers_ipmi::driver::{
    ConsoleSettings, IpmiConsole, IpmiDriver, register, register_console,
};
use ironic_drivers_ipmi::server::{BmcConfig, PoweredMachine, User, serve};
use peers::{IpmiSim, Relay, program};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpSocket, TcpStream, UdpSocket};
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

/// A conductor with one machine.
struct Room<M> {
    conductor: Conductor,
    client: Client,
    node: Uuid,
    machine: M,
}

/// OpenIPMI's simulator, and the machine's serial port.
struct Simulated {
    serial: TcpListener,
    _sim: IpmiSim,
}

async fn room(settings: ConsoleSettings, password: &str) -> Room<Simulated> {
    let serial = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let sim = IpmiSim::start_with_serial(serial.local_addr().unwrap()).await;
    let address = sim.address;
    let machine = Simulated { serial, _sim: sim };
    room_of(machine, address, settings, password).await
}

async fn room_of<M>(
    machine: M,
    bmc: SocketAddr,
    settings: ConsoleSettings,
    password: &str,
) -> Room<M> {
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
    let info = json!({"ipmi_address": bmc.ip().to_string(),
        "ipmi_port": bmc.port(), "ipmi_username": "admin", "ipmi_password": password,
        "ipmi_cipher_suite": 3});
    node.driver_info = info.as_object().unwrap().clone();
    let node = client.create_node(node).await.unwrap().uuid;
    Room {
        conductor,
        client,
        node,
        machine,
    }
}

fn anywhere() -> ConsoleSettings {
    let mut settings = ConsoleSettings::default();
    settings.ports = vec![20_000..=60_000];
    settings
}

impl<M> Room<M> {
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
}

impl Room<Simulated> {
    async fn serial(&self) -> TcpStream {
        let (serial, _) = timeout(PATIENCE, self.machine.serial.accept())
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

/// This crate's own BMC.
async fn own_bmc() -> (Arc<PoweredMachine>, SocketAddr) {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    let admin = User::new("admin", "password", Privilege::Administrator).unwrap();
    let config = BmcConfig::new(Guid([7; 16]), vec![admin])
        .unwrap()
        .serial_port();
    let machine = Arc::new(PoweredMachine::new());
    let serving = serve(socket, config, machine.clone(), |out: &mut [u8]| {
        OsEntropy.fill(out)
    });
    tokio::spawn(async move { drop(serving.await) });
    (machine, address)
}

/// Waits until this was typed, in these pieces or others.
async fn heard(machine: &PoweredMachine, what: &str) {
    let mut seen = Vec::new();
    let hearing = async {
        while !String::from_utf8_lossy(&seen).contains(what) {
            seen.extend(machine.heard());
            sleep(Duration::from_millis(5)).await;
        }
    };
    assert!(
        timeout(PATIENCE, hearing).await.is_ok(),
        "{what:?} was not heard"
    );
}

#[tokio::test]
async fn our_own_bmc_has_a_serial_port_too() {
    let (machine, bmc) = own_bmc().await;
    let relay = Relay::to(bmc).await;
    let room = room_of(machine, relay.address, anywhere(), "password").await;
    room.switch(true).await;
    let mut console = TcpStream::connect(room.address().await).await.unwrap();
    let typed: String = (0..100).map(|n| format!("command {n}\r")).collect();
    console.write_all(typed.as_bytes()).await.unwrap();
    heard(&room.machine, "command 99\r").await;
    let lines: String = (0..500).map(|n| format!("line {n}\r\n")).collect();
    room.machine.say(lines.as_bytes());
    expect(&mut console, "line 499\r\n").await;

    // What is lost on the way is sent again, both ways.
    relay.cut(true);
    room.machine.say(b"are you there? ");
    console.write_all(b"yes\r").await.unwrap();
    sleep(Duration::from_millis(700)).await;
    relay.cut(false);
    expect(&mut console, "are you there? ").await;
    heard(&room.machine, "yes\r").await;
    room.conductor.stop().await.unwrap();
}

/// A console of a talkative machine, and a connection to it on which nobody reads.
async fn unread(limit: Duration) -> (Room<Arc<PoweredMachine>>, Relay, TcpStream) {
    let (machine, bmc) = own_bmc().await;
    let relay = Relay::to(bmc).await;
    let mut settings = anywhere();
    settings.unread_timeout = limit;
    let room = room_of(machine, relay.address, settings, "password").await;
    room.switch(true).await;
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    let mut console = socket.connect(room.address().await).await.unwrap();
    console.write_all(b"dmesg\r").await.unwrap();
    heard(&room.machine, "dmesg\r").await;
    room.machine.say(&[b'.'; 1 << 20]);
    (room, relay, console)
}

#[tokio::test]
async fn who_does_not_read_does_not_keep_the_console_from_others() {
    let (room, _relay, unread) = unread(Duration::from_millis(300)).await;
    let mut console = TcpStream::connect(room.address().await).await.unwrap();
    console.write_all(b"second\r").await.unwrap();
    heard(&room.machine, "second\r").await;
    drop(unread);
    room.conductor.stop().await.unwrap();
}

#[tokio::test]
async fn who_does_not_read_does_not_keep_the_console_from_being_stopped() {
    let (room, relay, unread) = unread(Duration::ZERO).await;
    // Nothing is acknowledged any more.
    let mut before = 0;
    while relay.requests() > before {
        before = relay.requests();
        sleep(Duration::from_secs(1)).await;
    }
    room.switch(false).await;
    drop(unread);
    room.conductor.stop().await.unwrap();
}

#[tokio::test]
async fn ipmitool_is_a_console_of_our_own_bmc() {
    let (machine, bmc) = own_bmc().await;
    let port = bmc.port();
    // It wants a terminal, which `script` gives it.
    let tool = format!(
        "ipmitool -I lanplus -C 17 -H 127.0.0.1 -p {port} -U admin -P password sol activate"
    );
    program("ipmitool", "ipmitool");
    let mut script = program("script", "bsdutils");
    script.args(["-qec", &tool, "/dev/null"]);
    script.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut script = script.spawn().unwrap();
    let (mut keys, mut screen) = (script.stdin.take().unwrap(), script.stdout.take().unwrap());
    let mut seen = String::new();
    let mut chunk = [0; 4096];
    let mut read_until = async |what: &str| {
        let reading = async {
            while !seen.contains(what) {
                let len = screen.read(&mut chunk).await.unwrap();
                assert!(len > 0, "it ended after {seen}");
                seen.push_str(&String::from_utf8_lossy(&chunk[..len]));
            }
        };
        assert!(
            timeout(PATIENCE, reading).await.is_ok(),
            "no {what:?} in {seen:?}"
        );
    };
    read_until("SOL Session operational").await;
    machine.say(b"debian login: ");
    read_until("debian login: ").await;
    keys.write_all(b"root\r").await.unwrap();
    heard(&machine, "root").await;
    keys.write_all(b"\r~.").await.unwrap();
    read_until("terminated ipmitool").await;
}
