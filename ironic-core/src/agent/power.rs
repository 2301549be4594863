use std::time::Duration;

use async_trait::async_trait;
use serde_json::{Value, json};
use tokio::time::sleep;

use super::AgentClient;
use crate::Error;
use crate::driver::{Interface, Power, SharedTask, Task};
use crate::engine::fast_track;
use crate::states::{PowerState, PowerTarget};

/// How long a machine gets to be gone once its agent has been told to restart it, unless the host
/// says.
const GOING: Duration = Duration::from_secs(30);

/// The agent's command that restarts the machine.
const REBOOT: &str = "standby.run_image";

/// The power interface `agent`: the ramdisk that runs on a machine restarts it. There is no
/// switching off, as nothing could switch it on again; and a machine whose ramdisk does not call
/// has no power interface at all. So this is for machines with `fast_track`, whose ramdisk is
/// started by hand once and then kept.
#[derive(Debug, Clone)]
pub struct AgentPower {
    client: AgentClient,
    going: Duration,
}

impl AgentPower {
    /// Restarts machines through agents that are reached by this client.
    pub fn new(client: AgentClient) -> Self {
        Self {
            client,
            going: GOING,
        }
    }

    /// How long a machine gets to be gone once its agent has been told to restart it: nothing is
    /// asked of it before. Default 30 s.
    #[must_use]
    pub fn going(mut self, going: Duration) -> Self {
        self.going = going;
        self
    }
}

/// Whether the node's agent has called lately.
fn agent_calls(task: &SharedTask) -> bool {
    fast_track::agent_answers(task.node(), &task.config().policy, task.now())
}

/// The agent that comes back has no token, and may be somewhere else.
fn forget_agent(task: &mut Task) {
    let node = task.node_mut();
    let pregenerated = node
        .driver_internal_info
        .get("agent_secret_token_pregenerated");
    if pregenerated != Some(&Value::Bool(true)) {
        node.set_internal("agent_secret_token", Value::Null);
    }
    node.set_internal("agent_url", Value::Null);
}

#[async_trait]
impl Interface for AgentPower {
    async fn validate(&self, task: &SharedTask) -> Result<(), Error> {
        if !fast_track::enabled(task.node(), &task.config().policy)? {
            return Err(Error::invalid(
                "the power interface agent needs fast_track to be enabled",
            ));
        }
        if !agent_calls(task) {
            return Err(Error::invalid(format!(
                "the agent of node {} has not called lately, so the power interface agent cannot be used",
                task.node().label()
            )));
        }
        Ok(())
    }
}

#[async_trait]
impl Power for AgentPower {
    async fn get_power_state(&self, task: &SharedTask) -> Result<Option<PowerState>, Error> {
        Ok(agent_calls(task).then_some(PowerState::On))
    }

    async fn set_power_state(
        &self,
        task: &mut Task,
        target: PowerTarget,
        _timeout: Option<Duration>,
    ) -> Result<(), Error> {
        if !self.supported_targets(task).contains(&target) {
            return Err(Error::invalid(format!(
                "the power interface agent does not support \"{target}\": it can reboot"
            )));
        }
        let told = self.client.command(task, REBOOT, json!({}), false).await?;
        told.begun()?;
        forget_agent(task);
        task.save().await?;
        sleep(self.going).await;
        Ok(())
    }

    fn supports_sync(&self, _task: &SharedTask) -> bool {
        false
    }

    fn supported_targets(&self, _task: &SharedTask) -> Vec<PowerTarget> {
        vec![PowerTarget::Reboot, PowerTarget::SoftReboot]
    }
}
