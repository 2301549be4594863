//! Cleaning: → cleaning (→ clean wait) → available, or manageable for given steps.

use super::{Draft, Rejected, run};
use crate::Error;
use crate::flow::{CleaningSteps, Effect};
use crate::states::{Event, FlowKind, ProvisionState};
use crate::steps::{Replay, StepCatalog, StepPlan, UserStep};

/// Begins automated cleaning, after `provide` or a tear-down; where nothing is cleaned the node
/// is available at once.
pub(super) fn begin_automated(
    draft: &mut Draft<'_>,
    event: Event,
    cleaning: &CleaningSteps,
) -> Result<(), Rejected> {
    draft.event(event, None)?;
    if !draft
        .node
        .automated_clean
        .unwrap_or(draft.policy.automated_clean)
    {
        draft.end_flow();
        return draft.event(Event::Done, None);
    }
    let catalog = draft.catalog(FlowKind::Clean);
    let barred = draft.node.maintenance && !draft.policy.allow_provisioning_in_maintenance;
    let flow = draft.begin_flow(FlowKind::Clean);
    if barred {
        // What has not been prepared is not undone either.
        flow.disable_ramdisk = true;
        let message = "a node in maintenance is not cleaned";
        return run::fail(draft, "in_maintenance", message);
    }
    match cleaning {
        CleaningSteps::Priorities => {}
        CleaningSteps::Runbook {
            steps,
            disable_ramdisk,
        } => {
            flow.asked.clone_from(steps);
            flow.disable_ramdisk = *disable_ramdisk || is_needless(&catalog, steps);
        }
        CleaningSteps::Unusable { message } => return run::fail(draft, "invalid", message),
    }
    draft.effect(Effect::Prepare, Replay::Idempotent)
}

/// Whether the steps are known, and none of them needs the ramdisk.
fn is_needless(catalog: &StepCatalog, steps: &[UserStep]) -> bool {
    catalog.runs_without_ramdisk(steps) && StepPlan::requested(catalog, steps, true).is_ok()
}

/// Begins to run the given steps. Where all of them do without the ramdisk, none is booted.
pub(super) fn begin_manual(
    draft: &mut Draft<'_>,
    steps: &[UserStep],
    disable_ramdisk: bool,
) -> Result<(), Rejected> {
    if steps.is_empty() {
        return Err(Error::missing("clean_steps must name at least one step").into());
    }
    let catalog = draft.catalog(FlowKind::Clean);
    if disable_ramdisk {
        // Nothing that happens later could make these steps fit.
        StepPlan::requested(&catalog, steps, true)?;
    }
    let needless = is_needless(&catalog, steps);
    draft.event(Event::Clean, Some(ProvisionState::Manageable))?;
    let flow = draft.begin_flow(FlowKind::Clean);
    flow.asked = steps.to_vec();
    flow.disable_ramdisk = disable_ramdisk || needless;
    draft.effect(Effect::Prepare, Replay::Idempotent)
}

/// Every step has run.
pub(super) fn succeeded(draft: &mut Draft<'_>) -> Result<(), Rejected> {
    draft.leave_agent();
    let manual = draft.node.target_provision_state == Some(ProvisionState::Manageable);
    draft.event(if manual { Event::Manage } else { Event::Done }, None)
}

/// A machine on which a clean step failed half way is kept from everybody until somebody has
/// looked at it.
pub(super) fn failed(draft: &mut Draft<'_>, message: &str) -> Result<(), Rejected> {
    let flow = draft.flow_mut()?;
    let in_step = !flow.plan.is_empty() && flow.failure.is_none() && !flow.abort_requested;
    draft.event(Event::Fail, None)?;
    if in_step {
        draft.fault("clean failure", message);
    }
    Ok(())
}
