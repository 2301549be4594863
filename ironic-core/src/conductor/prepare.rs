//! What the `Prepare` of each flow does to the machine.

use super::Inner;
use super::console::Again;
use super::duty::{Duty, in_ramdisk};
use crate::Error;
use crate::driver::{Deploy, Task};
use crate::engine::RESCUED;
use crate::flow::{Flow, Progress};
use crate::model::{Node, capabilities};
use crate::states::{FlowKind, InterfaceKind, PowerState};

/// Makes the machine ready for a flow.
pub(super) async fn prepare(
    inner: &Inner,
    task: &mut Task,
    kind: FlowKind,
) -> Result<Progress, Error> {
    let driver = task.driver();
    match Duty::to_prepare(&driver, kind, in_ramdisk(task.flow())) {
        Duty::Inspect(inspect) => inspect.inspect_hardware(task).await,
        Duty::Rescue(rescue) if kind == FlowKind::Rescue => rescue.rescue(task).await,
        Duty::Rescue(rescue) => rescue.unrescue(task).await,
        Duty::Deploy(deploy) => by_deploy(inner, task, kind, deploy).await,
        Duty::Conductor => by_conductor(task, kind).await.map(|()| Progress::Done),
    }
}

/// What of that is the conductor's own.
async fn by_conductor(task: &mut Task, kind: FlowKind) -> Result<(), Error> {
    match kind {
        FlowKind::Verify => read_power(task).await,
        FlowKind::Clean | FlowKind::Service => {
            task.driver().power.validate(task).await?;
            super::caches::refresh(task).await;
            Ok(())
        }
        _ => Ok(()),
    }
}

/// What of that is the deploy interface's.
async fn by_deploy(
    inner: &Inner,
    task: &mut Task,
    kind: FlowKind,
    deploy: &dyn Deploy,
) -> Result<Progress, Error> {
    let driver = task.driver();
    match kind {
        FlowKind::Clean | FlowKind::Service => {
            driver.power.validate(task).await?;
            driver.network.validate(task).await?;
            super::caches::refresh(task).await;
            deploy.prepare_steps(task, kind).await
        }
        FlowKind::TearDown => {
            let rescued = |flow: &Flow| flow.args.contains_key(RESCUED);
            if task.flow().is_some_and(rescued) {
                driver.rescue.clean_up(task).await?;
            }
            inner.suspend_console(task).await?;
            deploy.clean_up(task).await?;
            deploy.tear_down(task).await
        }
        FlowKind::Adopt => adopt(inner, task).await,
        _ => {
            let prepared = deploy.prepare(task).await?;
            inner.is_mine(task);
            Ok(prepared)
        }
    }
}

/// A machine can be managed whose power can be read.
async fn read_power(task: &mut Task) -> Result<(), Error> {
    let power = task.driver().power.clone();
    power.validate(task).await?;
    let state = power.get_power_state(task).await?;
    if state == Some(PowerState::Error) {
        return Err(Error::driver(
            task.interfaces().get(InterfaceKind::Power),
            "the power state is \"error\": the credentials may be wrong, or the machine is broken",
        ));
    }
    if state.is_some() {
        task.node_mut().power_state = state;
    }
    Ok(())
}

/// Makes this conductor able to look after an instance that it did not deploy: what the machine
/// boots is checked where it does not boot from its disk, and set up as after a deployment.
async fn adopt(inner: &Inner, task: &mut Task) -> Result<Progress, Error> {
    super::verbs::note_image_type(task.node_mut());
    if boot_option(task.node())? != "local" {
        let boot = task.driver().boot.clone();
        boot.validate(task).await?;
    }
    take_instance(inner, task).await
}

/// Makes this conductor able to look after the instance of a node, without touching it. May be
/// called again after it has succeeded or failed.
pub(super) async fn take_instance(inner: &Inner, task: &mut Task) -> Result<Progress, Error> {
    let deploy = task.driver().deploy.clone();
    if let Progress::Wait(wait) = deploy.prepare(task).await? {
        return Ok(Progress::Wait(wait));
    }
    deploy.take_over(task).await?;
    inner.start_again(task, Again::TakingOver).await;
    inner.is_mine(task);
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
