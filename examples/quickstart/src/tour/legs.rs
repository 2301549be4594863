//! The verbs, one by one: what is asked for, and what the machine has to have done then.

use ironic_core::states::ProvisionState as State;
use ironic_core::{PowerState, sha_crypt};
use ironic_vbmc::{MachineEvent, MachineState};
use serde_json::{Value, json};

use super::Tour;
use crate::failure::Failure;

/// The trait that brings further deploy steps, and that allows the runbook.
const TRAIT: &str = "CUSTOM_TOUR";
const RESCUE_PASSWORD: &str = "let-me-in-once";
/// Long enough to be stopped by somebody.
const AN_HOUR: u32 = 3600;

fn failed(text: impl Into<String>) -> Failure {
    Failure::Machine(text.into())
}

impl Tour {
    pub(super) async fn leg(&mut self, verb: &str) -> Result<(), Failure> {
        match verb {
            "enrol" => self.enrol().await,
            "manage" => self.manage().await,
            "inspect" => self.inspect().await,
            "clean" => self.clean().await,
            "provide" => self.provide().await,
            "active" => self.deploy().await,
            "service" => self.service().await,
            "rescue" => self.rescue().await,
            "unrescue" => self.unrescue().await,
            "rebuild" => self.rebuild().await,
            "unhold" => self.unhold().await,
            "abort" => self.abort().await,
            "adopt" => self.adopt().await,
            "deleted" => self.undeploy().await,
            other => Err(failed(format!("the tour does not know {other}"))),
        }
    }

    async fn ask(&mut self, body: Value, through: &[State]) -> Result<(), Failure> {
        self.operator.go(&self.node, body, through).await
    }

    /// The name of the machine's system, as its config drive has it.
    fn hostname(&self, what: &str) -> String {
        format!("{what}.{}.example.org", self.operator.unit.name)
    }

    /// Waits until the agent has run a step as it should.
    async fn ran(&mut self, step: &str) -> Result<(), Failure> {
        let missing = format!("the machine's agent did not run the step {step}");
        let fault = self
            .operator
            .until(&missing, |event| match event {
                MachineEvent::AgentCommand(report) if report.step.as_deref() == Some(step) => {
                    Some(report.fault)
                }
                _ => None,
            })
            .await?;
        fault.map_or(Ok(()), |fault| Err(failed(format!("step {step}: {fault}"))))
    }

    /// Waits until the machine has booted its ramdisk.
    async fn agent_starts(&mut self) -> Result<(), Failure> {
        let started = |event| matches!(event, MachineEvent::AgentStarted { .. }).then_some(());
        self.operator
            .until("the machine did not boot its ramdisk", started)
            .await
    }

    async fn enrol(&mut self) -> Result<(), Failure> {
        self.node = self
            .operator
            .enrol(&json!({"rescue_interface": "agent"}))
            .await?;
        Ok(())
    }

    async fn manage(&mut self) -> Result<(), Failure> {
        let through = [State::Verifying, State::Manageable];
        self.ask(json!({"target": "manage"}), &through).await?;
        self.operator.check_power(&self.node, PowerState::Off).await
    }

    async fn inspect(&mut self) -> Result<(), Failure> {
        let through = [State::Inspecting, State::InspectWait, State::Manageable];
        self.ask(json!({"target": "inspect"}), &through).await?;
        let node = self.operator.api.node(&self.node).await?;
        let memory = node.pointer("/properties/memory_mb");
        match memory.and_then(Value::as_str) {
            Some("8192") => Ok(()),
            _ => Err(failed(format!("inspection found this memory: {memory:?}"))),
        }
    }

    /// A step of the BMC, then one of the agent that comes up after it.
    async fn clean(&mut self) -> Result<(), Failure> {
        self.operator.so_far();
        let steps = json!([
            {"interface": "power", "step": "reboot"},
            {"interface": "deploy", "step": "erase_devices_metadata"},
        ]);
        let body = json!({"target": "clean", "clean_steps": steps});
        let through = [State::Cleaning, State::CleanWait, State::Manageable];
        self.ask(body, &through).await?;
        self.agent_starts().await?;
        self.agent_starts().await?;
        self.ran("erase_devices_metadata").await
    }

    async fn provide(&mut self) -> Result<(), Failure> {
        self.operator.so_far();
        let through = [State::Cleaning, State::CleanWait, State::Available];
        self.ask(json!({"target": "provide"}), &through).await?;
        self.ran("erase_devices_metadata").await?;
        self.ran("erase_devices").await?;
        self.operator.check_power(&self.node, PowerState::Off).await
    }

    /// Deploys with the steps of the template that the instance's trait brings.
    async fn deploy(&mut self) -> Result<(), Failure> {
        let api = self.operator.api.clone();
        let erase = json!({
            "interface": "deploy", "step": "erase_devices_metadata", "args": {}, "priority": 90,
        });
        api.create_deploy_template(&json!({"name": TRAIT, "steps": [erase]}))
            .await?;
        api.set_traits(&self.node, &[TRAIT]).await?;
        let mut info = self.operator.instance_info();
        if let Some(info) = info.as_object_mut() {
            info.insert("traits".to_owned(), json!([TRAIT]));
        }
        let patch = json!([
            {"op": "add", "path": "/instance_uuid", "value": self.operator.instance()},
            {"op": "add", "path": "/instance_info", "value": info},
        ]);
        api.patch_node(&self.node, &patch).await?;
        self.operator.so_far();
        let hostname = self.hostname("first");
        let drive = self.operator.config_drive(&hostname);
        let body = json!({"target": "active", "configdrive": drive});
        let through = [State::Deploying, State::DeployWait, State::Active];
        self.ask(body, &through).await?;
        self.ran("erase_devices_metadata").await?;
        self.ran("write_image").await?;
        self.operator.verify(Some(&hostname)).await?;
        self.operator.check_power(&self.node, PowerState::On).await
    }

    /// First by steps, of the agent; then by a runbook, without it.
    async fn service(&mut self) -> Result<(), Failure> {
        self.operator.so_far();
        let site = &self.operator.site;
        let image = json!({
            "id": "demo",
            "disk_format": "raw",
            "urls": [site.image_url],
            "os_hash_algo": "sha512",
            "os_hash_value": site.image_sha512,
        });
        let write =
            json!({"interface": "deploy", "step": "write_image", "args": {"image_info": image}});
        let body = json!({"target": "service", "service_steps": [write]});
        let through = [State::Servicing, State::ServiceWait, State::Active];
        self.ask(body, &through).await?;
        self.ran("write_image").await?;
        // The step was given the image alone.
        self.operator.verify(None).await?;

        let reboot = json!({"interface": "power", "step": "reboot", "order": 1});
        let runbook = json!({"name": "tour-restart", "steps": [reboot]});
        let api = self.operator.api.clone();
        api.create_runbook(&runbook, TRAIT).await?;
        let body = json!({"target": "service", "runbook": "tour-restart"});
        let through = [State::Servicing, State::Active];
        self.ask(body, &through).await?;
        self.operator.verify(None).await?;
        self.operator.check_power(&self.node, PowerState::On).await
    }

    async fn rescue(&mut self) -> Result<(), Failure> {
        self.operator.so_far();
        let body = json!({"target": "rescue", "rescue_password": RESCUE_PASSWORD});
        let through = [State::Rescuing, State::RescueWait, State::Rescue];
        self.ask(body, &through).await?;
        let hash = self
            .operator
            .until("the rescue user was not let in", |event| match event {
                MachineEvent::Rescued { password_hash } => Some(password_hash),
                _ => None,
            })
            .await?;
        if !sha_crypt::verify(RESCUE_PASSWORD, hash.expose()) {
            return Err(failed("the rescue user has another password"));
        }
        let node = self.operator.api.node(&self.node).await?;
        if node.to_string().contains(RESCUE_PASSWORD) {
            return Err(failed("the API shows the rescue password"));
        }
        match *self.operator.unit.state.borrow() {
            MachineState::Rescue => Ok(()),
            other => Err(failed(format!("the machine is {other:?}, not rescued"))),
        }
    }

    async fn unrescue(&mut self) -> Result<(), Failure> {
        self.operator.so_far();
        let through = [State::Unrescuing, State::Active];
        self.ask(json!({"target": "unrescue"}), &through).await?;
        self.operator.verify(None).await?;
        self.operator.check_power(&self.node, PowerState::On).await
    }

    async fn rebuild(&mut self) -> Result<(), Failure> {
        self.operator.so_far();
        let hostname = self.hostname("second");
        let drive = self.operator.config_drive(&hostname);
        let body = json!({"target": "rebuild", "configdrive": drive});
        let through = [State::Deploying, State::DeployWait, State::Active];
        self.ask(body, &through).await?;
        self.ran("write_image").await?;
        self.operator.verify(Some(&hostname)).await.map(|_| ())
    }

    /// Nothing happens at a hold; what comes after it happens after `unhold`.
    async fn unhold(&mut self) -> Result<(), Failure> {
        self.operator.so_far();
        let steps = json!([
            {"interface": "deploy", "step": "hold"},
            {"interface": "power", "step": "reboot"},
        ]);
        let body = json!({"target": "service", "service_steps": steps});
        let through = [State::Servicing, State::ServiceHold];
        self.ask(body, &through).await?;
        let done = self.operator.so_far();
        if let Some(event) = done.first() {
            return Err(failed(format!("the machine is held, and yet: {event}")));
        }
        let through = [State::Servicing, State::Active];
        self.ask(json!({"target": "unhold"}), &through).await?;
        let hostname = self.hostname("second");
        self.operator.verify(Some(&hostname)).await.map(|_| ())
    }

    async fn abort(&mut self) -> Result<(), Failure> {
        self.operator.so_far();
        let wait = json!({"interface": "deploy", "step": "wait", "args": {"seconds": AN_HOUR}});
        let body = json!({"target": "service", "service_steps": [wait]});
        let through = [State::Servicing, State::ServiceWait];
        self.ask(body, &through).await?;
        let through = [State::ServiceFailed, State::Active];
        self.ask(json!({"target": "abort"}), &through).await?;
        let error = self.operator.last_error(&self.node).await?;
        if error.contains("abort") {
            Ok(())
        } else {
            Err(failed(format!("the node's last error is {error:?}")))
        }
    }

    /// The machine as it runs becomes a node again after its record was lost.
    async fn adopt(&mut self) -> Result<(), Failure> {
        let operator = &mut self.operator;
        let api = operator.api.clone();
        api.set_maintenance(&self.node, "its record is about to be lost")
            .await?;
        api.delete_node(&self.node).await?;
        operator.so_far();
        self.node = operator.enrol(&json!({})).await?;
        let through = [State::Verifying, State::Manageable];
        self.ask(json!({"target": "manage"}), &through).await?;
        let patch = json!([
            {"op": "add", "path": "/instance_uuid", "value": self.operator.instance()},
            {"op": "add", "path": "/instance_info", "value": self.operator.instance_info()},
        ]);
        api.patch_node(&self.node, &patch).await?;
        let through = [State::Adopting, State::Active];
        self.ask(json!({"target": "adopt"}), &through).await?;
        let harmless = |event: &MachineEvent| matches!(event, MachineEvent::BootDeviceSet { .. });
        let mut done = self.operator.so_far().into_iter();
        if let Some(event) = done.find(|event| !harmless(event)) {
            return Err(failed(format!(
                "the machine was to run on, and yet: {event}"
            )));
        }
        self.operator.check_power(&self.node, PowerState::On).await
    }

    async fn undeploy(&mut self) -> Result<(), Failure> {
        let through = [
            State::Deleting,
            State::Cleaning,
            State::CleanWait,
            State::Available,
        ];
        self.ask(json!({"target": "deleted"}), &through).await?;
        self.ran("erase_devices").await?;
        let left = self.operator.api.node(&self.node).await?;
        if left.get("instance_uuid").is_some_and(|id| !id.is_null()) {
            return Err(failed("the instance is still recorded after its removal"));
        }
        self.operator
            .check_power(&self.node, PowerState::Off)
            .await?;
        self.operator.api.delete_node(&self.node).await
    }
}
