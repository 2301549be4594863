//! Going on after the conductor stopped without an answer.

use super::{Draft, Rejected, run};
use crate::config::Defect;
use crate::flow::Effect;
use crate::model::Severity;
use crate::states::FlowKind;
use crate::steps::Replay;

/// What was begun is begun again, asked about, or given up: by the contract of each effect. What
/// waits goes on waiting.
pub(super) fn recover(draft: &mut Draft<'_>) -> Result<(), Rejected> {
    let Some(flow) = draft.flow.clone() else {
        return orphaned(draft);
    };
    let running: Vec<_> = flow
        .pending
        .iter()
        .filter(|pending| pending.waiting.is_none())
        .collect();
    if running.is_empty() {
        return Err(Rejected::Nothing);
    }
    for pending in running {
        let replay = match draft.policy.has(Defect::StepRepeated) {
            true => Replay::Idempotent,
            false => pending.replay,
        };
        match (replay, &pending.effect) {
            (Replay::Idempotent, effect) => {
                let (seq, now) = (pending.seq, draft.now);
                if let Some(again) = draft.flow_mut()?.pending.iter_mut().find(|p| p.seq == seq) {
                    again.attempt += 1;
                    again.started = now;
                }
                let text = format!(
                    "conductor stopped during \"{}\"; it is carried out again",
                    effect.name()
                );
                draft.note(Severity::Info, flow.kind, "resumed", text);
                draft.carry_out(seq, effect.clone());
            }
            (Replay::Probe, Effect::RunStep { index }) => {
                let text = "conductor stopped during a step; it is asked what became of it";
                draft.note(Severity::Info, flow.kind, "resumed", text);
                draft.flow_mut()?.take(pending.seq);
                draft.effect(Effect::CheckStep { index: *index }, Replay::Idempotent)?;
            }
            (_, effect) => {
                let step = flow
                    .plan
                    .get(flow.cursor)
                    .map(|step| format!(" {step}"))
                    .unwrap_or_default();
                let text = format!(
                    "conductor stopped during \"{}{step}\", which must not be carried out twice",
                    effect.name()
                );
                return run::fail(draft, "interrupted", &text);
            }
        }
    }
    Ok(())
}

/// A node in the middle of something of which no record is left.
fn orphaned(draft: &mut Draft<'_>) -> Result<(), Rejected> {
    if draft.node.target_power_state.take().is_some() {
        draft.node.last_error = Some("conductor stopped while power was being switched".to_owned());
        return Ok(());
    }
    let state = draft.node.provision_state;
    if !(state.is_in_progress() || state.is_waiting()) {
        return Err(Rejected::Nothing);
    }
    let message =
        format!("the node was found in state \"{state}\" with no record of what was going on");
    draft.note(Severity::Error, FlowKind::Deploy, "interrupted", &message);
    draft.event(crate::states::Event::Fail, None)?;
    draft.node.last_error = Some(message);
    Ok(())
}
