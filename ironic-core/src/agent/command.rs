use serde::Deserialize;
use serde_json::Value;

use crate::Error;

/// How far a command is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum CommandStatus {
    /// It runs.
    Running,
    /// It succeeded.
    Succeeded,
    /// It failed.
    Failed,
    /// The agent's hardware managers are not those that the steps were asked of.
    VersionMismatch,
}

/// A command that an agent was given.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct AgentCommand {
    /// Its identity.
    #[serde(default)]
    pub id: String,
    /// Its name, without the extension that it is of.
    #[serde(default)]
    pub command_name: String,
    /// Its status, as the agent words it.
    #[serde(default)]
    pub command_status: String,
    /// What came of it.
    #[serde(default)]
    pub command_result: Value,
    /// What went wrong.
    #[serde(default)]
    pub command_error: Value,
}

impl AgentCommand {
    /// Reads a command from an agent's answer.
    ///
    /// # Errors
    /// [`Error::Driver`] when it has not the shape of one.
    pub fn from_value(value: Value) -> Result<Self, Error> {
        serde_json::from_value(value).map_err(|error| {
            Error::driver(
                "agent",
                format!("the agent's answer is no command: {error}"),
            )
        })
    }

    /// How far it is. A word that this version does not know counts as a failure.
    pub fn status(&self) -> CommandStatus {
        match self.command_status.as_str() {
            "RUNNING" => CommandStatus::Running,
            "SUCCEEDED" => CommandStatus::Succeeded,
            "CLEAN_VERSION_MISMATCH" | "DEPLOY_VERSION_MISMATCH" | "SERVICE_VERSION_MISMATCH" => {
                CommandStatus::VersionMismatch
            }
            _ => CommandStatus::Failed,
        }
    }

    /// What went wrong, for people.
    pub fn error(&self) -> String {
        let text = match &self.command_error {
            Value::Object(error) => {
                let part = |key: &str| error.get(key).and_then(Value::as_str).unwrap_or_default();
                match (part("message"), part("details")) {
                    (message, "") => message.to_owned(),
                    ("", details) => details.to_owned(),
                    (message, details) => format!("{message}: {details}"),
                }
            }
            Value::String(text) => text.clone(),
            Value::Null => format!(
                "command {} ended as {}",
                self.command_name, self.command_status
            ),
            other => other.to_string(),
        };
        // The agent is a guest on the network: what it says is bounded before it is kept.
        text.chars().take(2000).collect()
    }

    /// The command, of which it is enough that it has begun: it runs, or is done already.
    ///
    /// # Errors
    /// [`Error::Driver`] with what the agent said.
    pub fn begun(self) -> Result<Self, Error> {
        match self.status() {
            CommandStatus::Running | CommandStatus::Succeeded => Ok(self),
            _ => Err(self.failure()),
        }
    }

    /// What it answered, once it has succeeded.
    ///
    /// # Errors
    /// [`Error::Driver`] with what the agent said.
    pub fn into_result(self) -> Result<Value, Error> {
        match self.status() {
            CommandStatus::Succeeded => Ok(self.command_result),
            _ => Err(self.failure()),
        }
    }

    fn failure(&self) -> Error {
        Error::driver("agent", self.error())
    }
}
