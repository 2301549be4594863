use async_trait::async_trait;

use super::{Interface, Task};
use crate::Error;
use crate::flow::Progress;

/// Boots the rescue ramdisk and the instance again.
///
/// # Contract
/// Besides what [`Interface`] asks for:
///
/// | method | called as | in |
/// |---|---|---|
/// | [`rescue`](Self::rescue) | `Prepare` | rescue |
/// | [`finish`](Self::finish) | `Finish` | rescue, when the ramdisk's agent has called. Not when `rescue` answered `Done` at once |
/// | [`unrescue`](Self::unrescue) | `Prepare` | unrescue |
/// | [`clean_up`](Self::clean_up) | `CleanUp` | a rescue that failed or was aborted; also first thing in the tear-down of a node in rescue. Not after an unrescue that failed |
///
/// - **Lock.** Always held.
/// - **Again.** Each may be called again after it has succeeded or failed, and then leads to the
///   same result; after a crash it will be.
/// - **The password** is on the node: in `instance_info`, as `rescue_password` in clear and as
///   `hashed_rescue_password`. The engine forgets it after a failure and after an unrescue;
///   `clean_up` forgets what else there is of it.
/// - **Waiting** for the agent ends after `rescue_callback_timeout`. A ramdisk that is given up is
///   switched off before `clean_up`, unless somebody aborted or the node may not be switched off.
/// - **Errors.** `rescue failed` or `unrescue failed`. When `clean_up` fails after an abort, the
///   node goes into maintenance.
///
/// **Checked by** `driver_conformance!`: `rescue_may_be_asked_for_again`.
///
/// A machine that has its rescue system on a second disk, with a password of its own:
///
/// ```
/// use async_trait::async_trait;
/// use ironic_core::driver::{Interface, Rescue, SharedTask, Task};
/// use ironic_core::flow::Progress;
/// use ironic_core::states::BootDevice;
/// use ironic_core::{Error, PowerTarget};
///
/// struct SecondDisk;
///
/// impl SecondDisk {
///     async fn boot(&self, task: &mut Task, device: BootDevice) -> Result<Progress, Error> {
///         let management = task.driver().management.clone();
///         management.set_boot_device(task, device, true).await?;
///         task.switch_power(PowerTarget::Reboot, None).await?;
///         Ok(Progress::Done)
///     }
/// }
///
/// # #[async_trait]
/// # impl Interface for SecondDisk {
/// #     async fn validate(&self, _task: &SharedTask) -> Result<(), Error> { Ok(()) }
/// # }
/// #[async_trait]
/// impl Rescue for SecondDisk {
///     async fn rescue(&self, task: &mut Task) -> Result<Progress, Error> {
///         self.boot(task, BootDevice::Safe).await
///     }
///
///     async fn unrescue(&self, task: &mut Task) -> Result<Progress, Error> {
///         self.boot(task, BootDevice::Disk).await
///     }
/// }
/// ```
#[async_trait]
pub trait Rescue: Interface {
    /// Boots the rescue ramdisk.
    ///
    /// # Errors
    /// Why it cannot.
    async fn rescue(&self, task: &mut Task) -> Result<Progress, Error>;

    /// Boots the instance again.
    ///
    /// # Errors
    /// Why it cannot.
    async fn unrescue(&self, task: &mut Task) -> Result<Progress, Error>;

    /// The ramdisk that `rescue` booted has called: lets somebody in, with the password on the
    /// node (`instance_info`), and makes the machine reachable.
    ///
    /// # Errors
    /// Why it cannot.
    async fn finish(&self, task: &mut Task) -> Result<(), Error> {
        self.clean_up(task).await
    }

    /// Leaves nothing of a rescue behind outside the machine.
    ///
    /// # Errors
    /// Why it cannot.
    async fn clean_up(&self, _task: &mut Task) -> Result<(), Error> {
        Ok(())
    }
}
