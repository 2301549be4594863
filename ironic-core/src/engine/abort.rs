//! Stopping what waits: → the failed state of the flow, or from servicing back to `active`.

use super::{Draft, Rejected, journal, rescue, service};
use crate::Error;
use crate::flow::Effect;
use crate::model::Severity;
use crate::states::{Event, FlowKind, ProvisionState as S, Verb};
use crate::steps::Replay;

/// Somebody asks to stop. A step that says it must not be interrupted runs to its end first.
pub(super) fn asked(draft: &mut Draft<'_>) -> Result<(), Rejected> {
    let state = draft.node.provision_state;
    if state.on(Event::Abort).is_err() {
        return Err(Error::InvalidState {
            verb: Verb::Abort.to_string(),
            node: draft.node.uuid,
            state: state.to_string(),
        }
        .into());
    }
    if state == S::ServiceFailed {
        return service::abandoned(draft);
    }
    let Some(flow) = draft.flow.as_mut() else {
        // A waiting or held state without a record of what waits: the table alone decides.
        return match state {
            S::ServiceWait | S::ServiceHold => service::aborted(draft),
            _ => draft.event(Event::Abort, None),
        };
    };
    let in_step = matches!(
        flow.main().map(|p| &p.effect),
        Some(Effect::RunStep { .. } | Effect::CheckStep { .. })
    );
    let abortable = flow.plan.get(flow.cursor).is_none_or(|step| step.abortable);
    if in_step && !abortable {
        flow.abort_requested = true;
        return Ok(());
    }
    now(draft)
}

/// Stops.
pub(super) fn now(draft: &mut Draft<'_>) -> Result<(), Rejected> {
    let flow = draft.flow_mut()?;
    flow.abort_requested = true;
    let kind = flow.kind;
    let step = flow
        .plan
        .get(flow.cursor)
        .map(|step| format!(" before or in step {step}"))
        .unwrap_or_default();
    let message = format!("{kind} was aborted by request{step}");
    journal::ended(draft, true);
    draft.note(Severity::Error, kind, "aborted", &message);
    draft.node.last_error = Some(message.clone());
    match kind {
        FlowKind::Service => service::aborted(draft)?,
        _ if draft.node.provision_state.on(Event::Abort).is_ok() => {
            draft.event(Event::Abort, None)?;
        }
        _ => draft.event(Event::Fail, None)?,
    }
    draft.node.last_error = Some(message.clone());
    match kind {
        FlowKind::Inspect => draft.node.inspection_started_at = None,
        FlowKind::Rescue => rescue::forget_password(draft),
        _ => {}
    }
    let flow = draft.flow_mut()?;
    flow.pending.clear();
    flow.failure = Some(message);
    draft.effect(Effect::CleanUp, Replay::Idempotent)
}
