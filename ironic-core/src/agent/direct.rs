use async_trait::async_trait;
use serde_json::Value;

use std::time::Duration;

use super::{AgentClient, image_info, is_fast_track, ramdisk, steps, tear_down};
use crate::Error;
use crate::driver::{Deploy, Interface, NetworkRole, Properties, SharedTask, Task};
use crate::flow::{Deed, Forecast, Outlook, Part, Progress, StepProgress, Wait};
use crate::model::{Node, capabilities};
use crate::states::{FlowKind, InterfaceKind, PowerTarget, ProvisionState};
use crate::steps::{Impact, Replay, Step, StepDef, StepSource};

/// The deploy interface `direct`: the agent fetches the image over HTTP and writes it to the disk.
#[derive(Debug, Clone)]
pub struct AgentDeploy {
    client: AgentClient,
}

impl AgentDeploy {
    /// Deploys through agents that are reached by this client.
    pub fn new(client: AgentClient) -> Self {
        Self { client }
    }

    async fn write_image(&self, task: &mut Task, step: &Step) -> Result<Progress, Error> {
        let driver = task.driver();
        if !driver.storage.should_write_image(task) {
            return Ok(Progress::Done);
        }
        let args = image_info::write_image_args(task.node(), task.config(), task.now())?;
        steps::execute(&self.client, task, FlowKind::Deploy, step, args).await
    }
}

/// The steps that the interface itself runs, in their order (the original's priorities).
fn core_steps() -> Vec<StepDef> {
    let def = |step, priority, replay, impact| {
        StepDef::new(InterfaceKind::Deploy, step, priority, replay, impact).abortable()
    };
    vec![
        def("deploy", 100, Replay::Idempotent, Impact::POWER),
        def("write_image", 80, Replay::Probe, Impact::ERASE),
        def(
            "prepare_instance_boot",
            60,
            Replay::Idempotent,
            Impact::NONE,
        ),
        def("tear_down_agent", 40, Replay::Idempotent, Impact::POWER),
        def(
            "switch_to_tenant_network",
            30,
            Replay::Idempotent,
            Impact::NONE,
        ),
        def("boot_instance", 20, Replay::Idempotent, Impact::POWER),
    ]
}

#[async_trait]
impl Interface for AgentDeploy {
    fn properties(&self) -> Properties {
        [
            ("deploy_forces_oob_reboot", "whether the BMC, rather than the agent, switches the machine off after a deployment; default false"),
            ("image_http_proxy", "proxy through which the agent fetches images by http"),
            ("image_https_proxy", "proxy through which the agent fetches images by https"),
            ("image_no_proxy", "hosts that the agent reaches without a proxy, separated by commas"),
        ]
        .into_iter()
        .map(|(key, text)| (key.to_owned(), text.to_owned()))
        .collect()
    }

    async fn validate(&self, task: &SharedTask) -> Result<(), Error> {
        task.driver().boot.validate(task).await?;
        ramdisk::ramdisk_params(task)?;
        let node = task.node();
        capabilities::check(&node.properties, &node.instance_info)?;
        if task.driver().storage.should_write_image(task) {
            image_info::validate(task.node(), task.config())?;
        }
        Ok(())
    }

    fn steps(&self, node: &Node, flow: FlowKind) -> Vec<StepDef> {
        let mut steps = if flow == FlowKind::Deploy {
            core_steps()
        } else {
            Vec::new()
        };
        if matches!(flow, FlowKind::Deploy | FlowKind::Clean | FlowKind::Service) {
            let agent = InterfaceKind::ALL
                .iter()
                .flat_map(|kind| steps::cached(node, flow, *kind));
            let agent: Vec<_> = agent
                .filter(|step| {
                    !steps
                        .iter()
                        .any(|s| s.step == step.step && s.interface == step.interface)
                })
                .collect();
            steps.extend(agent);
        }
        steps
    }

    async fn execute_step(
        &self,
        task: &mut Task,
        flow: FlowKind,
        step: &Step,
    ) -> Result<Progress, Error> {
        if step.source == StepSource::Agent {
            return steps::execute(&self.client, task, flow, step, step.args.clone()).await;
        }
        let driver = task.driver();
        match step.step.as_str() {
            "deploy" if is_fast_track(task).await? => {
                // One that has just inspected the machine is about to call.
                return Ok(match task.node().internal_str("agent_url") {
                    Some(_) => Progress::Done,
                    None => Progress::Wait(Wait::for_agent("write the image")),
                });
            }
            "deploy" => {
                let target = ramdisk::start_of(task.node());
                task.switch_power(target, None).await?;
                return Ok(Progress::Wait(Wait::for_agent("write the image")));
            }
            "write_image" => return self.write_image(task, step).await,
            "prepare_instance_boot" => driver.boot.prepare_instance(task).await?,
            "tear_down_agent" => tear_down::tear_down(&self.client, task).await?,
            "switch_to_tenant_network" => {
                driver
                    .network
                    .disconnect(task, NetworkRole::Provisioning)
                    .await?;
                driver.network.connect(task, NetworkRole::Tenant).await?;
            }
            "boot_instance" if !task.node().disable_power_off && !tear_down::switches_off(task) => {
            }
            "boot_instance" => {
                let target = ramdisk::start_of(task.node());
                task.switch_power(target, None).await?;
            }
            _ => {
                return Err(Error::invalid(format!(
                    "the deploy interface has no step {step}"
                )));
            }
        }
        Ok(Progress::Done)
    }

    async fn step_progress(
        &self,
        task: &SharedTask,
        flow: FlowKind,
        _step: &Step,
    ) -> Result<StepProgress, Error> {
        steps::progress(&self.client, task, flow).await
    }

    fn forecast(&self, outlook: &Outlook<'_>) -> Forecast {
        match outlook.part {
            Part::Step(step) => of_step(outlook, step),
            Part::Prepare => of_prepare(outlook),
            Part::Finish => {
                let left = ramdisk::leaving(outlook, role_of(outlook.flow));
                match outlook.flow {
                    FlowKind::Service => ramdisk::starting_instance(left, outlook.node),
                    _ => left,
                }
            }
        }
    }
}

/// What [`AgentDeploy`] does before the steps, or instead of them.
fn of_prepare(outlook: &Outlook<'_>) -> Forecast {
    let (node, flow, nothing) = (outlook.node, outlook.flow, Forecast::default());
    match flow {
        FlowKind::Adopt => nothing.then(Deed::BootInstance),
        FlowKind::TearDown => {
            let left = nothing.disconnect(NetworkRole::Provisioning);
            ramdisk::stopping(left, node).disconnect(NetworkRole::Tenant)
        }
        FlowKind::Deploy if outlook.ramdisk_runs => nothing
            .disconnect(NetworkRole::Tenant)
            .connect(NetworkRole::Provisioning),
        FlowKind::Deploy => ramdisk::stopping(nothing, node)
            .disconnect(NetworkRole::Tenant)
            .connect(NetworkRole::Provisioning)
            .then(Deed::BootRamdisk),
        _ if outlook.ramdisk_runs => {
            let ready = nothing.connect(role_of(flow)).then(Deed::BootRamdisk);
            waiting(ready, node, &format!("{flow} steps"))
        }
        _ => {
            let left = match flow {
                FlowKind::Service => ramdisk::leaving_instance(node),
                _ => nothing,
            };
            ramdisk::booting(left, node, role_of(flow))
                .wait(Wait::for_agent(format!("{flow} steps")))
        }
    }
}

/// The agent of a ramdisk that runs is waited for where it has not called yet.
fn waiting(so_far: Forecast, node: &Node, then: &str) -> Forecast {
    match node.internal_str("agent_url") {
        Some(_) => so_far,
        None => so_far.wait(Wait::for_agent(then)),
    }
}

/// What [`AgentDeploy`]'s own steps, and those of the agent, do.
fn of_step(outlook: &Outlook<'_>, step: &Step) -> Forecast {
    let node = outlook.node;
    if step.source == StepSource::Agent {
        return Forecast::default().wait(Wait::for_step(step, Duration::ZERO));
    }
    let forecast = Forecast::default().complete();
    match step.step.as_str() {
        "deploy" if outlook.ramdisk_runs => waiting(forecast, node, "write the image"),
        "deploy" => {
            let start = forecast.power(ramdisk::start_of(node));
            start.wait(Wait::for_agent("write the image"))
        }
        "write_image" => forecast.wait(Wait::for_step(step, Duration::ZERO)),
        "prepare_instance_boot" => forecast.then(Deed::BootInstance),
        "tear_down_agent" if node.disable_power_off => forecast,
        "tear_down_agent" if !outlook.switches_off => forecast.power(PowerTarget::Reboot),
        "tear_down_agent" => forecast.power(PowerTarget::Off),
        "switch_to_tenant_network" => forecast
            .disconnect(NetworkRole::Provisioning)
            .connect(NetworkRole::Tenant),
        "boot_instance" if !outlook.switches_off && !node.disable_power_off => forecast,
        "boot_instance" => forecast.power(ramdisk::start_of(node)),
        _ => forecast,
    }
}

/// The network of a flow's ramdisk, where it is not the provisioning one.
fn role_of(flow: FlowKind) -> NetworkRole {
    if flow == FlowKind::Service {
        NetworkRole::Servicing
    } else {
        NetworkRole::Cleaning
    }
}

#[async_trait]
impl Deploy for AgentDeploy {
    async fn prepare(&self, task: &mut Task) -> Result<Progress, Error> {
        let driver = task.driver();
        let state = task.node().provision_state;
        if matches!(state, ProvisionState::Adopting | ProvisionState::Active) {
            // The instance runs; only what it boots from has to be there.
            driver.boot.prepare_instance(task).await?;
            return Ok(Progress::Done);
        }
        driver.network.validate(task).await?;
        let params = ramdisk::ramdisk_params(task)?;
        let runs = is_fast_track(task).await?;
        if !runs && !task.node().disable_power_off {
            task.switch_power(PowerTarget::Off, None).await?;
        }
        driver.storage.attach_volumes(task).await?;
        // After a rebuild the machine may still be where its instance was.
        driver.network.disconnect(task, NetworkRole::Tenant).await?;
        driver
            .network
            .connect(task, NetworkRole::Provisioning)
            .await?;
        task.node_mut()
            .set_internal("is_whole_disk_image", Value::Bool(true));
        if !runs {
            driver.boot.prepare_ramdisk(task, &params).await?;
        }
        Ok(Progress::Done)
    }

    async fn clean_up(&self, task: &mut Task) -> Result<(), Error> {
        let driver = task.driver();
        driver.boot.clean_up_ramdisk(task).await?;
        driver.boot.clean_up_instance(task).await?;
        // A machine whose deployment failed is not left running whatever it runs.
        let failed = task.node().provision_state == ProvisionState::DeployFailed;
        let off = failed && task.config().policy.switches_off_after(FlowKind::Deploy);
        if off && !task.node().disable_power_off {
            task.switch_power(PowerTarget::Off, None).await?;
        }
        driver
            .network
            .disconnect(task, NetworkRole::Provisioning)
            .await
    }

    async fn tear_down(&self, task: &mut Task) -> Result<Progress, Error> {
        let driver = task.driver();
        if !task.node().disable_power_off {
            task.switch_power(PowerTarget::Off, None).await?;
        }
        driver.storage.detach_volumes(task).await?;
        driver.network.disconnect(task, NetworkRole::Tenant).await?;
        Ok(Progress::Done)
    }

    async fn take_over(&self, _task: &mut Task) -> Result<(), Error> {
        Ok(())
    }

    async fn prepare_steps(&self, task: &mut Task, flow: FlowKind) -> Result<Progress, Error> {
        let params = ramdisk::ramdisk_params(task)?;
        if flow == FlowKind::Service {
            ramdisk::leave_instance(task).await?;
        }
        let role = role_of(flow);
        let wait = Progress::Wait(Wait::for_agent(format!("{flow} steps")));
        if !is_fast_track(task).await? {
            ramdisk::boot(task, role, &params).await?;
            return Ok(wait);
        }
        let driver = task.driver();
        driver.network.connect(task, role).await?;
        driver.boot.prepare_ramdisk(task, &params).await?;
        // One that has just inspected the machine is about to call.
        let known = task.node().internal_str("agent_url").is_some();
        Ok(if known { Progress::Done } else { wait })
    }

    async fn tear_down_steps(&self, task: &mut Task, flow: FlowKind) -> Result<(), Error> {
        if flow != FlowKind::Service {
            return ramdisk::leave(task, NetworkRole::Cleaning).await;
        }
        if task.node().disable_power_off {
            tear_down::lock_down_if_there(&self.client, task).await?;
        }
        if task.node().fault.is_some() {
            // The machine stays in its ramdisk for somebody to look at.
            return task.driver().boot.clean_up_ramdisk(task).await;
        }
        ramdisk::leave(task, NetworkRole::Servicing).await?;
        ramdisk::start_instance(task).await
    }

    async fn refresh_steps(&self, task: &mut Task, flow: FlowKind) -> Result<(), Error> {
        steps::refresh(&self.client, task, flow).await
    }
}
