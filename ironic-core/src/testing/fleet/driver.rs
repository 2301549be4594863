//! Drivers of the simulated machines.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde_json::Value;

use super::chance::PASSWORD;
use super::host::FleetHost;
use super::machine::{Boots, Job, Order};
use super::site::Site;
use crate::Error;
use crate::driver::{
    Deploy, Inspect, Interface, Power, Registry, Rescue, SharedTask, Task, fake, noop,
};
use crate::flow::{Progress, StepProgress};
use crate::model::Node;
use crate::states::{FlowKind, InterfaceKind, PowerState, PowerTarget};
use crate::steps::{Impact, Replay, Step, StepDef};

/// The name of the interfaces.
const NAME: &str = "simulated";
/// Where the engine keeps what an agent has found until the inspection ends.
const FOUND: &str = "inspection_data";

/// One interface; the trait says which.
struct Simulated(Arc<Site>);

/// A registry for one life of a conductor.
pub(super) fn registry(site: Site, host: &FleetHost) -> Result<Registry, Error> {
    use InterfaceKind as I;
    let site = Arc::new(site);
    let builder = fake::register(
        noop::register(Registry::builder()),
        &fake::FakeBehaviour::new(),
    );
    let builder = (host.drivers)(builder);
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

/// Whether a node is inspected from within, by its agent; the others are by their BMC.
fn is_inspected_within(task: &SharedTask) -> bool {
    task.node()
        .uuid
        .as_bytes()
        .last()
        .is_some_and(|byte| byte.is_multiple_of(2))
}

#[async_trait]
impl Inspect for Simulated {
    async fn inspect_hardware(&self, task: &mut Task) -> Result<Progress, Error> {
        if is_inspected_within(task) {
            task.node_mut().set_internal(FOUND, Value::Null);
            let then = "it reports what it found";
            return self.0.boot_ramdisk(task, Boots::Inspection, then).await;
        }
        self.0.order(task, Some(task.fence()), Order::Read).await?;
        Ok(Progress::Done)
    }

    async fn finish(&self, task: &mut Task) -> Result<(), Error> {
        if !is_inspected_within(task) {
            return Ok(());
        }
        let (node, found) = (task.node_id(), task.node().driver_internal_info.get(FOUND));
        let serial = found.and_then(|found| found.pointer("/inventory/serial")?.as_str());
        self.0.world.inspected(node, serial);
        task.switch_power(PowerTarget::Off, None).await?;
        task.node_mut().set_internal(FOUND, Value::Null);
        Ok(())
    }

    async fn abort(&self, task: &mut Task) -> Result<(), Error> {
        task.switch_power(PowerTarget::Off, None).await
    }
}

#[async_trait]
impl Rescue for Simulated {
    async fn rescue(&self, task: &mut Task) -> Result<Progress, Error> {
        self.0
            .boot_ramdisk(task, Boots::Ramdisk, "it is rescued")
            .await
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
            let then = "it is deployed";
            self.0.boot_ramdisk(task, Boots::Ramdisk, then).await
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
            .boot_ramdisk(task, Boots::Ramdisk, &format!("{flow} steps run"))
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
