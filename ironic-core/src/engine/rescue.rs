//! Booting the rescue ramdisk beside the instance, and the instance again: active → rescuing
//! (→ rescue wait) → rescue → unrescuing → active.

use super::{Draft, Rejected};
use crate::flow::Effect;
use crate::states::{Event, FlowKind};
use crate::steps::Replay;

/// The fault of a node on which an aborted rescue could not be cleaned up.
const FAULT: &str = "rescue abort failure";

/// The flow's argument that says that the rescue ramdisk has been booted.
pub(crate) const RAMDISK_BOOTED: &str = "ramdisk_booted";

/// Begins: the rescue interface boots the ramdisk.
pub(super) fn begin(draft: &mut Draft<'_>) -> Result<(), Rejected> {
    draft.event(Event::Rescue, None)?;
    draft.forget_agent();
    draft.begin_flow(FlowKind::Rescue);
    draft.effect(Effect::Prepare, Replay::Idempotent)
}

/// The ramdisk boots.
pub(super) fn booted(draft: &mut Draft<'_>) -> Result<(), Rejected> {
    let args = &mut draft.flow_mut()?.args;
    args.insert(RAMDISK_BOOTED.to_owned(), serde_json::Value::Bool(true));
    Ok(())
}

/// The rescue ramdisk runs, and has the password; whether the node needs it any longer is for the
/// rescue interface to say.
pub(super) fn succeeded(draft: &mut Draft<'_>) -> Result<(), Rejected> {
    draft.event(Event::Done, None)
}

/// Nobody is going to use the password.
pub(super) fn failed(draft: &mut Draft<'_>) -> Result<(), Rejected> {
    forget_password(draft);
    draft.event(Event::Fail, None)
}

/// What a rescue left behind has been cleaned up, or could not be: after an abort nobody looks
/// at the node unless it says so.
pub(super) fn cleaned_up(draft: &mut Draft<'_>, aborted: bool, failure: Option<&str>) {
    if let Some(message) = failure.filter(|_| aborted) {
        draft.fault(FAULT, message);
    }
}

/// The password outlives no rescue.
pub(super) fn forget_password(draft: &mut Draft<'_>) {
    draft.node.forget_rescue_password();
}

/// Begins to boot the instance again.
pub(super) fn begin_unrescue(draft: &mut Draft<'_>) -> Result<(), Rejected> {
    draft.event(Event::Unrescue, None)?;
    draft
        .node
        .set_internal("agent_url", serde_json::Value::Null);
    draft.begin_flow(FlowKind::Unrescue);
    draft.effect(Effect::Prepare, Replay::Idempotent)
}

/// The instance runs again.
pub(super) fn unrescued(draft: &mut Draft<'_>) -> Result<(), Rejected> {
    forget_password(draft);
    draft.forget_agent();
    draft.event(Event::Done, None)
}
