use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Input, Outcome, Rejected, View, decide};
use crate::config::Policy;
use crate::flow::{CleaningSteps, Effect, Flow, Resume};
use crate::model::Node;
use crate::runtime::Timestamp;
use crate::states::{FlowKind, ProvisionState, Verb};
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
    AgentSteps,
}

impl fmt::Display for PlanItem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::State { state } => write!(f, "→ {state}"),
            Self::Effect { flow, name } => write!(f, "  {name} ({flow})"),
            Self::Step {
                step,
                priority,
                source,
                impact,
            } => {
                write!(f, "  step {step}, priority {priority}, by the {source}")?;
                if impact.erases_data {
                    f.write_str(", erases data")?;
                }
                if impact.power_cycles {
                    f.write_str(", power cycles")?;
                }
                Ok(())
            }
            Self::AgentSteps => f.write_str("  the agent says which further steps it has"),
        }
    }
}

/// What a verb would do, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Plan {
    /// The items.
    pub items: Vec<PlanItem>,
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.items.iter().try_for_each(|item| writeln!(f, "{item}"))
    }
}

/// What a plan takes to come of each effect: that everything succeeds, and that the agent's
/// steps are as they were last known.
#[derive(Debug, Clone, Copy, Default)]
#[non_exhaustive]
pub struct Assumptions;

impl Assumptions {
    fn of(self, _effect: &Effect) -> Outcome {
        Outcome::Done
    }
}

/// More effects than any flow has; a plan that gets here goes in a circle.
const LONGEST: usize = 1000;

/// Says what `input` would do, by deciding it and everything that follows.
///
/// # Errors
/// What the decision refuses.
pub fn plan(
    view: &View<'_>,
    input: &Input,
    policy: &Policy,
    mut now: Timestamp,
) -> Result<Plan, Rejected> {
    let mut plan = Plan::default();
    let mut decision = decide(view, input, policy, now)?;
    let mut state = view.node.provision_state;
    for _ in 0..LONGEST {
        if decision.node.provision_state != state {
            state = decision.node.provision_state;
            plan.items.push(PlanItem::State { state });
        }
        let (node, flow) = (decision.node.clone(), decision.flow.clone());
        let input = match decision.effects.first().cloned() {
            Some((seq, effect)) => {
                plan.items.extend(item(&node, flow.as_ref(), &effect));
                Input::Outcome {
                    generation: flow.as_ref().map_or(0, |flow| flow.generation),
                    seq,
                    outcome: Assumptions.of(&effect),
                }
            }
            None => match flow.as_ref().and_then(awaited) {
                Some(Resume::NextStep) => Input::Heartbeat,
                Some(Resume::Unhold) => Input::Verb {
                    verb: Verb::Unhold,
                    steps: Vec::new(),
                    disable_ramdisk: false,
                    cleaning: CleaningSteps::default(),
                },
                Some(Resume::Due) => {
                    now = flow
                        .as_ref()
                        .and_then(Flow::due)
                        .map_or(now, |due| due.max(now));
                    Input::Due {
                        generation: flow.as_ref().map_or(0, |flow| flow.generation),
                    }
                }
                _ => return Ok(plan),
            },
        };
        let next = View {
            node: &node,
            flow: flow.as_ref(),
            ..*view
        };
        decision = decide(&next, &input, policy, now)?;
    }
    Err(crate::Error::internal("the plan has no end").into())
}

/// What a flow waits for that stands still from the start, or for its agent.
fn awaited(flow: &Flow) -> Option<Resume> {
    let waiting = flow.main()?.waiting.as_ref()?;
    Some(waiting.resume)
}

fn item(_node: &Node, flow: Option<&Flow>, effect: &Effect) -> Option<PlanItem> {
    let flow = flow?;
    Some(match effect {
        Effect::RunStep { index } => {
            let step = flow.plan.get(*index)?;
            PlanItem::Step {
                step: step.to_string(),
                priority: step.priority,
                source: step.source,
                impact: step.impact,
            }
        }
        Effect::RefreshSteps => PlanItem::AgentSteps,
        other => PlanItem::Effect {
            flow: flow.kind,
            name: other.name().to_owned(),
        },
    })
}
