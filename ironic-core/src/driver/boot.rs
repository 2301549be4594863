use std::collections::BTreeMap;

use async_trait::async_trait;

use super::{Interface, SharedTask, Task};
use crate::Error;

/// The kernel parameters of a ramdisk, such as `ipa-api-url`.
pub type RamdiskParams = BTreeMap<String, String>;

/// Decides what the machine boots, and sees to it that it can.
///
/// # Contract
/// Each of the four changing methods may be called again after it has succeeded or failed, and
/// then leads to the same result. None of them switches power.
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
