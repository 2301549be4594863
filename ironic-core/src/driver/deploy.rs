use async_trait::async_trait;

use super::{Interface, Task};
use crate::Error;
use crate::flow::Progress;
use crate::states::FlowKind;

/// Puts an instance on the machine and takes it off: most of it as deploy and clean steps.
///
/// # Contract
/// Besides what [`Interface`] asks for:
///
/// | method | called as | in |
/// |---|---|---|
/// | [`prepare`](Self::prepare) | `Prepare` | deploy, rebuild; then the deploy steps run. In adoption and when an instance is taken over, before `take_over`: then the machine runs its instance, and must not notice |
/// | [`clean_up`](Self::clean_up) | `CleanUp` | a deployment that failed or was aborted. Also in a tear-down, before `tear_down` |
/// | [`tear_down`](Self::tear_down) | `Prepare` | undeploy |
/// | [`take_over`](Self::take_over) | `Prepare` | adoption; and outside of flows, on the conductor to which an active node has come by the ring |
/// | [`prepare_steps`](Self::prepare_steps) | `Prepare` | clean, service; not when the flow does without the ramdisk |
/// | [`tear_down_steps`](Self::tear_down_steps) | `Finish`, `CleanUp` | clean, service, after success and after failure; not without the ramdisk |
/// | [`refresh_steps`](Self::refresh_steps) | `RefreshSteps` | clean, deploy, service: at the agent's first call, or at once where its ramdisk ran already |
///
/// - **Lock.** Always held, until the method answers [`Progress::Wait`].
/// - **Again.** Each may be called again after it has succeeded or failed, after a crash on
///   another conductor, and then leads to the same result. A `Wait` with a `poll` is answered by
///   calling the method again at that time; one without, by the agent's next call, after which
///   the flow goes on with `refresh_steps`. `tear_down` has nothing to go on with, so it waits
///   with a `poll` or not at all.
/// - **Steps.** [`Interface::steps`] of this interface also gives the agent's, from where
///   `refresh_steps` has kept them on the node; they are run by [`Interface::execute_step`] with
///   [`StepSource::Agent`](crate::steps::StepSource::Agent).
/// - **Errors** fail the flow, and `clean_up` or `tear_down_steps` follow under the same lock.
///   When that fails too, both are in `last_error`. A tear-down that fails gives the instance up
///   all the same, in state `error`. One exception: when `refresh_steps` of a ramdisk that ran
///   already is [`Error::Unreachable`], its agent is waited for once.
/// - **Time.** The wait for the agent ends after `deploy_callback_timeout`,
///   `clean_callback_timeout` or `service_callback_timeout`, counted from its last call.
///
/// **Checked by** `driver_conformance!`: `deploy_may_be_asked_for_again`, and the room `steps`.
///
/// A machine whose instance is always the same, and comes with it:
///
/// ```
/// use async_trait::async_trait;
/// use ironic_core::driver::{Deploy, Interface, SharedTask, Task};
/// use ironic_core::flow::Progress;
/// use ironic_core::{Error, PowerTarget};
///
/// struct Appliance;
///
/// # #[async_trait]
/// # impl Interface for Appliance {
/// #     async fn validate(&self, _task: &SharedTask) -> Result<(), Error> { Ok(()) }
/// # }
/// #[async_trait]
/// impl Deploy for Appliance {
///     async fn prepare(&self, task: &mut Task) -> Result<Progress, Error> {
///         task.switch_power(PowerTarget::On, None).await?;
///         Ok(Progress::Done)
///     }
///
///     async fn clean_up(&self, _task: &mut Task) -> Result<(), Error> {
///         Ok(())
///     }
///
///     async fn tear_down(&self, task: &mut Task) -> Result<Progress, Error> {
///         task.switch_power(PowerTarget::Off, None).await?;
///         Ok(Progress::Done)
///     }
///
///     async fn take_over(&self, _task: &mut Task) -> Result<(), Error> {
///         Ok(())
///     }
/// }
/// ```
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
