//! Decisions: what a node's next state and the next effects are, as pure functions. No I/O, no
//! clock, no driver; one file per flow.
//!
//! [`decide`] is all of it: [`plan`] and [`explain`] are made of the same decisions ([Plans and
//! explanations](crate::guide::plans_and_explanations)), and so is going on after a crash ([Crash and
//! replay](crate::guide::crash_and_replay)).

mod abort;
mod adopt;
mod clean;
mod deploy;
mod draft;
mod explain;
pub(crate) mod fast_track;
mod hold;
mod inspect;
mod journal;
mod plan;
mod power;
mod recover;
mod rescue;
mod run;
mod service;
mod tear_down;
mod verb;
mod verify;
mod waiting;

pub use explain::explain;
pub use plan::{Forecasts, Plan, PlanChange, PlanDiff, PlanItem, PlanProblem, Summary, plan};

pub(crate) use power::POWER_FAILURE;
pub(crate) use rescue::RAMDISK_BOOTED;
pub(crate) use tear_down::{AUTOMATIC_LESSEE, RESCUED};

use serde::{Deserialize, Serialize};

use draft::Draft;

use crate::config::Policy;
use crate::flow::{CleaningSteps, Effect, Flow, StepProgress, Wait};
use crate::model::{HistoryEvent, InterfaceNames, Node};
use crate::notify;
use crate::runtime::Timestamp;
use crate::states::{FlowKind, PowerState, PowerTarget, Verb};
use crate::steps::{StepCatalog, UserStep};

/// What a decision looks at.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct View<'a> {
    /// The node, with the changes that a driver has made and that are not committed yet.
    pub node: &'a Node,
    /// What is going on with it.
    pub flow: Option<&'a Flow>,
    /// The names of the interfaces of its driver.
    pub interfaces: &'a InterfaceNames,
    /// The steps that the interfaces offer, by flow.
    pub catalogs: Catalogs<'a>,
}

impl<'a> View<'a> {
    /// A view.
    pub fn new(
        node: &'a Node,
        flow: Option<&'a Flow>,
        interfaces: &'a InterfaceNames,
        catalogs: Catalogs<'a>,
    ) -> Self {
        Self {
            node,
            flow,
            interfaces,
            catalogs,
        }
    }
}

/// Makes the step catalogue of a kind of flow when a decision needs it: from the interfaces and
/// the node, without I/O.
#[derive(Clone, Copy)]
pub struct Catalogs<'a>(&'a (dyn Fn(&Node, FlowKind) -> StepCatalog + Sync));

impl<'a> Catalogs<'a> {
    /// Catalogues made by this function.
    pub fn new(make: &'a (dyn Fn(&Node, FlowKind) -> StepCatalog + Sync)) -> Self {
        Self(make)
    }

    pub(crate) fn of(&self, node: &Node, kind: FlowKind) -> StepCatalog {
        (self.0)(node, kind)
    }
}

impl std::fmt::Debug for Catalogs<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Catalogs")
    }
}

/// Something that a decision answers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "on", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Input {
    /// Somebody asks for a verb.
    Verb {
        /// Which.
        verb: Verb,
        /// The steps that go with it.
        steps: Vec<UserStep>,
        /// Whether they run without the ramdisk.
        disable_ramdisk: bool,
        /// Where the steps of the automated cleaning come from that it leads to.
        cleaning: CleaningSteps,
        /// Who asks.
        user: Option<String>,
    },
    /// Somebody asks for power.
    Power {
        /// To what.
        target: PowerTarget,
        /// How long it may take, in seconds.
        timeout: Option<u64>,
        /// Who asks.
        user: Option<String>,
    },
    /// An effect has been carried out.
    Outcome {
        /// The flow that it belongs to.
        generation: u64,
        /// The effect.
        seq: u64,
        /// What came of it.
        outcome: Outcome,
    },
    /// Somebody says that what a flow waits for is done.
    Continue {
        /// The flow that is expected to wait.
        kind: FlowKind,
    },
    /// The node's agent has called.
    Heartbeat,
    /// The node's agent reports what inspection found; it is on the node already.
    Inspected,
    /// A time has come that the flow waited for: a poll or its deadline.
    Due {
        /// The flow that it belongs to.
        generation: u64,
    },
    /// The conductor that carried the effects out has stopped without an answer.
    Recover,
}

/// What came of an effect.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "came", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Outcome {
    /// It is done.
    Done,
    /// It has begun; come back.
    Wait(Wait),
    /// It has failed.
    Failed {
        /// A stable code.
        code: String,
        /// What went wrong.
        message: String,
    },
    /// How far the step is that was asked about.
    Progress(StepProgress),
}

/// What is to be committed, and then done.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
#[must_use]
pub struct Decision {
    /// The node as it becomes.
    pub node: Node,
    /// The flow as it becomes; `None` when the node rests.
    pub flow: Option<Flow>,
    /// What goes into the node's history.
    pub history: Vec<HistoryEvent>,
    /// What to tell others, once it is committed.
    pub events: Vec<notify::Event>,
    /// The effects to carry out, in order, each by its `seq`.
    pub effects: Vec<(u64, Effect)>,
}

impl Decision {
    /// Whether the node goes back to whoever wants it: nothing is left to carry out.
    pub fn releases(&self) -> bool {
        self.effects.is_empty()
    }
}

/// Why nothing is decided.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Rejected {
    /// The input belongs to a flow or an effect that is over.
    #[error("the input belongs to something that is over")]
    Stale,
    /// There is nothing to decide: the input changes nothing here.
    #[error("nothing to decide")]
    Nothing,
    /// The request is refused.
    #[error(transparent)]
    Refused(crate::Error),
}

impl From<crate::Error> for Rejected {
    fn from(error: crate::Error) -> Self {
        Self::Refused(error)
    }
}

/// Decides what follows from an input.
///
/// # Errors
/// [`Rejected`]: then nothing changes.
pub fn decide(
    view: &View<'_>,
    input: &Input,
    policy: &Policy,
    now: Timestamp,
) -> Result<Decision, Rejected> {
    let mut draft = Draft::new(view, policy, now);
    match input {
        Input::Verb {
            verb,
            steps,
            disable_ramdisk,
            cleaning,
            user,
        } => {
            draft.user.clone_from(user);
            verb::asked(&mut draft, *verb, steps, *disable_ramdisk, cleaning)?;
        }
        Input::Power {
            target,
            timeout,
            user,
        } => {
            draft.user.clone_from(user);
            power::asked(&mut draft, *target, *timeout)?;
        }
        Input::Outcome {
            generation,
            seq,
            outcome,
        } => run::outcome(&mut draft, *generation, *seq, outcome)?,
        Input::Continue { kind } => verb::continued(&mut draft, *kind)?,
        Input::Heartbeat => waiting::heartbeat(&mut draft)?,
        Input::Inspected => inspect::found(&mut draft)?,
        Input::Due { generation } => waiting::due(&mut draft, *generation)?,
        Input::Recover => recover::recover(&mut draft)?,
    }
    Ok(draft.finish())
}

/// What a machine's power is taken to be when `target` has been reached.
fn reached(target: PowerTarget) -> PowerState {
    target.result()
}
