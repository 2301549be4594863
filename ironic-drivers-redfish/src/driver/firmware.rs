use std::time::Duration;

use async_trait::async_trait;
use ironic_core::Error;
use ironic_core::driver::{Firmware, Interface, Properties, SharedTask, Task};
use ironic_core::flow::{Progress, StepProgress, Wait};
use ironic_core::model::{FirmwareComponent, JsonMap, Node};
use ironic_core::states::{FlowKind, InterfaceKind, PowerTarget};
use ironic_core::steps::{Impact, Replay, Step, StepDef};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::bmc::Bmc;
use super::{RedfishDriver, properties};
use crate::client::Look;
use crate::driver_info::FirmwareComponentType as Kind;
use crate::error::RedfishError;

/// The step that puts other firmware on the machine.
const UPDATE: &str = "update";

/// Where the update that runs is kept.
const RUNNING: &str = "redfish_fw_update";

/// How long an update may say that it has not begun before the machine is restarted for it: some
/// adapters take new firmware at once, others at the next start.
const BEGIN_PATIENCE: Duration = Duration::from_secs(30);

/// How often it is asked meanwhile.
const BEGIN_POLL: Duration = Duration::from_secs(2);

/// The firmware interface `redfish`: versions of firmware, and updates by the BMC, which fetches
/// the image itself (DSP0268 UpdateService.SimpleUpdate).
///
/// Updates are carried out one after the other, in the order in which they are named; the last
/// is waited for as steps are, so that it is followed across a restart of the conductor.
#[derive(Debug)]
pub struct RedfishFirmware {
    driver: RedfishDriver,
}

/// One update that is asked for.
#[derive(Debug, Clone, PartialEq)]
struct Wanted {
    component: String,
    kind: Kind,
    url: String,
    /// How long to leave the machine alone afterwards.
    pause: Option<Duration>,
}

impl RedfishFirmware {
    /// The interface, over what `driver` shares.
    pub fn new(driver: &RedfishDriver) -> Self {
        Self {
            driver: driver.clone(),
        }
    }

    async fn update(&self, task: &mut Task, step: &Step) -> Result<Progress, Error> {
        let wanted = wanted(&step.args)?;
        // What is left of an update before must not be taken for this one after a crash.
        task.node_mut().set_internal(RUNNING, Value::Null);
        task.save().await?;
        let timing = self.driver.firmware;
        let until = Instant::now() + timing.patience;
        let last = wanted.len().saturating_sub(1);
        for (index, update) in wanted.iter().enumerate() {
            let Some(monitor) = self.begin(task, update).await? else {
                continue;
            };
            let is_last = index == last;
            let running = json!({"component": update.component, "monitor": monitor,
                "last": is_last});
            task.node_mut().set_internal(RUNNING, running);
            if is_last {
                let left = until.saturating_duration_since(Instant::now());
                let wait = Wait::for_step(step, timing.poll).within(left);
                return Ok(Progress::Wait(wait));
            }
            task.save().await?;
            self.follow(task, update, &monitor, until).await?;
            if let Some(pause) = update.pause {
                tokio::time::sleep(pause).await;
            }
        }
        task.node_mut().set_internal(RUNNING, Value::Null);
        self.cache_components(task).await?;
        Ok(Progress::Done)
    }

    /// Tells the BMC to fetch an image, and restarts the machine if it takes that; where to watch
    /// what becomes of it, unless it is over already.
    async fn begin(&self, task: &mut Task, update: &Wanted) -> Result<Option<String>, Error> {
        let component = update.component.as_str();
        tracing::info!(node = %task.node_id(), component, "updating firmware");
        let monitor = {
            let mut bmc = Bmc::open(&self.driver, task).await?;
            let client = bmc.client();
            let began = bmc.attempt(async {
                let target = simple_update(&client).await?;
                let body = json!({"ImageURI": update.url});
                let reply = client.post(&target, &body, false).await?;
                client.monitor(&reply)
            });
            match began.await? {
                Ok(monitor) => monitor,
                Err(RedfishError::MissingAttribute { .. }) => {
                    return Err(bmc.unsupported("firmware update"));
                }
                Err(error) => return Err(bmc.convert(error)),
            }
        };
        let Some(monitor) = monitor else {
            return Ok(None);
        };
        let restart = match update.kind {
            // It restarts itself.
            Kind::Bmc => false,
            _ => self.waits_for_restart(task, update, &monitor).await?,
        };
        if restart {
            tracing::info!(node = %task.node_id(), component, "restarting, so that the firmware is taken");
            task.switch_power(PowerTarget::Reboot, None).await?;
        }
        Ok(Some(monitor))
    }

    /// Whether the update does not begin by itself.
    async fn waits_for_restart(
        &self,
        task: &SharedTask,
        update: &Wanted,
        monitor: &str,
    ) -> Result<bool, Error> {
        let until = Instant::now() + BEGIN_PATIENCE;
        loop {
            match self.look(task, monitor).await? {
                Look::Ended => return Ok(false),
                // System firmware is only taken on the way up, whatever its task says.
                Look::Running { .. } => return Ok(update.kind == Kind::Bios),
                Look::Waiting { .. } if Instant::now() + BEGIN_POLL > until => return Ok(true),
                Look::Waiting { .. } => tokio::time::sleep(BEGIN_POLL).await,
            }
        }
    }

    /// Follows an update that others have to wait for.
    async fn follow(
        &self,
        task: &SharedTask,
        update: &Wanted,
        monitor: &str,
        until: Instant,
    ) -> Result<(), Error> {
        loop {
            let pause = self.driver.firmware.poll;
            if Instant::now() + pause > until {
                return Err(Error::Timeout {
                    what: format!("the firmware update of {}", update.component),
                    after: self.driver.firmware.patience,
                });
            }
            tokio::time::sleep(pause).await;
            match self.look(task, monitor).await {
                Ok(Look::Ended) => return Ok(()),
                Ok(_) => {}
                // A BMC that takes new firmware is away for a while.
                Err(error) if error.is_retryable() => {
                    tracing::debug!(node = %task.node().uuid, %error, "not seen just now");
                }
                Err(error) => return Err(error),
            }
        }
    }

    async fn look(&self, task: &SharedTask, monitor: &str) -> Result<Look, Error> {
        let mut bmc = Bmc::open(&self.driver, task).await?;
        let client = bmc.client();
        match bmc.attempt(client.look(monitor)).await? {
            // It forgets its tasks when it restarts with its new firmware.
            Err(error) if error.is_not_found() => Ok(Look::Ended),
            Err(error) => Err(bmc.convert(error)),
            Ok(look) => Ok(look),
        }
    }
}

/// Reads what is to be updated.
///
/// # Errors
/// [`Error::MissingParameter`] or [`Error::InvalidParameter`] that says where it is wrong, without
/// the URL, which may have a password in it.
fn wanted(args: &JsonMap) -> Result<Vec<Wanted>, Error> {
    let settings = args.get("settings").filter(|settings| !settings.is_null());
    let settings = settings.ok_or_else(|| Error::missing("the argument settings is missing"))?;
    let elements = settings.as_array().filter(|elements| !elements.is_empty());
    let elements = elements.ok_or_else(|| {
        Error::invalid("settings must be a list of updates, each with a component and a url")
    })?;
    let each = elements.iter().enumerate();
    each.map(|(index, element)| one(element).map_err(|what| wrong(index, what)))
        .collect()
}

fn wrong(index: usize, what: &str) -> Error {
    Error::invalid(format!("settings: update {}: {what}", index + 1))
}

fn one(element: &Value) -> Result<Wanted, &'static str> {
    let element = element.as_object().ok_or("it is no object")?;
    let known = ["component", "url", "wait"];
    if element.keys().any(|key| !known.contains(&key.as_str())) {
        return Err("it has more than a component, a url and a wait");
    }
    let text = |name: &str| element.get(name).and_then(Value::as_str);
    let component = text("component").ok_or("it names no component")?;
    let kind = Kind::of(component).ok_or("its component is neither bios, bmc nor nic:…")?;
    let url = text("url").filter(|url| !url.is_empty());
    let url = url.ok_or("it has no url")?;
    let pause = match element.get("wait") {
        None => None,
        Some(wait) => {
            let seconds = wait
                .as_u64()
                .filter(|seconds| (1..=86_400).contains(seconds));
            let seconds = seconds.ok_or("its wait is not 1 to 86400 seconds")?;
            Some(Duration::from_secs(seconds))
        }
    };
    Ok(Wanted {
        component: component.to_owned(),
        kind,
        url: url.to_owned(),
        pause,
    })
}

/// Where updates are asked for.
async fn simple_update(client: &crate::client::Client) -> Result<String, RedfishError> {
    let missing = |path: &str, attribute| RedfishError::MissingAttribute {
        path: path.to_owned(),
        attribute,
    };
    let root = client.root().await?;
    let link = root.value.rest.get("UpdateService");
    let link = link.and_then(|link| link.get("@odata.id")?.as_str());
    let link = link.ok_or_else(|| missing(&root.path, "UpdateService"))?;
    let service = client.get::<Value>(link).await?;
    let target = service
        .value
        .pointer("/Actions/#UpdateService.SimpleUpdate/target");
    let target = target.and_then(Value::as_str).map(str::to_owned);
    target.ok_or_else(|| missing(&service.path, "SimpleUpdate"))
}

#[async_trait]
impl Interface for RedfishFirmware {
    fn properties(&self) -> Properties {
        properties::properties()
    }

    async fn validate(&self, task: &SharedTask) -> Result<(), Error> {
        self.driver.settings(task.node()).map(|_| ())
    }

    fn steps(&self, _node: &Node, flow: FlowKind) -> Vec<StepDef> {
        // What was begun can be asked for; that it was asked for and not begun cannot be told
        // from that it was not, and then the flow fails.
        let kind = InterfaceKind::Firmware;
        let step = StepDef::new(kind, UPDATE, 0, Replay::Probe, Impact::POWER);
        let step = step.arg("settings", true);
        match flow {
            FlowKind::Clean | FlowKind::Deploy => vec![step],
            FlowKind::Service => vec![step.without_ramdisk()],
            _ => Vec::new(),
        }
    }

    async fn execute_step(
        &self,
        task: &mut Task,
        flow: FlowKind,
        step: &Step,
    ) -> Result<Progress, Error> {
        if step.step != UPDATE || self.steps(task.node(), flow).is_empty() {
            return Err(Error::Unsupported {
                driver: task.node().driver.clone(),
                extension: format!("{flow} step {step}"),
            });
        }
        self.update(task, step).await
    }

    async fn step_progress(
        &self,
        task: &SharedTask,
        _flow: FlowKind,
        _step: &Step,
    ) -> Result<StepProgress, Error> {
        let running = task.node().driver_internal_info.get(RUNNING);
        let Some(running) = running.filter(|running| !running.is_null()) else {
            return Ok(StepProgress::Unknown);
        };
        let text = |name: &str| running.get(name).and_then(Value::as_str);
        let (Some(component), Some(monitor)) = (text("component"), text("monitor")) else {
            return Ok(StepProgress::Unknown);
        };
        let mut bmc = Bmc::open(&self.driver, task).await?;
        let client = bmc.client();
        Ok(match bmc.attempt(client.look(monitor)).await? {
            Err(RedfishError::TaskFailed { state, detail, .. }) => StepProgress::Failed {
                message: format!("the firmware update of {component} ended as {state}: {detail}"),
            },
            Err(error) if !error.is_not_found() => return Err(bmc.convert(error)),
            Ok(Look::Waiting { state }) => StepProgress::Running {
                detail: format!("{component}: {state}"),
            },
            Ok(Look::Running { state, percent }) => StepProgress::Running {
                detail: match percent {
                    Some(percent) => format!("{component}: {state}, {percent:.0} %"),
                    None => format!("{component}: {state}"),
                },
            },
            // A BMC forgets its tasks when it restarts with its new firmware.
            Ok(Look::Ended) | Err(_) => match running.get("last").and_then(Value::as_bool) {
                Some(true) => StepProgress::Done,
                _ => StepProgress::Failed {
                    message: format!(
                        "interrupted after the firmware update of {component}; what comes after it was not begun"
                    ),
                },
            },
        })
    }
}

#[async_trait]
impl Firmware for RedfishFirmware {
    async fn cache_components(&self, task: &mut Task) -> Result<(), Error> {
        let found = {
            let mut bmc = Bmc::open(&self.driver, task).await?;
            let system = bmc.system().await?;
            let found = bmc.run(system.firmware()).await?;
            if found.is_empty() {
                return Err(bmc.unsupported("firmware components"));
            }
            found
        };
        let node = task.node_id();
        let components = found.into_iter().map(|found| {
            let mut component = FirmwareComponent::new(node, found.component, found.version);
            component.vendor = found.vendor;
            component.model = found.model;
            component.serial_number = found.serial_number;
            component
        });
        let components = components.collect();
        task.keep_firmware_components(components).await
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Kind, wanted};

    #[test]
    fn updates_are_read_or_refused_without_their_urls() {
        let url = "https://user:s3cret@192.0.2.1/bios.bin";
        let read = |settings: serde_json::Value| {
            let args = json!({"settings": settings});
            wanted(args.as_object().unwrap())
        };
        let good = read(json!([{"component": "bios", "url": url},
            {"component": "nic:X1", "url": url, "wait": 30}]));
        let kinds: Vec<_> = good.unwrap().into_iter().map(|one| one.kind).collect();
        assert_eq!(kinds, [Kind::Bios, Kind::Nic]);
        for (settings, named) in [
            (json!(null), "settings"),
            (json!([]), "settings"),
            (json!({"component": "bios", "url": url}), "settings"),
            (json!([{"component": "bios", "url": url}, 7]), "update 2"),
            (json!([{"url": url}]), "component"),
            (json!([{"component": "psu", "url": url}]), "component"),
            (json!([{"component": "bios"}]), "url"),
            (json!([{"component": "bios", "url": ""}]), "url"),
            (
                json!([{"component": "bios", "url": url, "wait": 0}]),
                "wait",
            ),
            (
                json!([{"component": "bios", "url": url, "force": true}]),
                "update 1",
            ),
        ] {
            let error = read(settings).unwrap_err().to_string();
            assert!(error.contains(named), "{error}");
            assert!(!error.contains("s3cret"), "{error}");
        }
    }
}
