use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use super::differ::differences;
use crate::config::Policy;
use crate::engine::{Decision, Input, Rejected};
use crate::error::WireError;
use crate::flow::{Effect, Flow};
use crate::model::{HistoryEvent, InterfaceNames, JsonMap, Node, Severity};
use crate::notify;
use crate::runtime::Timestamp;
use crate::secret::{MASK, masked};
use crate::states::ProvisionState;
use crate::steps::StepCatalog;

/// The form of an [`Entry`]; it rises when an older reader would misread a newer entry.
pub const SCHEMA: u16 = 1;

/// One decision: by whom and when, on what, and what came of it. Its secrets are masked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Entry {
    /// The form of this entry.
    pub schema: u16,
    /// The time by which it was decided.
    pub at: Timestamp,
    /// The conductor that decided.
    pub conductor: String,
    /// The node.
    pub node: Uuid,
    /// Under which lock: it rises each time that the node is acquired, by whomever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub epoch: Option<u64>,
    /// What the node was held for.
    pub purpose: String,
    /// On behalf of which request, by its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<String>,
    /// What the decision saw.
    pub saw: Saw,
    /// What it answers.
    pub input: Input,
    /// The answer.
    pub verdict: Verdict,
    /// What the store said, where it did not say that the decision is written: it may be all the
    /// same, if only the store's answer was lost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unwritten: Option<String>,
}

/// What a decision saw: a [`View`](crate::engine::View) that can be kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Saw {
    /// The node, with what a driver had changed by then.
    pub node: Node,
    /// What was going on with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flow: Option<Flow>,
    /// The names of its interfaces.
    pub interfaces: InterfaceNames,
    /// The catalogues of steps that it asked for, in that order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<StepCatalog>,
    /// What else it depended on.
    pub policy: Policy,
}

/// What was decided.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Verdict {
    /// Something changes.
    Decided(Box<Decided>),
    /// The request was refused.
    Refused(WireError),
    /// The input belonged to something that was over.
    Stale,
    /// The input changed nothing. It is not recorded; deciding again may come to it.
    Nothing,
}

/// A decision, as far as it differs from what it saw.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Decided {
    /// What changes on the node: by path, the new value, or null for what goes.
    #[serde(default, skip_serializing_if = "JsonMap::is_empty")]
    pub changed: JsonMap,
    /// The flow as it becomes; `None` when the node rests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flow: Option<Flow>,
    /// The effects to carry out, in order, each by its `seq`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub effects: Vec<(u64, Effect)>,
    /// What goes into the node's history.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub history: Vec<Told>,
    /// What others are told.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<notify::Event>,
}

/// An event of a node's history, as it is decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Told {
    /// How bad.
    pub severity: Severity,
    /// What sort of event.
    pub event_type: String,
    /// A code that stays the same between releases.
    pub code: String,
    /// What happened, for people.
    pub event: String,
    /// Who asked for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
}

impl Entry {
    /// The provision state before and after.
    pub fn states(&self) -> (ProvisionState, ProvisionState) {
        let before = self.saw.node.provision_state;
        (before, self.changed("provision_state").unwrap_or(before))
    }

    /// Where the node is on its way to afterwards.
    pub fn target(&self) -> Option<ProvisionState> {
        let before = self.saw.node.target_provision_state;
        self.changed("target_provision_state").unwrap_or(before)
    }

    /// What was decided, if anything was.
    pub fn decided(&self) -> Option<&Decided> {
        match &self.verdict {
            Verdict::Decided(decided) => Some(decided),
            _ => None,
        }
    }

    /// The new value of a field of the node, if it changed.
    pub(super) fn changed<T: serde::de::DeserializeOwned>(&self, path: &str) -> Option<T> {
        let value = self.decided()?.changed.get(path)?;
        serde_json::from_value(value.clone()).ok()
    }
}

impl Verdict {
    /// What was decided of a node that was shown like this before, with secrets masked.
    ///
    /// # Errors
    /// When the node cannot be told as JSON.
    pub(super) fn of(
        before: &Value,
        decided: &Result<Decision, Rejected>,
    ) -> Result<Self, serde_json::Error> {
        let decision = match decided {
            Ok(decision) => decision,
            Err(Rejected::Stale) => return Ok(Self::Stale),
            Err(Rejected::Nothing) => return Ok(Self::Nothing),
            Err(Rejected::Refused(error)) => return Ok(Self::Refused(WireError::from(error))),
        };
        let changed = differences(before, &shown(&decision.node)?);
        Ok(Self::Decided(Box::new(Decided {
            changed: changed
                .into_iter()
                .map(|(path, _, new)| (path, new.unwrap_or_default()))
                .collect(),
            flow: decision.flow.as_ref().map(masked_copy).transpose()?,
            effects: decision.effects.clone(),
            history: decision.history.iter().map(Told::of).collect(),
            events: decision.events.clone(),
        })))
    }
}

impl Told {
    fn of(event: &HistoryEvent) -> Self {
        Self {
            severity: event.severity,
            event_type: event.event_type.clone(),
            code: event.code.clone(),
            event: event.event.clone(),
            user: event.user.clone(),
        }
    }
}

/// A record as JSON, with its secrets masked.
pub(super) fn shown(record: &impl Serialize) -> Result<Value, serde_json::Error> {
    match serde_json::to_value(record)? {
        Value::Object(map) => Ok(Value::Object(masked(&map, MASK))),
        other => Ok(other),
    }
}

/// The same record, with its secrets masked.
pub(super) fn masked_copy<T: Serialize + serde::de::DeserializeOwned>(
    record: &T,
) -> Result<T, serde_json::Error> {
    serde_json::from_value(shown(record)?)
}
