//! Finding out what the machine is made of: manageable → inspecting (→ inspect wait) → manageable.

use super::{Draft, Rejected};
use crate::flow::Effect;
use crate::states::{Event, FlowKind};
use crate::steps::Replay;

/// Begins: the inspect interface looks by itself, or boots a ramdisk that reports.
pub(super) fn begin(draft: &mut Draft<'_>) -> Result<(), Rejected> {
    draft.event(Event::Inspect, None)?;
    draft.node.inspection_started_at = Some(draft.now);
    draft.node.inspection_finished_at = None;
    // A ramdisk that runs is of no use: the one that inspects has its own parameters.
    draft.forget_agent();
    draft.begin_flow(FlowKind::Inspect);
    draft.effect(Effect::Prepare, Replay::Idempotent)
}

/// The ramdisk has reported.
pub(super) fn found(draft: &mut Draft<'_>) -> Result<(), Rejected> {
    let flow = draft
        .flow
        .as_ref()
        .filter(|flow| flow.kind == FlowKind::Inspect)
        .ok_or(Rejected::Nothing)?;
    let pending = flow
        .main()
        .filter(|pending| pending.waiting.is_some())
        .cloned()
        .ok_or(Rejected::Nothing)?;
    draft.awake(pending.seq)?;
    draft.flow_mut()?.take(pending.seq);
    draft.event_if_taken(Event::Resume, None)?;
    draft.effect(Effect::Finish, Replay::Idempotent)
}

/// What was found is on the node.
pub(super) fn succeeded(draft: &mut Draft<'_>) -> Result<(), Rejected> {
    draft.node.inspection_started_at = None;
    draft.node.inspection_finished_at = Some(draft.now);
    draft.leave_agent();
    draft.event(Event::Done, None)
}

/// Nothing has been found: no inspection runs any more.
pub(super) fn failed(draft: &mut Draft<'_>) -> Result<(), Rejected> {
    draft.node.inspection_started_at = None;
    draft.event(Event::Fail, None)
}
