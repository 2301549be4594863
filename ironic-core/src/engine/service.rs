//! Running steps on a machine with an instance: active → servicing (→ service wait) → active.

use serde_json::Value;

use super::{Draft, Rejected};
use crate::Error;
use crate::flow::Effect;
use crate::states::{Event, FlowKind, ProvisionState};
use crate::steps::{Replay, StepPlan, UserStep};

/// Where the node remembers that its service steps run without the ramdisk, which tells an
/// abort after a failure what there is to be undone.
const NO_RAMDISK: &str = "service_disable_ramdisk";

/// The fault of a node on which servicing failed half way.
const FAULT: &str = "service failure";

/// Begins to run the given steps. Where all of them do without the ramdisk, none is booted.
pub(super) fn begin(
    draft: &mut Draft<'_>,
    steps: &[UserStep],
    disable_ramdisk: bool,
) -> Result<(), Rejected> {
    if steps.is_empty() {
        return Err(Error::missing("service_steps must name at least one step").into());
    }
    let catalog = draft.catalog(FlowKind::Service);
    if disable_ramdisk {
        // Nothing that happens later could make these steps fit.
        StepPlan::requested(&catalog, steps, true)?;
    }
    let needless =
        catalog.runs_without_ramdisk(steps) && StepPlan::requested(&catalog, steps, true).is_ok();
    let without = disable_ramdisk || needless;
    draft.event(Event::Service, Some(ProvisionState::Active))?;
    draft.node.set_internal(
        NO_RAMDISK,
        if without {
            Value::Bool(true)
        } else {
            Value::Null
        },
    );
    let flow = draft.begin_flow(FlowKind::Service);
    flow.asked = steps.to_vec();
    flow.disable_ramdisk = without;
    draft.effect(Effect::Prepare, Replay::Idempotent)
}

/// Every step has run, and the instance runs again.
pub(super) fn succeeded(draft: &mut Draft<'_>) -> Result<(), Rejected> {
    draft.forget_agent();
    draft.node.set_internal(NO_RAMDISK, Value::Null);
    draft.event(Event::Done, None)
}

/// A machine on which a step failed half way is kept as it is until somebody has looked at it.
pub(super) fn failed(draft: &mut Draft<'_>, message: &str) -> Result<(), Rejected> {
    let flow = draft.flow_mut()?;
    let in_step = !flow.plan.is_empty() && !flow.abort_requested;
    draft.event(Event::Fail, None)?;
    if in_step {
        draft.fault(FAULT, message);
    }
    Ok(())
}

/// Steps that nobody knows, where there is no agent that might: in the original they fail as they
/// are run, so that the machine is kept as after a step that failed.
pub(super) fn did_not_fit(draft: &mut Draft<'_>, message: &str) {
    draft.fault(FAULT, message);
}

/// Stops: a flow that waits or is held goes through `service failed` back to `active`; one that
/// was to stop after a step stays in `service failed`.
pub(super) fn aborted(draft: &mut Draft<'_>) -> Result<(), Rejected> {
    let at_once = draft.node.provision_state != ProvisionState::Servicing;
    draft.event(Event::Fail, None)?;
    if at_once {
        draft.event(Event::Abort, None)?;
    }
    Ok(())
}

/// Gives servicing up after it has failed: the instance is booted again.
pub(super) fn abandoned(draft: &mut Draft<'_>) -> Result<(), Rejected> {
    if draft.node.maintenance {
        return Err(Error::StateConflict {
            message: format!(
                "cannot abort servicing of node {} while it is in maintenance",
                draft.node.label()
            ),
        }
        .into());
    }
    let message = "service was aborted by request".to_owned();
    let without = draft.node.driver_internal_info.get(NO_RAMDISK) == Some(&Value::Bool(true));
    draft.event(Event::Abort, None)?;
    draft.node.last_error = Some(message.clone());
    let flow = draft.begin_flow(FlowKind::Service);
    flow.disable_ramdisk = without;
    flow.abort_requested = true;
    flow.failure = Some(message);
    draft.effect(Effect::CleanUp, Replay::Idempotent)
}

/// What servicing left behind has been cleaned up, or could not be.
pub(super) fn cleaned_up(draft: &mut Draft<'_>, failure: Option<&str>) {
    draft.node.set_internal("agent_url", Value::Null);
    match failure {
        Some(message) => draft.fault(FAULT, message),
        None if draft.node.provision_state == ProvisionState::Active => {
            draft.node.set_internal(NO_RAMDISK, Value::Null);
        }
        None => {}
    }
}
