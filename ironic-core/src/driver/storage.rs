use async_trait::async_trait;

use super::{Interface, SharedTask, Task};
use crate::Error;

/// Connects volumes outside the machine.
///
/// # Contract
/// As [`Network`].
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
