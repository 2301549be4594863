//! Steps at which a flow stands still: until somebody says `unhold`, for some seconds, or until
//! the agent's next call.

use std::time::Duration;

use super::{Draft, Rejected};
use crate::flow::{BlockedReason, Effect, Resume, Wait};
use crate::states::{Event, FlowKind};

/// The step `hold` at `index`: nothing goes on until somebody says `unhold` or `abort`.
pub(super) fn begin(draft: &mut Draft<'_>, index: u32) -> Result<(), Rejected> {
    let wait = Wait {
        why: BlockedReason::Hold,
        deadline: None,
        poll: None,
        resume: Resume::Unhold,
    };
    draft.stand(Effect::RunStep { index }, &wait)?;
    draft.event(Event::Hold, None)
}

/// The step `wait` at `index`: for `seconds`, or until the agent's next call.
pub(super) fn pause(
    draft: &mut Draft<'_>,
    index: u32,
    seconds: Option<u64>,
) -> Result<(), Rejected> {
    let wait = match seconds.map(Duration::from_secs) {
        None => Wait::for_agent("the next step runs"),
        // However long: nothing is held meanwhile, neither the node nor a worker.
        Some(pause) => Wait {
            why: BlockedReason::Step {
                step: "wait".to_owned(),
                detail: format!("for {} s", pause.as_secs()),
            },
            deadline: None,
            poll: Some(pause),
            resume: Resume::Due,
        },
    };
    draft.stand(Effect::RunStep { index }, &wait)?;
    draft.event_if_taken(Event::Wait, None)
}

/// Somebody says `unhold`: the flow goes on at the agent's next call; where no agent runs, and
/// in servicing, by itself.
pub(super) fn end(draft: &mut Draft<'_>) -> Result<(), Rejected> {
    draft.event(Event::Unhold, None)?;
    let agent_runs = draft.node.internal_str("agent_url").is_some();
    let Some(flow) = draft.flow.as_ref() else {
        return Ok(());
    };
    let by_itself = flow.kind == FlowKind::Service || flow.disable_ramdisk || !agent_runs;
    let held = flow
        .main()
        .filter(|pending| pending.waiting.is_some())
        .map(|pending| pending.seq)
        .ok_or(Rejected::Stale)?;
    let mut wait = Wait::for_agent("the next step runs");
    if by_itself {
        wait.poll = Some(Duration::ZERO);
        wait.resume = Resume::Due;
    }
    draft.awake(held)?;
    draft.wait(held, &wait)
}
