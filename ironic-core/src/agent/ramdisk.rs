//! Booting the ramdisk and leaving it, as every interface that works through the agent does.

use super::is_fast_track;
use crate::Error;
use crate::driver::{NetworkRole, RamdiskParams, SharedTask, Task};
use crate::flow::{Deed, Forecast, Outlook};
use crate::model::Node;
use crate::states::PowerTarget;

/// The kernel parameters that lead an agent to this API.
///
/// # Errors
/// [`Error::MissingParameter`] when `api_url` is not configured.
pub fn ramdisk_params(task: &SharedTask) -> Result<RamdiskParams, Error> {
    let url = task.config().api_url.as_deref().ok_or_else(|| {
        Error::missing("api_url is not configured, so an agent could not call back")
    })?;
    Ok(RamdiskParams::from([(
        "ipa-api-url".to_owned(),
        url.trim_end_matches('/').to_owned(),
    )]))
}

/// Connects the machine for `role` and starts the ramdisk with these parameters.
pub(crate) async fn boot(
    task: &mut Task,
    role: NetworkRole,
    params: &RamdiskParams,
) -> Result<(), Error> {
    let driver = task.driver();
    if !task.node().disable_power_off {
        task.switch_power(PowerTarget::Off, None).await?;
    }
    driver.network.connect(task, role).await?;
    driver.boot.prepare_ramdisk(task, params).await?;
    let target = start_of(task.node());
    task.switch_power(target, None).await
}

/// How a machine that was to be off is started: one that is never switched off restarts.
pub(super) fn start_of(node: &Node) -> PowerTarget {
    if node.disable_power_off {
        PowerTarget::Reboot
    } else {
        PowerTarget::On
    }
}

/// What [`boot`] does.
pub(crate) fn booting(so_far: Forecast, node: &Node, role: NetworkRole) -> Forecast {
    stopping(so_far, node)
        .connect(role)
        .then(Deed::BootRamdisk)
        .power(start_of(node))
}

/// What [`leave`] does.
pub(super) fn leaving(outlook: &Outlook<'_>, role: NetworkRole) -> Forecast {
    let so_far = Forecast::default();
    let kept = outlook.node.fault.is_some() || outlook.ramdisk_runs;
    let left = if kept {
        so_far
    } else {
        stopping(so_far, outlook.node)
    };
    left.disconnect(role)
}

/// The machine loses power, where it may.
pub(crate) fn stopping(so_far: Forecast, node: &Node) -> Forecast {
    if node.disable_power_off {
        so_far
    } else {
        so_far.power(PowerTarget::Off)
    }
}

/// Stops the instance, and takes away what it boots from and its networks.
pub(super) async fn leave_instance(task: &mut Task) -> Result<(), Error> {
    let driver = task.driver();
    if !task.node().disable_power_off {
        task.switch_power(PowerTarget::Off, None).await?;
    }
    driver.boot.clean_up_instance(task).await?;
    driver.network.disconnect(task, NetworkRole::Tenant).await
}

/// What [`leave_instance`] does.
pub(super) fn leaving_instance(node: &Node) -> Forecast {
    stopping(Forecast::default(), node).disconnect(NetworkRole::Tenant)
}

/// Starts the instance on its own networks again.
pub(super) async fn start_instance(task: &mut Task) -> Result<(), Error> {
    let driver = task.driver();
    driver.network.connect(task, NetworkRole::Tenant).await?;
    driver.boot.prepare_instance(task).await?;
    let target = start_of(task.node());
    task.switch_power(target, None).await
}

/// What [`start_instance`] does.
pub(super) fn starting_instance(so_far: Forecast, node: &Node) -> Forecast {
    so_far
        .connect(NetworkRole::Tenant)
        .then(Deed::BootInstance)
        .power(start_of(node))
}

/// Stops the ramdisk, unless it is left for the next flow, or the machine stays as it is for
/// somebody to look at; and disconnects it.
pub(crate) async fn leave(task: &mut Task, role: NetworkRole) -> Result<(), Error> {
    let driver = task.driver();
    let kept =
        task.node().fault.is_some() || task.node().disable_power_off || is_fast_track(task).await?;
    if !kept {
        task.switch_power(PowerTarget::Off, None).await?;
    }
    driver.boot.clean_up_ramdisk(task).await?;
    driver.network.disconnect(task, role).await
}
