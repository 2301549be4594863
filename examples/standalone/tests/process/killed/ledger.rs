//! What clients have been answered, and what of it a service no longer knows.

use std::collections::BTreeMap;

use serde_json::Value;
use uuid::Uuid;

/// Whether something is there, as far as answers tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Presence {
    /// It was to be made, and no answer came.
    Asked,
    /// It was made.
    There,
    /// It was to be removed, and no answer came.
    Leaving,
    /// It was removed.
    Gone,
}

impl Presence {
    /// What is wrong with its being there or not.
    fn judge(self, there: bool) -> Option<&'static str> {
        match (self, there) {
            (Self::There, false) => Some("was made, and is not there"),
            (Self::Gone, true) => Some("was removed, and is there"),
            _ => None,
        }
    }

    /// Whether a change of it may still be pending that nobody has been told of.
    pub(super) fn may_be_there(self) -> bool {
        self != Self::Gone
    }
}

/// What a node can be told to become.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verb {
    Manage,
    Provide,
    Active,
    Deleted,
}

impl Verb {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Manage => "manage",
            Self::Provide => "provide",
            Self::Active => "active",
            Self::Deleted => "deleted",
        }
    }

    /// Whether a node in this state has taken the verb: it is on the way, there, or has failed
    /// and says so.
    fn is_taken(self, state: &str, has_failed: bool) -> bool {
        match self {
            // Where it comes from is also where it ends when the machine does not answer.
            Self::Manage if state == "enroll" => has_failed,
            Self::Manage => matches!(state, "verifying" | "manageable"),
            Self::Provide => matches!(
                state,
                "cleaning" | "clean wait" | "clean failed" | "available"
            ),
            Self::Active => matches!(
                state,
                "deploying" | "wait call-back" | "deploy failed" | "active"
            ),
            Self::Deleted => matches!(
                state,
                "deleting" | "cleaning" | "clean wait" | "clean failed" | "error" | "available"
            ),
        }
    }
}

/// A node as one client has been told of it.
#[derive(Debug, Clone)]
pub(super) struct Account {
    pub(super) presence: Presence,
    /// The last number that was written to it, and the last that was answered to be written.
    pub(super) written: u64,
    pub(super) kept: u64,
    /// The verb that was taken last, and the one after it that no answer came to.
    pub(super) taken: Option<Verb>,
    pub(super) asked: Option<Verb>,
    pub(super) ports: BTreeMap<Uuid, Presence>,
}

impl Account {
    pub(super) fn new() -> Self {
        Self {
            presence: Presence::Asked,
            written: 0,
            kept: 0,
            taken: None,
            asked: None,
            ports: BTreeMap::new(),
        }
    }

    /// What is wrong with the node that is there.
    fn judge(&self, node: &Value) -> Vec<String> {
        let mut wrong = Vec::new();
        let number = node["extra"]["number"].as_u64();
        if !number.is_some_and(|number| (self.kept..=self.written).contains(&number)) {
            wrong.push(format!(
                "{} was written to it, and it has {number:?}",
                self.kept
            ));
        }
        let state = node["provision_state"].as_str().unwrap();
        let has_failed = node["last_error"].is_string();
        let verbs = [self.taken, self.asked];
        let mut verbs = verbs.iter().flatten();
        let untouched = self.taken.is_none() && state == "enroll";
        if !untouched && !verbs.any(|verb| verb.is_taken(state, has_failed)) {
            wrong.push(format!("{:?} was taken, and it is {state}", self.taken));
        }
        wrong
    }
}

/// What all clients have been told.
#[derive(Debug, Clone, Default)]
pub(super) struct Ledger {
    pub(super) nodes: BTreeMap<Uuid, Account>,
    /// How many answers said that something was done.
    pub(super) answers: usize,
}

/// What a service has.
pub(super) struct Stock {
    pub(super) nodes: BTreeMap<Uuid, Value>,
    pub(super) ports: BTreeMap<Uuid, Value>,
}

impl Ledger {
    /// What the service does not have as it was answered.
    pub(super) fn audit(&self, stock: &Stock) -> Vec<String> {
        let mut wrong = Vec::new();
        for (id, account) in &self.nodes {
            let node = stock.nodes.get(id);
            let lost = account.presence.judge(node.is_some()).map(str::to_owned);
            let changed = node.map(|node| account.judge(node)).unwrap_or_default();
            let lost = lost.into_iter().chain(changed);
            wrong.extend(lost.map(|why| format!("node {id}: {why}")));
            for (port, presence) in &account.ports {
                let lost = presence.judge(stock.ports.contains_key(port));
                wrong.extend(lost.map(|why| format!("port {port} of node {id}: {why}")));
            }
        }
        wrong
    }
}
