use async_trait::async_trait;

use super::{Interface, Task};
use crate::Error;

/// Updates firmware, as steps.
///
/// # Contract
/// As [`Interface`].
#[async_trait]
pub trait Firmware: Interface {
    /// Reads the versions into the node's records.
    ///
    /// # Errors
    /// When the BMC does not answer or refuses.
    async fn cache_components(&self, task: &mut Task) -> Result<(), Error>;
}
