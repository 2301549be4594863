//! What waits, and goes on: when the node's agent calls, when somebody says so, when its time has
//! come; or is given up.

use std::time::Duration;

use super::run::{compose, fail, failed, next_step};
use super::{Draft, Rejected, abort, fast_track};
use crate::flow::{Effect, PendingEffect, Resume};
use crate::runtime::Timestamp;
use crate::states::{Event, FlowKind};
use crate::steps::Replay;

/// The node's agent has called. A step that waits for itself is asked how far it is (that is for
/// the conductor to do); anything else goes on.
pub(super) fn heartbeat(draft: &mut Draft<'_>) -> Result<(), Rejected> {
    let flow = draft.flow.as_ref().ok_or(Rejected::Nothing)?;
    let pending = flow.main().cloned().ok_or(Rejected::Nothing)?;
    let resume = pending
        .waiting
        .as_ref()
        .map(|waiting| waiting.resume)
        .ok_or(Rejected::Nothing)?;
    if draft.node.maintenance {
        return in_maintenance(draft);
    }
    let listens = resume == Resume::NextStep && flow.kind != FlowKind::Inspect;
    if !listens {
        return Err(Rejected::Nothing);
    }
    go_on(draft, &pending, true)
}

/// The agent of a node in maintenance has called: nothing goes on until the maintenance is over,
/// or ever, as the operator wants it.
fn in_maintenance(draft: &mut Draft<'_>) -> Result<(), Rejected> {
    let kind = draft.flow_mut()?.kind;
    let ends = matches!(
        kind,
        FlowKind::Clean | FlowKind::Deploy | FlowKind::Rescue | FlowKind::Service
    );
    let waits = draft.node.provision_state.is_waiting();
    if draft.policy.allow_provisioning_in_maintenance || !ends || !waits {
        return Err(Rejected::Nothing);
    }
    let message = format!("{kind} was aborted: the node is in maintenance");
    fail(draft, "in_maintenance", &message)
}

/// Somebody says that what waits is done.
pub(super) fn continued(draft: &mut Draft<'_>) -> Result<(), Rejected> {
    let flow = draft.flow.as_ref().ok_or(Rejected::Nothing)?;
    let pending = flow
        .main()
        .filter(|pending| pending.waiting.is_some())
        .cloned()
        .ok_or(Rejected::Nothing)?;
    let agent_runs = draft.node.internal_str("agent_url").is_some();
    go_on(draft, &pending, agent_runs)
}

/// What waited is over: on with what comes next. An agent that has called says which steps it has.
fn go_on(
    draft: &mut Draft<'_>,
    pending: &PendingEffect,
    agent_called: bool,
) -> Result<(), Rejected> {
    draft.awake(pending.seq)?;
    draft.event_if_taken(Event::Resume, None)?;
    let flow = draft.flow_mut()?;
    flow.take(pending.seq);
    if let Effect::RunStep { index } | Effect::CheckStep { index } = pending.effect {
        flow.cursor = index + 1;
        if flow.abort_requested {
            return abort::now(draft);
        }
    }
    if flow.kind == FlowKind::Rescue {
        return draft.effect(Effect::Finish, Replay::Idempotent);
    }
    match pending.effect {
        _ if flow.refreshed => next_step(draft),
        _ if agent_called => draft.effect(Effect::RefreshSteps, Replay::Idempotent),
        // The steps are known from before.
        Effect::RunStep { .. } | Effect::CheckStep { .. } => next_step(draft),
        _ => compose(draft),
    }
}

/// A time has come that the flow waited for: its deadline, or the poll of an effect that is no
/// step and is simply begun again.
pub(super) fn due(draft: &mut Draft<'_>, generation: u64) -> Result<(), Rejected> {
    let now = draft.now;
    let flow = draft
        .flow
        .as_ref()
        .filter(|flow| flow.generation == generation)
        .ok_or(Rejected::Stale)?;
    let pending = flow
        .main()
        .filter(|pending| pending.waiting.is_some())
        .cloned()
        .ok_or(Rejected::Nothing)?;
    if flow.deadline.is_some_and(|deadline| deadline <= now) {
        return late(draft, &pending);
    }
    let polls = pending
        .waiting
        .as_ref()
        .and_then(|waiting| waiting.poll_at)
        .is_some_and(|at| at <= now);
    let ends = pending.waiting.as_ref().map(|waiting| waiting.resume) == Some(Resume::Due);
    if polls && ends {
        return go_on(draft, &pending, false);
    }
    let step = matches!(
        pending.effect,
        Effect::RunStep { .. } | Effect::CheckStep { .. }
    );
    if !polls || step || draft.node.maintenance {
        return Err(Rejected::Nothing);
    }
    draft.awake(pending.seq)?;
    draft.event_if_taken(Event::Resume, None)?;
    draft.carry_out(pending.seq, pending.effect);
    Ok(())
}

/// The deadline has come. It moves on if the agent has called since, and stands still while the
/// node is in maintenance.
fn late(draft: &mut Draft<'_>, pending: &PendingEffect) -> Result<(), Rejected> {
    if draft.node.maintenance {
        return Err(Rejected::Nothing);
    }
    let now = draft.now;
    if let Some(deadline) = from_last_call(draft, pending).filter(|deadline| *deadline > now) {
        let flow = draft.flow_mut()?;
        flow.deadline = Some(deadline);
        if let Some(blocked) = flow.blocked.as_mut() {
            blocked.until = Some(deadline);
        }
        return Ok(());
    }
    let flow = draft.flow_mut()?;
    let blocked = flow.blocked.as_ref();
    let since = blocked.map_or(flow.started, |blocked| blocked.since);
    let reason = blocked.map(ToString::to_string).unwrap_or_default();
    draft.awake(pending.seq)?;
    let waited = now.since(since).as_secs();
    let message = format!("timed out after {waited} s: {reason}");
    failed(draft, pending, "timeout", &message)
}

/// The deadline as it counts from the agent's last call, where it does.
fn from_last_call(draft: &Draft<'_>, pending: &PendingEffect) -> Option<Timestamp> {
    let patience = pending.waiting.as_ref()?.patience_ms?;
    let last = fast_track::last_call(&draft.node)?;
    Some(last.saturating_add(Duration::from_millis(patience)))
}
