//! Bringing a machine's boot mode and secure boot in line with its node.

use ironic_core::driver::Task;
use ironic_core::states::{BootMode, ProvisionState};
use ironic_core::{Error, ErrorKind};

use crate::boot::{BootConfig, BootNode, is_secure_boot_requested, requested_boot_mode};

/// Settles the boot mode: what the node asks for, else what the machine has, else the default.
///
/// What the node did not ask for is remembered in `driver_internal_info/deploy_boot_mode`. A
/// machine that can not be told its mode is taken to be in it, unless it says that it is not.
pub(super) async fn sync(task: &mut Task, config: &BootConfig) -> Result<(), Error> {
    let driver = task.driver();
    driver.management.validate(task).await?;
    let found = match driver.management.get_boot_mode(task).await {
        Err(error) if error.kind() == ErrorKind::Unsupported => None,
        other => other?,
    };
    let asked = requested_boot_mode(&BootNode::of_task(task))?;
    match (asked, found) {
        (None, None) => {
            let mode = &config.default_boot_mode;
            remember(task, mode);
            set(task, mode, true).await
        }
        (None, Some(found)) => {
            remember(task, found.as_str());
            Ok(())
        }
        (Some(asked), None) => set(task, &asked, true).await,
        (Some(asked), Some(found)) if asked != found.as_str() => set(task, &asked, false).await,
        (Some(_), Some(_)) => Ok(()),
    }
}

fn remember(task: &mut Task, mode: &str) {
    task.node_mut()
        .set_internal("deploy_boot_mode", mode.into());
}

async fn set(task: &mut Task, mode: &str, tolerant: bool) -> Result<(), Error> {
    if task.node().provision_state == ProvisionState::Adopting {
        return Ok(());
    }
    let mode: BootMode = mode.parse()?;
    match task.driver().management.set_boot_mode(task, mode).await {
        Err(error) if tolerant && error.kind() == ErrorKind::Unsupported => {
            tracing::debug!(node = %task.node_id(), %mode, "the machine is taken to be in its boot mode");
            Ok(())
        }
        Err(error) => Err(error),
        Ok(()) => {
            observe(task).await;
            Ok(())
        }
    }
}

/// Turns secure boot on or off, for an instance that asks for it.
///
/// # Errors
///
/// What management says, other than that it can not.
pub(super) async fn set_secure_boot(task: &mut Task, on: bool) -> Result<(), Error> {
    if !is_secure_boot_requested(&BootNode::of_task(task))? {
        return Ok(());
    }
    match task.driver().management.set_secure_boot(task, on).await {
        Err(error) if error.kind() == ErrorKind::Unsupported => {
            if on {
                tracing::warn!(node = %task.node_id(), "secure boot is asked for, and can not be turned on");
            }
            Ok(())
        }
        Err(error) => Err(error),
        Ok(()) => {
            observe(task).await;
            Ok(())
        }
    }
}

/// Notes on the node how the machine boots now; a machine that does not say changes nothing.
async fn observe(task: &mut Task) {
    let driver = task.driver();
    if let Ok(Some(mode)) = driver.management.get_boot_mode(task).await {
        task.node_mut().boot_mode = Some(mode);
    }
    if let Ok(Some(on)) = driver.management.get_secure_boot(task).await {
        task.node_mut().secure_boot = Some(on);
    }
}
