use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Blocked, CleaningSteps, Effect, PendingEffect, Resume};
use crate::model::{JsonMap, is_default};
use crate::runtime::Timestamp;
use crate::states::FlowKind;
use crate::steps::{Replay, StepPlan, UserStep};

/// What is going on with a node. There is none while the node rests.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Flow {
    /// The node.
    pub uuid: Uuid,
    /// What sort of flow.
    pub kind: FlowKind,
    /// The node's `generation` as this flow began.
    pub generation: u64,
    /// The steps, as far as they are known.
    #[serde(default, skip_serializing_if = "StepPlan::is_empty")]
    pub plan: StepPlan,
    /// The index of the first step that is not done.
    #[serde(default)]
    pub cursor: u32,
    /// What has begun and has no recorded outcome.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pending: Vec<PendingEffect>,
    /// The `seq` of the next effect.
    #[serde(default)]
    pub next_seq: u64,
    /// When the flow gives up waiting.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline: Option<Timestamp>,
    /// Why it waits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blocked: Option<Blocked>,
    /// The steps that the caller asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub asked: Vec<UserStep>,
    /// For a removal of an instance: where the steps of the cleaning that follows come from.
    #[serde(default, skip_serializing_if = "is_default")]
    pub cleaning: CleaningSteps,
    /// Whether the flow does without the ramdisk.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub disable_ramdisk: bool,
    /// Whether the agent's steps are in the plan.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub refreshed: bool,
    /// Whether to stop as soon as the current step is done.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub abort_requested: bool,
    /// Why the flow has failed, while `CleanUp` runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
    /// When it began.
    pub started: Timestamp,
    /// Who asked for it, or for the flow that led to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// Further arguments of the verb.
    #[serde(default, skip_serializing_if = "JsonMap::is_empty")]
    pub args: JsonMap,
}

impl Flow {
    /// A flow of `node` that begins at `now`.
    pub fn new(node: Uuid, kind: FlowKind, generation: u64, now: Timestamp) -> Self {
        Self {
            uuid: node,
            kind,
            generation,
            plan: StepPlan::default(),
            cursor: 0,
            pending: Vec::new(),
            next_seq: 1,
            deadline: None,
            blocked: None,
            asked: Vec::new(),
            cleaning: CleaningSteps::default(),
            disable_ramdisk: false,
            refreshed: false,
            abort_requested: false,
            failure: None,
            started: now,
            user: None,
            args: JsonMap::new(),
        }
    }

    /// Records that `effect` begins, and returns its `seq`.
    pub fn begin(&mut self, effect: Effect, replay: Replay, now: Timestamp) -> u64 {
        let seq = self.next_seq;
        self.next_seq += 1;
        self.pending
            .push(PendingEffect::new(seq, effect, replay, now));
        seq
    }

    /// The pending effect with this `seq`.
    pub fn pending(&self, seq: u64) -> Option<&PendingEffect> {
        self.pending.iter().find(|pending| pending.seq == seq)
    }

    /// Takes the pending effect with this `seq` out.
    pub fn take(&mut self, seq: u64) -> Option<PendingEffect> {
        let at = self.pending.iter().position(|pending| pending.seq == seq)?;
        Some(self.pending.remove(at))
    }

    /// The effect that moves the flow on, apart from a change of power on the side.
    pub fn main(&self) -> Option<&PendingEffect> {
        self.pending
            .iter()
            .find(|p| self.kind == FlowKind::Power || !matches!(p.effect, Effect::SetPower { .. }))
    }

    /// The step that waits for itself and has to be asked how far it is: its effect's `seq`, and
    /// its index in the plan.
    pub fn asked_step(&self) -> Option<(u64, u32)> {
        let pending = self.main()?;
        let waiting = pending.waiting.as_ref()?;
        match pending.effect {
            Effect::RunStep { index } | Effect::CheckStep { index }
                if waiting.resume == Resume::SameStep =>
            {
                Some((pending.seq, index))
            }
            _ => None,
        }
    }

    /// Whether nothing runs: everything pending waits for somebody else.
    pub fn is_waiting(&self) -> bool {
        self.pending.iter().all(|pending| pending.waiting.is_some())
    }

    /// When the flow wants to be looked at next: at a poll or at its deadline.
    pub fn due(&self) -> Option<Timestamp> {
        self.pending
            .iter()
            .filter_map(|p| p.waiting.as_ref()?.poll_at)
            .chain(self.deadline)
            .min()
    }
}
