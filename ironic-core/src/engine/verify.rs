//! Checking that the machine can be managed: enroll → verifying → manageable.

use super::{Draft, Rejected};
use crate::flow::Effect;
use crate::states::{Event, FlowKind};
use crate::steps::Replay;

/// Begins: the power interface is validated and the machine's power read.
pub(super) fn begin(draft: &mut Draft<'_>) -> Result<(), Rejected> {
    draft.event(Event::Manage, None)?;
    draft.begin_flow(FlowKind::Verify);
    draft.effect(Effect::Prepare, Replay::Idempotent)
}

/// The BMC answers, and the verify steps have run.
pub(super) fn succeeded(draft: &mut Draft<'_>) -> Result<(), Rejected> {
    draft.event(Event::Done, None)
}

/// Back to where the node came from, without a target.
pub(super) fn failed(draft: &mut Draft<'_>) -> Result<(), Rejected> {
    draft.event(Event::Fail, None)?;
    draft.node.target_provision_state = None;
    Ok(())
}
