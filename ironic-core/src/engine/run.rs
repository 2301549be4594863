//! The step runner that verify, inspect, clean, deploy and service share: an effect's outcome
//! leads to the next effect, to a wait, to success or to failure.

use super::{
    Draft, Outcome, Rejected, adopt, clean, deploy, fast_track, hold, inspect, journal, power,
    rescue, service, tear_down, verify,
};
use crate::ErrorKind;
use crate::config::Defect;
use crate::flow::{BlockedReason, Effect, Flow, PendingEffect, StepProgress, Wait};
use crate::model::Severity;
use crate::states::{Event, FlowKind, PowerState, ProvisionState};
use crate::steps::{Replay, ReservedStep, StepPlan, StepSource};

/// An effect has been carried out.
pub(super) fn outcome(
    draft: &mut Draft<'_>,
    generation: u64,
    seq: u64,
    outcome: &Outcome,
) -> Result<(), Rejected> {
    let is_its =
        |flow: &&Flow| flow.generation == generation || draft.policy.has(Defect::StaleOutcome);
    let flow = draft.flow.as_ref().filter(is_its);
    let flow = flow.ok_or(Rejected::Stale)?;
    let pending = flow.pending(seq).cloned().ok_or(Rejected::Stale)?;
    if let Effect::SetPower { target, .. } = pending.effect {
        draft.flow_mut()?.take(seq);
        return power::outcome(draft, target, outcome);
    }
    if matches!(pending.effect, Effect::CleanUp) {
        return cleaned_up(draft, outcome);
    }
    match outcome {
        Outcome::Done => done(draft, &pending),
        Outcome::Wait(wait) => wait_for(draft, seq, wait),
        Outcome::Failed { code, .. } if is_not_there_yet(draft, &pending, code)? => {
            wait_for(draft, seq, &Wait::for_agent("its steps are asked for"))
        }
        Outcome::Failed { code, .. } if is_unanswered(&pending, code) => {
            let wait = unanswered(draft.flow_mut()?, &pending);
            wait_for(draft, seq, &wait)
        }
        Outcome::Failed { code, message } => failed(draft, &pending, code, message),
        Outcome::Progress(progress) => progressed(draft, &pending, progress),
    }
}

/// Whether a step that was left in the middle could not be asked what became of it: not to be
/// reached now is no answer, as it would have been none before.
fn is_unanswered(pending: &PendingEffect, code: &str) -> bool {
    let asks = matches!(pending.effect, Effect::CheckStep { .. });
    asks && code != ErrorKind::Internal.as_str()
}

/// It is asked again, as long as the flow may wait.
fn unanswered(flow: &Flow, pending: &PendingEffect) -> Wait {
    let step = match pending.effect {
        Effect::CheckStep { index } => flow.plan.get(index).map(ToString::to_string),
        _ => None,
    };
    let step = step.unwrap_or_default();
    let what = format!("to say what became of step {step}");
    let mut wait = Wait::for_step(step, RECOVERED_POLL);
    wait.why = BlockedReason::Hardware { what };
    wait
}

/// Whether a step that waits has said by now that it runs.
fn has_begun(flow: &Flow, pending: &PendingEffect) -> bool {
    let answered = match pending.effect {
        Effect::CheckStep { .. } => {
            let reason = flow.blocked.as_ref().map(|blocked| &blocked.reason);
            matches!(reason, Some(BlockedReason::Step { .. }))
        }
        _ => true,
    };
    pending.waiting.is_some() && answered
}

/// Whether the agent of a ramdisk that ran already does not answer, for once: it may be about to.
fn is_not_there_yet(
    draft: &mut Draft<'_>,
    pending: &PendingEffect,
    code: &str,
) -> Result<bool, Rejected> {
    let silent = code == ErrorKind::Unreachable.as_str();
    if !silent || pending.effect != Effect::RefreshSteps {
        return Ok(false);
    }
    let args = &mut draft.flow_mut()?.args;
    Ok(args.remove(FAST_TRACK).is_some())
}

/// The flow can go on: with what follows `pending`.
fn done(draft: &mut Draft<'_>, pending: &PendingEffect) -> Result<(), Rejected> {
    if let Some(wait) = agent_after(draft.flow_mut()?, pending) {
        return wait_for(draft, pending.seq, &wait);
    }
    let flow = draft.flow_mut()?;
    flow.take(pending.seq);
    let kind = flow.kind;
    match pending.effect {
        Effect::Prepare => match kind {
            FlowKind::Inspect => draft.effect(Effect::Finish, Replay::Idempotent),
            FlowKind::TearDown => tear_down::done(draft),
            FlowKind::Adopt | FlowKind::Rescue | FlowKind::Unrescue => succeed(draft, kind),
            _ if ramdisk_runs(draft)? => {
                draft
                    .flow_mut()?
                    .args
                    .insert(FAST_TRACK.to_owned(), true.into());
                draft.effect(Effect::RefreshSteps, Replay::Idempotent)
            }
            _ => compose(draft),
        },
        Effect::RefreshSteps => {
            draft.flow_mut()?.refreshed = true;
            compose(draft)
        }
        Effect::RunStep { index } | Effect::CheckStep { index } => step_done(draft, index),
        Effect::Finish => succeed(draft, kind),
        Effect::CleanUp | Effect::SetPower { .. } => Err(Rejected::Stale),
    }
}

/// The flow's argument that says that a ramdisk is used that ran already, and that its agent has
/// not called since.
const FAST_TRACK: &str = "fast_track";

/// Whether the flow goes on in a ramdisk that ran already, so that the agent can be asked for its
/// steps at once.
fn ramdisk_runs(draft: &mut Draft<'_>) -> Result<bool, Rejected> {
    let flow = draft.flow_mut()?;
    let in_ramdisk =
        matches!(flow.kind, FlowKind::Clean | FlowKind::Deploy) && !flow.disable_ramdisk;
    let (node, policy) = (&draft.node, draft.policy);
    Ok(in_ramdisk
        && fast_track::able(node, policy)
        && fast_track::agent_answers(node, policy, draft.now))
}

/// A machine that was started for a step of the agent has to boot the ramdisk before that.
fn agent_after(flow: &Flow, pending: &PendingEffect) -> Option<Wait> {
    let Effect::RunStep { index } = pending.effect else {
        return None;
    };
    let starts = flow.plan.get(index)?.reserved()?.power()?.result() == PowerState::On;
    let next = flow.plan.get(index + 1)?;
    (starts && next.source == StepSource::Agent)
        .then(|| Wait::for_agent(format!("step {next} runs")))
}

/// Makes the plan, or completes it when more steps have become known, and goes on.
pub(super) fn compose(draft: &mut Draft<'_>) -> Result<(), Rejected> {
    let flow = draft.flow_mut()?;
    let (kind, asked) = (flow.kind, flow.asked.clone());
    let disable_ramdisk = flow.disable_ramdisk;
    let catalog = draft.catalog(kind);
    let manual = draft.node.target_provision_state == Some(ProvisionState::Manageable);
    let fresh = match kind {
        FlowKind::Clean if manual || !asked.is_empty() => {
            StepPlan::requested(&catalog, &asked, disable_ramdisk)
        }
        FlowKind::Service => StepPlan::requested(&catalog, &asked, disable_ramdisk),
        FlowKind::Deploy => deploy::plan(&catalog, &asked, draft.flow_mut()?.refreshed),
        _ => Ok(StepPlan::automated(&catalog)),
    };
    match fresh {
        Ok(mut fresh) => {
            if let Some(disallowed) = draft.policy.disallowed_steps(kind) {
                fresh = fresh.without(disallowed);
            }
            let flow = draft.flow_mut()?;
            let first = flow.plan.is_empty();
            flow.plan = flow.plan.completed(flow.cursor, fresh);
            if first {
                journal::begun(draft);
            }
            next_step(draft)
        }
        Err(error) => {
            let unchecked = kind == FlowKind::Service && !draft.flow_mut()?.refreshed;
            let message = error.to_string();
            fail(draft, error.kind().as_str(), &message)?;
            if unchecked {
                service::did_not_fit(draft, &message);
            }
            Ok(())
        }
    }
}

fn step_done(draft: &mut Draft<'_>, index: u32) -> Result<(), Rejected> {
    let flow = draft.flow_mut()?;
    flow.cursor = index + 1;
    if flow.abort_requested {
        return super::abort::now(draft);
    }
    next_step(draft)
}

/// Runs the step at the cursor, or finishes when there is none.
pub(super) fn next_step(draft: &mut Draft<'_>) -> Result<(), Rejected> {
    let flow = draft.flow_mut()?;
    let index = flow.cursor;
    let Some(step) = flow.plan.get(index) else {
        return draft.effect(Effect::Finish, Replay::Idempotent);
    };
    match step.reserved() {
        Some(ReservedStep::Hold) => hold::begin(draft, index),
        Some(ReservedStep::Wait) => {
            let seconds = step.args.get("seconds").and_then(serde_json::Value::as_u64);
            hold::pause(draft, index, seconds)
        }
        _ => {
            let replay = step.replay;
            draft.effect(Effect::RunStep { index }, replay)
        }
    }
}

fn succeed(draft: &mut Draft<'_>, kind: FlowKind) -> Result<(), Rejected> {
    journal::ended(draft, false);
    match kind {
        FlowKind::Verify => verify::succeeded(draft),
        FlowKind::Inspect => inspect::succeeded(draft),
        FlowKind::Clean => clean::succeeded(draft),
        FlowKind::Deploy => deploy::succeeded(draft),
        FlowKind::Service => service::succeeded(draft),
        FlowKind::Rescue => rescue::succeeded(draft),
        FlowKind::Unrescue => rescue::unrescued(draft),
        _ => draft.event(Event::Done, None),
    }?;
    draft.end_flow();
    Ok(())
}

/// The effect has begun and is not done: the node goes into its waiting state, if it has one.
fn wait_for(draft: &mut Draft<'_>, seq: u64, wait: &Wait) -> Result<(), Rejected> {
    draft.wait(seq, wait)?;
    if draft.flow_mut()?.kind == FlowKind::Rescue {
        rescue::booted(draft)?;
    }
    draft.event_if_taken(Event::Wait, None)
}

/// A step that waits, or of which nobody knows, has said how far it is.
fn progressed(
    draft: &mut Draft<'_>,
    pending: &PendingEffect,
    progress: &StepProgress,
) -> Result<(), Rejected> {
    let (Effect::RunStep { index } | Effect::CheckStep { index }) = pending.effect else {
        return Err(Rejected::Stale);
    };
    match progress {
        StepProgress::Running { detail } => still_running(draft, pending, index, detail),
        StepProgress::Done => {
            draft.awake(pending.seq)?;
            draft.event_if_taken(Event::Resume, None)?;
            done(draft, pending)
        }
        StepProgress::NotStarted if has_begun(draft.flow_mut()?, pending) => {
            let message =
                "it had begun, but whoever ran it knows nothing of it any more: it was restarted";
            failed(draft, pending, "interrupted", message)
        }
        StepProgress::NotStarted => {
            draft.awake(pending.seq)?;
            draft.event_if_taken(Event::Resume, None)?;
            let flow = draft.flow_mut()?;
            flow.take(pending.seq);
            let replay = flow
                .plan
                .get(index)
                .map_or(Replay::Never, |step| step.replay);
            draft.effect(Effect::RunStep { index }, replay)
        }
        StepProgress::Failed { message } => failed(draft, pending, "driver", message),
        StepProgress::Unknown => {
            let message =
                "nobody can tell whether it was carried out, and it must not be carried out twice";
            failed(draft, pending, "interrupted", message)
        }
    }
}

/// A step runs on: only what it says about itself may have changed.
fn still_running(
    draft: &mut Draft<'_>,
    pending: &PendingEffect,
    index: u32,
    detail: &str,
) -> Result<(), Rejected> {
    let flow = draft.flow_mut()?;
    let step = flow
        .plan
        .get(index)
        .map(ToString::to_string)
        .unwrap_or_default();
    let why = BlockedReason::Step {
        step: step.clone(),
        detail: detail.to_owned(),
    };
    if pending.waiting.is_none() {
        let mut wait = Wait::for_step(step, RECOVERED_POLL);
        wait.why = why;
        return wait_for(draft, pending.seq, &wait);
    }
    match flow.blocked.as_mut() {
        Some(blocked) if blocked.reason != why => blocked.reason = why,
        _ => return Err(Rejected::Nothing),
    }
    Ok(())
}

/// How often a step is asked about that another conductor began.
const RECOVERED_POLL: std::time::Duration = std::time::Duration::from_secs(5);

/// What was going on has failed.
pub(super) fn failed(
    draft: &mut Draft<'_>,
    pending: &PendingEffect,
    code: &str,
    message: &str,
) -> Result<(), Rejected> {
    let flow = draft.flow_mut()?;
    let what = match pending.effect {
        Effect::RunStep { index } | Effect::CheckStep { index } => {
            let step = flow.plan.get(index);
            let by = if step.is_some_and(|step| step.source == StepSource::Agent) {
                "agent"
            } else {
                "driver"
            };
            format!(
                "{by} step {} failed",
                step.map(ToString::to_string).unwrap_or_default()
            )
        }
        Effect::Prepare => format!("failed to prepare to {}", flow.kind),
        Effect::Finish => format!("failed to finish to {}", flow.kind),
        ref other => format!("failed to {}", other.name()),
    };
    flow.take(pending.seq);
    fail(draft, code, &format!("{what}: {message}"))
}

/// Puts the node into the failed state of its flow; what the flow left outside the store is
/// cleaned up afterwards, still under the lock.
pub(super) fn fail(draft: &mut Draft<'_>, code: &str, message: &str) -> Result<(), Rejected> {
    let kind = draft.flow_mut()?.kind;
    journal::ended(draft, true);
    draft.note(Severity::Error, kind, code, message);
    draft.node.last_error = Some(message.to_owned());
    match kind {
        FlowKind::Verify => verify::failed(draft)?,
        FlowKind::Clean => clean::failed(draft, message)?,
        FlowKind::Inspect => inspect::failed(draft)?,
        FlowKind::Service => service::failed(draft, message)?,
        FlowKind::Rescue => rescue::failed(draft)?,
        FlowKind::Adopt => adopt::failed(draft)?,
        FlowKind::TearDown => tear_down::failed(draft)?,
        FlowKind::Power => {}
        _ => draft.event(Event::Fail, None)?,
    }
    draft.node.last_error = Some(message.to_owned());
    if matches!(
        kind,
        FlowKind::Verify
            | FlowKind::TearDown
            | FlowKind::Power
            | FlowKind::Adopt
            | FlowKind::Unrescue
    ) {
        draft.end_flow();
        return Ok(());
    }
    let flow = draft.flow_mut()?;
    flow.pending.clear();
    flow.failure = Some(message.to_owned());
    draft.effect(Effect::CleanUp, Replay::Idempotent)
}

/// What a failed flow left behind has been cleaned up, or could not be.
fn cleaned_up(draft: &mut Draft<'_>, outcome: &Outcome) -> Result<(), Rejected> {
    let flow = draft.flow_mut()?;
    let (kind, failure, aborted) = (flow.kind, flow.failure.clone(), flow.abort_requested);
    draft.forget_agent();
    let failed = match outcome {
        Outcome::Failed { message, .. } => Some(message.as_str()),
        _ => None,
    };
    match kind {
        FlowKind::Service => service::cleaned_up(draft, failed),
        FlowKind::Rescue => rescue::cleaned_up(draft, aborted, failed),
        _ => {}
    }
    if let Outcome::Failed { code, message } = outcome {
        let text = format!("failed to clean up: {message}");
        draft.note(Severity::Error, kind, code, &text);
        draft.node.last_error = failure
            .map(|failure| format!("{failure}; {text}"))
            .or(Some(text));
    }
    draft.end_flow();
    Ok(())
}
