use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Node;
use crate::runtime::Timestamp;
use crate::states::ProvisionState;

string_enum! {
    /// How bad a history event is.
    #[non_exhaustive]
    pub enum Severity("severity") {
        /// Something happened as it should.
        Info = "INFO",
        /// Something went wrong.
        Error = "ERROR",
    }
}

/// Something that happened to a node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct HistoryEvent {
    /// Its identity.
    pub uuid: Uuid,
    /// The node.
    pub node_uuid: Uuid,
    /// When.
    pub created_at: Timestamp,
    /// The conductor that saw it.
    pub conductor: String,
    /// How bad.
    pub severity: Severity,
    /// What sort of event: the activity, such as `provisioning`.
    pub event_type: String,
    /// A code that stays the same between releases, such as `timeout`.
    pub code: String,
    /// What happened, for people.
    pub event: String,
    /// Who asked for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// In which project.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    /// The state that the node was in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<ProvisionState>,
    /// The state that it was on its way to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target_provision_state: Option<ProvisionState>,
    /// For how many whole seconds it had been in its state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration_seconds: Option<u64>,
}

impl HistoryEvent {
    /// An event of `node`; the conductor adds identity, time and its own name.
    pub fn new(
        node: Uuid,
        severity: Severity,
        event_type: &str,
        code: &str,
        event: impl Into<String>,
    ) -> Self {
        Self {
            uuid: Uuid::nil(),
            node_uuid: node,
            created_at: Timestamp::EPOCH,
            conductor: String::new(),
            severity,
            event_type: event_type.to_owned(),
            code: code.to_owned(),
            event: event.into(),
            user: None,
            project: None,
            state: None,
            target_provision_state: None,
            duration_seconds: None,
        }
    }

    /// The same event, that the node met with as it was.
    #[must_use]
    pub fn met_by(mut self, node: &Node, now: Timestamp) -> Self {
        self.state = Some(node.provision_state);
        self.target_provision_state = node.target_provision_state;
        let since = node.provision_updated_at;
        self.duration_seconds = since.map(|since| now.since(since).as_secs());
        self
    }
}
