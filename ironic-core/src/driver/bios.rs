use async_trait::async_trait;

use super::{Interface, Task};
use crate::Error;

/// Changes firmware settings, as steps.
///
/// # Contract
/// Besides what [`Interface`] asks for:
///
/// - **Called** unasked, under the node's lock: as a cleaning or servicing is prepared, when one
///   has succeeded, and when a node has been verified. `validate` is not asked before.
/// - **Errors fail nothing.** What cannot be read stays as it was, and is told in the log;
///   [`Error::Unsupported`] not even loudly.
/// - **Where it goes.** [`Task::keep_bios_settings`] puts what was read in place of what was there,
///   in a batch of its own, at once.
/// - **Changing** settings is a step (`apply_configuration`, `factory_reset`), by the rules of
///   steps; it says by its [`Impact`](crate::steps::Impact) whether it restarts the machine.
/// - **Crash.** The effect begins again, and with it the reading.
///
/// **Checked by** `driver_conformance!`: `settings_and_versions_may_be_read_again`, and the room
/// `steps`.
///
/// ```
/// use async_trait::async_trait;
/// use ironic_core::Error;
/// use ironic_core::driver::{Bios, Interface, SharedTask, Task};
/// use ironic_core::model::BiosSetting;
///
/// struct Switches;
///
/// # #[async_trait]
/// # impl Interface for Switches {
/// #     async fn validate(&self, _task: &SharedTask) -> Result<(), Error> { Ok(()) }
/// # }
/// #[async_trait]
/// impl Bios for Switches {
///     async fn cache_settings(&self, task: &mut Task) -> Result<(), Error> {
///         let setting = BiosSetting::new(task.node_id(), "hyperthreading", Some("on".to_owned()));
///         task.keep_bios_settings(vec![setting]).await
///     }
/// }
/// ```
#[async_trait]
pub trait Bios: Interface {
    /// Reads the settings into the node's records.
    ///
    /// # Errors
    /// When the BMC does not answer or refuses.
    async fn cache_settings(&self, task: &mut Task) -> Result<(), Error>;
}
