//! The four boot interfaces keep the contracts of the interfaces, each over files and DHCP tables
//! of its own.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that meets the unexpected is to stop there"
)]

use std::net::Ipv4Addr;
use std::sync::Arc;

use async_trait::async_trait;
use ironic_core::Uuid;
use ironic_core::driver::Registry;
use ironic_core::driver::fake::{self, FakeBehaviour};
use ironic_core::model::{MacAddress, Node, Port};
use ironic_core::states::InterfaceKind;
use ironic_core::testing::{DriverFactory, TestMachine};
use ironic_pxe::boot::BootConfig;
use ironic_pxe::dhcp::{HostConfig, MemoryHosts};
use ironic_pxe::files::MemoryFiles;
use ironic_pxe::{BootInterface, BootServices};
use serde_json::json;

const HTTP: &str = "http://192.0.2.3:8088";
const MAC: &str = "52:54:00:0a:0b:0d";

/// A machine that boots over the network; power and the rest of it are fake.
struct Booting {
    kind: BootInterface,
    tftp: MemoryFiles,
    http: MemoryFiles,
    services: BootServices,
}

impl Booting {
    fn new(kind: BootInterface) -> Self {
        let (tftp, http, hosts) = (MemoryFiles::new(), MemoryFiles::new(), MemoryHosts::new());
        for image in ["kernel", "ramdisk", "rescue-kernel", "rescue-ramdisk"] {
            let path = format!("images/{image}");
            http.insert(&path, format!("the {image}")).unwrap();
        }
        let address = Ipv4Addr::new(192, 0, 2, 77);
        hosts.insert(MAC.parse().unwrap(), HostConfig::new(address));
        let mut config = BootConfig::default();
        config.http_url = HTTP.into();
        config.tftp_server = "192.0.2.2".into();
        let services = BootServices::new(config, Arc::new(tftp.clone()), Arc::new(http.clone()));
        let services = services.with_dhcp(Arc::new(hosts));
        Self {
            kind,
            tftp,
            http,
            services,
        }
    }
}

#[async_trait]
impl TestMachine for Booting {
    fn registry(&self) -> Arc<Registry> {
        let builder = fake::register(Registry::builder(), &FakeBehaviour::new())
            .enable(InterfaceKind::Boot, [self.kind.name()]);
        let registry = ironic_pxe::register(builder, &self.services).build();
        Arc::new(registry.unwrap())
    }

    fn node(&self) -> Node {
        let mut node = Node::new(Uuid::nil(), "fake-hardware");
        let name = Some(self.kind.name().to_owned());
        node.interfaces.set(InterfaceKind::Boot, name);
        // The fake one has no disk to boot from.
        let management = Some("noop".to_owned());
        node.interfaces.set(InterfaceKind::Management, management);
        let image = |name: &str| format!("{HTTP}/images/{name}");
        let info = json!({
            "deploy_kernel": image("kernel"),
            "deploy_ramdisk": image("ramdisk"),
            "rescue_kernel": image("rescue-kernel"),
            "rescue_ramdisk": image("rescue-ramdisk"),
        });
        node.driver_info = info.as_object().unwrap().clone();
        node
    }

    fn ports(&self) -> Vec<Port> {
        let address: MacAddress = MAC.parse().unwrap();
        vec![Port::new(Uuid::from_u128(0x9047), Uuid::nil(), address)]
    }

    fn kinds(&self) -> Vec<InterfaceKind> {
        vec![InterfaceKind::Boot]
    }

    /// What was written for machines to find.
    fn messages(&self) -> Option<u64> {
        let files = self.tftp.paths().len() + self.http.paths().len();
        u64::try_from(files).ok()
    }

    fn required(&self) -> Vec<&'static str> {
        vec!["deploy_kernel", "deploy_ramdisk"]
    }
}

/// Cases about other kinds of interface, or about a BMC, which boot interfaces do not speak to.
const NOT_OF_BOOT: [&str; 43] = [
    "what_comes_before_steps_was_foreseen",
    "a_bmc_that_has_gone_is_unreachable",
    "what_is_not_valid_is_not_sent",
    "the_state_set_is_the_state_read",
    "setting_what_is_set_is_no_error",
    "a_reboot_ends_on",
    "soft_targets_end_where_they_say",
    "targets_are_listed_once",
    "unsupported_targets_are_refused",
    "reading_power_changes_nothing",
    "what_the_button_did_is_read",
    "a_timeout_is_kept",
    "power_changes_nothing_of_the_engines",
    "boot_devices_are_listed_once",
    "each_boot_device_is_set_and_read",
    "the_persistent_flag_is_kept",
    "unsupported_boot_devices_are_refused",
    "setting_a_boot_device_switches_no_power",
    "boot_modes_are_set_and_read_or_unsupported",
    "secure_boot_is_set_and_read_or_unsupported",
    "indicators_are_listed_set_and_read_or_unsupported",
    "virtual_media_come_and_go_or_unsupported",
    "what_else_can_be_asked_is_answered_or_unsupported",
    "management_changes_nothing_of_the_engines",
    "deploy_may_be_asked_for_again",
    "inspection_may_be_asked_for_again",
    "networks_may_be_asked_for_again",
    "volumes_may_be_asked_for_again",
    "a_console_may_be_asked_for_again",
    "rescue_may_be_asked_for_again",
    "settings_and_versions_may_be_read_again",
    "raid_configurations_are_judged",
    "vendor_methods_are_documented_and_known",
    "dropped_reads_leave_a_working_node",
    "a_dropped_switch_leaves_a_working_node",
    "a_dropped_boot_device_leaves_a_working_node",
    "nothing_is_sent_without_a_lease",
    "a_lost_lease_is_said_to_be_passing",
    "a_new_lease_is_enough",
    "reads_at_once_agree",
    "a_read_during_a_switch_is_answered",
    "a_bmc_that_is_back_is_found",
    "wrong_credentials_are_said",
];

/// Cases about steps.
const NOT_WITHOUT_STEPS: [&str; 9] = [
    "a_forecast_of_lost_power_is_declared",
    "what_a_step_does_was_foreseen",
    "step_names_are_unique",
    "steps_are_the_same_for_the_same_node",
    "required_arguments_are_missed",
    "hostile_arguments_are_survived",
    "every_step_can_be_run",
    "idempotent_steps_may_run_twice",
    "progress_can_be_asked_of_every_step",
];

/// Cases about secrets in `driver_info`.
const NOT_WITHOUT_SECRETS: [&str; 3] = [
    "every_secret_is_under_a_key_that_is_masked",
    "a_task_prints_no_secret",
    "refusals_tell_no_secret",
];

struct Boots(BootInterface);

#[async_trait]
impl DriverFactory for Boots {
    async fn machine(&self) -> Box<dyn TestMachine> {
        Box::new(Booting::new(self.0))
    }

    fn skips(&self) -> Vec<(&'static str, &'static str)> {
        let other = "the interface under test boots, and does nothing else";
        let others = NOT_OF_BOOT.map(|case| (case, other));
        let steps = NOT_WITHOUT_STEPS.map(|case| (case, "boot interfaces have no steps"));
        let secrets = NOT_WITHOUT_SECRETS.map(|case| (case, "images need no password"));
        others.into_iter().chain(steps).chain(secrets).collect()
    }
}

mod ipxe {
    ironic_core::driver_conformance!(super::Boots(super::BootInterface::Ipxe));
}

mod pxe {
    ironic_core::driver_conformance!(super::Boots(super::BootInterface::Pxe));
}

mod http {
    ironic_core::driver_conformance!(super::Boots(super::BootInterface::Http));
}

mod http_ipxe {
    ironic_core::driver_conformance!(super::Boots(super::BootInterface::HttpIpxe));
}
