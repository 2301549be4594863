use serde::{Deserialize, Serialize};

use crate::runtime::Timestamp;

/// Why a node does not move.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "on", rename_all = "snake_case")]
#[non_exhaustive]
pub enum BlockedReason {
    /// The ramdisk agent has not called (again).
    Agent {
        /// What its next call would lead to.
        then: String,
    },
    /// A step runs outside the conductor.
    Step {
        /// Its name, as `interface.step`.
        step: String,
        /// What it last said about itself.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        detail: String,
    },
    /// The hardware takes its time.
    Hardware {
        /// With what.
        what: String,
    },
    /// Somebody has to say `unhold`.
    Hold,
    /// Somebody else has the node's lock.
    Lock {
        /// The conductor that has it.
        holder: String,
        /// What for.
        purpose: String,
    },
    /// Something is going on, and no conductor is at it at the moment.
    Conductor,
    /// The node is in maintenance.
    Maintenance {
        /// Why, as the operator or the engine put it.
        reason: String,
    },
    /// What was going on failed, and somebody has to decide.
    Failed {
        /// What went wrong.
        error: String,
    },
}

/// Why a node does not move, since when, until when, and what would make it move.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Blocked {
    /// What it waits for.
    pub reason: BlockedReason,
    /// Since when.
    pub since: Timestamp,
    /// When the engine gives up waiting.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// When the engine looks again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_attempt: Option<Timestamp>,
    /// What a person can do about it.
    pub unblock: String,
}

impl Blocked {
    /// Blocked since `since` on `reason`, without an end in sight.
    pub fn new(reason: BlockedReason, since: Timestamp, unblock: impl Into<String>) -> Self {
        Self {
            reason,
            since,
            until: None,
            next_attempt: None,
            unblock: unblock.into(),
        }
    }
}

impl std::fmt::Display for BlockedReason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Agent { then } => write!(f, "waits for the agent's next call, then: {then}"),
            Self::Step { step, detail } if detail.is_empty() => {
                write!(f, "step {step} is running")
            }
            Self::Step { step, detail } => write!(f, "step {step} is running: {detail}"),
            Self::Hardware { what } => write!(f, "waits for the hardware: {what}"),
            Self::Hold => f.write_str("on hold"),
            Self::Lock { holder, purpose } => write!(f, "locked by {holder} for {purpose}"),
            Self::Conductor => f.write_str("waits for a conductor to go on with it"),
            Self::Maintenance { reason } => write!(f, "in maintenance: {reason}"),
            Self::Failed { error } => write!(f, "failed: {error}"),
        }
    }
}

impl std::fmt::Display for Blocked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} (since {}", self.reason, self.since)?;
        if let Some(next) = self.next_attempt {
            write!(f, ", looks again at {next}")?;
        }
        if let Some(until) = self.until {
            write!(f, ", gives up at {until}")?;
        }
        write!(f, "); {}", self.unblock)
    }
}
