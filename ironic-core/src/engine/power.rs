//! Switching power: on the side of whatever else waits.

use super::{Draft, Outcome, Rejected, reached};
use crate::Error;
use crate::flow::Effect;
use crate::model::Severity;
use crate::notify;
use crate::states::{FlowKind, PowerTarget};
use crate::steps::Replay;

/// The fault of a node whose BMC does not answer.
pub(crate) const POWER_FAILURE: &str = "power failure";

/// Somebody asks for power.
pub(super) fn asked(
    draft: &mut Draft<'_>,
    target: PowerTarget,
    timeout: Option<u64>,
) -> Result<(), Rejected> {
    if draft.node.disable_power_off && matches!(target, PowerTarget::Off | PowerTarget::SoftOff) {
        return Err(Error::invalid(format!(
            "power off is disabled for node {} (disable_power_off)",
            draft.node.label()
        ))
        .into());
    }
    if draft.flow.as_ref().is_some_and(|flow| !flow.is_waiting()) {
        return Err(Error::StateConflict {
            message: "the node is being worked on".to_owned(),
        }
        .into());
    }
    draft.tell(notify::Event::PowerSet {
        target,
        status: notify::Status::Start,
    });
    draft.node.target_power_state = Some(target);
    draft.node.last_error = None;
    draft.node.updated_at = Some(draft.now);
    let waits = draft
        .flow
        .as_ref()
        .map(|flow| (flow.deadline, flow.blocked.clone()));
    if draft.flow.is_none() {
        draft.begin_flow(FlowKind::Power);
    }
    draft.effect(Effect::SetPower { target, timeout }, Replay::Idempotent)?;
    // What waits goes on waiting as it did.
    if let Some((deadline, blocked)) = waits {
        let flow = draft.flow_mut()?;
        (flow.deadline, flow.blocked) = (deadline, blocked);
    }
    Ok(())
}

/// Power has been switched, or could not be.
pub(super) fn outcome(
    draft: &mut Draft<'_>,
    target: PowerTarget,
    outcome: &Outcome,
) -> Result<(), Rejected> {
    draft.node.target_power_state = None;
    draft.node.updated_at = Some(draft.now);
    let status = match outcome {
        Outcome::Failed { code, message } => {
            let text = format!("failed to change power state to '{target}': {message}");
            draft.note(Severity::Error, FlowKind::Power, code, &text);
            draft.node.last_error = Some(text);
            notify::Status::Error
        }
        _ => {
            draft.node.power_state = Some(reached(target));
            notify::Status::End
        }
    };
    draft.tell(notify::Event::PowerSet { target, status });
    let flow = draft.flow_mut()?;
    if flow.kind == FlowKind::Power && flow.pending.is_empty() {
        draft.end_flow();
    }
    Ok(())
}
