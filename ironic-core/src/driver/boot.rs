use std::collections::BTreeMap;

use async_trait::async_trait;

use super::{Interface, SharedTask, Task};
use crate::Error;

/// The kernel parameters of a ramdisk, such as `ipa-api-url`.
pub type RamdiskParams = BTreeMap<String, String>;

/// Decides what the machine boots, and sees to it that it can.
///
/// # Contract
/// Besides what [`Interface`] asks for:
///
/// | method | who calls it, and when |
/// |---|---|
/// | [`prepare_ramdisk`](Self::prepare_ramdisk) | `direct` as it prepares a deployment, cleaning or servicing, `agent` as it inspects or rescues; each before it starts the machine |
/// | [`clean_up_ramdisk`](Self::clean_up_ramdisk) | the same, once the ramdisk is left; also when none was ever prepared |
/// | [`prepare_instance`](Self::prepare_instance) | `direct` in its step `prepare_instance_boot`, at adoption and when another conductor takes the instance over; after servicing and rescue |
/// | [`clean_up_instance`](Self::clean_up_instance) | before a tear-down, a servicing or a rescue, and after a deployment that failed |
/// | [`validate_inspection`](Self::validate_inspection), [`validate_rescue`](Self::validate_rescue) | `agent`, when it is validated itself |
///
/// - **Lock.** Held for the four that change something. The conductor never calls them: deploy,
///   inspect and rescue interfaces do, within their own effects, whose rules they share.
/// - **Again.** Each of the four may be called again after it has succeeded or failed, on another
///   conductor as well, and then leads to the same result: name files and leases by the node.
///   To clean up what is not there is no error.
/// - **No power.** None of them switches it; what they set takes effect at the next boot. They
///   may use [`Management`](super::Management), for the boot device or virtual media.
/// - **After a take-over** `prepare_instance` is called on the new conductor while the instance
///   runs: what it serves must be there afterwards, and the machine must not notice.
/// - **Errors** fail what they are part of.
/// - **Crash.** The effect that called them begins again, so they are called again.
///
/// **Checked by** `driver_conformance!`: `boot_may_be_asked_for_again` and
/// `booting_switches_no_power`.
///
/// Boot by the disk alone, for machines whose ramdisk is always on a stick:
///
/// ```
/// use async_trait::async_trait;
/// use ironic_core::Error;
/// use ironic_core::driver::{Boot, Interface, RamdiskParams, SharedTask, Task};
/// use ironic_core::states::BootDevice;
///
/// struct Stick;
///
/// impl Stick {
///     async fn next(&self, task: &mut Task, device: BootDevice, always: bool) -> Result<(), Error> {
///         let management = task.driver().management.clone();
///         management.set_boot_device(task, device, always).await
///     }
/// }
///
/// # #[async_trait]
/// # impl Interface for Stick {
/// #     async fn validate(&self, task: &SharedTask) -> Result<(), Error> {
/// #         task.driver().management.validate(task).await
/// #     }
/// # }
/// #[async_trait]
/// impl Boot for Stick {
///     async fn prepare_ramdisk(&self, task: &mut Task, _params: &RamdiskParams) -> Result<(), Error> {
///         self.next(task, BootDevice::Cdrom, false).await
///     }
///
///     async fn clean_up_ramdisk(&self, _task: &mut Task) -> Result<(), Error> {
///         Ok(()) // It was for one boot.
///     }
///
///     async fn prepare_instance(&self, task: &mut Task) -> Result<(), Error> {
///         self.next(task, BootDevice::Disk, true).await
///     }
///
///     async fn clean_up_instance(&self, _task: &mut Task) -> Result<(), Error> {
///         Ok(())
///     }
/// }
/// ```
#[async_trait]
pub trait Boot: Interface {
    /// Lets the next boot start the ramdisk with these parameters.
    ///
    /// # Errors
    /// Why it cannot.
    async fn prepare_ramdisk(&self, task: &mut Task, params: &RamdiskParams) -> Result<(), Error>;

    /// Undoes `prepare_ramdisk`.
    ///
    /// # Errors
    /// Why it cannot.
    async fn clean_up_ramdisk(&self, task: &mut Task) -> Result<(), Error>;

    /// Lets the next and later boots start the instance.
    ///
    /// # Errors
    /// Why it cannot.
    async fn prepare_instance(&self, task: &mut Task) -> Result<(), Error>;

    /// Undoes `prepare_instance`.
    ///
    /// # Errors
    /// Why it cannot.
    async fn clean_up_instance(&self, task: &mut Task) -> Result<(), Error>;

    /// Whether it could boot the ramdisk for an inspection.
    ///
    /// # Errors
    /// As [`Interface::validate`].
    async fn validate_inspection(&self, task: &SharedTask) -> Result<(), Error> {
        self.validate(task).await
    }

    /// Whether it could boot the ramdisk for a rescue.
    ///
    /// # Errors
    /// As [`Interface::validate`].
    async fn validate_rescue(&self, task: &SharedTask) -> Result<(), Error> {
        self.validate(task).await
    }
}
