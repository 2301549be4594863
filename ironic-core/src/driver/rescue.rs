use async_trait::async_trait;

use super::{Interface, Task};
use crate::Error;
use crate::flow::Progress;

/// Boots the rescue ramdisk and the instance again.
///
/// # Contract
/// As [`Deploy`].
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
