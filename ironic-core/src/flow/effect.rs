use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::BlockedReason;
use crate::runtime::Timestamp;
use crate::states::PowerTarget;
use crate::steps::Replay;

/// Something to carry out that is not a write to the store.
///
/// What `Prepare`, `Finish` and `CleanUp` call follows from the kind of the flow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Effect {
    /// Make the machine ready for the flow.
    Prepare,
    /// Ask the agent which steps it offers.
    RefreshSteps,
    /// Run the step of the plan at this index.
    RunStep {
        /// Counted from 0.
        index: u32,
    },
    /// Ask what became of the step of the plan at this index.
    CheckStep {
        /// Counted from 0.
        index: u32,
    },
    /// The flow has succeeded: undo what `Prepare` did.
    Finish,
    /// The flow has failed: leave the machine in a safe state.
    CleanUp,
    /// Switch power.
    SetPower {
        /// To what.
        target: PowerTarget,
        /// How long it may take, in seconds; `None` is for the driver to say.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        timeout: Option<u64>,
    },
}

impl Effect {
    /// What this is, for people and for the lock's purpose.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Prepare => "prepare",
            Self::RefreshSteps => "refresh steps",
            Self::RunStep { .. } => "run step",
            Self::CheckStep { .. } => "check step",
            Self::Finish => "finish",
            Self::CleanUp => "clean up",
            Self::SetPower { .. } => "set power",
        }
    }
}

/// An effect whose outcome has not been recorded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PendingEffect {
    /// Tells it from every other effect of the flow.
    pub seq: u64,
    /// What is to be done.
    pub effect: Effect,
    /// What may be done after a crash.
    pub replay: Replay,
    /// How often it has been begun, from 1.
    pub attempt: u32,
    /// When it was last begun.
    pub started: Timestamp,
    /// Set once it has answered that it is not done yet; no lock is held meanwhile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiting: Option<Waiting>,
}

impl PendingEffect {
    /// An effect that begins at `now`.
    pub fn new(seq: u64, effect: Effect, replay: Replay, now: Timestamp) -> Self {
        Self {
            seq,
            effect,
            replay,
            attempt: 1,
            started: now,
            waiting: None,
        }
    }
}

string_enum! {
    /// Where a flow goes on after a wait.
    #[non_exhaustive]
    pub enum Resume("resume") {
        /// What waited is done: the next step.
        NextStep = "next step",
        /// What waited is asked how far it is.
        SameStep = "same step",
        /// The next step, when its time has come and not before: no agent's call ends it.
        Due = "due",
        /// The next step, once somebody has said `unhold`.
        Unhold = "unhold",
    }
}

/// An effect's answer: begun, not done, come back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Wait {
    /// What for.
    pub why: BlockedReason,
    /// After how long to give up; `None` leaves it to the policy of the flow.
    pub deadline: Option<Duration>,
    /// After how long to look again unasked; `None` waits for a call.
    pub poll: Option<Duration>,
    /// Where to go on.
    pub resume: Resume,
}

impl Wait {
    /// Waits for the agent to call, then goes on with the next step.
    pub fn for_agent(then: impl Into<String>) -> Self {
        Self {
            why: BlockedReason::Agent { then: then.into() },
            deadline: None,
            poll: None,
            resume: Resume::NextStep,
        }
    }

    /// Waits for a step that runs elsewhere, asking every `poll` how far it is.
    pub fn for_step(step: impl ToString, poll: Duration) -> Self {
        Self {
            why: BlockedReason::Step {
                step: step.to_string(),
                detail: String::new(),
            },
            deadline: None,
            poll: Some(poll),
            resume: Resume::SameStep,
        }
    }

    /// The same wait, given up after `deadline`.
    #[must_use]
    pub fn within(mut self, deadline: Duration) -> Self {
        self.deadline = Some(deadline);
        self
    }
}

/// A wait, as recorded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Waiting {
    /// Where to go on.
    pub resume: Resume,
    /// When to look again unasked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub poll_at: Option<Timestamp>,
    /// After how long to look again each time, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub poll_ms: Option<u64>,
    /// For how long the agent may be silent, in milliseconds, where the flow's deadline counts
    /// from its last call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub patience_ms: Option<u64>,
}

impl Waiting {
    /// The record of `wait`, begun at `now`.
    pub fn new(wait: &Wait, now: Timestamp) -> Self {
        Self {
            resume: wait.resume,
            poll_at: wait.poll.map(|poll| now.saturating_add(poll)),
            poll_ms: wait
                .poll
                .map(|poll| u64::try_from(poll.as_millis()).unwrap_or(u64::MAX)),
            patience_ms: None,
        }
    }
}

/// An interface's answer to being asked to do something.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub enum Progress {
    /// It is done.
    Done,
    /// It has begun; come back.
    Wait(Wait),
}

/// An interface's answer to being asked how far a step is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
#[non_exhaustive]
pub enum StepProgress {
    /// It never began.
    NotStarted,
    /// It runs.
    Running {
        /// What it says about itself.
        detail: String,
    },
    /// It succeeded.
    Done,
    /// It failed.
    Failed {
        /// What it said.
        message: String,
    },
    /// Nobody can tell.
    Unknown,
}
