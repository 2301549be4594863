use std::fmt::Write as _;
use std::time::Duration;

use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::books::{Caller, Commit};
use crate::notify::Notification;
use crate::store::{Batch, Op, Revision};

/// What has happened, as a number, and for one node as a story.
pub(super) struct Journal {
    digest: Sha256,
    /// The node whose story is told, with its name.
    traced: Option<(Uuid, String)>,
    story: Vec<String>,
    pub(super) commits: u64,
    pub(super) events: u64,
}

impl Journal {
    pub(super) fn new() -> Self {
        Self {
            digest: Sha256::new(),
            traced: None,
            story: Vec::new(),
            commits: 0,
            events: 0,
        }
    }

    /// Tells the story of this node from here on.
    pub(super) fn trace(&mut self, node: Uuid, name: &str) {
        self.traced = Some((node, name.to_owned()));
    }

    /// Whether anybody wants to read about this node.
    pub(super) fn is_traced(&self, node: Uuid) -> bool {
        self.traced
            .as_ref()
            .is_some_and(|(traced, _)| *traced == node)
    }

    /// The node whose story is told.
    pub(super) fn traced(&self) -> Option<Uuid> {
        self.traced.as_ref().map(|(node, _)| *node)
    }

    /// A batch has been applied.
    pub(super) fn batch(
        &mut self,
        at: Duration,
        by: &Caller,
        batch: &Batch,
        revisions: &[Revision],
    ) {
        self.commits += 1;
        self.number(at.as_micros());
        self.text(&by.host);
        for (op, revision) in batch.ops.iter().zip(revisions) {
            let (kind, id) = op.target();
            self.text(kind.as_str());
            self.digest.update(id.as_bytes());
            self.number(u128::from(revision.0));
            match op {
                Op::Put { record, .. } => self.text(record.body.get()),
                Op::Delete { .. } => self.text("deleted"),
            }
        }
    }

    /// An event has been told of.
    pub(super) fn event(&mut self, at: Duration, notification: &Notification, told: &str) {
        self.events += 1;
        self.number(at.as_micros());
        self.text(&notification.conductor);
        self.digest.update(notification.subject.as_bytes());
        self.text(told);
    }

    /// Something has happened to a node.
    pub(super) fn note(&mut self, at: Duration, node: Uuid, text: impl FnOnce() -> String) {
        if self.is_traced(node) {
            self.line(at, &text());
        }
    }

    /// A line of the story.
    pub(super) fn line(&mut self, at: Duration, text: &str) {
        self.story
            .push(format!("{:>11.3} s  {text}", at.as_secs_f64()));
    }

    /// What a commit has done to the node whose story is told.
    pub(super) fn tell(&mut self, at: Duration, commit: &Commit) {
        let Some((node, _)) = self.traced.clone() else {
            return;
        };
        let by = format!("{} (life {})", commit.by.host, commit.by.life);
        for change in commit.locks.iter().filter(|change| change.id == node) {
            match change
                .after
                .as_ref()
                .map(|lock| (lock.holder.as_ref(), lock))
            {
                Some((Some(_), lock)) => self.line(
                    at,
                    &format!(
                        "{by} takes the node at epoch {}: {}",
                        lock.epoch,
                        lock.purpose.as_deref().unwrap_or_default()
                    ),
                ),
                _ => self.line(at, &format!("{by} gives the node back")),
            }
        }
        for change in commit.nodes.iter().filter(|change| change.id == node) {
            let Some(after) = &change.after else {
                self.line(at, &format!("{by} removes the node"));
                continue;
            };
            let before = change.before.as_ref();
            if before.map(|before| before.provision_state) != Some(after.provision_state) {
                let error = after.last_error.as_deref().unwrap_or_default();
                self.line(
                    at,
                    &format!("{by}: the node is {} {error}", after.provision_state),
                );
            }
            if before.is_some_and(|before| before.maintenance != after.maintenance) {
                self.line(at, &format!("{by}: maintenance is {}", after.maintenance));
            }
        }
        for change in commit.flows.iter().filter(|change| change.id == node) {
            let Some(flow) = &change.after else {
                self.line(at, &format!("{by}: nothing is going on with the node"));
                continue;
            };
            let effects = flow.pending.iter().map(|pending| {
                let waits = if pending.waiting.is_some() {
                    " (waits)"
                } else {
                    ""
                };
                format!("{} {:?}{waits}", pending.seq, pending.effect)
            });
            let effects: Vec<_> = effects.collect();
            self.line(
                at,
                &format!(
                    "{by}: {} {} at {}",
                    flow.kind,
                    flow.generation,
                    effects.join(", ")
                ),
            );
        }
    }

    /// The story so far.
    pub(super) fn story(&mut self) -> Vec<String> {
        std::mem::take(&mut self.story)
    }

    /// Of all that has been committed and told of.
    pub(super) fn hex(&self) -> String {
        let mut hex = String::new();
        for byte in self.digest.clone().finalize() {
            let _ = write!(hex, "{byte:02x}");
        }
        hex
    }

    fn number(&mut self, number: u128) {
        self.digest.update(number.to_le_bytes());
    }

    fn text(&mut self, text: &str) {
        self.number(text.len() as u128);
        self.digest.update(text.as_bytes());
    }
}
