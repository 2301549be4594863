//! Taking in a machine that already runs an instance: manageable → adopting → active.

use super::{Draft, Rejected};
use crate::flow::Effect;
use crate::states::{Event, FlowKind};
use crate::steps::Replay;

/// Begins: this conductor makes itself able to look after the instance, without touching it.
pub(super) fn begin(draft: &mut Draft<'_>) -> Result<(), Rejected> {
    draft.event(Event::Adopt, None)?;
    draft.begin_flow(FlowKind::Adopt);
    draft.effect(Effect::Prepare, Replay::Idempotent)
}

/// What power was last seen may not be this machine's.
pub(super) fn failed(draft: &mut Draft<'_>) -> Result<(), Rejected> {
    draft.node.power_state = None;
    draft.event(Event::Fail, None)
}
