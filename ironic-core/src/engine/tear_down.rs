//! Taking the instance off the machine: → deleting → cleaning → available.

use super::{Draft, Rejected, clean};
use crate::flow::Effect;
use crate::states::{Event, FlowKind};
use crate::steps::Replay;

/// Begins: whatever else was going on is over.
pub(super) fn begin(draft: &mut Draft<'_>) -> Result<(), Rejected> {
    draft.event(Event::Delete, None)?;
    draft.begin_flow(FlowKind::TearDown);
    draft.effect(Effect::Prepare, Replay::Idempotent)
}

/// The machine is off its networks: forget the instance, then clean.
pub(super) fn done(draft: &mut Draft<'_>) -> Result<(), Rejected> {
    draft.node.instance_info.clear();
    draft.node.instance_uuid = None;
    draft.node.instance_name = None;
    draft.forget_agent();
    for key in [
        "instance",
        "root_uuid_or_disk_id",
        "is_whole_disk_image",
        "image_source",
        "deploy_boot_mode",
    ] {
        draft.node.set_internal(key, serde_json::Value::Null);
    }
    clean::begin_automated(draft, Event::Clean)
}
