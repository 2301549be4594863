use std::time::Duration;

use async_trait::async_trait;

use super::{Interface, SharedTask, Task};
use crate::Error;
use crate::states::{PowerState, PowerTarget};

/// Switches power.
///
/// # Contract
/// Besides what [`Interface`] asks for:
///
/// | method | who calls it, and when | lock |
/// |---|---|---|
/// | [`get_power_state`](Self::get_power_state) | verification; power sync, every `sync_power_state_interval`; interfaces that have to know | either way |
/// | [`set_power_state`](Self::set_power_state) | the conductor for requests, reserved steps and power sync; other interfaces by way of [`Task::switch_power`] | held |
/// | [`supports_sync`](Self::supports_sync) | power sync, before it reads | no |
/// | [`supported_targets`](Self::supported_targets) | the conductor, before it accepts a change of power or runs a reserved step | held |
///
/// - **Done means seen.** When `set_power_state` has returned, the machine has been seen in the
///   state asked for, and after a reboot on again. To ask for the state that it is in is no error.
/// - **Only what is listed.** The conductor refuses a target that `supported_targets` lacks;
///   other interfaces do not ask. One that gets here all the same is [`Error::Unsupported`] or
///   [`Error::InvalidParameter`], and nothing is sent.
/// - **Time.** At most `timeout`, where one is given: for soft targets
///   `soft_power_off_timeout` unless the caller says; without one, as long as the driver thinks
///   right. Then [`Error::Timeout`], and the engine records the power as it was.
/// - **Not recorded here.** The node's `power_state` is set by who calls, from what it returned.
///   Other interfaces therefore call [`Task::switch_power`], never this.
/// - **Retried.** A reading that fails is tried again at the next round; after
///   `power_state_sync_max_retries` the node goes into maintenance, and comes out when its BMC
///   answers. `Some(PowerState::Error)` counts as failed. A switch that fails is not tried again.
/// - **Crash.** A switch is carried out again: a reboot may happen twice.
///
/// **Checked by** `driver_conformance!`: the room `power`, among others
/// `the_state_set_is_the_state_read`, `setting_what_is_set_is_no_error`, `a_timeout_is_kept` and
/// `unsupported_targets_are_refused`.
///
/// Power of a machine at a switched socket, which is on or off and knows nothing else:
///
/// ```
/// use std::time::Duration;
///
/// use async_trait::async_trait;
/// use ironic_core::driver::{Interface, Power, SharedTask, Task};
/// use ironic_core::governor::BmcEndpoint;
/// use ironic_core::{Error, PowerState, PowerTarget};
///
/// # use std::sync::atomic::{AtomicBool, Ordering};
/// struct Socket(AtomicBool);
///
/// # #[async_trait]
/// # impl Interface for Socket {
/// #     async fn validate(&self, _task: &SharedTask) -> Result<(), Error> { Ok(()) }
/// # }
/// #[async_trait]
/// impl Power for Socket {
///     async fn get_power_state(&self, task: &SharedTask) -> Result<Option<PowerState>, Error> {
///         let _permit = task.bmc_permit(&BmcEndpoint::new("socket 7")).await?;
///         let on = self.0.load(Ordering::SeqCst);
///         Ok(Some(if on { PowerState::On } else { PowerState::Off }))
///     }
///
///     async fn set_power_state(
///         &self,
///         task: &mut Task,
///         target: PowerTarget,
///         _timeout: Option<Duration>,
///     ) -> Result<(), Error> {
///         let _permit = task.bmc_permit(&BmcEndpoint::new("socket 7")).await?;
///         match target {
///             PowerTarget::On | PowerTarget::Off => self.0.store(target == PowerTarget::On, Ordering::SeqCst),
///             other => return Err(Error::invalid(format!("a socket cannot {other}"))),
///         }
///         Ok(())
///     }
///
///     fn supported_targets(&self, _task: &SharedTask) -> Vec<PowerTarget> {
///         vec![PowerTarget::On, PowerTarget::Off]
///     }
/// }
/// ```
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
