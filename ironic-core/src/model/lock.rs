use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::Error;
use crate::runtime::Timestamp;

/// Who may write to a node: one record per node, with the node's uuid.
///
/// Stores check a [`Fence`](crate::store::Fence) against `epoch` and `holder` of this record, so
/// these two names never change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Lock {
    /// The node.
    pub uuid: Uuid,
    /// Rises at every exclusive acquisition and at every take-over.
    pub epoch: u64,
    /// The conductor that holds the node; `None` when it is free.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holder: Option<String>,
    /// Drawn anew at each acquisition: tells who does not know whether it has acquired the lock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claim: Option<Uuid>,
    /// What it is doing with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub purpose: Option<String>,
    /// Since when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
}

impl Lock {
    /// A lock that nobody holds, or has held.
    pub fn free(node: Uuid) -> Self {
        Self {
            uuid: node,
            epoch: 0,
            holder: None,
            claim: None,
            purpose: None,
            since: None,
        }
    }

    /// This lock in the hands of `holder`, one epoch on.
    #[must_use]
    pub fn taken(&self, holder: &str, claim: Uuid, purpose: &str, now: Timestamp) -> Self {
        Self {
            uuid: self.uuid,
            epoch: self.epoch + 1,
            holder: Some(holder.to_owned()),
            claim: Some(claim),
            purpose: Some(purpose.to_owned()),
            since: Some(now),
        }
    }

    /// This lock given back.
    #[must_use]
    pub fn released(&self) -> Self {
        Self {
            epoch: self.epoch,
            ..Self::free(self.uuid)
        }
    }
    /// What somebody is told who wants the node while it is held: by whom, what for, since when.
    pub fn refusal(&self) -> Error {
        Error::NodeLocked {
            node: self.uuid,
            // Given back meanwhile, but somebody else was to have it first.
            host: self
                .holder
                .clone()
                .unwrap_or_else(|| "another task".to_owned()),
            purpose: self.purpose.clone(),
            since: self.since.map(|since| since.to_string()),
        }
    }
}
