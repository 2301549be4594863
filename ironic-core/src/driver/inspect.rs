use async_trait::async_trait;

use super::{Interface, Task};
use crate::Error;
use crate::flow::Progress;

/// Finds out what a machine is made of.
///
/// # Contract
/// Besides what [`Interface`] asks for:
///
/// | method | called as | lock |
/// |---|---|---|
/// | [`inspect_hardware`](Self::inspect_hardware) | `Prepare` of an inspection | held |
/// | [`finish`](Self::finish) | `Finish`: at once, or when the ramdisk has reported | held |
/// | [`abort`](Self::abort) | `CleanUp`, when the inspection has failed, timed out or been aborted | held |
/// | [`can_abort`](Self::can_abort) | before the verb `abort` is accepted in `inspect wait` | held |
///
/// - **Waiting.** An `inspect_hardware` that answers `Wait` is ended by the ramdisk's report
///   (`Client::continue_inspection`), which is on the node as `inspection_data` when `finish` is
///   called; heartbeats do not end it. With a `poll`, it is called again at that time. Given up
///   after `inspect_wait_timeout`.
/// - **Again.** Each may be called again after it has succeeded or failed, and then leads to the
///   same result. `abort` is also called where `inspect_hardware` never got far.
/// - **The report is hostile.** Whatever has the agent's token has sent it.
/// - **Errors.** From `inspect_hardware` and `finish`: `inspect failed`, and `abort` follows. From
///   `abort`: noted beside the failure; what is left is for an operator.
/// - **Crash.** The method that ran is called again.
///
/// **Checked by** `driver_conformance!`: `inspection_may_be_asked_for_again`.
///
/// Inspection that reads one fact from a label:
///
/// ```
/// use async_trait::async_trait;
/// use ironic_core::Error;
/// use ironic_core::driver::{Inspect, Interface, SharedTask, Task};
/// use ironic_core::flow::Progress;
///
/// struct Label;
///
/// # #[async_trait]
/// # impl Interface for Label {
/// #     async fn validate(&self, _task: &SharedTask) -> Result<(), Error> { Ok(()) }
/// # }
/// #[async_trait]
/// impl Inspect for Label {
///     async fn inspect_hardware(&self, task: &mut Task) -> Result<Progress, Error> {
///         let properties = &mut task.node_mut().properties;
///         properties.insert("cpu_arch".to_owned(), "x86_64".into());
///         Ok(Progress::Done)
///     }
///
///     fn can_abort(&self) -> bool {
///         false // It never waits.
///     }
/// }
/// ```
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
