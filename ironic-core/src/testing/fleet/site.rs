//! How drivers reach the simulated machines: each command waits for a permit, as that of a real BMC.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep, sleep_until};

use super::Bug;
use super::chance::Chance;
use super::life::Life;
use super::machine::{Boots, Command, Job, Order};
use super::weather::Fate;
use super::world::World;
use crate::Error;
use crate::driver::{NetworkRole, RamdiskParams, SharedTask, Task};
use crate::flow::{Progress, StepProgress, Wait};
use crate::governor::BmcEndpoint;
use crate::states::{FlowKind, PowerTarget};
use crate::steps::Step;
use crate::store::Fence;

/// How often an agent is asked how far it is.
const POLL: Duration = Duration::from_secs(5);

/// What the drivers of one life of a conductor have in common.
pub(super) struct Site {
    pub(super) world: Arc<World>,
    pub(super) life: Arc<Life>,
    pub(super) chance: Chance,
}

impl Site {
    /// Tells a node's BMC something.
    pub(super) async fn order(
        &self,
        task: &SharedTask,
        fence: Option<Fence>,
        order: Order,
    ) -> Result<(), Error> {
        self.life.pass().await;
        let node = task.node().uuid;
        let most = task.config().bmc_command_timeout;
        let permit = if self.world.has(Bug::LeaseIgnored) {
            None
        } else {
            let endpoint = BmcEndpoint::new(format!("simulated:{node}"));
            Some(task.bmc_permit(&endpoint).await?)
        };
        if let Some(time) = self.world.weather.driver_waits(&self.chance) {
            sleep(time).await;
            self.life.pass().await;
        }
        let now = Instant::now();
        let deadline = match &permit {
            Some(permit) => permit.deadline(),
            None => now + most,
        };
        if deadline <= now {
            return Err(Error::Timeout {
                what: "the turn of a command".to_owned(),
                after: most,
            });
        }
        // Nothing is waited for between this look at the time and the command.
        let fate = self.world.weather.bmc(&self.chance);
        let command = Command {
            host: self.life.host.clone(),
            life: self.life.number,
            fence,
            deadline,
            order: Some(order),
            job: None,
            step: None,
        };
        let number = self.world.begin(node, &command, fate != Fate::Fails);
        let takes = match fate {
            Fate::Waits(time) => time,
            Fate::Hangs => most * 2,
            _ => self
                .chance
                .between(Duration::from_millis(10), Duration::from_millis(900)),
        };
        sleep_until(deadline.min(now + takes)).await;
        self.world.end(node, number);
        self.life.pass().await;
        match fate {
            Fate::Fails => Err(self.failure(task)),
            _ if now + takes > deadline => Err(Error::Timeout {
                what: "an answer of the BMC".to_owned(),
                after: most,
            }),
            _ => Ok(()),
        }
    }

    fn failure(&self, task: &SharedTask) -> Error {
        let told = task.node().driver_info.get("simulated_password");
        let told = told.and_then(serde_json::Value::as_str);
        if self.world.has(Bug::SecretInLog) {
            tracing::info!(node = %task.node().uuid, password = told, "cannot log in");
        }
        match told.filter(|_| self.world.has(Bug::SecretInError)) {
            Some(password) => Error::driver("simulated", format!("cannot log in with {password}")),
            None => Error::driver("simulated", "the BMC is busy"),
        }
    }

    /// Tells a node's agent something.
    pub(super) async fn employ(
        &self,
        task: &Task,
        step: &Step,
        job: Job,
    ) -> Result<Progress, Error> {
        self.life.pass().await;
        let node = task.node_id();
        if !self.world.has(Bug::LeaseIgnored) {
            task.check_leave().await?;
        }
        let listens = self.world.machine(node, |machine| machine.agent_listens);
        if listens != Some(true) || self.world.weather.agent_fails(&self.chance) {
            return Err(silent());
        }
        let takes = self.chance.seconds(2, 40);
        let fails = self.world.weather.agent_fails(&self.chance);
        let generation = task.node().generation;
        let command = Command {
            host: self.life.host.clone(),
            life: self.life.number,
            fence: Some(task.fence()),
            deadline: Instant::now() + takes,
            order: None,
            job: Some(job),
            step: Some((generation, step.step.clone())),
        };
        self.world.begin(node, &command, !fails);
        self.world.machine(node, |machine| {
            machine.work(generation, &step.step, job, command.deadline, fails);
        });
        self.life.pass().await;
        Ok(Progress::Wait(Wait::for_step(step, POLL)))
    }

    /// Asks a node's agent how far it is with a step.
    pub(super) async fn ask(&self, task: &SharedTask, step: &Step) -> Result<StepProgress, Error> {
        self.life.pass().await;
        if self.world.weather.agent_fails(&self.chance) {
            return Err(silent());
        }
        if let Some(time) = self.world.weather.agent_waits(&self.chance) {
            sleep(time).await;
        }
        let node = task.node();
        let (generation, now) = (node.generation, Instant::now());
        let asked = self.world.machine(node.uuid, |machine| {
            machine.progress(generation, &step.step, now)
        });
        if let Some(time) = self.world.weather.agent_waits(&self.chance) {
            sleep(time).await;
        }
        self.life.pass().await;
        match asked.unwrap_or(StepProgress::Unknown) {
            StepProgress::Failed { .. } if self.world.has(Bug::FailureUnnoticed) => {
                Ok(StepProgress::Done)
            }
            progress => Ok(progress),
        }
    }

    /// Boots a machine anew.
    pub(super) async fn boot(&self, task: &mut Task, boots: Boots) -> Result<(), Error> {
        self.order(task, Some(task.fence()), Order::Boot(boots))
            .await?;
        task.switch_power(PowerTarget::Reboot, None).await
    }

    /// Boots a machine into this ramdisk, and waits for its agent.
    pub(super) async fn boot_ramdisk(
        &self,
        task: &mut Task,
        boots: Boots,
        then: &str,
    ) -> Result<Progress, Error> {
        let (driver, role) = (task.driver(), role(task));
        driver.network.connect(task, role).await?;
        let params = RamdiskParams::default();
        driver.boot.prepare_ramdisk(task, &params).await?;
        self.boot(task, boots).await?;
        Ok(Progress::Wait(Wait::for_agent(then)))
    }
}

/// The network of the ramdisk of what goes on.
fn role(task: &SharedTask) -> NetworkRole {
    match task.flow().map(|flow| flow.kind) {
        Some(FlowKind::Clean) => NetworkRole::Cleaning,
        Some(FlowKind::Rescue) => NetworkRole::Rescuing,
        Some(FlowKind::Service) => NetworkRole::Servicing,
        Some(FlowKind::Inspect) => NetworkRole::Inspection,
        _ => NetworkRole::Provisioning,
    }
}

fn silent() -> Error {
    Error::Unreachable {
        what: "agent".to_owned(),
        message: "it does not answer".to_owned(),
    }
}
