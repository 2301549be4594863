use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use ironic_core::Error;
use ironic_core::driver::{
    BootDeviceState, Component, HardwareType, IndicatorState, Indicators, Interface, Management,
    Power, Properties, SharedTask, Task, VirtualMediaDevice, VirtualMediaSlot,
};
use ironic_core::flow::{Forecast, Outlook, Progress};
use ironic_core::governor::BmcEndpoint;
use ironic_core::model::Node;
use ironic_core::states::{BootDevice, FlowKind, InterfaceKind, PowerState, PowerTarget};
use ironic_core::steps::{Impact, Replay, Step, StepDef};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep, timeout_at};

use super::{Fault, Toy};

pub(crate) struct ToyHardware;

impl HardwareType for ToyHardware {
    fn name(&self) -> &str {
        "toy"
    }

    fn supported(&self, kind: InterfaceKind) -> &[&str] {
        match kind {
            InterfaceKind::Power | InterfaceKind::Management | InterfaceKind::Inspect => &["toy"],
            InterfaceKind::Network | InterfaceKind::Storage => &["noop"],
            _ => &["fake"],
        }
    }
}

/// Either interface.
#[derive(Clone)]
pub(crate) struct ToyDriver {
    pub(super) kind: InterfaceKind,
    pub(super) toy: Arc<Toy>,
    fault: Fault,
    /// For faults only.
    pub(super) memory: Arc<Memory>,
}

#[derive(Default)]
pub(super) struct Memory {
    power: Mutex<Option<PowerState>>,
    pub(super) busy: AtomicBool,
    given_up: AtomicBool,
}

const DEVICES: [BootDevice; 3] = [BootDevice::Pxe, BootDevice::Disk, BootDevice::Cdrom];

impl ToyDriver {
    pub(crate) fn new(toy: Arc<Toy>, fault: Fault) -> Self {
        Self {
            kind: InterfaceKind::Power,
            toy,
            fault,
            memory: Arc::default(),
        }
    }

    pub(crate) fn of_kind(&self, kind: InterfaceKind) -> Arc<Self> {
        let driver = self.clone();
        Arc::new(Self { kind, ..driver })
    }

    pub(super) fn fault(&self) -> Fault {
        self.fault
    }

    pub(super) fn has(&self, fault: Fault) -> bool {
        self.fault == fault
    }

    /// A text of `driver_info` that has to be there.
    fn text(&self, node: &Node, key: &str, most: usize) -> Result<String, Error> {
        let value = node.driver_info.get(key).unwrap_or(&Value::Null);
        if self.has(Fault::Believes) && !value.is_null() {
            return Ok(value.as_str().unwrap().to_owned());
        }
        let refused = |text: String| match self.fault {
            Fault::NamesNothing => Error::invalid("driver_info is wrong"),
            Fault::BlamesTheDriver => Error::driver("toy", text),
            _ => Error::invalid(text),
        };
        match value.as_str() {
            None | Some("") if value.is_null() || value == "" => {
                Err(refused(format!("driver_info lacks {key}")))
            }
            Some(text) if text.len() <= most && !text.contains(char::is_control) => {
                Ok(text.to_owned())
            }
            Some(text) if self.has(Fault::ShowsThePassword) => {
                let shown: String = text.chars().take(60).collect();
                Err(refused(format!("driver_info/{key} {shown} is no good")))
            }
            _ => Err(refused(format!(
                "driver_info/{key} is no text of at most {most} bytes"
            ))),
        }
    }

    /// Where the BMC is, and the password that it wants.
    fn settings(&self, node: &Node) -> Result<(String, String), Error> {
        let address = self.text(node, "toy_address", 64)?;
        Ok((address, self.text(node, "toy_password", 20)?))
    }

    pub(super) async fn ask(&self, task: &SharedTask, line: &str) -> Result<String, Error> {
        if self.has(Fault::StaysBusy) || self.has(Fault::OneReader) {
            if self.memory.busy.swap(true, Ordering::SeqCst) {
                return Err(Error::driver("toy", "it is busy"));
            }
            let answer = self.permitted(task, line).await;
            self.memory.busy.store(false, Ordering::SeqCst);
            return answer;
        }
        self.permitted(task, line).await
    }

    async fn permitted(&self, task: &SharedTask, line: &str) -> Result<String, Error> {
        let (address, password) = self.settings(task.node())?;
        if self.memory.given_up.load(Ordering::SeqCst) {
            return Err(Error::driver("toy", "the BMC was silent once"));
        }
        let exchange = self.toy.exchange(&password, line);
        if self.has(Fault::AsksNobody) {
            let _ = exchange.await;
            return Ok("off".to_owned());
        }
        let permit = task.bmc_permit(&BmcEndpoint::new(&address)).await?;
        if self.has(Fault::WaitsForEver) {
            return exchange.await.map_err(|said| Error::driver("toy", said));
        }
        match timeout_at(permit.deadline(), exchange).await {
            Ok(answer) => answer.map_err(|said| self.denied(&password, &said)),
            Err(_) => Err(self.silent(&address)),
        }
    }

    fn silent(&self, address: &str) -> Error {
        if self.has(Fault::GivesUp) {
            self.memory.given_up.store(true, Ordering::SeqCst);
        }
        match self.fault {
            Fault::CallsSilenceAFailure => Error::driver("toy", "no answer"),
            _ => Error::Unreachable {
                what: format!("BMC {address}"),
                message: "no answer".to_owned(),
            },
        }
    }

    fn denied(&self, password: &str, said: &str) -> Error {
        match self.fault {
            Fault::CallsDenialSilence => self.silent("somewhere"),
            Fault::TellsWhatWasDenied => Error::driver("toy", format!("{said} to {password}")),
            _ => Error::driver("toy", format!("{said}; check toy_password")),
        }
    }

    async fn state(&self, task: &SharedTask) -> Result<PowerState, Error> {
        let answer = self.ask(task, "power?").await?;
        let on = answer == "on";
        Ok(if on { PowerState::On } else { PowerState::Off })
    }

    /// Switches, unless it is so already, and waits.
    pub(super) async fn reach(
        &self,
        task: &SharedTask,
        to: PowerState,
        by: Instant,
    ) -> Result<(), Error> {
        if self.state(task).await? == to {
            return match self.fault {
                Fault::RefusesWhatIsSo => Err(Error::driver("toy", "it is so already")),
                _ => Ok(()),
            };
        }
        if !(self.has(Fault::LeavesItOn) && to == PowerState::Off) {
            let line = if to == PowerState::On {
                "power on"
            } else {
                "power off"
            };
            self.ask(task, line).await?;
        }
        if self.has(Fault::LeavesItOn) || self.has(Fault::DoesNotWait) {
            return Ok(());
        }
        // With this fault a machine that is just in time is late as well: a busy test is slower
        // than the toy.
        let late = |now: Instant| now >= by && self.fault == Fault::CallsLatenessAFailure;
        while self.state(task).await? != to || late(Instant::now()) {
            if Instant::now() >= by {
                return Err(match self.fault {
                    Fault::CallsLatenessAFailure => Error::driver("toy", "it is late"),
                    _ => Error::Timeout {
                        what: format!("the machine to reach {to}"),
                        after: Duration::from_secs(1),
                    },
                });
            }
            sleep(Duration::from_millis(2)).await;
        }
        Ok(())
    }
}

#[async_trait]
impl Interface for ToyDriver {
    fn properties(&self) -> Properties {
        let mut properties: BTreeMap<_, _> = [
            ("toy_address", "where the BMC is. Required"),
            ("toy_password", "password, at most 20 bytes. Required"),
        ]
        .map(|(key, text)| (key.to_owned(), text.to_owned()))
        .into();
        match self.fault {
            Fault::SaysNothing => properties.insert("toy_address".into(), String::new()),
            Fault::HidesAProperty => properties.remove("toy_password"),
            Fault::DisguisesThePassword => {
                properties.insert("toy_pin".into(), "password of the front panel".into())
            }
            _ => None,
        };
        properties
    }

    async fn validate(&self, task: &SharedTask) -> Result<(), Error> {
        if self.has(Fault::TakesAnything) {
            return Ok(());
        }
        self.settings(task.node())?;
        if self.has(Fault::TriesOut) {
            self.ask(task, "power?").await?;
        }
        Ok(())
    }

    fn steps(&self, _node: &Node, flow: FlowKind) -> Vec<StepDef> {
        if flow != FlowKind::Clean || self.kind != InterfaceKind::Management {
            return Vec::new();
        }
        let (kind, replay) = (InterfaceKind::Management, Replay::Idempotent);
        let label = StepDef::new(kind, "set_label", 0, replay, Impact::NONE).arg("label", true);
        let cold_boot = StepDef::new(kind, "cold_boot", 0, replay, Impact::POWER);
        match self.fault {
            Fault::OffersTwice => vec![label.clone(), label],
            _ => vec![label, cold_boot],
        }
    }

    async fn execute_step(
        &self,
        task: &mut Task,
        flow: FlowKind,
        step: &Step,
    ) -> Result<Progress, Error> {
        let managed = self.kind == InterfaceKind::Management;
        if step.step == "cold_boot" && flow == FlowKind::Clean && managed {
            return self.cold_boot(task, &step.to_string()).await;
        }
        let known = step.step == "set_label" && flow == FlowKind::Clean && managed;
        if !known && !self.has(Fault::RunsAnything) {
            return Err(Error::Unsupported {
                driver: "toy".to_owned(),
                extension: format!("{flow} step {step}"),
            });
        }
        let label = match step.args.get("label").and_then(Value::as_str) {
            None if known && !self.has(Fault::RunsWithout) => {
                return Err(Error::invalid("the step needs a text as its label"));
            }
            label => label.unwrap_or_default().to_owned(),
        };
        if self.has(Fault::Counts) {
            let node = task.node_mut();
            let runs = node.driver_internal_info.get("runs");
            let runs = runs.and_then(Value::as_u64).unwrap_or(0);
            node.set_internal("runs", json!(runs + 1));
        }
        self.ask(task, &format!("label {label}")).await?;
        Ok(Progress::Done)
    }

    fn forecast(&self, outlook: &Outlook<'_>) -> Forecast {
        self.foresee(outlook)
    }
}

#[async_trait]
impl Power for ToyDriver {
    async fn get_power_state(&self, task: &SharedTask) -> Result<Option<PowerState>, Error> {
        let remembered = *self.memory.power.lock().unwrap();
        if self.has(Fault::Remembers) && remembered.is_some() {
            return Ok(remembered);
        }
        let state = self.state(task).await?;
        *self.memory.power.lock().unwrap() = Some(state);
        Ok(Some(state))
    }

    async fn set_power_state(
        &self,
        task: &mut Task,
        target: PowerTarget,
        timeout: Option<Duration>,
    ) -> Result<(), Error> {
        let by = Instant::now() + timeout.unwrap_or(Duration::from_secs(1));
        match target {
            PowerTarget::On | PowerTarget::Off => self.reach(task, target.result(), by).await?,
            PowerTarget::Reboot => {
                self.reach(task, PowerState::Off, by).await?;
                if !self.has(Fault::RebootsHalfway) {
                    self.reach(task, PowerState::On, by).await?;
                }
            }
            _ if self.has(Fault::ImprovisesTargets) => {
                self.reach(task, target.result(), by).await?;
            }
            other => {
                return Err(Error::Unsupported {
                    driver: "toy".to_owned(),
                    extension: other.to_string(),
                });
            }
        }
        *self.memory.power.lock().unwrap() = Some(target.result());
        if self.has(Fault::WritesTheRecord) {
            task.node_mut().power_state = Some(target.result());
        }
        Ok(())
    }
}

#[async_trait]
impl Management for ToyDriver {
    async fn supported_boot_devices(&self, _task: &SharedTask) -> Result<Vec<BootDevice>, Error> {
        Ok(DEVICES.to_vec())
    }

    async fn get_boot_device(&self, task: &SharedTask) -> Result<BootDeviceState, Error> {
        let answer = self.ask(task, "boot?").await?;
        let (device, span) = answer.split_once(' ').unwrap_or((&answer, ""));
        let persistent = (!span.is_empty()).then_some(span == "always");
        Ok(BootDeviceState::new(device.parse().ok(), persistent))
    }

    async fn set_boot_device(
        &self,
        task: &mut Task,
        device: BootDevice,
        persistent: bool,
    ) -> Result<(), Error> {
        if !DEVICES.contains(&device) {
            if self.has(Fault::LetsTheBmcRefuse) {
                self.ask(task, "boot?").await?;
            }
            return Err(Error::invalid(format!("boot device {device} is unknown")));
        }
        let always = persistent && !self.has(Fault::AlwaysOnce);
        let span = if always { "always" } else { "once" };
        self.ask(task, &format!("boot {device} {span}")).await?;
        if self.has(Fault::Restarts) {
            self.ask(task, "power on").await?;
            sleep(Duration::from_millis(10)).await;
        }
        Ok(())
    }

    async fn supported_indicators(&self, _task: &SharedTask) -> Result<Indicators, Error> {
        Ok(self.lights())
    }

    async fn get_indicator(
        &self,
        task: &SharedTask,
        component: Component,
        name: &str,
    ) -> Result<IndicatorState, Error> {
        self.read_light(task, component, name).await
    }

    async fn set_indicator(
        &self,
        task: &mut Task,
        component: Component,
        name: &str,
        state: IndicatorState,
    ) -> Result<(), Error> {
        self.set_light(task, component, name, state).await
    }

    async fn virtual_media(&self, task: &SharedTask) -> Result<Vec<VirtualMediaSlot>, Error> {
        self.slots(task).await
    }

    async fn attach_virtual_media(
        &self,
        task: &mut Task,
        device: VirtualMediaDevice,
        image_url: &str,
    ) -> Result<(), Error> {
        self.attach(task, device, image_url).await
    }

    async fn detach_virtual_media(
        &self,
        task: &mut Task,
        devices: &[VirtualMediaDevice],
    ) -> Result<(), Error> {
        self.detach(task, devices).await
    }
}
