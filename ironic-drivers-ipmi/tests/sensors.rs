//! Sensors: what a conductor publishes of a machine's is what ipmitool says of them, of OpenIPMI's
//! simulator and of this crate's own BMC alike.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test that cannot go on stops, and the peers are processes of their own"
)]

mod peers;

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use ironic_core::driver::{HardwareType, Registry, fake};
use ironic_core::model::JsonMap;
use ironic_core::notify::{Notification, Notifier, SensorReadings, SensorSource};
use ironic_core::states::InterfaceKind;
use ironic_core::{Client, Conductor, Config, Entropy as _, MemoryStore, Node, OsEntropy, Uuid};
use ironic_drivers_ipmi::client::IpmiClient;
use ironic_drivers_ipmi::codec::Privilege;
use ironic_drivers_ipmi::command::{Guid, SensorReading};
use ironic_drivers_ipmi::driver::{IpmiDriver, register};
use ironic_drivers_ipmi::sensor::{Analog, Scale, SensorRecord};
use ironic_drivers_ipmi::server::{BmcConfig, PoweredMachine, User, serve};
use peers::{IpmiSim, Relay, ipmitool, output};
use serde_json::{Map, Value, json};
use tokio::sync::mpsc;
use tokio::time::timeout;

/// `ipmi`, of which all that is not IPMI is fake.
struct Ipmi;

impl HardwareType for Ipmi {
    fn name(&self) -> &str {
        "ipmi"
    }

    fn supported(&self, kind: InterfaceKind) -> &[&str] {
        match kind {
            InterfaceKind::Power | InterfaceKind::Management => &["ipmitool"],
            InterfaceKind::Network | InterfaceKind::Storage => &["noop"],
            _ => &["fake"],
        }
    }
}

/// Hands on what sensors have read.
#[derive(Debug)]
struct Told(mpsc::UnboundedSender<JsonMap>);

impl Notifier for Told {
    fn notify(&self, _: &Notification) {}

    fn sensors(&self, readings: &SensorReadings) {
        if matches!(readings.source, SensorSource::Node { .. }) {
            let _ = self.0.send(readings.readings.clone());
        }
    }
}

/// A conductor that reads the sensors of one machine every second.
struct Reader {
    conductor: Conductor,
    told: mpsc::UnboundedReceiver<JsonMap>,
}

impl Reader {
    async fn of(bmc: SocketAddr) -> Self {
        let driver = IpmiDriver::new(IpmiClient::new(Arc::new(OsEntropy)));
        let fakes = fake::register(Registry::builder(), &fake::FakeBehaviour::new());
        let registry = register(fakes, &driver)
            .hardware(Arc::new(Ipmi))
            .enable_hardware_types(["ipmi"])
            .enable(InterfaceKind::Power, ["fake", "ipmitool"])
            .enable(InterfaceKind::Management, ["fake", "ipmitool"])
            .build();
        let mut config = Config::new("cond-a");
        config.sync_power_state_interval = Duration::ZERO;
        config.sensors.enabled = true;
        config.sensors.interval = Duration::from_secs(1);
        config.sensors.wait_timeout = Duration::from_secs(20);
        config.sensors.for_undeployed_nodes = true;
        let (tell, told) = mpsc::unbounded_channel();
        let conductor = Conductor::builder()
            .store(Arc::new(MemoryStore::new()))
            .registry(Arc::new(registry.unwrap()))
            .notifier(Arc::new(Told(tell)))
            .config(config)
            .start()
            .await
            .unwrap();
        let mut node = Node::new(Uuid::nil(), "ipmi");
        let info = json!({"ipmi_address": bmc.ip().to_string(), "ipmi_port": bmc.port(),
            "ipmi_username": "admin", "ipmi_password": "password", "ipmi_cipher_suite": 3});
        node.driver_info = info.as_object().unwrap().clone();
        let client = Client::local(&conductor);
        client.create_node(node).await.unwrap();
        Self { conductor, told }
    }

    async fn next(&mut self) -> JsonMap {
        let told = timeout(Duration::from_secs(30), self.told.recv()).await;
        told.expect("nothing is told of the sensors").unwrap()
    }
}

/// What ipmitool says, taken apart as the original does.
async fn by_ipmitool(bmc: SocketAddr) -> JsonMap {
    let mut tool = ipmitool(bmc, "admin", "password");
    let (worked, said) = output(tool.args(["-C", "3", "sdr", "-v"])).await;
    assert!(worked, "{said}");
    let mut all = JsonMap::new();
    for block in said.split("\n\n") {
        let mut sensor = Map::new();
        for line in block.lines().filter(|line| !line.starts_with("<<")) {
            let parts: Vec<_> = line.split(':').collect();
            if let [key, value] = parts[..] {
                sensor.insert(key.trim().to_owned(), json!(value.trim()));
            }
        }
        if !sensor.contains_key("Sensor Reading") {
            continue;
        }
        let kinds = ["Sensor Type (Threshold)", "Sensor Type (Discrete)"];
        let kind = kinds.iter().find_map(|kind| sensor.get(*kind)).unwrap();
        let group = kind.as_str().unwrap().split(' ').next().unwrap().to_owned();
        let id = sensor["Sensor ID"].as_str().unwrap().to_owned();
        let of_group = all.entry(group).or_insert_with(|| json!({}));
        of_group.as_object_mut().unwrap().insert(id, sensor.into());
    }
    all
}

fn assert_same(ours: &JsonMap, theirs: &JsonMap) {
    let shown = |all: &JsonMap| -> Vec<(String, String, Value)> {
        let groups = all.iter().flat_map(|(group, sensors)| {
            let sensors = sensors.as_object().unwrap();
            sensors
                .iter()
                .map(move |(id, sensor)| (group.clone(), id.clone(), sensor.clone()))
        });
        groups.collect()
    };
    let (ours, theirs) = (shown(ours), shown(theirs));
    for (our, their) in ours.iter().zip(&theirs) {
        assert_eq!(our, their, "ours is on the left");
    }
    assert_eq!(ours.len(), theirs.len(), "sensors");
}

/// Sensors of every kind of conversion, unit and limit.
fn every_sort() -> Vec<(SensorRecord, u8)> {
    let mut sensors = Vec::new();
    let mut add = |reading: u8, change: &dyn Fn(&mut SensorRecord)| {
        let number = u8::try_from(sensors.len() + 1).unwrap();
        let (name, scale) = (format!("sensor {number}"), Scale::linear(1, 0));
        let record = SensorRecord::analog(number, &name, 1, (3, 1), 1, scale);
        let mut record = record.upper([0xf0, 0xe0, 0xd0]).lower([1, 2, 3]);
        record.hysteresis = (2, 3);
        change(&mut record);
        sensors.push((record, reading));
    };
    let scaled = |analog, linearization, m, b, exponents: (i8, i8), tolerance| {
        move |record: &mut SensorRecord| {
            let numbers = record.numbers.as_mut().unwrap();
            let mut scale = Scale::linear(m, exponents.0);
            (scale.analog, scale.linearization, scale.tolerance) =
                (analog, linearization, tolerance);
            (scale.b, scale.b_exponent) = (b, exponents.1);
            numbers.scale = scale;
            (numbers.nominal, numbers.normal_max, numbers.normal_min) =
                (Some(48), Some(96), Some(32));
            record.units[0] = match analog {
                Analog::Unsigned => 0x00,
                Analog::OnesComplement => 0x40,
                Analog::TwosComplement => 0x80,
                Analog::None => 0xc0,
            };
        }
    };
    let analogs = [
        Analog::Unsigned,
        Analog::OnesComplement,
        Analog::TwosComplement,
        Analog::None,
    ];
    for analog in analogs {
        add(0x85, &scaled(analog, 0, -3, 5, (-2, 2), 1));
        add(0x25, &scaled(analog, 0, 300, -200, (2, -2), 3));
        add(0x2a, &scaled(analog, 0, 1, 0, (0, 0), 0));
    }
    for linearization in 0..12 {
        add(
            0x40,
            &scaled(Analog::Unsigned, linearization, 2, 0, (-1, 0), 1),
        );
    }
    for sensor_type in [0, 2, 4, 8, 0x0d, 0x23, 0x2c, 0x2d, 0xc1] {
        add(0x40, &|record| record.sensor_type = sensor_type);
    }
    for entity in [0, 7, 29, 55, 66, 0x43] {
        add(0x40, &|record| record.entity = (entity, 2));
    }
    for units in [
        [0, 18, 0],
        [2, 6, 20],
        [4, 6, 20],
        [1, 6, 0],
        [3, 6, 20],
        [1, 0, 0],
        [0, 92, 0],
        [0, 93, 0],
    ] {
        add(0x40, &|record| record.units = units);
    }
    for (max, min) in [(0xff, 0), (0x80, 1), (0x7f, 0x80)] {
        add(0x40, &|record| {
            let numbers = record.numbers.as_mut().unwrap();
            (numbers.max, numbers.min) = (max, min);
        });
    }
    add(0x40, &|record| record.hysteresis = (0, 0xff));
    add(0x40, &|record| record.sets_thresholds = false);
    add(0x40, &|record| record.masks = [0, 0, 0]);
    add(0x40, &|record| record.masks = [0x7a95, 0x7a95, 0x3838]);
    add(0x40, &|record| record.masks = [0x3000, 0x4000, 0x0c3f]);
    add(0xf1, &|_| {});
    add(0x00, &|_| {});
    sensors
}

/// The same sensors as OpenIPMI's simulator has them.
fn for_the_simulator(sensors: &[(SensorRecord, u8)]) -> String {
    let mut parts = String::from(
        // The first sensor has to be the watchdog.
        "sensor_add 0x20 0 0 35 0x6f event-only\nsensor_set_event_support 0x20 0 0 enable scanning \
         per-state 000000000001111 000000000000000 000000000001111 000000000000000\n",
    );
    for (id, (record, reading)) in (1..).zip(sensors) {
        let SensorRecord {
            number,
            sensor_type,
            ..
        } = record;
        writeln!(parts, "sensor_add 0x20 0 {number} {sensor_type} 1").unwrap();
        writeln!(parts, "sensor_set_value 0x20 0 {number} {reading} 0").unwrap();
        writeln!(
            parts,
            "sensor_set_event_support 0x20 0 {number} enable scanning per-state 000111111000000 \
             000111111000000 000110111000001 000110111000001"
        )
        .unwrap();
        write!(parts, "main_sdr_add 0x20").unwrap();
        for byte in record.encode(id) {
            write!(parts, " 0x{byte:02x}").unwrap();
        }
        parts.push('\n');
    }
    let watchdog = SensorRecord::discrete(0, "Watchdog", 0x23, (7, 1), 0x6f);
    write!(parts, "main_sdr_add 0x20").unwrap();
    for byte in watchdog.encode(200) {
        write!(parts, " 0x{byte:02x}").unwrap();
    }
    parts.push('\n');
    parts
}

#[tokio::test]
async fn what_is_told_of_a_simulated_machine_is_what_ipmitool_says() {
    let sensors = every_sort();
    let sim = IpmiSim::start_with(&for_the_simulator(&sensors)).await;
    let theirs = by_ipmitool(sim.address).await;
    let mut reader = Reader::of(sim.address).await;
    let ours = reader.next().await;
    assert_same(&ours, &theirs);
    let count: usize = ours
        .values()
        .map(|group| group.as_object().unwrap().len())
        .sum();
    assert_eq!(count, sensors.len() + 1);
    println!("{count} of {count} sensors as ipmitool says");
    reader.conductor.stop().await.unwrap();
}

struct Bmc {
    address: SocketAddr,
    machine: Arc<PoweredMachine>,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Bmc {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A BMC of this crate's with a few sensors, as servers have them.
async fn own_bmc(sensors: Vec<SensorRecord>) -> Bmc {
    let socket = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    let admin = User::new("admin", "password", Privilege::Administrator).unwrap();
    let config = BmcConfig::new(Guid([7; 16]), vec![admin])
        .unwrap()
        .sensors(sensors);
    let machine = Arc::new(PoweredMachine::new());
    let serving = serve(socket, config, machine.clone(), |out: &mut [u8]| {
        OsEntropy.fill(out)
    });
    let task = tokio::spawn(async move { drop(serving.await) });
    Bmc {
        address,
        machine,
        task,
    }
}

fn usual() -> Vec<SensorRecord> {
    let temperature = SensorRecord::analog(1, "CPU Temp", 1, (3, 1), 1, Scale::linear(1, 0));
    let voltage = SensorRecord::analog(2, "12V", 2, (7, 1), 4, Scale::linear(1, -1));
    let mut fan = SensorRecord::analog(3, "Fan1", 4, (29, 1), 18, Scale::linear(100, 0));
    fan.hysteresis = (1, 1);
    vec![
        temperature.upper([95, 90, 80]),
        voltage.upper([140, 135, 130]).lower([100, 105, 110]),
        fan.lower([3, 5, 10]),
        SensorRecord::discrete(4, "PSU1", 0x08, (10, 1), 0x6f),
    ]
}

#[tokio::test]
async fn ipmitool_and_the_client_read_the_same_of_our_own_bmc() {
    let bmc = own_bmc(usual()).await;
    for (number, reading) in [
        (1, SensorReading::of(92).states(0x18)),
        (2, SensorReading::of(121)),
        (3, SensorReading::of(70)),
        (4, SensorReading::of(0).states(1)),
    ] {
        bmc.machine.set_reading(number, reading);
    }
    let mut tool = ipmitool(bmc.address, "admin", "password");
    let (worked, said) = output(tool.args(["-C", "17", "sdr", "list"])).await;
    assert!(worked, "{said}");
    for line in [
        "CPU Temp         | 92 degrees C      | cr",
        "12V              | 12.10 Volts       | ok",
        "Fan1             | 7000 RPM          | ok",
    ] {
        assert!(said.contains(line), "no {line:?} in\n{said}");
    }
    let mut tool = ipmitool(bmc.address, "admin", "password");
    let (worked, said) = output(tool.args(["-C", "3", "sensor"])).await;
    assert!(worked, "{said}");
    let thresholds = "12V              | 12.100     | Volts      | ok    | 10.000    | 10.500    | 11.000    | 13.000    | 13.500    | 14.000";
    assert!(said.contains(thresholds), "{said}");

    let mut reader = Reader::of(bmc.address).await;
    let ours = reader.next().await;
    assert_same(&ours, &by_ipmitool(bmc.address).await);
    let hot = &ours["Temperature"]["CPU Temp (0x1)"];
    assert_eq!(hot["Sensor Reading"], "92 (+/- 0) degrees C");
    assert_eq!(hot["Status"], "Upper Critical");
    assert_eq!(hot["Upper critical"], "90.000");
    // What nobody reads any more is told as such, and the rest goes on.
    bmc.machine.set_reading(1, SensorReading::default());
    loop {
        let later = reader.next().await;
        assert_eq!(
            later["Voltage"]["12V (0x2)"]["Sensor Reading"],
            "12.100 (+/- 0) Volts"
        );
        if later["Temperature"]["CPU Temp (0x1)"]["Sensor Reading"] == "No Reading" {
            break;
        }
    }
    reader.conductor.stop().await.unwrap();
}

#[tokio::test]
async fn records_are_read_once_and_readings_each_time() {
    let bmc = own_bmc(usual()).await;
    let relay = Relay::to(bmc.address).await;
    let mut reader = Reader::of(relay.address).await;
    reader.next().await;
    let first = relay.requests();
    reader.next().await;
    // Who the BMC is, how its repository is, and four readings.
    let second = relay.requests() - first;
    assert!(second <= 6, "{second} requests for what is known already");
    assert!(first > 4 * second, "{first} requests at first");
    reader.conductor.stop().await.unwrap();
}
