use async_trait::async_trait;

use super::{Interface, SharedTask, Task};
use crate::Error;

/// Connects volumes outside the machine.
///
/// # Contract
/// Besides what [`Interface`] asks for:
///
/// | method | who calls it, and when | lock |
/// |---|---|---|
/// | [`attach_volumes`](Self::attach_volumes) | `direct`, as it prepares a deployment | held |
/// | [`detach_volumes`](Self::detach_volumes) | `direct`, as it tears down | held |
/// | [`should_write_image`](Self::should_write_image) | deploy and boot interfaces, whenever they have to know | either way |
///
/// - The conductor itself calls none of them: a deploy interface of a host's own has to.
/// - **Again.** Each may be called again after it has succeeded or failed, and then leads to the
///   same result: after a crash, of a deployment or a tear-down, it will be. To detach what is not
///   attached is no error.
/// - **Same answer.** `should_write_image` does no I/O, and answers the same from the preparation
///   of a deployment to its end.
/// - **Errors** fail the flow. A tear-down that cannot detach ends in state `error`.
///
/// **Checked by** `driver_conformance!`: `volumes_may_be_asked_for_again`.
///
/// ```
/// use async_trait::async_trait;
/// use ironic_core::Error;
/// use ironic_core::driver::{Interface, SharedTask, Storage, Task};
///
/// /// Volumes that are always attached, and that machines boot from.
/// struct Cabled;
///
/// # #[async_trait]
/// # impl Interface for Cabled {
/// #     async fn validate(&self, _task: &SharedTask) -> Result<(), Error> { Ok(()) }
/// # }
/// #[async_trait]
/// impl Storage for Cabled {
///     async fn attach_volumes(&self, _task: &mut Task) -> Result<(), Error> {
///         Ok(())
///     }
///
///     async fn detach_volumes(&self, _task: &mut Task) -> Result<(), Error> {
///         Ok(())
///     }
///
///     fn should_write_image(&self, _task: &SharedTask) -> bool {
///         false
///     }
/// }
/// ```
#[async_trait]
pub trait Storage: Interface {
    /// Attaches the node's volumes.
    ///
    /// # Errors
    /// Why it cannot.
    async fn attach_volumes(&self, task: &mut Task) -> Result<(), Error>;

    /// Detaches them.
    ///
    /// # Errors
    /// Why it cannot.
    async fn detach_volumes(&self, task: &mut Task) -> Result<(), Error>;

    /// Whether an image is to be written to the machine's disk at all.
    fn should_write_image(&self, _task: &SharedTask) -> bool {
        true
    }
}
