//! Carrying effects out: which interface's method each one is, by the kind of the flow.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::Inner;
use super::duty::Runner;
use super::finish::{clean_up, finish};
use super::prepare::prepare;
use crate::Error;
use crate::driver::Task;
use crate::engine::Outcome;
use crate::flow::{Effect, Progress};
use crate::metrics;
use crate::states::{FlowKind, PowerTarget};
use crate::steps::ReservedStep;

/// Carries out an effect of a flow.
pub(super) async fn perform(
    inner: &Arc<Inner>,
    task: &mut Task,
    kind: FlowKind,
    effect: &Effect,
) -> Result<Outcome, Error> {
    let driver = task.driver();
    let progress = match effect {
        Effect::Prepare => prepare(inner, task, kind).await?,
        Effect::RefreshSteps => {
            driver.deploy.refresh_steps(task, kind).await?;
            Progress::Done
        }
        Effect::RunStep { index } => {
            let step = step(task, *index)?;
            tracing::info!(node = %task.node_id(), flow = %kind, %step, "step begins");
            match Runner::of(&driver, &step) {
                Runner::Children(children) => {
                    let own = step.own();
                    // Rare, and as large as all else that is done here.
                    let ran = Box::pin(inner.run_on_children(task, kind, &own, children));
                    return ran.await.map(|_| Outcome::Done);
                }
                Runner::Conductor(reserved) => run_reserved(task, kind, reserved).await?,
                Runner::Interface(interface) => {
                    let begun = Instant::now();
                    let called = interface.execute_step(task, kind, &step).await;
                    let outcome = match &called {
                        Ok(Progress::Done) => "done",
                        Ok(Progress::Wait(_)) => "waiting",
                        Err(_) => "failed",
                    };
                    metrics::step(step.interface.as_str(), outcome, begun.elapsed());
                    called?
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
        Effect::Finish => {
            finish(inner, task, kind).await?;
            Progress::Done
        }
        Effect::CleanUp => {
            clean_up(task, kind).await?;
            Progress::Done
        }
        Effect::SetPower { target, timeout } => {
            driver.power.validate(task).await?;
            let patience = patience(task, *target, *timeout);
            task.switch_power_untold(*target, patience).await?;
            Progress::Done
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
            task.driver().power.validate(task).await?;
            let patience = patience(task, target, None);
            task.switch_power(target, patience).await?;
            Ok(Progress::Done)
        }
        None => Err(Error::internal(format!(
            "the {kind} step {reserved} is decided, not carried out"
        ))),
    }
}

/// How long a change of power may take: as long as asked for, else as the driver or, where the
/// machine's operating system has to help, the configuration says.
fn patience(task: &Task, target: PowerTarget, asked: Option<u64>) -> Option<Duration> {
    let soft = matches!(target, PowerTarget::SoftOff | PowerTarget::SoftReboot);
    let usual = soft.then(|| task.config().soft_power_off_timeout);
    let asked = asked.map(Duration::from_secs);
    asked.filter(|timeout| !timeout.is_zero()).or(usual)
}
