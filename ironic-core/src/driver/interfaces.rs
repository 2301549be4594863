use std::collections::BTreeMap;

use async_trait::async_trait;

use super::{SharedTask, Task};
use crate::Error;
use crate::flow::{Forecast, Outlook, Progress, StepProgress};
use crate::model::Node;
use crate::states::FlowKind;
use crate::steps::{Step, StepDef};

/// The `driver_info` and other keys that an interface reads, each with what it means.
pub type Properties = BTreeMap<String, String>;

/// What all thirteen interfaces have in common.
///
/// # Contract
/// What stands here holds for every method of every interface. Each trait adds what is its own.
///
/// | method | who calls it, and when | node's lock |
/// |---|---|---|
/// | [`properties`](Self::properties), [`requires`](Self::requires) | the registry, as it is built and asked | no |
/// | [`validate`](Self::validate) | the conductor, before it accepts a verb that uses the interface, and before most other uses; `Client::validate` and `Client::plan` | either way |
/// | [`steps`](Self::steps) | the engine, whenever it makes or completes a plan of steps | either way |
/// | [`forecast`](Self::forecast) | `Client::plan` | no |
/// | [`execute_step`](Self::execute_step) | the conductor, when the plan has come to the step, and for a parent whose step runs on this node | held |
/// | [`step_progress`](Self::step_progress) | the conductor: at each poll and each heartbeat while the step waits; after a crash, of a `Probe` step | no; after a crash, held |
///
/// - **Lock.** Who is given `&mut Task` has the node to itself. Who is given `&SharedTask`
///   changes neither machine nor node, and may be called beside others of the same node. Who is
///   given a `&Node` or an [`Outlook`] answers from it alone, without I/O, the same for the same
///   node.
/// - **Many at once.** One object serves every node of the conductor, from any thread. What it
///   remembers in itself is gone after a crash, and the next conductor never had it: what a later
///   call needs belongs on the node (`driver_internal_info`).
/// - **The node.** What a method changes on it, by [`Task::node_mut`], is committed in one batch
///   with the decision that its answer leads to, whether that is good or bad. What must be on
///   record before the machine acts needs [`Task::save`]. States, flows and locks are the
///   engine's: a driver reads them.
/// - **Leave.** Nothing is sent to a BMC without [`SharedTask::bmc_permit`], and the command is
///   over by the permit's deadline. Who reaches the machine by another way, such as its agent or
///   its switch, asks [`SharedTask::check_leave`] first.
/// - **Time.** The engine puts no limit on a call: one that never returns keeps the node locked
///   until its conductor stops. Bound every wait; answer [`Progress::Wait`] to what takes minutes,
///   and the lock is given back meanwhile.
/// - **Errors.** One that comes out of an effect fails the flow at once, and its text becomes
///   `last_error`: the engine does not try again, so what is worth a second attempt is tried
///   again inside the driver. (A step that waits and cannot be asked is asked again at its next
///   poll, until its deadline; one that is asked after a crash is asked once.) [`Error::Unreachable`] and [`Error::Timeout`] tell whoever asked
///   that asking again may help; [`Error::Unsupported`] that it never will (where something is
///   tried unasked, such as reading sensors, it is passed over);
///   [`Error::InvalidParameter`] and [`Error::MissingParameter`] name the field. No text has a
///   secret in it.
/// - **Dropped.** A call may be dropped wherever it waits: its conductor stops and has waited for
///   `graceful_shutdown_timeout`, or a round of sensors has taken too long. (A caller who goes
///   away drops nothing: requests are carried out to their end.) What had been sent to the machine
///   has happened or has not; a later call copes with either. A panic ends the call as an error.
/// - **Crash.** What is an effect of a flow is called again from its beginning by whoever recovers
///   the node; a step, as its [`Replay`](crate::steps::Replay) says. What was asked for beside a
///   flow, such as a boot device, a console or a vendor's method, is not. [Crash and
///   replay](crate::guide::crash_and_replay) has the whole.
///
/// **Checked by** `driver_conformance!`: the rooms `properties`, `validation`, `secrets`, `steps` and
/// `forecasts` for this trait; `cancellation`, `lease` and `reach` for what goes to a BMC.
///
/// An interface with a step that runs elsewhere: begun here, asked about later, and after a crash
/// asked rather than begun again.
///
/// ```
/// use std::time::Duration;
///
/// use async_trait::async_trait;
/// use ironic_core::driver::{Interface, SharedTask, Task};
/// use ironic_core::flow::{Progress, StepProgress, Wait};
/// use ironic_core::states::{FlowKind, InterfaceKind};
/// use ironic_core::steps::{Impact, Replay, Step, StepDef};
/// use ironic_core::{Error, Node};
///
/// /// Lets a machine work for hours; `begin` and `percent` talk to what runs on it.
/// struct Burner;
/// # impl Burner {
/// #     async fn begin(&self, _: &SharedTask) -> Result<(), Error> { Ok(()) }
/// #     async fn percent(&self, _: &SharedTask) -> Result<Option<u8>, Error> { Ok(None) }
/// # }
/// #[async_trait]
/// impl Interface for Burner {
///     async fn validate(&self, _task: &SharedTask) -> Result<(), Error> {
///         Ok(())
///     }
///
///     fn steps(&self, _node: &Node, flow: FlowKind) -> Vec<StepDef> {
///         let kind = InterfaceKind::Vendor;
///         let burn_in = StepDef::new(kind, "burn_in", 0, Replay::Probe, Impact::NONE).abortable();
///         if flow == FlowKind::Clean { vec![burn_in] } else { Vec::new() }
///     }
///
///     async fn execute_step(&self, task: &mut Task, _: FlowKind, step: &Step) -> Result<Progress, Error> {
///         self.begin(task).await?;
///         Ok(Progress::Wait(Wait::for_step(step, Duration::from_secs(30))))
///     }
///
///     async fn step_progress(&self, task: &SharedTask, _: FlowKind, _: &Step) -> Result<StepProgress, Error> {
///         Ok(match self.percent(task).await? {
///             None => StepProgress::NotStarted,
///             Some(100) => StepProgress::Done,
///             Some(percent) => StepProgress::Running { detail: format!("{percent} %") },
///         })
///     }
/// }
/// ```
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
    /// When it cannot be found out now: a step that waits is asked again later. After a crash it
    /// is asked once, and an error fails the flow.
    async fn step_progress(
        &self,
        _task: &SharedTask,
        _flow: FlowKind,
        _step: &Step,
    ) -> Result<StepProgress, Error> {
        Ok(StepProgress::Unknown)
    }

    /// What it would do to the machine in a part of a flow, if all goes well, and whether it
    /// would answer [`Progress::Wait`]: from what it is given alone, without any I/O. Plans are
    /// made of it.
    fn forecast(&self, _outlook: &Outlook<'_>) -> Forecast {
        Forecast::default()
    }
}

pub(super) fn unsupported<T>(task: &SharedTask, extension: &str) -> Result<T, Error> {
    Err(Error::Unsupported {
        driver: task.node().driver.clone(),
        extension: extension.to_owned(),
    })
}
