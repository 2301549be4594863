use std::collections::BTreeMap;

use async_trait::async_trait;

use super::{SharedTask, Task};
use crate::Error;
use crate::flow::{Forecast, Part, Progress, StepProgress};
use crate::model::Node;
use crate::states::FlowKind;
use crate::steps::{Step, StepDef};

/// The `driver_info` and other keys that an interface reads, each with what it means.
pub type Properties = BTreeMap<String, String>;

/// What every interface is.
///
/// # Contract
/// - A method that takes `&SharedTask` changes neither the machine nor the node. One that takes
///   `&mut Task` may change both; what it changes on the node is committed together with the
///   decision that its answer leads to, so nothing is lost or half done when it fails.
/// - Every method may be dropped while it runs. What it had sent to the machine may or may not
///   have happened; a later call must cope with either.
/// - Nothing is sent to a BMC without [`SharedTask::bmc_permit`].
/// - An error says what was wrong and with which field, and holds no secret.
#[async_trait]
pub trait Interface: Send + Sync + 'static {
    /// The keys that it reads.
    fn properties(&self) -> Properties {
        Properties::new()
    }

    /// The names of the interfaces of the same kind that must be enabled where this one is: those
    /// that it hands over to.
    fn requires(&self) -> Vec<String> {
        Vec::new()
    }

    /// Whether the node has what this interface needs. Talks to no machine.
    ///
    /// # Errors
    /// [`Error::MissingParameter`] or [`Error::InvalidParameter`] that name every field at fault.
    async fn validate(&self, task: &SharedTask) -> Result<(), Error>;

    /// The steps that it offers for this kind of flow: from the node alone, without any I/O.
    fn steps(&self, _node: &Node, _flow: FlowKind) -> Vec<StepDef> {
        Vec::new()
    }

    /// Runs one of its steps, or begins to.
    ///
    /// # Errors
    /// Why the step failed. A step that has failed is over: nothing of it runs on.
    async fn execute_step(
        &self,
        _task: &mut Task,
        flow: FlowKind,
        step: &Step,
    ) -> Result<Progress, Error> {
        Err(Error::Unsupported {
            driver: step.interface.to_string(),
            extension: format!("{flow} step {step}"),
        })
    }

    /// Says how far a step is that answered [`Progress::Wait`], or of which nobody knows whether
    /// it began.
    ///
    /// # Errors
    /// When it cannot be found out now; asked again later.
    async fn step_progress(
        &self,
        _task: &SharedTask,
        _flow: FlowKind,
        _step: &Step,
    ) -> Result<StepProgress, Error> {
        Ok(StepProgress::Unknown)
    }

    /// What it would do to the machine in this part of a flow, if all goes well: from the node
    /// alone, without any I/O. Plans are made of it.
    fn forecast(&self, _node: &Node, _flow: FlowKind, _part: Part<'_>) -> Forecast {
        Forecast::default()
    }
}

pub(super) fn unsupported<T>(task: &SharedTask, extension: &str) -> Result<T, Error> {
    Err(Error::Unsupported {
        driver: task.node().driver.clone(),
        extension: extension.to_owned(),
    })
}
