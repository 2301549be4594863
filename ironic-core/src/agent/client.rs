use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::{AgentAnswer, AgentCommand, AgentRequest, AgentTransport, CommandStatus};
use crate::Error;
use crate::driver::SharedTask;
use crate::model::{Node, Port};
use crate::states::FlowKind;

/// Gives commands to agents.
#[derive(Debug, Clone)]
pub struct AgentClient {
    transport: Arc<dyn AgentTransport>,
}

impl AgentClient {
    /// A client over this transport.
    pub fn new(transport: Arc<dyn AgentTransport>) -> Self {
        Self { transport }
    }

    /// Gives the node's agent a command. With `wait` the answer comes when it is done; else it
    /// may still run.
    ///
    /// # Errors
    /// [`Error::Unreachable`] when the node has no agent or it does not answer, however often it
    /// is asked ([`Config::agent_max_command_attempts`](crate::Config::agent_max_command_attempts)),
    /// or when this conductor may not act on the node any more; [`Error::Conflict`] when it is busy; [`Error::Driver`] when it refuses.
    pub async fn command(
        &self,
        task: &SharedTask,
        name: &str,
        params: Value,
        wait: bool,
    ) -> Result<AgentCommand, Error> {
        let last_runs = |commands: &[AgentCommand]| {
            let last = commands.last()?;
            let same = name.rsplit('.').next() == Some(&last.command_name);
            (same && last.status() == CommandStatus::Running).then(|| last.clone())
        };
        self.give(task, name, params, wait, &last_runs).await
    }

    /// Gives a command. One to which no answer comes may have arrived all the same: it is given
    /// again only where `given` does not find it among those that the agent has.
    async fn give(
        &self,
        task: &SharedTask,
        name: &str,
        params: Value,
        wait: bool,
        given: &(dyn Fn(&[AgentCommand]) -> Option<AgentCommand> + Sync),
    ) -> Result<AgentCommand, Error> {
        let node = task.node();
        let url = format!("{}?wait={wait}{}", commands_url(node)?, token(node, '&'));
        let body = json!({"name": name, "params": params});
        tracing::debug!(node = %node.uuid, command = name, "agent command");
        let mut left = task.config().agent_max_command_attempts;
        loop {
            task.check_leave().await?;
            let lost = match self.send(task, url.clone(), Some(body.clone())).await {
                Err(lost @ (Error::Unreachable { .. } | Error::Timeout { .. })) => lost,
                answer => return AgentCommand::from_value(accepted(name, answer?)?),
            };
            left = left.saturating_sub(1);
            if left == 0 {
                return Err(lost);
            }
            tracing::info!(node = %node.uuid, command = name, error = %lost, "the agent does not answer; it is asked again");
            if let Ok(commands) = self.commands(task).await
                && let Some(command) = given(&commands)
            {
                return Ok(command);
            }
        }
    }

    /// The commands that the node's agent was given, oldest first.
    ///
    /// # Errors
    /// As [`AgentClient::command`].
    pub async fn commands(&self, task: &SharedTask) -> Result<Vec<AgentCommand>, Error> {
        let node = task.node();
        let url = format!("{}{}", commands_url(node)?, token(node, '?'));
        let mut body = accepted("list", self.send(task, url, None).await?)?;
        match body.get_mut("commands").map(Value::take) {
            Some(Value::Array(commands)) => {
                commands.into_iter().map(AgentCommand::from_value).collect()
            }
            _ => Err(Error::driver(
                "agent",
                "the agent's answer has no list of commands",
            )),
        }
    }

    /// The steps that the agent offers for a kind of flow: the answer of `get_*_steps`.
    ///
    /// # Errors
    /// As [`AgentClient::command`].
    pub async fn get_steps(
        &self,
        task: &SharedTask,
        flow: FlowKind,
    ) -> Result<Map<String, Value>, Error> {
        let word = word(flow);
        let params = json!({"node": shown(task.node(), false), "ports": ports(task.ports())});
        let command = self
            .command(task, &format!("{word}.get_{word}_steps"), params, true)
            .await?;
        match command.into_result()? {
            Value::Object(map) => Ok(map),
            _ => Err(Error::driver(
                "agent",
                "the agent's list of steps is no object",
            )),
        }
    }

    /// Lets the agent run a step; returns when it has begun.
    ///
    /// # Errors
    /// As [`AgentClient::command`].
    pub async fn execute_step(
        &self,
        task: &SharedTask,
        flow: FlowKind,
        step: Value,
    ) -> Result<AgentCommand, Error> {
        let word = word(flow);
        let mut params = Map::new();
        params.insert("step".to_owned(), step);
        params.insert("node".to_owned(), shown(task.node(), true));
        params.insert("ports".to_owned(), ports(task.ports()));
        let version = task
            .node()
            .driver_internal_info
            .get("hardware_manager_version");
        params.insert(
            format!("{word}_version"),
            version.cloned().unwrap_or_default(),
        );
        let name = format!("{word}.execute_{word}_step");
        let given = |commands: &[AgentCommand]| super::steps::given(commands, task, flow);
        let params = Value::Object(params);
        let command = self.give(task, &name, params, false, &given).await?;
        command.begun()
    }

    async fn send(
        &self,
        task: &SharedTask,
        url: String,
        body: Option<Value>,
    ) -> Result<AgentAnswer, Error> {
        let certificate = task.node().internal_str("agent_verify_ca");
        let timeout = task.config().agent_command_timeout;
        let request = AgentRequest::new(url, body, certificate.map(str::to_owned), timeout);
        self.transport.send(request).await
    }
}

/// What the agent calls a kind of flow.
pub(super) fn word(flow: FlowKind) -> &'static str {
    match flow {
        FlowKind::Clean => "clean",
        FlowKind::Service => "service",
        _ => "deploy",
    }
}

fn commands_url(node: &Node) -> Result<String, Error> {
    let url = node
        .internal_str("agent_url")
        .ok_or_else(|| Error::Unreachable {
            what: format!("the agent of node {}", node.label()),
            message: "it has not said where it takes commands".to_owned(),
        })?;
    Ok(format!("{}/v1/commands/", url.trim_end_matches('/')))
}

fn token(node: &Node, separator: char) -> String {
    node.internal_str("agent_secret_token")
        .map(|token| format!("{separator}agent_token={token}"))
        .unwrap_or_default()
}

fn accepted(name: &str, answer: AgentAnswer) -> Result<Value, Error> {
    if answer.status < 400 {
        return Ok(answer.body);
    }
    let fault = answer
        .body
        .get("faultstring")
        .or_else(|| answer.body.get("message"))
        .and_then(Value::as_str);
    let fault: String = fault
        .unwrap_or("no reason given")
        .chars()
        .take(2000)
        .collect();
    if answer.status == 409 || fault.to_ascii_lowercase().contains("agent is busy") {
        return Err(Error::Conflict {
            what: "agent command",
            id: format!("{name}: {fault}"),
        });
    }
    Err(Error::driver(
        "agent",
        format!(
            "the agent refused {name} with status {}: {fault}",
            answer.status
        ),
    ))
}

/// A node as its agent is shown it: no credentials, and the config drive only where it is used.
fn shown(node: &Node, with_configdrive: bool) -> Value {
    let Ok(Value::Object(mut map)) = serde_json::to_value(node) else {
        return Value::Null;
    };
    map.insert(
        "driver_info".to_owned(),
        Value::Object(crate::secret::masked(&node.driver_info, "******")),
    );
    let mut internal = node.driver_internal_info.clone();
    internal.remove("agent_secret_token");
    internal.remove("inspection_data");
    map.insert("driver_internal_info".to_owned(), Value::Object(internal));
    let mut instance = node.instance_info.clone();
    if !with_configdrive && instance.contains_key("configdrive") {
        instance.insert("configdrive".to_owned(), Value::from("******"));
    }
    map.insert("instance_info".to_owned(), Value::Object(instance));
    // The agent reads these whether or not they are set.
    for key in ["properties", "extra", "raid_config", "target_raid_config"] {
        map.entry(key).or_insert_with(|| json!({}));
    }
    Value::Object(map)
}

fn ports(ports: &[Port]) -> Value {
    ports
        .iter()
        .map(|port| serde_json::to_value(port).unwrap_or_default())
        .collect()
}
