use crate::Error;
use crate::driver::SharedTask;
use crate::engine::fast_track::{able, agent_lives, enabled};
use crate::states::PowerState;

/// Whether the ramdisk that runs on the machine is to be used instead of booting another: it may
/// be, the machine has power, and its agent has called lately.
///
/// # Errors
/// [`Error::InvalidParameter`] for a `driver_info/fast_track` that says neither yes nor no; what
/// the power interface says.
pub async fn is_fast_track(task: &SharedTask) -> Result<bool, Error> {
    let (node, policy) = (task.node(), &task.config().policy);
    if !enabled(node, policy)? || !able(node, policy) || !agent_lives(node, policy, task.now()) {
        return Ok(false);
    }
    let driver = task.driver();
    if !driver.storage.should_write_image(task) {
        return Ok(false);
    }
    Ok(driver.power.get_power_state(task).await? == Some(PowerState::On))
}
