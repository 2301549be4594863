//! The hardware type `ipmi` under a conductor, against a BMC over the wire.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use std::sync::Arc;
use std::time::Duration;

use ironic_core::driver::fake::{FakeBehaviour, FakeBoot, FakeDeploy};
use ironic_core::driver::{Registry, RegistryBuilder, fake};
use ironic_core::states::{BootDevice, InterfaceKind, PowerState, PowerTarget};
use ironic_core::steps::UserStep;
use ironic_core::transport::{Change, ProvisionArgs};
use ironic_core::{
    Client, Conductor, Config, Entropy, MemoryStore, Node, OsEntropy, ProvisionState, Uuid, Verb,
};
use ironic_drivers_ipmi::client::IpmiClient;
use ironic_drivers_ipmi::codec::Privilege;
use ironic_drivers_ipmi::command::{self, Guid};
use ironic_drivers_ipmi::driver::{IpmiDriver, register};
use ironic_drivers_ipmi::server::{BmcConfig, PoweredMachine, User, serve};
use serde_json::json;

const PATIENCE: Duration = Duration::from_secs(30);

struct Rack {
    conductor: Conductor,
    client: Client,
    machine: Arc<PoweredMachine>,
    port: u16,
}

async fn rack() -> Rack {
    let builder = |builder: RegistryBuilder| {
        let builder = builder
            .hardware(Arc::new(Lenient))
            .enable_hardware_types(["ipmi", "fake-hardware"])
            .enable(InterfaceKind::Power, ["fake", "ipmitool"])
            .enable(InterfaceKind::Management, ["fake", "ipmitool"])
            .enable(InterfaceKind::Vendor, ["fake", "ipmitool", "no-vendor"]);
        // What is not of IPMI is fake here.
        [InterfaceKind::Boot, InterfaceKind::Deploy]
            .into_iter()
            .fold(builder, |builder, kind| builder.enable(kind, ["fake"]))
    };
    rack_with(builder).await
}

async fn rack_with(builder: impl FnOnce(RegistryBuilder) -> RegistryBuilder) -> Rack {
    let socket = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let port = socket.local_addr().unwrap().port();
    let admin = User::new("admin", "secret", Privilege::Administrator).unwrap();
    let machine = Arc::new(PoweredMachine::new());
    let bmc = BmcConfig::new(Guid([7; 16]), vec![admin]).unwrap();
    tokio::spawn(serve(socket, bmc, machine.clone(), |out: &mut [u8]| {
        OsEntropy.fill(out)
    }));

    let driver = IpmiDriver::new(IpmiClient::new(Arc::new(OsEntropy)));
    let fakes = fake::register(Registry::builder(), &FakeBehaviour::new());
    let builder = builder(register(fakes, &driver));
    let mut config = Config::new("cond-a");
    config.sync_power_state_interval = Duration::ZERO;
    // Unless told, raw commands are not for everybody who may clean.
    config.policy.disallow_clean_steps.clear();
    let conductor = Conductor::builder()
        .store(Arc::new(MemoryStore::new()))
        .registry(Arc::new(builder.build().unwrap()))
        .config(config)
        .start()
        .await
        .unwrap();
    Rack {
        client: Client::local(&conductor),
        conductor,
        machine,
        port,
    }
}

/// `ipmi`, of which all that is not IPMI may be fake.
struct Lenient;

impl ironic_core::driver::HardwareType for Lenient {
    fn name(&self) -> &str {
        "ipmi"
    }

    fn supported(&self, kind: InterfaceKind) -> &[&str] {
        match kind {
            InterfaceKind::Power | InterfaceKind::Management => &["ipmitool"],
            InterfaceKind::Vendor => &["ipmitool", "fake"],
            InterfaceKind::Network | InterfaceKind::Storage => &["noop"],
            _ => &["fake"],
        }
    }
}

impl Rack {
    async fn node(&self, password: &str) -> Uuid {
        self.node_of("ipmi", password).await
    }

    async fn node_of(&self, driver: &str, password: &str) -> Uuid {
        let mut node = Node::new(Uuid::nil(), driver);
        let info = json!({"ipmi_address": "127.0.0.1", "ipmi_port": self.port, "ipmi_username": "admin",
            "ipmi_password": password});
        node.driver_info = info.as_object().unwrap().clone();
        self.client.create_node(node).await.unwrap().uuid
    }

    async fn power(&self, node: Uuid, target: PowerTarget) -> Node {
        self.client.set_power(node, target, None).await.unwrap();
        let done = |node: &Node| node.target_power_state.is_none().then_some(Ok(()));
        self.client.wait_until(node, PATIENCE, done).await.unwrap()
    }
}

#[tokio::test]
async fn a_machine_is_verified_switched_and_told_what_to_boot() {
    let rack = rack().await;
    let (client, node) = (&rack.client, rack.node("secret").await);
    client
        .provision(node, Verb::Manage, Default::default())
        .await
        .unwrap();
    let managed = client
        .wait_for(node, ProvisionState::Manageable, PATIENCE)
        .await
        .unwrap();
    assert_eq!(managed.power_state, Some(PowerState::Off));

    client
        .set_boot_device(node, BootDevice::Pxe, false)
        .await
        .unwrap();
    let set = client.boot_device(node).await.unwrap();
    assert_eq!(
        (set.device, set.persistent),
        (Some(BootDevice::Pxe), Some(false))
    );
    assert_eq!(
        rack.power(node, PowerTarget::On).await.power_state,
        Some(PowerState::On)
    );
    assert_eq!(rack.machine.boots(), [command::BootDevice::Pxe]);
    assert_eq!(
        client.boot_device(node).await.unwrap().device,
        None,
        "it was for one boot"
    );

    client
        .set_boot_device(node, BootDevice::Disk, true)
        .await
        .unwrap();
    assert_eq!(
        rack.power(node, PowerTarget::Reboot).await.power_state,
        Some(PowerState::On)
    );
    assert_eq!(
        client.boot_device(node).await.unwrap().persistent,
        Some(true)
    );
    assert_eq!(
        rack.machine.boots().last(),
        Some(&command::BootDevice::Disk)
    );
    assert_eq!(
        rack.power(node, PowerTarget::SoftOff).await.power_state,
        Some(PowerState::Off)
    );
    assert_eq!(
        rack.power(node, PowerTarget::Off).await.last_error,
        None,
        "it is off already"
    );
    rack.conductor.stop().await.unwrap();
}

#[tokio::test]
async fn a_wrong_password_is_said_and_not_shown() {
    let rack = rack().await;
    let node = rack.node("wrong-password").await;
    rack.client
        .provision(node, Verb::Manage, Default::default())
        .await
        .unwrap();
    let error = rack
        .client
        .wait_for(node, ProvisionState::Manageable, PATIENCE)
        .await
        .unwrap_err()
        .to_string();
    assert!(error.contains("authentication"), "{error}");
    assert!(!error.contains("wrong-password"), "{error}");
    assert_eq!(
        rack.client.node(node).await.unwrap().provision_state,
        ProvisionState::Enroll
    );

    let right = vec![Change::set("driver_info/ipmi_password", "secret")];
    rack.client.update_node(node, right).await.unwrap();
    rack.client
        .provision(node, Verb::Manage, Default::default())
        .await
        .unwrap();
    rack.client
        .wait_for(node, ProvisionState::Manageable, PATIENCE)
        .await
        .unwrap();
    rack.conductor.stop().await.unwrap();
}

#[tokio::test]
async fn what_driver_info_lacks_or_gets_wrong_is_named() {
    let rack = rack().await;
    let node = rack.node("secret").await;
    for (change, named) in [
        (Change::remove("driver_info/ipmi_address"), "ipmi_address"),
        (
            Change::set("driver_info/ipmi_cipher_suite", "8"),
            "ipmi_cipher_suite",
        ),
        (
            Change::set("driver_info/ipmi_hex_kg_key", "00"),
            "ipmi_hex_kg_key",
        ),
        (
            Change::set("driver_info/ipmi_protocol_version", "1.5"),
            "1.5",
        ),
        (
            Change::set("driver_info/ipmi_username", "seventeen-letters"),
            "16",
        ),
    ] {
        let before = rack.client.node(node).await.unwrap().driver_info;
        rack.client.update_node(node, vec![change]).await.unwrap();
        let results = rack.client.validate(node).await.unwrap();
        let power = &results[&InterfaceKind::Power];
        assert_eq!(power.result, Some(false), "{named}");
        let reason = power.reason.as_deref().unwrap();
        assert!(
            reason.contains(named) && !reason.contains("secret"),
            "{reason}"
        );
        rack.client
            .update_node(node, vec![Change::set("driver_info", before)])
            .await
            .unwrap();
    }
    rack.conductor.stop().await.unwrap();
}

#[tokio::test]
async fn a_node_of_before_there_were_hardware_types_works_and_can_move() {
    let behaviour = FakeBehaviour::new();
    let rack = rack_with(|builder| {
        builder
            .boot("pxe", Arc::new(FakeBoot::new(&behaviour)))
            .deploy("direct", Arc::new(FakeDeploy::new(&behaviour)))
            .enable_aliases(["pxe_ipmitool", "fake_ipmitool"])
            .enable_hardware_types(["ipmi"])
            .enable(InterfaceKind::Power, ["fake", "ipmitool"])
            .enable(InterfaceKind::Management, ["fake", "ipmitool"])
            .enable(InterfaceKind::Boot, ["fake", "pxe"])
            .enable(InterfaceKind::Deploy, ["fake", "direct"])
            .enable(InterfaceKind::Vendor, ["ipmitool", "no-vendor"])
    })
    .await;
    let client = &rack.client;
    for driver in ["fake_ipmitool", "pxe_ipmitool"] {
        let node = rack.node_of(driver, "secret").await;
        let provided = client.provision(node, Verb::Manage, Default::default());
        provided.await.unwrap();
        let managed = client.wait_for(node, ProvisionState::Manageable, PATIENCE);
        assert_eq!(managed.await.unwrap().power_state, Some(PowerState::Off));
        rack.power(node, PowerTarget::On).await;
        assert!(
            !rack.machine.boots().is_empty(),
            "{driver} reached no machine"
        );
        rack.power(node, PowerTarget::Off).await;
    }

    // What contradicts the composition is refused; the hardware type takes over as it is.
    let mut node = Node::new(Uuid::nil(), "pxe_ipmitool");
    let power = (InterfaceKind::Power, "fake".to_owned());
    node.interfaces = [power].into_iter().collect();
    let error = client.create_node(node).await.unwrap_err().to_string();
    assert!(error.contains("power_interface is \"ipmitool\""), "{error}");
    let node = rack.node_of("pxe_ipmitool", "secret").await;
    let change = Change::set("driver", json!("ipmi"));
    let moved = client.update_node(node, vec![change]).await.unwrap();
    assert_eq!(moved.driver, "ipmi");
    let names = moved.interfaces;
    assert_eq!(names.get(InterfaceKind::Boot), Some("pxe"));
    assert_eq!(names.get(InterfaceKind::Deploy), Some("direct"));
    rack.conductor.stop().await.unwrap();
}

#[tokio::test]
async fn a_vendor_command_reaches_the_bmc_and_its_refusal_the_node() {
    let rack = rack().await;
    let (client, node) = (&rack.client, rack.node("secret").await);
    let methods = client.vendor_methods(node).await.unwrap();
    let names: Vec<_> = methods.keys().map(String::as_str).collect();
    assert_eq!(names, ["bmc_reset", "send_raw"]);
    rack.power(node, PowerTarget::Off).await;
    let send = async |bytes: &str| {
        let args = json!({"raw_bytes": bytes}).as_object().unwrap().clone();
        let sent = client.call_vendor(node, "send_raw", "POST", args).await;
        assert!(sent.unwrap().asynchronous);
        let done = |_: &Node| Some(Ok(()));
        client.wait_until(node, PATIENCE, done).await.unwrap()
    };
    // Chassis Control, power up (IPMI 2.0 §28.3): it is the BMC that does it.
    let record = send("0x00 0x02 0x01").await;
    assert_eq!(record.last_error, None);
    assert!(rack.machine.is_powered());
    // A command that no BMC has.
    let record = send("0x30 0xfe").await;
    let text = record.last_error.unwrap();
    assert!(text.contains("vendor method send_raw"), "{text}");
    let wrong = json!({"raw_bytes": "mc info"}).as_object().unwrap().clone();
    let refused = client.call_vendor(node, "send_raw", "POST", wrong).await;
    let error = refused.unwrap_err();
    assert_eq!(error.kind(), ironic_core::ErrorKind::InvalidParameter);
    rack.conductor.stop().await.unwrap();
}

#[tokio::test]
async fn a_raw_command_is_a_clean_step() {
    let rack = rack().await;
    let (client, node) = (&rack.client, rack.node("secret").await);
    let verb = async |verb, args| client.provision(node, verb, args).await.unwrap();
    let settled = async |state| client.wait_for(node, state, PATIENCE).await;
    verb(Verb::Manage, ProvisionArgs::default()).await;
    settled(ProvisionState::Manageable).await.unwrap();
    let clean = |bytes: &str| {
        let step = UserStep::new(InterfaceKind::Vendor, "send_raw").with_arg("raw_bytes", bytes);
        let mut args = ProvisionArgs::default().with_steps(vec![step]);
        // The step needs no ramdisk, and so neither does the cleaning.
        args.disable_ramdisk = true;
        args
    };
    // Chassis Control, power up (IPMI 2.0 §28.3).
    verb(Verb::Clean, clean("0x00 0x02 0x01")).await;
    settled(ProvisionState::Manageable).await.unwrap();
    assert!(rack.machine.is_powered());
    // What is no command is refused by the step, before anything is sent.
    verb(Verb::Clean, clean("power on")).await;
    let error = settled(ProvisionState::Manageable).await.unwrap_err();
    let text = error.to_string();
    assert!(text.contains("raw_bytes"), "{text}");
    let failed = client.node(node).await.unwrap();
    assert_eq!(failed.provision_state, ProvisionState::CleanFailed);
    rack.conductor.stop().await.unwrap();
}
