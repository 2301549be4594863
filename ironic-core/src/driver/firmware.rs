use async_trait::async_trait;

use super::{Interface, Task};
use crate::Error;

/// Updates firmware, as steps.
///
/// # Contract
/// Besides what [`Interface`] asks for:
///
/// - **Called** unasked, under the node's lock and after [`Interface::validate`] has agreed: as a
///   cleaning or servicing is prepared, when one has succeeded, after an inspection, and when a
///   node has been verified.
/// - **Errors fail nothing.** What cannot be read stays as it was, and is told in the log;
///   [`Error::Unsupported`] not even loudly.
/// - **Where it goes.** [`Task::keep_firmware_components`] puts what was read in place of what was
///   there, in a batch of its own, at once.
/// - **Updating** is a step. One that flashes is no step to be repeated without looking: let it be
///   [`Probe`](crate::steps::Replay::Probe), and tell by the versions what became of it.
/// - **Crash.** The effect begins again, and with it the reading.
///
/// **Checked by** `driver_conformance!`: `settings_and_versions_may_be_read_again`, and the room
/// `steps`.
///
/// ```
/// use async_trait::async_trait;
/// use ironic_core::Error;
/// use ironic_core::driver::{Firmware, Interface, SharedTask, Task};
/// use ironic_core::model::FirmwareComponent;
///
/// struct Versions;
///
/// # #[async_trait]
/// # impl Interface for Versions {
/// #     async fn validate(&self, _task: &SharedTask) -> Result<(), Error> { Ok(()) }
/// # }
/// #[async_trait]
/// impl Firmware for Versions {
///     async fn cache_components(&self, task: &mut Task) -> Result<(), Error> {
///         let bmc = FirmwareComponent::new(task.node_id(), "bmc", "1.2.3");
///         task.keep_firmware_components(vec![bmc]).await
///     }
/// }
/// ```
#[async_trait]
pub trait Firmware: Interface {
    /// Reads the versions into the node's records.
    ///
    /// # Errors
    /// When the BMC does not answer or refuses.
    async fn cache_components(&self, task: &mut Task) -> Result<(), Error>;
}
