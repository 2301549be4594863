use async_trait::async_trait;

use super::{Interface, Task};
use crate::Error;
use crate::flow::Progress;
use crate::states::FlowKind;

/// Puts an instance on the machine and takes it off: most of it as deploy and clean steps.
///
/// # Contract
/// Each method may be called again after it has succeeded or failed, and then leads to the same
/// result: after a crash it will be.
#[async_trait]
pub trait Deploy: Interface {
    /// Makes the machine ready for the deploy steps.
    ///
    /// # Errors
    /// Why it cannot.
    async fn prepare(&self, task: &mut Task) -> Result<Progress, Error>;

    /// Leaves nothing of a deployment behind outside the machine: boot files, networks.
    ///
    /// # Errors
    /// Why it cannot.
    async fn clean_up(&self, task: &mut Task) -> Result<(), Error>;

    /// Takes the instance off the machine: stops it, and cuts it from its networks.
    ///
    /// # Errors
    /// Why it cannot.
    async fn tear_down(&self, task: &mut Task) -> Result<Progress, Error>;

    /// Makes this conductor able to go on with the node that another looked after.
    ///
    /// # Errors
    /// Why it cannot.
    async fn take_over(&self, task: &mut Task) -> Result<(), Error>;

    /// Makes the machine ready for the clean or service steps (`flow` says which).
    ///
    /// # Errors
    /// Why it cannot.
    async fn prepare_steps(&self, _task: &mut Task, _flow: FlowKind) -> Result<Progress, Error> {
        Ok(Progress::Done)
    }

    /// Undoes `prepare_steps`.
    ///
    /// # Errors
    /// Why it cannot.
    async fn tear_down_steps(&self, _task: &mut Task, _flow: FlowKind) -> Result<(), Error> {
        Ok(())
    }

    /// Asks the agent which steps it offers, and remembers them on the node, from where
    /// [`Interface::steps`] gives them.
    ///
    /// # Errors
    /// When the agent does not answer or refuses.
    async fn refresh_steps(&self, _task: &mut Task, _flow: FlowKind) -> Result<(), Error> {
        Ok(())
    }
}
