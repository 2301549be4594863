use async_trait::async_trait;
use serde_json::{Value, json};

use super::{AgentClient, ramdisk};
use crate::Error;
use crate::driver::{Interface, NetworkRole, Rescue, SharedTask, Task};
use crate::flow::{Deed, Forecast, Outlook, Part, Progress, Wait};
use crate::states::{FlowKind, PowerTarget};

/// Where the node remembers that its ramdisk has been told the password: an agent that has
/// been told closes its command API, so it cannot be told twice.
const TOLD: &str = "rescue_finalized";

/// The rescue interface `agent`: the agent's ramdisk is booted beside the instance, and lets the
/// rescue user in with the password that it is given.
#[derive(Debug, Clone)]
pub struct AgentRescue {
    client: AgentClient,
}

impl AgentRescue {
    /// Rescues through agents that are reached by this client.
    pub fn new(client: AgentClient) -> Self {
        Self { client }
    }

    async fn tell(&self, task: &mut Task) -> Result<(), Error> {
        let node = task.node();
        if node.driver_internal_info.get(TOLD) == Some(&Value::Bool(true)) {
            return Ok(());
        }
        let text = |key: &str| {
            let value = node.instance_info.get(key).and_then(Value::as_str);
            value.ok_or_else(|| {
                Error::missing(format!("the node has no {key} to be given to the ramdisk"))
            })
        };
        let hashed = json!({"rescue_password": text("hashed_rescue_password")?, "hashed": true});
        let told = match self.finalize(task, hashed).await {
            Err(Error::Driver { .. }) if !task.config().require_rescue_password_hashed => {
                tracing::warn!(node = %node.uuid, "the ramdisk takes no hashed password, and is given it in clear");
                let plain = json!({"rescue_password": text("rescue_password")?});
                self.finalize(task, plain).await
            }
            told => told,
        };
        told?;
        task.node_mut().set_internal(TOLD, Value::Bool(true));
        task.save().await
    }

    async fn finalize(&self, task: &SharedTask, params: Value) -> Result<(), Error> {
        let command = self
            .client
            .command(task, "rescue.finalize_rescue", params, false)
            .await?;
        command.into_result().map(drop)
    }
}

#[async_trait]
impl Interface for AgentRescue {
    async fn validate(&self, task: &SharedTask) -> Result<(), Error> {
        let driver = task.driver();
        driver.network.validate(task).await?;
        driver.boot.validate(task).await?;
        driver.boot.validate_rescue(task).await?;
        ramdisk::ramdisk_params(task)?;
        let password = task.node().instance_info.get("rescue_password");
        match password.map(|password| password.as_str().unwrap_or_default()) {
            None => Err(Error::missing(
                "instance_info/rescue_password is required to rescue a node",
            )),
            Some(text) if text.trim().is_empty() => Err(Error::invalid(
                "instance_info/rescue_password must be a text that is not empty",
            )),
            Some(_) => Ok(()),
        }
    }

    fn forecast(&self, outlook: &Outlook<'_>) -> Forecast {
        let node = outlook.node;
        match (outlook.flow, outlook.part) {
            (FlowKind::Rescue, Part::Prepare) => {
                let left = ramdisk::leaving_instance(node);
                ramdisk::booting(left, node, NetworkRole::Rescuing)
                    .wait(Wait::for_agent("let the rescue user in"))
            }
            (FlowKind::Rescue, Part::Finish) => Forecast::default()
                .then(Deed::TellAgent {
                    command: "let the rescue user in".to_owned(),
                })
                .disconnect(NetworkRole::Rescuing)
                .connect(NetworkRole::Tenant),
            (FlowKind::Unrescue, Part::Prepare) => {
                let left = ramdisk::stopping(Forecast::default(), node);
                let left = left.disconnect(NetworkRole::Rescuing);
                ramdisk::starting_instance(left, node)
            }
            _ => Forecast::default(),
        }
    }
}

#[async_trait]
impl Rescue for AgentRescue {
    async fn rescue(&self, task: &mut Task) -> Result<Progress, Error> {
        let params = ramdisk::ramdisk_params(task)?;
        task.node_mut().set_internal(TOLD, Value::Null);
        ramdisk::leave_instance(task).await?;
        ramdisk::boot(task, NetworkRole::Rescuing, &params).await?;
        Ok(Progress::Wait(Wait::for_agent("let the rescue user in")))
    }

    async fn finish(&self, task: &mut Task) -> Result<(), Error> {
        self.tell(task).await?;
        self.clean_up(task).await?;
        let driver = task.driver();
        driver.network.connect(task, NetworkRole::Tenant).await
    }

    async fn unrescue(&self, task: &mut Task) -> Result<Progress, Error> {
        if !task.node().disable_power_off {
            task.switch_power(PowerTarget::Off, None).await?;
        }
        self.clean_up(task).await?;
        ramdisk::start_instance(task).await?;
        Ok(Progress::Done)
    }

    async fn clean_up(&self, task: &mut Task) -> Result<(), Error> {
        let driver = task.driver();
        task.node_mut().forget_rescue_password();
        driver.boot.clean_up_ramdisk(task).await?;
        driver.network.disconnect(task, NetworkRole::Rescuing).await
    }
}
