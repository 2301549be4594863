use std::time::Duration;

use async_trait::async_trait;

use super::{Interface, SharedTask, Task};
use crate::Error;
use crate::states::{PowerState, PowerTarget};

/// Switches power.
///
/// # Contract
/// When `set_power_state` has returned, the machine has been seen in the state asked for. Asking
/// for the state that the machine is in is no error.
#[async_trait]
pub trait Power: Interface {
    /// Whether the machine has power; `None` when nothing can tell.
    ///
    /// # Errors
    /// When the BMC does not answer or refuses.
    async fn get_power_state(&self, task: &SharedTask) -> Result<Option<PowerState>, Error>;

    /// Switches power and waits until it is done, at most `timeout`.
    ///
    /// # Errors
    /// [`Error::Timeout`] when the machine did not get there; else as `get_power_state`.
    async fn set_power_state(
        &self,
        task: &mut Task,
        target: PowerTarget,
        timeout: Option<Duration>,
    ) -> Result<(), Error>;

    /// Whether the record of the machine's power can be kept in step with it: not where nothing
    /// can tell.
    fn supports_sync(&self, _task: &SharedTask) -> bool {
        true
    }

    /// What it can do to power.
    fn supported_targets(&self, _task: &SharedTask) -> Vec<PowerTarget> {
        vec![PowerTarget::On, PowerTarget::Off, PowerTarget::Reboot]
    }
}
