//! What an operator does with one machine over the REST API, and sees of it.

use std::time::Duration;

use ironic_core::notify::{Event, Notification};
use ironic_core::states::ProvisionState as State;
use ironic_core::{PowerState, Uuid};
use ironic_vbmc::{DiskReport, MachineEvent, MachineReport, MachineState};
use serde_json::{Value, json};
use tokio::sync::broadcast::{self, error::RecvError};
use tokio::time::{Instant, timeout_at};

use crate::api::Api;
use crate::failure::Failure;
use crate::rack::{PASSWORD, USERNAME, Unit};
use crate::site::{Site, SiteView};

/// A change of the node's state.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Passed {
    pub(crate) to: State,
    pub(crate) at: Instant,
}

/// An operator of one machine.
pub(crate) struct Operator {
    pub(crate) unit: Unit,
    pub(crate) api: Api,
    pub(crate) site: SiteView,
    patience: Duration,
    nodes: broadcast::Receiver<Notification>,
    machines: broadcast::Receiver<MachineReport>,
    /// Every state that the node has come into, in order.
    pub(crate) passed: Vec<Passed>,
}

impl Operator {
    pub(crate) fn new(
        site: &Site,
        rack_events: broadcast::Receiver<MachineReport>,
        unit: Unit,
        patience: Duration,
    ) -> Self {
        Self {
            api: Api::new(site.http.clone(), &site.api_url),
            site: site.view(),
            nodes: site.notifications.subscribe(),
            machines: rack_events,
            passed: Vec::new(),
            unit,
            patience,
        }
    }

    /// Enrols the machine, as a node with these further members; its uuid.
    pub(crate) async fn enrol(&mut self, more: &Value) -> Result<String, Failure> {
        let mut node = json!({
            "name": self.unit.name,
            "driver": "ipmi",
            "boot_interface": self.unit.boot_interface(),
            "driver_info": {
                "ipmi_address": self.unit.bmc.ip().to_string(),
                "ipmi_port": self.unit.bmc.port(),
                "ipmi_username": USERNAME,
                "ipmi_password": PASSWORD,
                "deploy_kernel": self.site.kernel,
                "deploy_ramdisk": self.site.ramdisk,
                "rescue_kernel": self.site.kernel,
                "rescue_ramdisk": self.site.ramdisk,
            },
            "properties": {"capabilities": format!("boot_mode:{}", self.unit.firmware())},
        });
        if let (Some(node), Some(more)) = (node.as_object_mut(), more.as_object()) {
            node.extend(more.clone());
        }
        self.passed.push(Passed {
            to: State::Enroll,
            at: Instant::now(),
        });
        let uuid = self.api.create_node(&node).await?;
        self.api.create_port(&uuid, &self.unit.mac_text()).await?;
        Ok(uuid)
    }

    /// The instance that is deployed here.
    pub(crate) fn instance(&self) -> Uuid {
        Uuid::new_v5(&Uuid::NAMESPACE_DNS, self.unit.name.as_bytes())
    }

    /// What the node is told of the image.
    pub(crate) fn instance_info(&self) -> Value {
        json!({
            "image_source": self.site.image_url,
            "image_disk_format": "raw",
            "image_os_hash_algo": "sha512",
            "image_os_hash_value": self.site.image_sha512,
        })
    }

    /// The parts of a config drive that names the machine so.
    pub(crate) fn config_drive(&self, hostname: &str) -> Value {
        json!({
            "meta_data": {"hostname": hostname, "uuid": self.instance(), "public_keys": {}},
            "user_data": format!("#cloud-config\nhostname: {hostname}\n"),
        })
    }

    /// Asks for a verb, and waits until the node has gone through these states in this order.
    pub(crate) async fn go(
        &mut self,
        node: &str,
        body: Value,
        through: &[State],
    ) -> Result<(), Failure> {
        self.api.provision(node, &body).await?;
        let mut awaited = through.iter().copied().peekable();
        let ends = Instant::now() + self.patience;
        while let Some(next) = awaited.peek().copied() {
            let (to, error) = match timeout_at(ends, self.next_state(node)).await {
                Ok(changed) => changed?,
                Err(_) => return Err(self.stuck(node, next).await),
            };
            if to == next {
                awaited.next();
            } else if to.is_failure() || error.is_some() {
                let error = match error {
                    Some(error) => error,
                    None => self.last_error(node).await?,
                };
                return Err(Failure::Machine(format!("{to}: {error}")));
            }
        }
        Ok(())
    }

    pub(crate) async fn last_error(&self, node: &str) -> Result<String, Failure> {
        let node = self.api.node(node).await?;
        Ok(node
            .get("last_error")
            .and_then(Value::as_str)
            .unwrap_or("no reason was recorded")
            .to_owned())
    }

    async fn stuck(&self, node: &str, next: State) -> Failure {
        let why = self.site.explain(node).await;
        let now = self.passed.last().map(|passed| passed.to.to_string());
        Failure::Machine(format!(
            "stuck in state \"{}\", not in \"{next}\" after {} s: {why}",
            now.unwrap_or_default(),
            self.patience.as_secs()
        ))
    }

    /// The state that the node gets into next.
    async fn next_state(&mut self, node: &str) -> Result<(State, Option<String>), Failure> {
        loop {
            match self.nodes.recv().await {
                Ok(note) if note.subject.to_string() == node => {
                    if let Event::ProvisionSet { to, error, .. } = note.event {
                        let at = Instant::now();
                        self.passed.push(Passed { to, at });
                        return Ok((to, error));
                    }
                }
                Ok(_) => {}
                Err(RecvError::Lagged(missed)) => {
                    return Err(Failure::Machine(format!(
                        "{missed} notifications were missed"
                    )));
                }
                Err(RecvError::Closed) => {
                    return Err(Failure::Machine("the engine has stopped".to_owned()));
                }
            }
        }
    }

    /// Waits until the machine says what it booted, and compares that with what was asked for: the
    /// image, and a config drive that names it so, or none.
    pub(crate) async fn verify(
        &mut self,
        hostname: Option<&str>,
    ) -> Result<std::sync::Arc<DiskReport>, Failure> {
        let what = "the machine did not boot from its disk";
        let report = self
            .until(what, |event| match event {
                MachineEvent::BootedDisk(disk) => Some(disk),
                _ => None,
            })
            .await?;
        let drive = report.config_drive.as_ref();
        let name = |name: Option<&str>| name.unwrap_or("none").to_owned();
        let instance = hostname.map(|_| self.instance().to_string());
        let image = &report.image.sha256;
        for (what, is, wanted) in [
            ("image on disk", image, &self.site.image_sha256),
            (
                "config drive's host name",
                &name(drive.and_then(|drive| drive.hostname.as_deref())),
                &name(hostname),
            ),
            (
                "config drive's instance",
                &name(drive.and_then(|drive| drive.instance_uuid.as_deref())),
                &name(instance.as_deref()),
            ),
        ] {
            if is != wanted {
                let text = format!("the {what} is {is}, not {wanted}");
                return Err(Failure::Machine(text));
            }
        }
        Ok(report)
    }

    /// Waits for what the machine does, passing over what it did before.
    pub(crate) async fn until<T>(
        &mut self,
        failing: &str,
        mut wanted: impl FnMut(MachineEvent) -> Option<T>,
    ) -> Result<T, Failure> {
        let ends = Instant::now() + self.patience;
        loop {
            let event = match timeout_at(ends, self.machines.recv()).await {
                Ok(Ok(report)) if *report.machine == *self.unit.name => report.event,
                Ok(Ok(_)) => continue,
                Ok(Err(RecvError::Lagged(missed))) => {
                    let text = format!("{missed} events of machines were missed");
                    return Err(Failure::Machine(text));
                }
                Ok(Err(RecvError::Closed)) => {
                    return Err(Failure::Machine("the machine is gone".to_owned()));
                }
                Err(_) => return Err(Failure::Machine(failing.to_owned())),
            };
            if let Some(found) = wanted(event) {
                return Ok(found);
            }
        }
    }

    /// What the machine has done that nobody asked about yet.
    pub(crate) fn so_far(&mut self) -> Vec<MachineEvent> {
        let mut events = Vec::new();
        while let Ok(report) = self.machines.try_recv() {
            if *report.machine == *self.unit.name {
                events.push(report.event);
            }
        }
        events
    }

    /// Compares the power that the node is recorded to have with the machine's.
    pub(crate) async fn check_power(&self, node: &str, wanted: PowerState) -> Result<(), Failure> {
        let record = self.api.node(node).await?;
        let recorded = record.get("power_state").and_then(Value::as_str);
        let is_on = *self.unit.state.borrow() != MachineState::Off;
        let machine = if is_on {
            PowerState::On
        } else {
            PowerState::Off
        };
        if machine != wanted || recorded != Some(wanted.as_str()) {
            return Err(Failure::Machine(format!(
                "the record says \"{}\", the machine is \"{machine}\", and it was to be \"{wanted}\"",
                recorded.unwrap_or("nothing")
            )));
        }
        Ok(())
    }
}
