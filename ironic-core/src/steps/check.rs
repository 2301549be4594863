//! Whether a step that somebody asks for is offered, and may be asked for in this way.

use std::collections::BTreeMap;

use super::{
    Impact, Replay, ReservedStep, Step, StepCatalog, StepDef, StepName, StepSource, UserStep,
};
use crate::states::{FlowKind, InterfaceKind};

/// What became of a step that was asked for.
pub(super) enum Checked {
    /// It may run.
    Fits(Step),
    /// Nobody offers it; the text says so.
    Unknown(String),
    /// It is offered, but not in this way: everything that is wrong.
    Wrong(Vec<String>),
}

/// Checks a step against the one that is offered under its name.
pub(super) fn check(catalog: &StepCatalog, user: &UserStep, disable_ramdisk: bool) -> Checked {
    let flow = catalog.flow();
    if user.execute_on_child_nodes {
        return check_childs(flow, user);
    }
    if let Some(reserved) = user.reserved() {
        return check_reserved(flow, user, reserved);
    }
    let name = user.name();
    let Some(def) = catalog.find(user.interface, &user.step) else {
        return Checked::Unknown(format!(
            "node does not support the {flow} step {name}; it supports {}",
            catalog.offered()
        ));
    };
    let mut wrong: Vec<_> = unexpected(def, user).into_iter().collect();
    let (priority, runs) = match (flow, user.priority) {
        // Where a deploy step runs is for the caller to say; elsewhere the caller's order counts.
        (FlowKind::Deploy, Some(priority)) => (priority, priority > 0),
        (FlowKind::Deploy, None) => {
            wrong.push(format!("deploy step {name} needs a priority"));
            (0, false)
        }
        _ => (def.priority, true),
    };
    if runs {
        wrong.extend(missing(flow, def, user));
        if disable_ramdisk && def.requires_ramdisk {
            wrong.push(format!(
                "{flow} step {name} needs the ramdisk, which disable_ramdisk rules out"
            ));
        }
        if flow == FlowKind::Deploy && is_core(def) {
            wrong.push(format!(
                "deploy step {name} is a core step, which cannot be replaced; priority 0 leaves it out"
            ));
        }
    }
    if wrong.is_empty() {
        let mut step = def.planned(user.args.clone());
        step.priority = priority;
        Checked::Fits(step)
    } else {
        Checked::Wrong(wrong)
    }
}

/// The step that the deployment itself is.
fn is_core(def: &StepDef) -> bool {
    def.interface == InterfaceKind::Deploy && def.step == "deploy"
}

fn unexpected(def: &StepDef, user: &UserStep) -> Option<String> {
    let taken: Vec<_> = def.args.keys().map(String::as_str).collect();
    no_such_argument(user, &taken)
}

fn no_such_argument(user: &UserStep, taken: &[&str]) -> Option<String> {
    let extra: Vec<_> = user
        .args
        .keys()
        .filter(|key| !taken.contains(&key.as_str()))
        .map(|key| format!("{key:?}"))
        .collect();
    let takes = if taken.is_empty() {
        "none".to_owned()
    } else {
        taken.join(", ")
    };
    let name = user.name();
    (!extra.is_empty()).then(|| {
        format!(
            "step {name} takes no argument {}; it takes {takes}",
            extra.join(" or ")
        )
    })
}

/// A required argument is there when it is named, whatever its value.
fn missing(flow: FlowKind, def: &StepDef, user: &UserStep) -> Option<String> {
    let missing: Vec<_> = def
        .args
        .iter()
        .filter(|(key, required)| **required && !user.args.contains_key(*key))
        .map(|(key, _)| format!("{key:?}"))
        .collect();
    (!missing.is_empty()).then(|| {
        let name = user.name();
        format!(
            "{flow} step {name} requires the argument {}",
            missing.join(" and ")
        )
    })
}

fn check_reserved(flow: FlowKind, user: &UserStep, reserved: ReservedStep) -> Checked {
    let mut wrong: Vec<_> = no_such_argument(user, reserved.arguments())
        .into_iter()
        .collect();
    if let Some(seconds) = user
        .args
        .get("seconds")
        .filter(|_| reserved == ReservedStep::Wait)
        && seconds.as_u64().is_none()
    {
        wrong.push(format!(
            "step {} waits for a whole number of seconds, not {seconds}",
            user.name()
        ));
    }
    if flow == FlowKind::Deploy && user.priority.is_none() {
        wrong.push(format!("deploy step {} needs a priority", user.name()));
    }
    if wrong.is_empty() {
        let priority = user.priority.filter(|_| flow == FlowKind::Deploy);
        Checked::Fits(reserved.planned(user, user.args.clone(), priority.unwrap_or(0)))
    } else {
        Checked::Wrong(wrong)
    }
}

/// A step of the node's children is for each child to know: only what concerns the flow is checked.
fn check_childs(flow: FlowKind, user: &UserStep) -> Checked {
    let reserved = user.reserved();
    let mut wrong = Vec::new();
    if matches!(reserved, Some(ReservedStep::Hold | ReservedStep::Wait)) {
        wrong.push(format!(
            "{flow} step {} concerns the flow, so it cannot run on child nodes",
            user.name()
        ));
    }
    if flow == FlowKind::Deploy && user.priority.is_none() {
        wrong.push(format!("deploy step {} needs a priority", user.name()));
    }
    if !wrong.is_empty() {
        return Checked::Wrong(wrong);
    }
    let switches = reserved.is_some_and(|reserved| reserved.power().is_some());
    Checked::Fits(Step {
        interface: user.interface,
        step: user.step.clone(),
        args: user.args.clone(),
        priority: user
            .priority
            .filter(|_| flow == FlowKind::Deploy)
            .unwrap_or(0),
        abortable: true,
        requires_ramdisk: false,
        source: StepSource::Conductor,
        // Of another step only the child could tell, and nobody asks it after a crash.
        replay: if switches {
            Replay::Idempotent
        } else {
            Replay::Never
        },
        impact: Impact::NONE,
        children: Some(user.limit_child_node_execution.clone()),
    })
}

/// What is wrong with deploy steps that name the same step more than once: only one of them could
/// say how it runs. Reserved steps may come as often as one likes.
pub(super) fn repeated(steps: &[Step]) -> Option<String> {
    let mut counts: BTreeMap<StepName, u32> = BTreeMap::new();
    for step in steps
        .iter()
        .filter(|step| step.source != StepSource::Conductor)
    {
        *counts.entry(step.name()).or_default() += 1;
    }
    let twice: Vec<_> = counts
        .into_iter()
        .filter(|(_, count)| *count > 1)
        .map(|(name, _)| name.to_string())
        .collect();
    (!twice.is_empty()).then(|| format!("more than one says how to run {}", twice.join(", ")))
}
