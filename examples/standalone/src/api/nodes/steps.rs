//! Steps as a client writes them.

use ironic_core::states::InterfaceKind;
use ironic_core::steps::{RunbookStep, UserStep};
use serde_json::{Map, Value};

use super::super::args;
use super::super::fault::Fault;

/// What sort of steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Steps {
    /// Of a manual clean.
    Clean,
    /// Of a deployment or a deploy template.
    Deploy,
    /// Of a service.
    Service,
    /// Of a runbook.
    Runbook,
}

/// The interfaces that may be asked for steps.
const WITH_STEPS: &[InterfaceKind] = &[
    InterfaceKind::Bios,
    InterfaceKind::Deploy,
    InterfaceKind::Firmware,
    InterfaceKind::Management,
    InterfaceKind::Power,
    InterfaceKind::Raid,
    InterfaceKind::Vendor,
];

impl Steps {
    /// The names of the interfaces that may be asked for steps.
    pub(in super::super) fn interfaces() -> Vec<&'static str> {
        WITH_STEPS.iter().map(|kind| kind.as_str()).collect()
    }

    /// The argument that they come in.
    pub(super) const fn argument(self) -> &'static str {
        match self {
            Self::Clean => "clean_steps",
            Self::Deploy => "deploy_steps",
            Self::Service => "service_steps",
            Self::Runbook => "steps",
        }
    }

    /// The members of a step, each with whether it must be there.
    pub(in super::super) const fn members(self) -> &'static [(&'static str, bool)] {
        match self {
            Self::Deploy => &[
                ("interface", true),
                ("step", true),
                ("args", true),
                ("priority", true),
            ],
            Self::Runbook => &[
                ("interface", true),
                ("step", true),
                ("order", true),
                ("args", false),
            ],
            Self::Clean | Self::Service => &[
                ("interface", true),
                ("step", true),
                ("args", false),
                ("order", false),
                ("execute_on_child_nodes", false),
                ("limit_child_node_execution", false),
            ],
        }
    }
}

/// The steps of a list.
///
/// # Errors
/// What is wrong with which of them.
pub fn parse(kind: Steps, steps: &Value) -> Result<Vec<UserStep>, Fault> {
    let Value::Array(items) = steps else {
        return Err(Fault::bad(format!("{} must be a list", kind.argument())));
    };
    let mut parsed = Vec::with_capacity(items.len());
    for (at, item) in items.iter().enumerate() {
        let step = step(kind, item)
            .map_err(|what| Fault::bad(format!("{}, step {at}: {what}", kind.argument())))?;
        parsed.push(step);
    }
    Ok(parsed)
}

/// The steps of a runbook, each with its place.
///
/// # Errors
/// As [`parse`].
pub(in super::super) fn parse_runbook(steps: &Value) -> Result<Vec<RunbookStep>, Fault> {
    let parsed = parse(Steps::Runbook, steps)?;
    let orders = steps.as_array().into_iter().flatten();
    let orders = orders.map(|item| item.get("order").and_then(number));
    let placed = parsed.into_iter().zip(orders).map(|(step, order)| {
        let order = order.and_then(|order| u32::try_from(order).ok());
        let order = order.ok_or_else(|| Fault::bad("order of a step is too large"))?;
        Ok(RunbookStep::new(step, order))
    });
    placed.collect()
}

fn step(kind: Steps, item: &Value) -> Result<UserStep, String> {
    let item = item.as_object().ok_or("a step is a JSON object")?;
    let members = kind.members();
    if let Some(unknown) = item
        .keys()
        .find(|key| !members.iter().any(|(name, _)| name == key))
    {
        let shown: String = unknown.chars().take(80).collect();
        return Err(format!("a step has no member {shown:?}"));
    }
    let missing = |(name, required): &&(&str, bool)| *required && !item.contains_key(*name);
    if let Some((name, _)) = members.iter().find(missing) {
        return Err(format!("a step needs {name:?}"));
    }
    let interface = item
        .get("interface")
        .and_then(|name| name.as_str()?.parse().ok())
        .filter(|interface| WITH_STEPS.contains(interface))
        .ok_or_else(|| {
            let names: Vec<_> = WITH_STEPS.iter().map(|kind| kind.as_str()).collect();
            format!("interface must be one of {}", names.join(", "))
        })?;
    let name = item.get("step").and_then(Value::as_str);
    let name = name
        .filter(|name| !name.is_empty())
        .ok_or("step must be a name")?;
    let mut step = UserStep::new(interface, name);
    match item.get("args") {
        None => {}
        Some(Value::Object(args)) => step.args.clone_from(args),
        Some(_) => return Err("args must be a JSON object".to_owned()),
    }
    if let Some(order) = item.get("order") {
        number(order).ok_or("order must be a number from 0")?;
    }
    if let Some(priority) = item.get("priority") {
        step.priority = Some(number(priority).ok_or("priority must be a number from 0")?);
    }
    children(item, &mut step)?;
    Ok(step)
}

/// A number from 0, or the text of one.
fn number(value: &Value) -> Option<i64> {
    match value {
        Value::String(text) if text.bytes().all(|b| b.is_ascii_digit()) => text.parse().ok(),
        // JSON has one sort of number: 1.0 is whole.
        Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(whole), _) => Some(whole).filter(|whole| *whole >= 0),
            #[allow(
                clippy::cast_possible_truncation,
                reason = "it is whole and small enough"
            )]
            (None, Some(n)) if n.fract() == 0.0 && (0.0..WHOLE).contains(&n) => Some(n as i64),
            _ => None,
        },
        _ => None,
    }
}

/// 2⁵³: from here on not every whole number is a float.
const WHOLE: f64 = 9_007_199_254_740_992.0;

/// Reads whether a step runs on the node's children, and on which.
fn children(item: &Map<String, Value>, step: &mut UserStep) -> Result<(), String> {
    step.execute_on_child_nodes = match item.get("execute_on_child_nodes") {
        None => false,
        Some(Value::Bool(on)) => *on,
        Some(_) => return Err("execute_on_child_nodes must be true or false".to_owned()),
    };
    let nodes = match item.get("limit_child_node_execution") {
        None => return Ok(()),
        Some(Value::Array(nodes)) => nodes,
        Some(_) => return Err("limit_child_node_execution must be a list of nodes".to_owned()),
    };
    if step.execute_on_child_nodes {
        let uuid = |node: &Value| {
            args::uuid("limit_child_node_execution", node)
                .ok()
                .flatten()
        };
        let nodes: Option<Vec<_>> = nodes.iter().map(uuid).collect();
        step.limit_child_node_execution =
            nodes.ok_or("limit_child_node_execution must be a list of UUIDs of nodes")?;
    }
    Ok(())
}
