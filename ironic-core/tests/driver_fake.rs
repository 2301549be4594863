//! The fake hardware keeps the contracts of the interfaces.

use std::sync::Arc;

use async_trait::async_trait;
use ironic_core::driver::Registry;
use ironic_core::driver::fake::{self, FakeBehaviour, FakeOperation};
use ironic_core::model::JsonMap;
use ironic_core::states::{InterfaceKind, PowerState};
use ironic_core::steps::StepDef;
use ironic_core::testing::{DriverFactory, TestMachine};
use ironic_core::{Node, Uuid};
use serde_json::json;

const NODE: Uuid = Uuid::from_u128(0x11);

struct FakeMachine {
    behaviour: FakeBehaviour,
}

#[async_trait]
impl TestMachine for FakeMachine {
    #[allow(clippy::unwrap_used, reason = "tests")]
    fn registry(&self) -> Arc<Registry> {
        let builder = fake::register(Registry::builder(), &self.behaviour);
        Arc::new(builder.build().unwrap())
    }

    fn node(&self) -> Node {
        let mut node = Node::new(NODE, "fake-hardware");
        node.driver_info.insert("B1".to_owned(), json!("not read"));
        node
    }

    /// What of the fake hardware is a BMC's.
    fn messages(&self) -> Option<u64> {
        let calls = self.behaviour.calls(NODE);
        let to_bmc = |op: FakeOperation| {
            let kinds = [InterfaceKind::Power, InterfaceKind::Management];
            kinds
                .iter()
                .any(|kind| FakeOperation::of(*kind).any(|o| o == op))
        };
        let count = calls.iter().filter(|call| to_bmc(call.operation)).count();
        u64::try_from(count).ok()
    }

    async fn power(&self) -> Option<PowerState> {
        self.behaviour.power_state(NODE)
    }

    async fn press_button(&self, state: PowerState) -> bool {
        self.behaviour.set_power_state(NODE, state);
        true
    }

    fn keeps_persistence(&self) -> bool {
        false
    }

    fn image_url(&self) -> Option<String> {
        Some("http://192.0.2.1/boot.iso".to_owned())
    }

    fn step_args(&self, def: &StepDef) -> Option<JsonMap> {
        let args = match def.step.as_str() {
            "apply_configuration" => json!({"settings": [{"name": "virt", "value": "on"}]}),
            "update" => json!({"settings": [{"component": "bmc", "url": "http://192.0.2.1/bmc"}]}),
            _ => json!({}),
        };
        args.as_object().cloned()
    }
}

struct Fakes;

#[async_trait]
impl DriverFactory for Fakes {
    async fn machine(&self) -> Box<dyn TestMachine> {
        let behaviour = FakeBehaviour::new();
        behaviour.record();
        Box::new(FakeMachine { behaviour })
    }

    fn skips(&self) -> Vec<(&'static str, &'static str)> {
        let reads_nothing = "the fake interfaces read nothing of a node";
        let no_network = "fake machines are not on any network";
        let network = "as the original's, it boots from the network once, whatever is set";
        vec![
            ("an_empty_driver_info_is_refused_by_name", reads_nothing),
            ("each_required_property_is_missed", reads_nothing),
            ("a_value_of_no_use_is_refused_by_name", reads_nothing),
            ("what_is_not_valid_is_not_sent", reads_nothing),
            ("every_secret_is_under_a_key_that_is_masked", reads_nothing),
            ("a_task_prints_no_secret", reads_nothing),
            ("refusals_tell_no_secret", reads_nothing),
            ("wrong_credentials_are_said", reads_nothing),
            ("unsupported_targets_are_refused", "it can do everything"),
            ("the_persistent_flag_is_kept", network),
            ("a_bmc_that_has_gone_is_unreachable", no_network),
            ("a_bmc_that_is_back_is_found", no_network),
        ]
    }
}

ironic_core::driver_conformance!(Fakes);
