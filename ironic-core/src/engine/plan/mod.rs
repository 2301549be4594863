//! What a verb would do, said beforehand.

mod diff;
mod text;
mod walk;

pub use diff::{PlanChange, PlanDiff};
pub use walk::{Forecasts, plan};

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::flow::{BlockedReason, Deed};
use crate::runtime::Timestamp;
use crate::states::{FlowKind, InterfaceKind, PowerTarget, ProvisionState};
use crate::steps::{Impact, StepSource};

/// One thing that a verb would do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "item", rename_all = "snake_case")]
#[non_exhaustive]
pub enum PlanItem {
    /// The node gets into a state.
    State {
        /// Which.
        state: ProvisionState,
    },
    /// An effect that is no step.
    Effect {
        /// Of which flow.
        flow: FlowKind,
        /// Which.
        name: String,
    },
    /// A step.
    Step {
        /// Its name.
        step: String,
        /// Where it stands in the order: higher first.
        priority: i64,
        /// Who runs it.
        source: StepSource,
        /// What it does to the machine.
        impact: Impact,
    },
    /// The steps that only the agent knows come here; those shown after this are as it last said.
    AgentSteps {
        /// When it last said; `None` when it never has, so that none are shown.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        known_since: Option<Timestamp>,
    },
    /// What the effect or the step above does to the machine.
    Deed {
        /// What.
        what: Deed,
    },
    /// The flow waits, without a lock.
    Wait {
        /// What for.
        on: BlockedReason,
        /// When it would be given up, in seconds from its beginning.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        within: Option<u64>,
    },
}

/// Something for which the verb would be refused as things are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PlanProblem {
    /// Which interface says so; `None` for the engine itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interface: Option<InterfaceKind>,
    /// What is wrong.
    pub message: String,
}

impl PlanProblem {
    /// A problem.
    pub fn new(interface: Option<InterfaceKind>, message: impl Into<String>) -> Self {
        Self {
            interface,
            message: message.into(),
        }
    }
}

/// What a verb would do, in order, if all goes well.
///
/// Its text is stable: two plans are the same if and only if their texts are.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Plan {
    /// The items.
    pub items: Vec<PlanItem>,
    /// For what the verb would be refused; nothing of the plan is done then.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<PlanProblem>,
}

/// What a plan comes to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Summary {
    /// How often the machine loses power or restarts.
    pub power_cycles: u32,
    /// How often its ports are connected or cut off.
    pub network_moves: u32,
    /// The steps that lose data, in order.
    pub erases_data: Vec<String>,
    /// How long all waits together may take before they are given up, those without an end apart.
    pub waits: Duration,
    /// How many waits have no end.
    pub endless_waits: u32,
}

impl Plan {
    /// What it comes to.
    pub fn summary(&self) -> Summary {
        let mut summary = Summary::default();
        for (at, item) in self.items.iter().enumerate() {
            match item {
                PlanItem::Step { step, impact, .. } => {
                    if impact.erases_data {
                        summary.erases_data.push(step.clone());
                    }
                    // Where a step is foreseen in detail, its deeds are counted instead.
                    let foreseen = self.items.get(at + 1);
                    let foreseen = matches!(foreseen, Some(PlanItem::Deed { .. }));
                    summary.power_cycles += u32::from(impact.power_cycles && !foreseen);
                }
                PlanItem::Deed { what } => match what {
                    Deed::Power { target } => {
                        summary.power_cycles += u32::from(*target != PowerTarget::On);
                    }
                    Deed::Connect { .. } | Deed::Disconnect { .. } => summary.network_moves += 1,
                    _ => {}
                },
                PlanItem::Wait { within, .. } => match within {
                    Some(seconds) => summary.waits += Duration::from_secs(*seconds),
                    None => summary.endless_waits += 1,
                },
                _ => {}
            }
        }
        summary
    }

    /// How this plan differs from an earlier one.
    pub fn diff(&self, earlier: &Self) -> PlanDiff {
        PlanDiff::between(earlier, self)
    }
}
