//! Leaving an agent that has deployed its machine: what it wrote is on the disk, and from then on
//! nobody can give it commands.

use std::time::Duration;

use serde_json::json;
use tokio::time::{Instant, sleep};

use super::{AgentClient, steps};
use crate::Error;
use crate::driver::{SharedTask, Task};
use crate::model::lenient;
use crate::states::{PowerState, PowerTarget};

/// Where the node remembers at which step its agent has written everything to the disk: after a
/// crash the step runs again, and the agent may be gone by then.
const SYNCED: &str = "agent_synced";

/// Leaves the agent: its machine is switched off, or where that cannot be, restarted or the agent
/// locked.
pub(super) async fn tear_down(client: &AgentClient, task: &mut Task) -> Result<(), Error> {
    let node = task.node();
    let forced = node.driver_info.get("deploy_forces_oob_reboot");
    let forced = forced.and_then(lenient::truth) == Some(true);
    if node.disable_power_off {
        sync(client, task).await?;
        return lock_down(client, task).await;
    }
    if !switches_off(task) {
        let restarted = is_synced(task) && task.node().internal_str("agent_url").is_none();
        if restarted {
            return Ok(());
        }
        sync(client, task).await?;
        return task.switch_power(PowerTarget::Reboot, None).await;
    }
    if forced {
        sync(client, task).await?;
        return task.switch_power(PowerTarget::Off, None).await;
    }
    match power_off(client, task).await {
        // An agent that is gone has been told before: after a crash this step runs again.
        Ok(()) | Err(Error::Unreachable { .. }) => {}
        Err(error) => {
            tracing::warn!(node = %task.node_id(), %error, "the agent does not switch its machine off")
        }
    }
    if wait_for_off(task).await {
        task.node_mut().power_state = Some(PowerState::Off);
        return Ok(());
    }
    tracing::warn!(node = %task.node_id(), "the machine did not switch itself off, so its BMC does");
    task.switch_power(PowerTarget::Off, None).await
}

/// Whether the machine can be switched off and on, rather than only restarted.
pub(super) fn switches_off(task: &SharedTask) -> bool {
    let targets = task.driver().power.supported_targets(task);
    targets.contains(&PowerTarget::On)
}

fn is_synced(task: &SharedTask) -> bool {
    task.node().driver_internal_info.get(SYNCED) == Some(&steps::place(task))
}

/// The agent writes everything to the disk.
async fn sync(client: &AgentClient, task: &mut Task) -> Result<(), Error> {
    if is_synced(task) {
        return Ok(());
    }
    let done = client.command(task, "standby.sync", json!({}), true);
    done.await?.into_result()?;
    let here = steps::place(task);
    task.node_mut().set_internal(SYNCED, here);
    task.save().await
}

/// The agent begins to switch its machine off. One that was to answer when that is done would be
/// gone by then.
async fn power_off(client: &AgentClient, task: &SharedTask) -> Result<(), Error> {
    let begun = client.command(task, "standby.power_off", json!({}), false);
    begun.await?.begun().map(drop)
}

/// The agent takes no commands from here on. One that does not answer is taken to have been told
/// before.
async fn lock_down(client: &AgentClient, task: &SharedTask) -> Result<(), Error> {
    let told = client.command(task, "system.lockdown", json!({}), false);
    match told.await {
        Ok(command) => drop(command.begun()?),
        Err(gone) if is_silence(&gone) => return Ok(()),
        Err(error) => return Err(error),
    }
    let after = task.config().agent_power_off_timeout;
    let mut patience = Patience::new(after);
    loop {
        if client
            .commands(task)
            .await
            .is_err_and(|gone| is_silence(&gone))
        {
            return Ok(());
        }
        if !patience.asks_again().await {
            return Err(Error::Timeout {
                what: format!("the agent of node {} to be locked", task.node().label()),
                after,
            });
        }
    }
}

fn is_silence(error: &Error) -> bool {
    matches!(error, Error::Unreachable { .. } | Error::Timeout { .. })
}

/// Whether the machine was seen without power before the configured time was over. A BMC that
/// cannot be asked just now is asked again.
async fn wait_for_off(task: &SharedTask) -> bool {
    let mut patience = Patience::new(task.config().agent_power_off_timeout);
    loop {
        match task.driver().power.get_power_state(task).await {
            Ok(Some(PowerState::Off)) => return true,
            Ok(_) => {}
            Err(error) => tracing::warn!(node = %task.node().uuid, %error, "is it off?"),
        }
        if !patience.asks_again().await {
            return false;
        }
    }
}

/// Asking again and again, ever more seldom, for so long.
struct Patience {
    ends: Instant,
    pause: Duration,
}

impl Patience {
    fn new(time: Duration) -> Self {
        Self {
            ends: Instant::now() + time,
            pause: Duration::from_millis(100),
        }
    }

    /// Waits for the next time; false when there is none.
    async fn asks_again(&mut self) -> bool {
        if Instant::now() >= self.ends {
            return false;
        }
        sleep(self.pause).await;
        self.pause = (self.pause * 2).min(Duration::from_secs(5));
        true
    }
}

/// The agent of a machine that is not switched off takes no commands from here on, if it runs at
/// all.
pub(super) async fn lock_down_if_there(client: &AgentClient, task: &mut Task) -> Result<(), Error> {
    match client.commands(task).await {
        Err(gone) if is_silence(&gone) => return Ok(()),
        Ok(_) | Err(_) => {}
    }
    sync(client, task).await?;
    lock_down(client, task).await
}
