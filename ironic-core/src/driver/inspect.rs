use async_trait::async_trait;

use super::{Interface, Task};
use crate::Error;
use crate::flow::Progress;

/// Finds out what a machine is made of.
///
/// # Contract
/// As [`Deploy`].
#[async_trait]
pub trait Inspect: Interface {
    /// Inspects the hardware, or begins to: then what the ramdisk finds is handed to `finish`.
    ///
    /// # Errors
    /// Why it cannot.
    async fn inspect_hardware(&self, task: &mut Task) -> Result<Progress, Error>;

    /// Makes use of what was found, kept on the node as `inspection_data`, and undoes what
    /// `inspect_hardware` did to boot and networks.
    ///
    /// # Errors
    /// Why it cannot.
    async fn finish(&self, _task: &mut Task) -> Result<(), Error> {
        Ok(())
    }

    /// Whether an inspection that waits can be stopped.
    fn can_abort(&self) -> bool {
        true
    }

    /// Stops an inspection that waits or has failed, and undoes what `inspect_hardware` did.
    ///
    /// # Errors
    /// Why it cannot.
    async fn abort(&self, _task: &mut Task) -> Result<(), Error> {
        Ok(())
    }
}
