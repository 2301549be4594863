//! Machines with a BMC that takes lines of text, a driver for them, and what may be wrong with it.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod driver;
mod fault;
mod foresight;
mod lights;
mod media;

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use async_trait::async_trait;
use ironic_core::driver::Registry;
use ironic_core::driver::fake::{self, FakeBehaviour};
use ironic_core::model::JsonMap;
use ironic_core::states::{InterfaceKind, PowerState};
use ironic_core::steps::StepDef;
use ironic_core::testing::{DriverFactory, TestMachine};
use ironic_core::{Node, Uuid};
use serde_json::json;
use tokio::time::Instant;

pub(crate) use driver::{ToyDriver, ToyHardware};
pub(crate) use fault::Fault;

pub(crate) const PASSWORD: &str = "open-sesame";

/// How long the machine takes to change its power.
const SLUGGISH: Duration = Duration::from_millis(5);

/// A BMC, and the machine that it looks after.
#[derive(Default)]
pub(crate) struct Toy {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    on: bool,
    /// What the power is going to be, and when.
    soon: Option<(bool, Instant)>,
    boot: String,
    label: String,
    light: bool,
    /// The images in its two slots.
    media: [String; 2],
    unplugged: bool,
    messages: u64,
    /// How often it has lost its power.
    losses: u64,
}

impl Toy {
    fn state(&self) -> MutexGuard<'_, State> {
        let mut state = self.state.lock().unwrap();
        if let Some((on, at)) = state.soon.filter(|(_, at)| *at <= Instant::now()) {
            let _ = at;
            state.losses += u64::from(state.on && !on);
            (state.on, state.soon) = (on, None);
        }
        state
    }

    /// One line there and one back.
    pub(crate) async fn exchange(&self, password: &str, line: &str) -> Result<String, String> {
        let answer = {
            let mut state = self.state();
            state.messages += 1;
            let plugged = !state.unplugged;
            plugged.then(|| state.answer(password, line))
        };
        match answer {
            Some(answer) => {
                tokio::task::yield_now().await;
                answer
            }
            None => std::future::pending().await,
        }
    }
}

impl State {
    fn answer(&mut self, password: &str, line: &str) -> Result<String, String> {
        if password != PASSWORD {
            return Err("access denied".to_owned());
        }
        let (verb, rest) = line.split_once(' ').unwrap_or((line, ""));
        match verb {
            "power?" => return Ok(if self.on { "on" } else { "off" }.to_owned()),
            "power" => self.soon = Some((rest == "on", Instant::now() + SLUGGISH)),
            "boot?" => return Ok(self.boot.clone()),
            "boot" => rest.clone_into(&mut self.boot),
            "label" => rest.clone_into(&mut self.label),
            "light?" => return Ok(if self.light { "on" } else { "off" }.to_owned()),
            "light" => self.light = rest == "on",
            "media?" => return Ok(self.media.join(" ")),
            "insert" => rest.clone_into(&mut self.media[0]),
            "insert-beside" => rest.clone_into(&mut self.media[1]),
            "eject" => self.media = Default::default(),
            _ => return Err("unknown command".to_owned()),
        }
        Ok("ok".to_owned())
    }
}

/// A toy under test, by a driver with a fault.
struct ToyMachine {
    toy: Arc<Toy>,
    fault: Fault,
}

#[async_trait]
impl TestMachine for ToyMachine {
    fn registry(&self) -> Arc<Registry> {
        let driver = ToyDriver::new(Arc::clone(&self.toy), self.fault);
        let builder = fake::register(Registry::builder(), &FakeBehaviour::new())
            .hardware(Arc::new(ToyHardware))
            .power("toy", driver.of_kind(InterfaceKind::Power))
            .management("toy", driver.of_kind(InterfaceKind::Management))
            .inspect("toy", driver.of_kind(InterfaceKind::Inspect))
            .enable(InterfaceKind::Inspect, ["fake", "toy"])
            .enable_hardware_types(["toy"])
            .enable(InterfaceKind::Power, ["fake", "toy"])
            .enable(InterfaceKind::Management, ["fake", "toy"]);
        Arc::new(builder.build().unwrap())
    }

    fn node(&self) -> Node {
        let mut node = Node::new(Uuid::nil(), "toy");
        let info = json!({"toy_address": "192.0.2.7", "toy_password": PASSWORD});
        node.driver_info = info.as_object().unwrap().clone();
        node
    }

    fn kinds(&self) -> Vec<InterfaceKind> {
        vec![
            InterfaceKind::Power,
            InterfaceKind::Management,
            InterfaceKind::Inspect,
        ]
    }

    fn required(&self) -> Vec<&'static str> {
        vec!["toy_address", "toy_password"]
    }

    fn messages(&self) -> Option<u64> {
        Some(self.toy.state().messages)
    }

    fn power_losses(&self) -> Option<u64> {
        Some(self.toy.state().losses)
    }

    async fn power(&self) -> Option<PowerState> {
        let on = self.toy.state().on;
        Some(if on { PowerState::On } else { PowerState::Off })
    }

    async fn press_button(&self, state: PowerState) -> bool {
        self.toy.state().on = state == PowerState::On;
        true
    }

    async fn unplug(&self) -> bool {
        self.toy.state().unplugged = true;
        true
    }

    async fn plug_in(&self) {
        self.toy.state().unplugged = false;
    }

    fn wrong_credentials(&self) -> Option<JsonMap> {
        let mut info = self.node().driver_info;
        info.insert("toy_password".to_owned(), json!("close-sesame"));
        Some(info)
    }

    fn image_url(&self) -> Option<String> {
        Some("http://192.0.2.1/boot.iso".to_owned())
    }

    fn step_args(&self, def: &StepDef) -> Option<JsonMap> {
        let needs_label = def.args.contains_key("label");
        let args = if needs_label {
            json!({"label": "rack 1"})
        } else {
            json!({})
        };
        args.as_object().cloned()
    }

    fn command_timeout(&self) -> Duration {
        Duration::from_millis(200)
    }
}

pub(crate) struct Toys(pub(crate) Fault);

#[async_trait]
impl DriverFactory for Toys {
    async fn machine(&self) -> Box<dyn TestMachine> {
        Box::new(ToyMachine {
            toy: Arc::default(),
            fault: self.0,
        })
    }

    fn skips(&self) -> Vec<(&'static str, &'static str)> {
        let nothing = "toys have power, management and inspection, and nothing else";
        [
            "boot_may_be_asked_for_again",
            "booting_switches_no_power",
            "deploy_may_be_asked_for_again",
            "networks_may_be_asked_for_again",
            "volumes_may_be_asked_for_again",
            "a_console_may_be_asked_for_again",
            "rescue_may_be_asked_for_again",
            "settings_and_versions_may_be_read_again",
            "raid_configurations_are_judged",
            "vendor_methods_are_documented_and_known",
            "soft_targets_end_where_they_say",
            "boot_modes_are_set_and_read_or_unsupported",
            "secure_boot_is_set_and_read_or_unsupported",
        ]
        .map(|case| (case, nothing))
        .to_vec()
    }
}
