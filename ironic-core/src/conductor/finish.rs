//! What ends a flow: undoing what its `Prepare` did, after success and after failure.

use super::console::Again;
use super::duty::{Duty, in_ramdisk};
use super::{Inner, caches};
use crate::Error;
use crate::driver::Task;
use crate::engine::RAMDISK_BOOTED;
use crate::flow::Flow;
use crate::states::{FlowKind, PowerTarget};

/// By what several failures of a clean-up are told.
const CLEAN_UP: &str = "clean up";

/// The flow has succeeded.
pub(super) async fn finish(inner: &Inner, task: &mut Task, kind: FlowKind) -> Result<(), Error> {
    let driver = task.driver();
    match Duty::to_finish(&driver, kind, in_ramdisk(task.flow())) {
        Duty::Inspect(inspect) => inspect.finish(task).await?,
        Duty::Deploy(deploy) => deploy.tear_down_steps(task, kind).await?,
        Duty::Rescue(rescue) => rescue.finish(task).await?,
        Duty::Conductor => {}
    }
    match kind {
        FlowKind::Verify | FlowKind::Clean | FlowKind::Service => caches::refresh(task).await,
        FlowKind::Inspect => caches::refresh_firmware(task).await,
        FlowKind::Deploy => inner.start_again(task, Again::Deploying).await,
        _ => {}
    }
    Ok(())
}

/// The flow has failed: the machine is left in a safe state.
pub(super) async fn clean_up(task: &mut Task, kind: FlowKind) -> Result<(), Error> {
    let driver = task.driver();
    match kind {
        FlowKind::Inspect => driver.inspect.abort(task).await,
        FlowKind::Clean | FlowKind::Service => {
            let mut torn_down = Ok(());
            if in_ramdisk(task.flow()) {
                torn_down = driver.deploy.tear_down_steps(task, kind).await;
            }
            let aborted = task.flow().is_some_and(|flow| flow.abort_requested);
            let off = task.config().policy.switches_off_after(kind) && !aborted;
            if !off || task.node().disable_power_off {
                return torn_down;
            }
            let switched = task.switch_power(PowerTarget::Off, None).await;
            Error::joined(CLEAN_UP, [torn_down, switched])
        }
        FlowKind::Deploy => driver.deploy.clean_up(task).await,
        FlowKind::Rescue => {
            // A ramdisk that was given up is not left running; one that somebody aborted is.
            let given_up =
                |flow: &Flow| flow.args.contains_key(RAMDISK_BOOTED) && !flow.abort_requested;
            let mut switched = Ok(());
            if task.flow().is_some_and(given_up) && !task.node().disable_power_off {
                switched = task.switch_power(PowerTarget::Off, None).await;
            }
            // One that keeps its power is cut off all the same.
            Error::joined(CLEAN_UP, [switched, driver.rescue.clean_up(task).await])
        }
        _ => Ok(()),
    }
}
