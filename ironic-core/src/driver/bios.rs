use async_trait::async_trait;

use super::{Interface, Task};
use crate::Error;

/// Changes firmware settings, as steps.
///
/// # Contract
/// As [`Interface`].
#[async_trait]
pub trait Bios: Interface {
    /// Reads the settings into the node's records.
    ///
    /// # Errors
    /// When the BMC does not answer or refuses.
    async fn cache_settings(&self, task: &mut Task) -> Result<(), Error>;
}
