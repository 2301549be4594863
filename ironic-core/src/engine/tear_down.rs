//! Taking the instance off the machine: → deleting → cleaning → available.

use serde_json::Value;

use super::{Draft, Rejected, clean};
use crate::flow::{CleaningSteps, Effect};
use crate::states::{Event, FlowKind, ProvisionState as S};
use crate::steps::Replay;

/// The flow's argument that says that the machine is, or was about to be, in rescue.
pub(crate) const RESCUED: &str = "rescued";

/// Where the node remembers that its lessee came with the instance, and is to go with it.
pub(crate) const AUTOMATIC_LESSEE: &str = "automatic_lessee";

/// Begins: whatever else was going on is over.
pub(super) fn begin(draft: &mut Draft<'_>, cleaning: &CleaningSteps) -> Result<(), Rejected> {
    let from = draft.node.provision_state;
    draft.event(Event::Delete, None)?;
    draft.begin_flow(FlowKind::TearDown).cleaning = cleaning.clone();
    // A machine that is in rescue, or was on its way, is taken out of it first.
    if matches!(
        from,
        S::RescueWait | S::Rescue | S::RescueFailed | S::UnrescueFailed
    ) {
        draft
            .flow_mut()?
            .args
            .insert(RESCUED.to_owned(), Value::Bool(true));
    }
    draft.effect(Effect::Prepare, Replay::Idempotent)
}

/// The machine is off its networks: forget the instance, then clean.
pub(super) fn done(draft: &mut Draft<'_>) -> Result<(), Rejected> {
    forget_instance(draft);
    let cleaning = std::mem::take(&mut draft.flow_mut()?.cleaning);
    clean::begin_automated(draft, Event::Clean, &cleaning)
}

/// The instance is given up all the same: what is left of it is for an operator to remove.
pub(super) fn failed(draft: &mut Draft<'_>) -> Result<(), Rejected> {
    forget_instance(draft);
    draft.event(Event::Fail, None)
}

fn forget_instance(draft: &mut Draft<'_>) {
    draft.node.instance_info.clear();
    draft.node.instance_uuid = None;
    draft.node.instance_name = None;
    draft.node.allocation_uuid = None;
    draft.forget_agent();
    for key in [
        "instance",
        "root_uuid_or_disk_id",
        "is_whole_disk_image",
        "image_source",
        "deploy_boot_mode",
    ] {
        draft.node.set_internal(key, Value::Null);
    }
    // A lessee that came with the instance goes with it.
    if draft
        .node
        .driver_internal_info
        .contains_key(AUTOMATIC_LESSEE)
    {
        draft.node.lessee = None;
        draft.node.set_internal(AUTOMATIC_LESSEE, Value::Null);
    }
}
