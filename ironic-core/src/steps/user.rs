use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{ReservedStep, StepName};
use crate::model::JsonMap;
use crate::states::InterfaceKind;

/// A step that a caller asks for.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct UserStep {
    /// The interface that offers it.
    pub interface: InterfaceKind,
    /// Its name.
    pub step: String,
    /// Arguments.
    #[serde(default)]
    pub args: JsonMap,
    /// For deploy steps, where it runs: higher first; 0 leaves it out, and the interface's step of
    /// that name with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<i64>,
    /// Whether it runs on the node's children instead of the node.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub execute_on_child_nodes: bool,
    /// On which of the children it runs; none named stands for all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub limit_child_node_execution: Vec<Uuid>,
}

masked_debug!(UserStep);

impl UserStep {
    /// A step without arguments.
    pub fn new(interface: InterfaceKind, step: impl Into<String>) -> Self {
        Self {
            interface,
            step: step.into(),
            args: JsonMap::new(),
            priority: None,
            execute_on_child_nodes: false,
            limit_child_node_execution: Vec::new(),
        }
    }

    /// The same step, with this priority.
    #[must_use]
    pub fn with_priority(mut self, priority: i64) -> Self {
        self.priority = Some(priority);
        self
    }

    /// The same step, with an argument.
    #[must_use]
    pub fn with_arg(mut self, name: &str, value: impl Into<serde_json::Value>) -> Self {
        self.args.insert(name.to_owned(), value.into());
        self
    }

    /// Its name in full.
    pub fn name(&self) -> StepName {
        StepName::new(self.interface, &self.step)
    }

    /// The reserved step that it is by its name.
    pub fn reserved(&self) -> Option<ReservedStep> {
        self.step.parse().ok()
    }
}
