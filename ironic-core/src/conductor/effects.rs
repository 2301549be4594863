//! Carrying effects out: which interface's method each one is, by the kind of the flow.

use std::sync::Arc;
use std::time::Duration;

use super::Inner;
use crate::Error;
use crate::driver::Task;
use crate::engine::{Outcome, RAMDISK_BOOTED, RESCUED};
use crate::flow::{Effect, Flow, Progress};
use crate::model::{Node, capabilities};
use crate::states::{FlowKind, PowerState, PowerTarget};
use crate::steps::ReservedStep;

/// Carries out an effect of a flow.
pub(super) async fn perform(
    inner: &Arc<Inner>,
    task: &mut Task,
    kind: FlowKind,
    effect: &Effect,
) -> Result<Outcome, Error> {
    let driver = task.driver();
    let disable_ramdisk = task.flow().is_some_and(|flow| flow.disable_ramdisk);
    let progress = match effect {
        Effect::Prepare if disable_ramdisk => {
            driver.power.validate(task).await?;
            Progress::Done
        }
        // What was not prepared is not undone.
        Effect::Finish | Effect::CleanUp if disable_ramdisk => Progress::Done,
        Effect::Prepare => prepare(task, kind).await?,
        Effect::RefreshSteps => {
            driver.deploy.refresh_steps(task, kind).await?;
            Progress::Done
        }
        Effect::RunStep { index } => {
            let step = step(task, *index)?;
            tracing::info!(node = %task.node_id(), flow = %kind, %step, "step begins");
            if let Some(children) = &step.children {
                let own = step.own();
                return inner
                    .run_on_children(task, kind, &own, children)
                    .await
                    .map(|_| Outcome::Done);
            }
            match step.reserved() {
                Some(reserved) => run_reserved(task, kind, reserved).await?,
                None => {
                    let interface = driver.interface(step.interface);
                    interface.execute_step(task, kind, &step).await?
                }
            }
        }
        Effect::CheckStep { index } => {
            let step = step(task, *index)?;
            let progress = driver
                .interface(step.interface)
                .step_progress(task, kind, &step)
                .await?;
            return Ok(Outcome::Progress(progress));
        }
        Effect::Finish => finish(task, kind).await?,
        Effect::CleanUp => clean_up(task, kind).await?,
        Effect::SetPower { target, timeout } => {
            set_power(task, *target, timeout.map(Duration::from_secs)).await?
        }
    };
    Ok(match progress {
        Progress::Done => Outcome::Done,
        Progress::Wait(wait) => Outcome::Wait(wait),
    })
}

fn step(task: &Task, index: u32) -> Result<crate::steps::Step, Error> {
    task.flow()
        .and_then(|flow| flow.plan.get(index))
        .cloned()
        .ok_or_else(|| Error::internal(format!("the plan has no step {index}")))
}

async fn prepare(task: &mut Task, kind: FlowKind) -> Result<Progress, Error> {
    let driver = task.driver();
    match kind {
        FlowKind::Verify => {
            driver.power.validate(task).await?;
            let state = driver.power.get_power_state(task).await?;
            if state == Some(PowerState::Error) {
                return Err(Error::driver(
                    task.interfaces().get(crate::states::InterfaceKind::Power),
                    "the power state is \"error\": the credentials may be wrong, or the machine is broken",
                ));
            }
            if state.is_some() {
                task.node_mut().power_state = state;
            }
            Ok(Progress::Done)
        }
        FlowKind::Inspect => driver.inspect.inspect_hardware(task).await,
        FlowKind::Clean if task.node().maintenance => Err(Error::InMaintenance {
            verb: "clean".to_owned(),
            node: task.node_id(),
        }),
        FlowKind::Clean | FlowKind::Service => {
            driver.power.validate(task).await?;
            driver.network.validate(task).await?;
            driver.deploy.prepare_steps(task, kind).await
        }
        FlowKind::Deploy => driver.deploy.prepare(task).await,
        FlowKind::TearDown => {
            let rescued = |flow: &Flow| flow.args.contains_key(RESCUED);
            if task.flow().is_some_and(rescued) {
                driver.rescue.clean_up(task).await?;
            }
            if task.node().console_enabled {
                driver.console.stop(task).await?;
            }
            driver.deploy.clean_up(task).await?;
            driver.deploy.tear_down(task).await
        }
        FlowKind::Rescue => driver.rescue.rescue(task).await,
        FlowKind::Unrescue => driver.rescue.unrescue(task).await,
        FlowKind::Adopt => adopt(task).await,
        FlowKind::Power => Ok(Progress::Done),
    }
}

/// Makes this conductor able to look after an instance that it did not deploy: what the machine
/// boots is checked where it does not boot from its disk, and set up as after a deployment.
async fn adopt(task: &mut Task) -> Result<Progress, Error> {
    let driver = task.driver();
    super::verbs::note_image_type(task.node_mut());
    if boot_option(task.node())? != "local" {
        driver.boot.validate(task).await?;
    }
    if let Progress::Wait(wait) = driver.deploy.prepare(task).await? {
        return Ok(Progress::Wait(wait));
    }
    driver.deploy.take_over(task).await?;
    if task.node().console_enabled
        && let Err(error) = driver.console.start(task).await
    {
        // An instance without its console is better than none.
        tracing::warn!(node = %task.node_id(), %error, "the console could not be started");
        let node = task.node_mut();
        node.console_enabled = false;
    }
    Ok(Progress::Done)
}

/// Where the instance boots from, as its capabilities say.
fn boot_option(node: &Node) -> Result<String, Error> {
    let wanted = capabilities::of_instance(&node.instance_info)?;
    let option = wanted
        .get("boot_option")
        .and_then(serde_json::Value::as_str);
    Ok(option.unwrap_or("local").to_owned())
}

async fn finish(task: &mut Task, kind: FlowKind) -> Result<Progress, Error> {
    let driver = task.driver();
    match kind {
        FlowKind::Inspect => driver.inspect.finish(task).await?,
        FlowKind::Clean | FlowKind::Service => driver.deploy.tear_down_steps(task, kind).await?,
        FlowKind::Rescue => driver.rescue.finish(task).await?,
        _ => {}
    }
    Ok(Progress::Done)
}

async fn clean_up(task: &mut Task, kind: FlowKind) -> Result<Progress, Error> {
    let driver = task.driver();
    match kind {
        FlowKind::Inspect => driver.inspect.abort(task).await?,
        FlowKind::Clean | FlowKind::Service => driver.deploy.tear_down_steps(task, kind).await?,
        FlowKind::Deploy => driver.deploy.clean_up(task).await?,
        FlowKind::Rescue => {
            // A ramdisk that was given up is not left running; one that somebody aborted is.
            let given_up =
                |flow: &Flow| flow.args.contains_key(RAMDISK_BOOTED) && !flow.abort_requested;
            if task.flow().is_some_and(given_up) && !task.node().disable_power_off {
                task.switch_power(PowerTarget::Off, None).await?;
            }
            driver.rescue.clean_up(task).await?;
        }
        _ => {}
    }
    Ok(Progress::Done)
}

/// Runs a step that is the conductor's own.
async fn run_reserved(
    task: &mut Task,
    kind: FlowKind,
    reserved: ReservedStep,
) -> Result<Progress, Error> {
    match reserved.power() {
        Some(target) => {
            let supported = task.driver().power.supported_targets(task);
            if !supported.contains(&target) {
                return Err(Error::invalid(format!(
                    "the power interface does not support the power state \"{target}\""
                )));
            }
            set_power(task, target, None).await
        }
        None => Err(Error::internal(format!(
            "the {kind} step {reserved} is decided, not carried out"
        ))),
    }
}

async fn set_power(
    task: &mut Task,
    target: PowerTarget,
    timeout: Option<Duration>,
) -> Result<Progress, Error> {
    task.driver().power.validate(task).await?;
    let soft = matches!(target, PowerTarget::SoftOff | PowerTarget::SoftReboot);
    let usual = soft.then(|| task.config().soft_power_off_timeout);
    let timeout = timeout.filter(|timeout| !timeout.is_zero()).or(usual);
    task.switch_power(target, timeout).await?;
    Ok(Progress::Done)
}
