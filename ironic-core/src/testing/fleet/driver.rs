//! Drivers of the simulated machines: each command waits for a permit, as that of a real BMC.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::time::{Instant, sleep_until};

use super::Bug;
use super::chance::{Chance, PASSWORD};
use super::life::Life;
use super::machine::{Boots, Command, Job, Order};
use super::weather::Fate;
use super::world::World;
use crate::Error;
use crate::driver::{
    Deploy, Inspect, Interface, Power, Registry, Rescue, SharedTask, Task, fake, noop,
};
use crate::flow::{Progress, StepProgress, Wait};
use crate::governor::BmcEndpoint;
use crate::model::Node;
use crate::states::{FlowKind, InterfaceKind, PowerState, PowerTarget};
use crate::steps::{Impact, Replay, Step, StepDef};
use crate::store::Fence;

/// The name of the interfaces.
const NAME: &str = "simulated";
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
    async fn order(
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
        let now = Instant::now();
        let deadline = permit
            .as_ref()
            .map_or(now + most, |permit| permit.deadline());
        // Nothing is waited for between the permit and the command.
        let fate = self.world.weather.bmc(&self.chance);
        let command = Command {
            host: self.life.host.clone(),
            life: self.life.number,
            fence,
            deadline,
            order: Some(order),
            job: None,
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
        let told = told.filter(|_| self.world.has(Bug::SecretInError));
        match told.and_then(serde_json::Value::as_str) {
            Some(password) => Error::driver(NAME, format!("cannot log in with {password}")),
            None => Error::driver(NAME, "the BMC is busy"),
        }
    }

    /// Tells a node's agent something.
    async fn employ(&self, task: &Task, step: &Step, job: Job) -> Result<Progress, Error> {
        self.life.pass().await;
        let node = task.node_id();
        if !self.world.has(Bug::LeaseIgnored) {
            task.check_leave().await?;
        }
        let listens = self.world.machine(node, |machine| machine.agent_listens);
        if listens != Some(true) || self.world.weather.agent_fails(&self.chance) {
            return Err(Error::Unreachable {
                what: "agent".to_owned(),
                message: "it does not answer".to_owned(),
            });
        }
        let takes = self.chance.seconds(2, 40);
        let fails = self.world.weather.agent_fails(&self.chance);
        let command = Command {
            host: self.life.host.clone(),
            life: self.life.number,
            fence: Some(task.fence()),
            deadline: Instant::now() + takes,
            order: None,
            job: Some(job),
        };
        self.world.begin(node, &command, !fails);
        let generation = task.node().generation;
        self.world.machine(node, |machine| {
            machine.work(generation, &step.step, job, command.deadline, fails);
        });
        self.life.pass().await;
        Ok(Progress::Wait(Wait::for_step(step, POLL)))
    }

    async fn ask(&self, task: &SharedTask, step: &Step) -> Result<StepProgress, Error> {
        self.life.pass().await;
        if self.world.weather.agent_fails(&self.chance) {
            return Err(Error::Unreachable {
                what: "agent".to_owned(),
                message: "it does not answer".to_owned(),
            });
        }
        let node = task.node();
        let (generation, now) = (node.generation, Instant::now());
        let asked = self.world.machine(node.uuid, |machine| {
            machine.progress(generation, &step.step, now)
        });
        match asked.unwrap_or(StepProgress::Unknown) {
            StepProgress::Failed { .. } if self.world.has(Bug::FailureUnnoticed) => {
                Ok(StepProgress::Done)
            }
            progress => Ok(progress),
        }
    }

    /// Boots a machine anew.
    async fn boot(&self, task: &mut Task, boots: Boots) -> Result<(), Error> {
        self.order(task, Some(task.fence()), Order::Boot(boots))
            .await?;
        task.switch_power(PowerTarget::Reboot, None).await
    }

    /// Boots a machine into the ramdisk, and waits for its agent.
    async fn boot_ramdisk(&self, task: &mut Task, then: &str) -> Result<Progress, Error> {
        self.boot(task, Boots::Ramdisk).await?;
        Ok(Progress::Wait(Wait::for_agent(then)))
    }
}

/// One interface; the trait says which.
struct Simulated(Arc<Site>);

/// A registry for one life of a conductor.
pub(super) fn registry(site: Site) -> Result<Registry, Error> {
    use InterfaceKind as I;
    let site = Arc::new(site);
    let builder = fake::register(
        noop::register(Registry::builder()),
        &fake::FakeBehaviour::new(),
    );
    let make = || Arc::new(Simulated(Arc::clone(&site)));
    builder
        .power(NAME, make())
        .deploy(NAME, Arc::new(SimulatedDeploy(Arc::clone(&site))))
        .inspect(NAME, make())
        .rescue(NAME, make())
        .enable(I::Power, [NAME])
        .enable(I::Deploy, [NAME])
        .enable(I::Inspect, [NAME])
        .enable(I::Rescue, [NAME])
        .default_interface(I::Power, NAME)
        .default_interface(I::Deploy, NAME)
        .default_interface(I::Inspect, NAME)
        .default_interface(I::Rescue, NAME)
        .build()
}

#[async_trait]
impl Interface for Simulated {
    async fn validate(&self, _task: &SharedTask) -> Result<(), Error> {
        Ok(())
    }
}

#[async_trait]
impl Power for Simulated {
    async fn get_power_state(&self, task: &SharedTask) -> Result<Option<PowerState>, Error> {
        self.0.order(task, None, Order::Read).await?;
        Ok(self
            .0
            .world
            .machine(task.node().uuid, |machine| machine.power()))
    }

    async fn set_power_state(
        &self,
        task: &mut Task,
        target: PowerTarget,
        _timeout: Option<Duration>,
    ) -> Result<(), Error> {
        self.0
            .order(task, Some(task.fence()), Order::Power(target))
            .await
    }
}

#[async_trait]
impl Inspect for Simulated {
    async fn inspect_hardware(&self, task: &mut Task) -> Result<Progress, Error> {
        self.0.order(task, Some(task.fence()), Order::Read).await?;
        Ok(Progress::Done)
    }
}

#[async_trait]
impl Rescue for Simulated {
    async fn rescue(&self, task: &mut Task) -> Result<Progress, Error> {
        self.0.boot_ramdisk(task, "it is rescued").await
    }

    async fn unrescue(&self, task: &mut Task) -> Result<Progress, Error> {
        self.0.boot(task, Boots::Disk).await?;
        Ok(Progress::Done)
    }
}

/// The deploy interface, which has the steps.
struct SimulatedDeploy(Arc<Site>);

impl SimulatedDeploy {
    fn job(step: &str) -> Option<Job> {
        match step {
            "write_image" => Some(Job::Write),
            "erase_disk" => Some(Job::Erase),
            "check_disk" => Some(Job::Check),
            _ => None,
        }
    }
}

#[async_trait]
impl Interface for SimulatedDeploy {
    async fn validate(&self, _task: &SharedTask) -> Result<(), Error> {
        Ok(())
    }

    fn steps(&self, _node: &Node, flow: FlowKind) -> Vec<StepDef> {
        let step = |name, priority, replay, impact| {
            StepDef::new(InterfaceKind::Deploy, name, priority, replay, impact)
        };
        match flow {
            FlowKind::Deploy => vec![
                step("write_image", 80, Replay::Probe, Impact::ERASE),
                step("boot_instance", 20, Replay::Idempotent, Impact::POWER),
            ],
            FlowKind::Clean => vec![
                step("erase_disk", 10, Replay::Probe, Impact::ERASE).abortable(),
                step("check_disk", 0, Replay::Probe, Impact::NONE),
            ],
            FlowKind::Service => vec![step("check_disk", 0, Replay::Probe, Impact::NONE)],
            _ => Vec::new(),
        }
    }

    async fn execute_step(
        &self,
        task: &mut Task,
        _flow: FlowKind,
        step: &Step,
    ) -> Result<Progress, Error> {
        match Self::job(&step.step) {
            Some(job) => self.0.employ(task, step, job).await,
            None => {
                self.0.boot(task, Boots::Disk).await?;
                Ok(Progress::Done)
            }
        }
    }

    async fn step_progress(
        &self,
        task: &SharedTask,
        _flow: FlowKind,
        step: &Step,
    ) -> Result<StepProgress, Error> {
        self.0.ask(task, step).await
    }
}

#[async_trait]
impl Deploy for SimulatedDeploy {
    async fn prepare(&self, task: &mut Task) -> Result<Progress, Error> {
        // Adoption prepares too, and the instance goes on running.
        let deploys = task
            .flow()
            .is_some_and(|flow| flow.kind == FlowKind::Deploy);
        if deploys {
            self.0.boot_ramdisk(task, "it is deployed").await
        } else {
            Ok(Progress::Done)
        }
    }

    async fn clean_up(&self, _task: &mut Task) -> Result<(), Error> {
        Ok(())
    }

    async fn tear_down(&self, task: &mut Task) -> Result<Progress, Error> {
        task.switch_power(PowerTarget::Off, None).await?;
        Ok(Progress::Done)
    }

    async fn take_over(&self, _task: &mut Task) -> Result<(), Error> {
        Ok(())
    }

    async fn prepare_steps(&self, task: &mut Task, flow: FlowKind) -> Result<Progress, Error> {
        self.0
            .boot_ramdisk(task, &format!("{flow} steps run"))
            .await
    }

    async fn tear_down_steps(&self, task: &mut Task, flow: FlowKind) -> Result<(), Error> {
        if flow == FlowKind::Service {
            return self.0.boot(task, Boots::Disk).await;
        }
        self.0
            .order(task, Some(task.fence()), Order::Boot(Boots::Disk))
            .await?;
        task.switch_power(PowerTarget::Off, None).await
    }
}

/// A password of a node, which is to be seen nowhere.
pub(super) fn password(node: &str) -> String {
    format!("{PASSWORD}{node}")
}
