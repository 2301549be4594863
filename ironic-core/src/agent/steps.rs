//! The steps that an agent offers: kept on the node, from where they are part of the catalogue.

use serde_json::{Map, Value, json};

use super::client::word;
use super::{AgentClient, AgentCommand, CommandStatus};
use crate::Error;
use crate::driver::{SharedTask, Task};
use crate::flow::{Progress, StepProgress, Wait};
use crate::model::Node;
use crate::states::{FlowKind, InterfaceKind};
use crate::steps::{Impact, Replay, Step, StepDef};

/// The most steps that an agent is believed to offer.
const MOST_STEPS: usize = 500;

/// The agent's steps of one interface, as they were last refreshed.
pub(super) fn cached(node: &Node, flow: FlowKind, interface: InterfaceKind) -> Vec<StepDef> {
    let steps = node
        .driver_internal_info
        .get(&Node::agent_steps_key(flow))
        .and_then(|cache| cache.get(interface.as_str()));
    steps
        .and_then(Value::as_array)
        .map(|steps| steps.iter().filter_map(|s| parse(s).ok()).collect())
        .unwrap_or_default()
}

/// Reads a step of the agent. It declares neither what may be done after a crash (the command
/// list tells) nor what it does to the machine (its name does).
fn parse(value: &Value) -> Result<StepDef, Error> {
    let wrong = |what: &str| {
        Error::driver(
            "agent",
            format!("a step of the agent has no valid {what}: {value}"),
        )
    };
    let text = |key: &str| value.get(key).and_then(Value::as_str);
    let interface: InterfaceKind = text("interface")
        .and_then(|name| name.parse().ok())
        .ok_or_else(|| wrong("interface"))?;
    let step = text("step")
        .filter(|step| !step.is_empty() && step.len() <= 255)
        .ok_or_else(|| wrong("step"))?;
    let priority = match value.get("priority") {
        Some(Value::Null) | None => 0,
        Some(priority) => priority.as_i64().ok_or_else(|| wrong("priority"))?,
    };
    let erases = step.starts_with("erase")
        || step.starts_with("write_image")
        || step.contains("configuration");
    let impact = Impact {
        erases_data: erases,
        power_cycles: value
            .get("reboot_requested")
            .and_then(Value::as_bool)
            .unwrap_or(false),
    };
    let mut def = StepDef::new(interface, step, priority, Replay::Probe, impact).by_agent();
    def.abortable = value
        .get("abortable")
        .and_then(Value::as_bool)
        .unwrap_or(false);
    if let Some(args) = value.get("argsinfo").and_then(Value::as_object) {
        for (name, info) in args {
            def = def.arg(
                name,
                info.get("required")
                    .and_then(Value::as_bool)
                    .unwrap_or(false),
            );
        }
    }
    Ok(def)
}

/// Asks the agent for its steps and keeps them on the node.
pub(super) async fn refresh(
    client: &AgentClient,
    task: &mut Task,
    flow: FlowKind,
) -> Result<(), Error> {
    let mut answer = client.get_steps(task, flow).await?;
    let word = word(flow);
    let missing = |key: &str| {
        Error::driver(
            "agent",
            format!("the agent's list of {word} steps has no {key}"),
        )
    };
    let version = answer
        .remove("hardware_manager_version")
        .ok_or_else(|| missing("hardware_manager_version"))?;
    let key = format!("{word}_steps");
    let Some(Value::Object(managers)) = answer.remove(&key) else {
        return Err(missing(&key));
    };
    let mut by_interface: Map<String, Value> = Map::new();
    let steps = managers.into_iter().flat_map(|(_, steps)| match steps {
        Value::Array(steps) => steps,
        _ => Vec::new(),
    });
    for (count, step) in steps.enumerate() {
        if count == MOST_STEPS {
            return Err(Error::driver(
                "agent",
                format!("the agent offers more than {MOST_STEPS} steps"),
            ));
        }
        let interface = parse(&step)?.interface;
        let list = by_interface
            .entry(interface.as_str())
            .or_insert_with(|| Value::Array(Vec::new()));
        if let Value::Array(list) = list {
            list.push(step);
        }
    }
    let now = task.now();
    let node = task.node_mut();
    node.set_internal("hardware_manager_version", version);
    node.set_internal(&Node::agent_steps_key(flow), Value::Object(by_interface));
    node.set_internal(
        &format!("{}_refreshed", Node::agent_steps_key(flow)),
        Value::from(now.to_string()),
    );
    Ok(())
}

/// Where the agent's command for the step that runs is kept on the node.
const COMMAND: &str = "agent_command";

/// The step of the flow that a command was given for.
pub(super) fn place(task: &SharedTask) -> Value {
    task.flow()
        .map_or(Value::Null, |flow| json!([flow.generation, flow.cursor]))
}

/// Lets the agent run a step, and waits for it.
pub(super) async fn execute(
    client: &AgentClient,
    task: &mut Task,
    flow: FlowKind,
    step: &Step,
    args: Map<String, Value>,
) -> Result<Progress, Error> {
    let value = json!({
        "interface": step.interface,
        "step": step.step,
        "priority": step.priority,
        "args": args,
        "abortable": step.abortable,
        "requires_ramdisk": step.requires_ramdisk,
    });
    let command = client.execute_step(task, flow, value).await?;
    let given = json!({"id": command.id, "for": place(task)});
    task.node_mut().set_internal(COMMAND, given);
    if command.status() == CommandStatus::Succeeded {
        return Ok(Progress::Done);
    }
    Ok(Progress::Wait(Wait::for_step(
        step,
        task.config().agent_poll_interval,
    )))
}

/// Finds out from the agent's list of commands how far a step is.
pub(super) async fn progress(
    client: &AgentClient,
    task: &SharedTask,
    flow: FlowKind,
) -> Result<StepProgress, Error> {
    let commands = client.commands(task).await?;
    let Some(command) = ours(&commands, task.node(), &place(task), flow) else {
        return Ok(StepProgress::NotStarted);
    };
    Ok(match command.status() {
        CommandStatus::Running => StepProgress::Running {
            detail: String::new(),
        },
        CommandStatus::Succeeded => StepProgress::Done,
        CommandStatus::Failed => StepProgress::Failed {
            message: command.error(),
        },
        CommandStatus::VersionMismatch => StepProgress::Failed {
            message: "the agent's hardware managers have changed since its steps were listed"
                .to_owned(),
        },
    })
}

/// The command that was given for the step that the flow is at, if it is among these for certain.
pub(super) fn given(
    commands: &[AgentCommand],
    task: &SharedTask,
    flow: FlowKind,
) -> Option<AgentCommand> {
    let command = ours(commands, task.node(), &place(task), flow)?;
    // A ramdisk that is used again may have been given a step of that name by an earlier flow.
    let fresh = !task.config().policy.fast_track;
    let known = task.node().driver_internal_info.contains_key(COMMAND);
    let runs = command.status() == CommandStatus::Running;
    (fresh || known || runs).then(|| command.clone())
}

/// The command that was given for the step at `place`. Its id is on the node, unless the
/// conductor stopped between giving the command and recording it: then it is the last one that
/// came after the command of the step before. An agent runs one at a time, in order.
fn ours<'a>(
    commands: &'a [AgentCommand],
    node: &Node,
    place: &Value,
    flow: FlowKind,
) -> Option<&'a AgentCommand> {
    let known = node.driver_internal_info.get(COMMAND);
    let known_id = known
        .and_then(|known| known.get("id"))
        .and_then(Value::as_str);
    let at = known_id.and_then(|id| commands.iter().position(|command| command.id == id));
    if known.and_then(|known| known.get("for")) == Some(place) {
        return commands.get(at?);
    }
    let name = format!("execute_{}_step", word(flow));
    let later = commands.get(at.map_or(0, |at| at + 1)..)?;
    later
        .iter()
        .rev()
        .find(|command| command.command_name.rsplit('.').next() == Some(&name))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{AgentCommand, cached, ours, parse};
    use crate::model::Node;
    use crate::states::{FlowKind, InterfaceKind};

    #[test]
    fn steps_are_read_as_the_agent_gives_them() {
        let step = json!({"interface": "deploy", "step": "erase_devices", "priority": 10, "abortable": true,
            "reboot_requested": false, "argsinfo": {"x": {"required": true}, "y": {}}});
        let def = parse(&step).unwrap();
        assert_eq!(
            (def.priority, def.abortable, def.impact.erases_data),
            (10, true, true)
        );
        assert_eq!(def.args.get("x"), Some(&true));
        for bad in [
            json!({}),
            json!({"interface": "deploy"}),
            json!({"interface": "x", "step": "y"}),
            json!({"interface": "deploy", "step": "y", "priority": "high"}),
            json!(7),
        ] {
            assert!(parse(&bad).is_err(), "{bad}");
        }
        let mut node = Node::new(uuid::Uuid::nil(), "ipmi");
        node.set_internal("agent_cached_clean_steps", json!({"deploy": [step, 7]}));
        assert_eq!(
            cached(&node, FlowKind::Clean, InterfaceKind::Deploy).len(),
            1
        );
        assert!(cached(&node, FlowKind::Deploy, InterfaceKind::Deploy).is_empty());
    }

    #[test]
    fn a_command_is_found_by_its_id_or_by_its_place_after_the_last_known_one() {
        let command = |id: &str, name: &str| {
            AgentCommand::from_value(
                json!({"id": id, "command_name": name, "command_status": "RUNNING"}),
            )
            .unwrap()
        };
        let commands = [
            command("a", "get_clean_steps"),
            command("b", "execute_clean_step"),
            command("c", "execute_clean_step"),
        ];
        let mut node = Node::new(uuid::Uuid::nil(), "ipmi");
        let mut found = |known: serde_json::Value, commands: &[AgentCommand]| {
            node.set_internal("agent_command", known);
            ours(commands, &node, &json!([1, 1]), FlowKind::Clean).map(|command| command.id.clone())
        };
        assert_eq!(
            found(json!({"id": "b", "for": [1, 1]}), &commands).as_deref(),
            Some("b")
        );
        assert_eq!(
            found(json!({"id": "b", "for": [1, 0]}), &commands).as_deref(),
            Some("c"),
            "given, not recorded"
        );
        assert_eq!(
            found(json!({"id": "c", "for": [1, 0]}), &commands),
            None,
            "not given yet"
        );
        assert_eq!(
            found(json!({"id": "x", "for": [1, 1]}), &commands),
            None,
            "the agent was restarted"
        );
        assert_eq!(
            found(serde_json::Value::Null, &commands).as_deref(),
            Some("c")
        );
        assert_eq!(found(serde_json::Value::Null, &commands[..1]), None);
    }
}
