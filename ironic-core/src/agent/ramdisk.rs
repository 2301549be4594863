//! Booting the ramdisk and leaving it, as every interface that works through the agent does.

use crate::Error;
use crate::driver::{NetworkRole, RamdiskParams, SharedTask, Task};
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
    // From off, a reboot is a start; a machine that is never switched off restarts.
    let target = if task.node().disable_power_off {
        PowerTarget::Reboot
    } else {
        PowerTarget::On
    };
    task.switch_power(target, None).await
}

/// Stops the ramdisk, unless the machine stays as it is for somebody to look at, and disconnects it.
pub(crate) async fn leave(task: &mut Task, role: NetworkRole) -> Result<(), Error> {
    let driver = task.driver();
    let kept = task.node().fault.is_some() || task.node().disable_power_off;
    if !kept {
        task.switch_power(PowerTarget::Off, None).await?;
    }
    driver.boot.clean_up_ramdisk(task).await?;
    driver.network.disconnect(task, role).await
}
