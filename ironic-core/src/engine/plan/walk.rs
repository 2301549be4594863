use serde_json::{Value, json};

use super::{Plan, PlanItem};
use crate::config::Policy;
use crate::engine::{Decision, Input, Outcome, Rejected, View, decide};
use crate::flow::{CleaningSteps, Deed, Effect, Flow, Forecast, Resume, StepProgress};
use crate::model::Node;
use crate::runtime::Timestamp;
use crate::states::{FlowKind, PowerTarget, Verb};
use crate::steps::ReservedStep;

/// Says what an effect of a flow would do to the machine at a time and what it would answer: from
/// the interfaces and the node, without I/O.
#[derive(Clone, Copy)]
pub struct Forecasts<'a>(&'a Forecaster<'a>);

type Forecaster<'a> = dyn Fn(&Node, &Flow, &Effect, Timestamp) -> Forecast + Sync + 'a;

impl<'a> Forecasts<'a> {
    /// Forecasts made by this function.
    pub fn new(make: &'a Forecaster<'a>) -> Self {
        Self(make)
    }

    /// That every effect simply succeeds.
    pub fn none() -> Self {
        Self(&|_, _, _, _| Forecast::default())
    }
}

impl std::fmt::Debug for Forecasts<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Forecasts")
    }
}

/// More effects than any flow has; a plan that gets here goes in a circle.
const LONGEST: usize = 1000;

/// Says what `input` would do, by deciding it and everything that follows, with every effect
/// answered as it is foreseen.
///
/// # Errors
/// What the decision refuses.
pub fn plan(
    view: &View<'_>,
    forecasts: Forecasts<'_>,
    input: &Input,
    policy: &Policy,
    mut now: Timestamp,
) -> Result<Plan, Rejected> {
    let mut plan = Plan::default();
    let mut state = view.node.provision_state;
    let mut input = input.clone();
    let (mut node, mut flow) = (view.node.clone(), view.flow.cloned());
    for _ in 0..LONGEST {
        let next = View {
            node: &node,
            flow: flow.as_ref(),
            ..*view
        };
        let mut decision = decide(&next, &input, policy, now)?;
        if decision.node.provision_state != state {
            state = decision.node.provision_state;
            plan.items.push(PlanItem::State { state });
        }
        let effect = decision.effects.first().cloned();
        input = match (effect, decision.flow.clone()) {
            (Some((seq, effect)), Some(flow)) => Input::Outcome {
                generation: flow.generation,
                seq,
                outcome: {
                    let forecast = (forecasts.0)(&decision.node, &flow, &effect, now);
                    foreseen(&mut plan, view, &mut decision, &flow, &effect, forecast)
                },
            },
            (None, Some(flow)) => match waited(&mut plan, &flow, &mut now) {
                Some(input) => {
                    if matches!(input, Input::Heartbeat) {
                        called(&mut decision.node, now);
                    }
                    input
                }
                None => return Ok(plan),
            },
            _ => return Ok(plan),
        };
        (node, flow) = (decision.node, decision.flow);
    }
    Err(crate::Error::internal("the plan has no end").into())
}

/// Says what an effect does, leaves on the node what it would, and returns what it answers.
fn foreseen(
    plan: &mut Plan,
    view: &View<'_>,
    decision: &mut Decision,
    flow: &Flow,
    effect: &Effect,
    mut forecast: Forecast,
) -> Outcome {
    let node = &mut decision.node;
    plan.items.extend(item(node, flow, effect));
    match effect {
        Effect::RefreshSteps => {
            refreshed(node, flow, view);
        }
        Effect::SetPower { target, .. } => forecast = forecast.power(*target),
        _ => {}
    }
    let mut switches = !forecast.complete;
    let step = plan.items.len().saturating_sub(1);
    for what in forecast.deeds {
        if let Deed::Power { target } = what {
            let reached = target.result();
            let restarts = matches!(target, PowerTarget::Reboot | PowerTarget::SoftReboot);
            if node.power_state == Some(reached) && !restarts {
                continue;
            }
            node.power_state = Some(reached);
            if target != PowerTarget::On {
                node.set_internal("agent_url", Value::Null);
            }
            switches = true;
        }
        plan.items.push(PlanItem::Deed { what });
    }
    if let (false, Some(PlanItem::Step { impact, .. })) = (switches, plan.items.get_mut(step)) {
        impact.power_cycles = false;
    }
    forecast.wait.map_or(Outcome::Done, Outcome::Wait)
}

/// The agent has said which steps it has: those that it had, and what the caller asks of nobody
/// else.
fn refreshed(node: &mut Node, flow: &Flow, view: &View<'_>) {
    if let Some(steps) = node.known_agent_steps(flow.kind).cloned() {
        node.set_internal(&Node::agent_steps_key(flow.kind), steps);
    }
    let catalog = view.catalogs.of(node, flow.kind);
    for asked in &flow.asked {
        let (interface, step) = (asked.interface, asked.step.as_str());
        let reserved = step.parse::<ReservedStep>().is_ok();
        if !reserved && !asked.execute_on_child_nodes && catalog.find(interface, step).is_none() {
            node.assume_agent_step(flow.kind, interface, step, &asked.args);
        }
    }
}

/// The agent has called: from wherever it was, if that is known.
fn called(node: &mut Node, now: Timestamp) {
    if node.internal_str("agent_url").is_none() {
        node.set_internal("agent_url", Value::from("foreseen"));
    }
    node.set_internal("agent_last_heartbeat", json!(now));
}

/// Says what a flow waits for, and returns what ends the wait as it is meant to end.
fn waited(plan: &mut Plan, flow: &Flow, now: &mut Timestamp) -> Option<Input> {
    let resume = flow.main()?.waiting.as_ref()?.resume;
    if let Some(blocked) = &flow.blocked {
        let within = blocked.until.map(|until| until.since(blocked.since));
        plan.items.push(PlanItem::Wait {
            on: blocked.reason.clone(),
            within: within.map(|within| within.as_secs()),
        });
    }
    let generation = flow.generation;
    Some(match resume {
        Resume::NextStep if flow.kind == FlowKind::Inspect => Input::Inspected,
        Resume::NextStep => Input::Heartbeat,
        Resume::Unhold => Input::Verb {
            verb: Verb::Unhold,
            steps: Vec::new(),
            disable_ramdisk: false,
            cleaning: CleaningSteps::default(),
            user: None,
        },
        Resume::SameStep if let Some((seq, _)) = flow.asked_step() => Input::Outcome {
            generation,
            seq,
            outcome: Outcome::Progress(StepProgress::Done),
        },
        Resume::SameStep | Resume::Due => {
            *now = flow.due().map_or(*now, |due| due.max(*now));
            Input::Due { generation }
        }
    })
}

fn item(node: &Node, flow: &Flow, effect: &Effect) -> Option<PlanItem> {
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
        Effect::RefreshSteps => {
            let known = node.known_agent_steps(flow.kind);
            let at = format!("{}_refreshed", Node::agent_steps_key(flow.kind));
            let since = node.internal_str(&at).filter(|_| known.is_some());
            PlanItem::AgentSteps {
                known_since: since.and_then(|since| since.parse().ok()),
            }
        }
        other => PlanItem::Effect {
            flow: flow.kind,
            name: other.name().to_owned(),
        },
    })
}
