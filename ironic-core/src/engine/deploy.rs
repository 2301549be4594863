//! Putting an instance on the machine: available → deploying (→ wait call-back) → active.

use super::{Draft, Rejected};
use crate::Error;
use crate::flow::Effect;
use crate::states::{Event, FlowKind};
use crate::steps::{Replay, StepCatalog, StepPlan, UserStep};

/// Begins a deployment, or with `Event::Rebuild` another over the same instance.
pub(super) fn begin(
    draft: &mut Draft<'_>,
    event: Event,
    steps: &[UserStep],
) -> Result<(), Rejected> {
    draft.event(event, None)?;
    draft.begin_flow(FlowKind::Deploy).asked = steps.to_vec();
    draft.effect(Effect::Prepare, Replay::Idempotent)
}

/// The deploy steps. Until the agent has been asked, a step that nobody offers may be one of
/// its own, so it is left out rather than refused.
pub(super) fn plan(
    catalog: &StepCatalog,
    asked: &[UserStep],
    refreshed: bool,
) -> Result<StepPlan, Error> {
    let plan = StepPlan::merged(catalog, asked, &[], !refreshed)?;
    if plan.is_empty() {
        return Err(Error::invalid(
            "the driver offers no deploy step, so nothing would be deployed",
        ));
    }
    Ok(plan)
}

/// The instance runs.
pub(super) fn succeeded(draft: &mut Draft<'_>) -> Result<(), Rejected> {
    draft.forget_agent();
    draft.event(Event::Done, None)
}
