//! The hardware type `ipmi` keeps the contracts of the interfaces, on the virtual BMC of this
//! crate and on OpenIPMI's simulator.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]
#![allow(
    clippy::disallowed_methods,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests start the peer, and stop at what is unexpected"
)]

mod peers;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use ironic_core::driver::fake::{self, FakeBehaviour};
use ironic_core::driver::{HardwareType, Registry};
use ironic_core::model::JsonMap;
use ironic_core::states::{BootDevice, InterfaceKind, PowerState};
use ironic_core::steps::StepDef;
use ironic_core::testing::{DriverFactory, TestMachine};
use ironic_core::{Entropy, Node, OsEntropy, Uuid};
use ironic_drivers_ipmi::client::IpmiClient;
use ironic_drivers_ipmi::codec::Privilege;
use ironic_drivers_ipmi::command::{ChassisAction, Guid};
use ironic_drivers_ipmi::driver::{
    ConsoleSettings, IpmiConsole, IpmiDriver, register, register_console,
};
use ironic_drivers_ipmi::server::{BmcConfig, Machine, PoweredMachine, User, serve};
use peers::{IpmiSim, Relay};
use serde_json::json;
use tokio::net::UdpSocket;
use tokio::task::JoinHandle;

const USER: &str = "keeper";
const PASSWORD: &str = "0pen-sesame";

/// `ipmi`, of which all that is not IPMI is fake.
struct Ipmi;

impl HardwareType for Ipmi {
    fn name(&self) -> &str {
        "ipmi"
    }

    fn supported(&self, kind: InterfaceKind) -> &[&str] {
        match kind {
            InterfaceKind::Power | InterfaceKind::Management | InterfaceKind::Vendor => {
                &["ipmitool"]
            }
            InterfaceKind::Console => &["ipmitool-socat"],
            InterfaceKind::Network | InterfaceKind::Storage => &["noop"],
            _ => &["fake"],
        }
    }
}

/// What is behind the relay.
enum Peer {
    /// This crate's own.
    Virtual(Arc<PoweredMachine>, JoinHandle<()>),
    /// Lives as long as the test does.
    Sim(#[allow(dead_code, reason = "it is ended when it is dropped")] Box<IpmiSim>),
}

impl Drop for Peer {
    fn drop(&mut self) {
        if let Self::Virtual(_, server) = self {
            server.abort();
        }
    }
}

struct Bmc {
    relay: Relay,
    peer: Peer,
}

impl Bmc {
    fn info(&self, password: &str) -> JsonMap {
        let address: SocketAddr = self.relay.address;
        let mut info = json!({"ipmi_address": address.ip().to_string(), "ipmi_port": address.port(),
            "ipmi_username": USER, "ipmi_password": password});
        if matches!(self.peer, Peer::Sim(_)) {
            info["ipmi_cipher_suite"] = json!(3);
        }
        info.as_object().unwrap().clone()
    }
}

#[async_trait]
impl TestMachine for Bmc {
    fn registry(&self) -> Arc<Registry> {
        let driver = IpmiDriver::new(IpmiClient::new(Arc::new(OsEntropy)));
        let fakes = fake::register(Registry::builder(), &FakeBehaviour::new());
        let mut settings = ConsoleSettings::default();
        settings.ports = vec![20_000..=60_000];
        let console = IpmiConsole::new(settings, Arc::new(OsEntropy));
        let builder = register_console(register(fakes, &driver), console)
            .hardware(Arc::new(Ipmi))
            .enable_hardware_types(["ipmi"])
            .enable(InterfaceKind::Power, ["fake", "ipmitool"])
            .enable(InterfaceKind::Management, ["fake", "ipmitool"])
            .enable(InterfaceKind::Console, ["fake", "ipmitool-socat"])
            .enable(InterfaceKind::Vendor, ["fake", "ipmitool"]);
        Arc::new(builder.build().unwrap())
    }

    fn node(&self) -> Node {
        let mut node = Node::new(Uuid::nil(), "ipmi");
        node.driver_info = self.info(PASSWORD);
        node
    }

    fn kinds(&self) -> Vec<InterfaceKind> {
        vec![
            InterfaceKind::Power,
            InterfaceKind::Management,
            InterfaceKind::Console,
            InterfaceKind::Vendor,
        ]
    }

    fn required(&self) -> Vec<&'static str> {
        vec!["ipmi_address"]
    }

    fn messages(&self) -> Option<u64> {
        u64::try_from(self.relay.requests()).ok()
    }

    async fn power(&self) -> Option<PowerState> {
        match &self.peer {
            Peer::Virtual(machine, _) if machine.is_powered() => Some(PowerState::On),
            Peer::Virtual(..) => Some(PowerState::Off),
            Peer::Sim(_) => None,
        }
    }

    async fn press_button(&self, state: PowerState) -> bool {
        let Peer::Virtual(machine, _) = &self.peer else {
            return false;
        };
        let action = match state {
            PowerState::On => ChassisAction::PowerUp,
            _ => ChassisAction::PowerDown,
        };
        machine.chassis_control(action).await.is_ok()
    }

    async fn unplug(&self) -> bool {
        self.relay.cut(true);
        true
    }

    async fn plug_in(&self) {
        self.relay.cut(false);
    }

    fn wrong_credentials(&self) -> Option<JsonMap> {
        Some(self.info("not-0pen-sesame"))
    }

    /// The simulator marks the boot flags that it gives back as not valid.
    fn boot_devices(&self) -> Option<Vec<BootDevice>> {
        matches!(self.peer, Peer::Sim(_)).then(Vec::new)
    }

    fn keeps_persistence(&self) -> bool {
        matches!(self.peer, Peer::Virtual(..))
    }

    /// Any command: asking the BMC who it is changes nothing.
    fn step_args(&self, _def: &StepDef) -> Option<JsonMap> {
        json!({"raw_bytes": "0x06 0x01"}).as_object().cloned()
    }

    fn command_timeout(&self) -> Duration {
        Duration::from_secs(4)
    }
}

/// The cases that are about what IPMI has not.
fn skips() -> Vec<(&'static str, &'static str)> {
    let kinds = "IPMI is power, management, console and vendor";
    let modes = "the boot mode goes with the boot device";
    vec![
        ("boot_may_be_asked_for_again", kinds),
        ("booting_switches_no_power", kinds),
        ("deploy_may_be_asked_for_again", kinds),
        ("inspection_may_be_asked_for_again", kinds),
        ("networks_may_be_asked_for_again", kinds),
        ("volumes_may_be_asked_for_again", kinds),
        ("rescue_may_be_asked_for_again", kinds),
        ("settings_and_versions_may_be_read_again", kinds),
        ("raid_configurations_are_judged", kinds),
        ("what_comes_before_steps_was_foreseen", kinds),
        (
            "idempotent_steps_may_run_twice",
            "nobody knows what a raw command does",
        ),
        ("boot_modes_are_set_and_read_or_unsupported", modes),
        ("secure_boot_is_set_and_read_or_unsupported", modes),
        ("unsupported_targets_are_refused", "it can do everything"),
        (
            "indicators_are_listed_set_and_read_or_unsupported",
            "the original's has none either",
        ),
        (
            "virtual_media_come_and_go_or_unsupported",
            "IPMI has no virtual media",
        ),
    ]
}

struct Virtual;

#[async_trait]
impl DriverFactory for Virtual {
    async fn machine(&self) -> Box<dyn TestMachine> {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let relay = Relay::to(socket.local_addr().unwrap()).await;
        let admin = User::new(USER, PASSWORD, Privilege::Administrator).unwrap();
        let config = BmcConfig::new(Guid([7; 16]), vec![admin]).unwrap();
        let machine = Arc::new(PoweredMachine::new());
        let random = |out: &mut [u8]| OsEntropy.fill(out);
        let serving = serve(socket, config, machine.clone(), random);
        let server = tokio::spawn(async move { drop(serving.await) });
        let peer = Peer::Virtual(machine, server);
        Box::new(Bmc { relay, peer })
    }

    fn skips(&self) -> Vec<(&'static str, &'static str)> {
        skips()
    }
}

struct Sim;

#[async_trait]
impl DriverFactory for Sim {
    async fn machine(&self) -> Box<dyn TestMachine> {
        let sim = IpmiSim::start().await;
        let relay = Relay::to(sim.address).await;
        let peer = Peer::Sim(Box::new(sim));
        Box::new(Bmc { relay, peer })
    }

    fn skips(&self) -> Vec<(&'static str, &'static str)> {
        let mut skips = skips();
        skips.push(("what_the_button_did_is_read", "the simulator has no button"));
        let flags = "the simulator gives boot flags back as not valid";
        skips.push(("the_persistent_flag_is_kept", flags));
        skips.push(("each_boot_device_is_set_and_read", flags));
        skips.push(("setting_a_boot_device_switches_no_power", flags));
        skips.push(("management_changes_nothing_of_the_engines", flags));
        skips.push(("a_dropped_boot_device_leaves_a_working_node", flags));
        skips
    }
}

mod virtual_bmc {
    ironic_core::driver_conformance!(super::Virtual);
}

mod ipmi_sim {
    ironic_core::driver_conformance!(super::Sim);
}
