//! One machine's life, as an operator leads it over the REST API.

use std::sync::Arc;
use std::time::Duration;

use ironic_core::Uuid;
use ironic_core::notify::{Event, Notification};
use ironic_core::states::ProvisionState as State;
use ironic_vbmc::{DiskReport, MachineEvent, MachineReport};
use serde_json::{Value, json};
use tokio::sync::broadcast::{self, error::RecvError};
use tokio::time::{Instant, timeout_at};

use crate::api::Api;
use crate::failure::Failure;
use crate::rack::{PASSWORD, USERNAME, Unit};
use crate::site::{Site, SiteView};

/// What became of a machine.
#[derive(Debug)]
pub(crate) struct Story {
    pub(crate) number: u16,
    pub(crate) machine: String,
    pub(crate) firmware: &'static str,
    pub(crate) boot: &'static str,
    pub(crate) uuid: Option<String>,
    /// How long it was in each state, in the order in which it first got there.
    pub(crate) times: Vec<(State, Duration)>,
    pub(crate) image: Option<String>,
    pub(crate) config_drive: Option<String>,
    pub(crate) failure: Option<Failure>,
}

pub(crate) struct Life {
    unit: Unit,
    api: Api,
    site: SiteView,
    patience: Duration,
    nodes: broadcast::Receiver<Notification>,
    machines: broadcast::Receiver<MachineReport>,
    story: Story,
    entered: (State, Instant),
}

impl Life {
    pub(crate) fn new(
        site: &Site,
        rack_events: broadcast::Receiver<MachineReport>,
        unit: Unit,
        patience: Duration,
    ) -> Self {
        let story = Story {
            number: unit.number,
            machine: unit.name.clone(),
            firmware: unit.firmware(),
            boot: unit.boot_interface(),
            uuid: None,
            times: Vec::new(),
            image: None,
            config_drive: None,
            failure: None,
        };
        Self {
            api: Api::new(site.http.clone(), &site.api_url),
            site: site.view(),
            nodes: site.notifications.subscribe(),
            machines: rack_events,
            entered: (State::Enroll, Instant::now()),
            unit,
            patience,
            story,
        }
    }

    pub(crate) async fn live(mut self, keep: bool) -> Story {
        if let Err(failure) = self.through(keep).await {
            self.story.failure = Some(failure);
        }
        self.spent(self.entered.0);
        self.story
    }

    async fn through(&mut self, keep: bool) -> Result<(), Failure> {
        let node = self.enrol().await?;
        self.go(
            &node,
            json!({"target": "manage"}),
            &[State::Verifying, State::Manageable],
        )
        .await?;
        self.go(
            &node,
            json!({"target": "inspect"}),
            &[State::Inspecting, State::InspectWait, State::Manageable],
        )
        .await?;
        self.check_inspection(&node).await?;
        self.go(
            &node,
            json!({"target": "provide"}),
            &[State::Cleaning, State::CleanWait, State::Available],
        )
        .await?;
        let instance = self.deploy(&node).await?;
        self.verify(&instance).await?;
        if keep {
            return Ok(());
        }
        self.go(
            &node,
            json!({"target": "deleted"}),
            &[State::Deleting, State::Cleaning, State::Available],
        )
        .await?;
        let left = self.api.node(&node).await?;
        if !left.get("instance_uuid").is_none_or(Value::is_null) {
            return Err(Failure::Machine(
                "the instance is still recorded after its removal".to_owned(),
            ));
        }
        self.api.delete_node(&node).await
    }

    async fn enrol(&mut self) -> Result<String, Failure> {
        let node = json!({
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
            },
            "properties": {"capabilities": format!("boot_mode:{}", self.unit.firmware())},
        });
        self.entered.1 = Instant::now();
        let uuid = self.api.create_node(&node).await?;
        self.api.create_port(&uuid, &self.unit.mac_text()).await?;
        self.story.uuid = Some(uuid.clone());
        Ok(uuid)
    }

    async fn check_inspection(&self, node: &str) -> Result<(), Failure> {
        let node = self.api.node(node).await?;
        let memory = node
            .pointer("/properties/memory_mb")
            .cloned()
            .unwrap_or_default();
        if memory.is_null() {
            return Err(Failure::Machine(format!(
                "inspection found no memory: {}",
                node.get("properties").cloned().unwrap_or_default()
            )));
        }
        Ok(())
    }

    async fn deploy(&mut self, node: &str) -> Result<Uuid, Failure> {
        let instance = Uuid::new_v5(&Uuid::NAMESPACE_DNS, self.unit.name.as_bytes());
        let patch = json!([
            {"op": "add", "path": "/instance_uuid", "value": instance},
            {"op": "add", "path": "/instance_info", "value": {
                "image_source": self.site.image_url,
                "image_disk_format": "raw",
                "image_os_hash_algo": "sha512",
                "image_os_hash_value": self.site.image_sha512,
            }},
        ]);
        self.api.patch_node(node, &patch).await?;
        let body = json!({"target": "active", "configdrive": {
            "meta_data": {"hostname": self.hostname(), "uuid": instance, "public_keys": {}},
            "user_data": format!("#cloud-config\nhostname: {}\n", self.hostname()),
        }});
        self.go(
            node,
            body,
            &[State::Deploying, State::DeployWait, State::Active],
        )
        .await?;
        Ok(instance)
    }

    fn hostname(&self) -> String {
        format!("{}.example.org", self.unit.name)
    }

    /// Asks for a verb, and waits until the node has gone through these states in this order.
    async fn go(&mut self, node: &str, body: Value, through: &[State]) -> Result<(), Failure> {
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

    async fn last_error(&self, node: &str) -> Result<String, Failure> {
        let node = self.api.node(node).await?;
        Ok(node
            .get("last_error")
            .and_then(Value::as_str)
            .unwrap_or("no reason was recorded")
            .to_owned())
    }

    async fn stuck(&self, node: &str, next: State) -> Failure {
        let why = self.site.explain(node).await;
        Failure::Machine(format!(
            "not in state \"{next}\" after {} s: {why}",
            self.patience.as_secs()
        ))
    }

    /// The state that the node gets into next.
    async fn next_state(&mut self, node: &str) -> Result<(State, Option<String>), Failure> {
        loop {
            match self.nodes.recv().await {
                Ok(note) if note.subject.to_string() == node => {
                    if let Event::ProvisionSet { to, error, .. } = note.event {
                        self.spent(to);
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

    /// Adds the time in the state that is being left.
    fn spent(&mut self, entering: State) {
        let now = Instant::now();
        let (left, since) = std::mem::replace(&mut self.entered, (entering, now));
        let time = now.duration_since(since);
        match self
            .story
            .times
            .iter_mut()
            .find(|(state, _)| *state == left)
        {
            Some((_, sum)) => *sum += time,
            None => self.story.times.push((left, time)),
        }
    }

    /// Waits until the machine says what it booted, and compares that with what was asked for.
    async fn verify(&mut self, instance: &Uuid) -> Result<(), Failure> {
        let ends = Instant::now() + self.patience;
        let report = match timeout_at(ends, self.booted()).await {
            Ok(report) => report?,
            Err(_) => {
                return Err(Failure::Machine(
                    "the machine did not boot from its disk".to_owned(),
                ));
            }
        };
        let wrong = |what: &str, is: &str, wanted: &str| {
            Failure::Machine(format!("{what} is {is}, not {wanted}"))
        };
        if report.image.sha256 != self.site.image_sha256 {
            return Err(wrong(
                "the image on disk",
                &report.image.sha256,
                &self.site.image_sha256,
            ));
        }
        self.story.image = Some(report.image.sha256.clone());
        let drive = report
            .config_drive
            .as_ref()
            .ok_or_else(|| Failure::Machine("the disk has no config drive".to_owned()))?;
        let (hostname, uuid) = (
            drive.hostname.clone().unwrap_or_default(),
            drive.instance_uuid.clone().unwrap_or_default(),
        );
        if hostname != self.hostname() {
            return Err(wrong(
                "the config drive's host name",
                &hostname,
                &self.hostname(),
            ));
        }
        if uuid != instance.to_string() {
            return Err(wrong(
                "the config drive's instance",
                &uuid,
                &instance.to_string(),
            ));
        }
        self.story.config_drive = Some(hostname);
        Ok(())
    }

    async fn booted(&mut self) -> Result<Arc<DiskReport>, Failure> {
        loop {
            match self.machines.recv().await {
                Ok(report) if *report.machine == *self.unit.name => {
                    if let MachineEvent::BootedDisk(disk) = report.event {
                        return Ok(disk);
                    }
                }
                Ok(_) => {}
                Err(RecvError::Lagged(missed)) => {
                    return Err(Failure::Machine(format!(
                        "{missed} events of machines were missed"
                    )));
                }
                Err(RecvError::Closed) => {
                    return Err(Failure::Machine("the machine is gone".to_owned()));
                }
            }
        }
    }
}
