use std::collections::BTreeMap;
use std::sync::Mutex;

use async_trait::async_trait;
use ironic_core::states::{Event, ProvisionState};
use ironic_core::store::{Batch, Expect, Kind, Op, Revision, Store, StoreError};
use serde_json::Value;
use uuid::Uuid;

use crate::hooked::Hook;

/// Keeps books of its own on what is applied, and says what should not have been.
#[derive(Default)]
pub(super) struct Watched {
    books: Mutex<Books>,
}

#[derive(Default)]
struct Books {
    records: BTreeMap<(Kind, Uuid), (Revision, Value)>,
    wrong: Vec<String>,
}

impl Watched {
    /// What has been applied against the rules so far.
    pub(super) fn wrong(&self) -> Vec<String> {
        self.books.lock().unwrap().wrong.clone()
    }
}

impl Books {
    fn field(&self, kind: Kind, id: Uuid, name: &str) -> Value {
        let record = self.records.get(&(kind, id));
        record.map_or(Value::Null, |(_, body)| body[name].clone())
    }

    /// Notes a batch that has been applied.
    fn note(&mut self, batch: &Batch, revisions: &[Revision]) {
        if let Some(fence) = batch.fence {
            let epoch = self.field(Kind::Lock, fence.node, "epoch");
            let held = !self.field(Kind::Lock, fence.node, "holder").is_null();
            if !held || epoch != fence.epoch {
                self.wrong.push(format!(
                    "a write fenced by epoch {} landed, while the lock is at {epoch}, held: {held}",
                    fence.epoch
                ));
            }
        }
        for op in &batch.ops {
            let (kind, id) = op.target();
            let current = self.records.get(&(kind, id)).map(|(revision, _)| *revision);
            if let Expect::Revision(read) = op.expect()
                && current != Some(read)
            {
                self.wrong
                    .push(format!("a write landed on a {kind} that it had not read"));
            }
        }
        let before: Vec<_> = batch
            .ops
            .iter()
            .map(|op| self.records.get(&op.target()).cloned())
            .collect();
        for (op, revision) in batch.ops.iter().zip(revisions) {
            match op {
                Op::Put { record, .. } => {
                    let body = serde_json::from_str(record.body.get()).unwrap();
                    self.records.insert(op.target(), (*revision, body));
                }
                Op::Delete { .. } => {
                    self.records.remove(&op.target());
                }
            }
        }
        for (op, before) in batch.ops.iter().zip(before) {
            let (kind, id) = op.target();
            if let (Some((_, before)), Op::Put { .. }) = (before, op) {
                match kind {
                    Kind::Node => self.judge_node(batch, id, &before),
                    Kind::Flow => self.judge_flow(id, &before),
                    _ => {}
                }
            }
        }
    }

    /// A node moves by the table, one way, and in the hands of whoever holds it.
    fn judge_node(&mut self, batch: &Batch, id: Uuid, before: &Value) {
        let state = |value: &Value| -> ProvisionState { value.as_str().unwrap().parse().unwrap() };
        let from = state(&before["provision_state"]);
        let to = state(&self.field(Kind::Node, id, "provision_state"));
        let generation = self
            .field(Kind::Node, id, "generation")
            .as_u64()
            .unwrap_or(0);
        let old = before["generation"].as_u64().unwrap_or(0);
        if generation < old {
            self.wrong.push(format!(
                "the node went back from generation {old} to {generation}"
            ));
        }
        if from == to && generation == old {
            return;
        }
        if batch.fence.is_none() {
            self.wrong.push(format!(
                "the node went from {from} to {to} without its lock"
            ));
        }
        let next = |state: ProvisionState| {
            Event::ALL
                .iter()
                .filter_map(move |event| state.on(*event).ok())
        };
        let reached = from == to
            || next(from).any(|state| state == to || next(state).any(|state| state == to));
        if !reached {
            self.wrong.push(format!(
                "the node went from {from} to {to}, where no decision leads"
            ));
        }
    }

    /// Within a generation effects are numbered upwards.
    fn judge_flow(&mut self, id: Uuid, before: &Value) {
        let generation = self.field(Kind::Flow, id, "generation");
        let node = self.field(Kind::Node, id, "generation");
        if generation != node {
            self.wrong.push(format!(
                "a flow of generation {generation} on a node at {node}"
            ));
        }
        let seq = self.field(Kind::Flow, id, "next_seq").as_u64();
        if generation == before["generation"] && seq < before["next_seq"].as_u64() {
            self.wrong
                .push("effects of a flow that were begun are not".to_owned());
        }
    }
}

#[async_trait]
impl Hook for Watched {
    async fn commit(&self, store: &dyn Store, batch: Batch) -> Result<Vec<Revision>, StoreError> {
        let answer = store.commit(batch.clone()).await;
        if let Ok(revisions) = &answer {
            self.books.lock().unwrap().note(&batch, revisions);
        }
        answer
    }
}

/// How a store is broken, to see that the tests would tell.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Flaw {
    None,
    IgnoresRevisions,
    IgnoresFences,
}

#[async_trait]
impl Hook for Flaw {
    async fn commit(
        &self,
        store: &dyn Store,
        mut batch: Batch,
    ) -> Result<Vec<Revision>, StoreError> {
        match self {
            Flaw::None => {}
            Flaw::IgnoresFences => batch.fence = None,
            Flaw::IgnoresRevisions => {
                for op in &mut batch.ops {
                    // Locks are spared: two holders at once would be another flaw.
                    if op.target().0 == Kind::Lock {
                        continue;
                    }
                    let (Op::Put { expect, .. } | Op::Delete { expect, .. }) = op;
                    *expect = Expect::Any;
                }
            }
        }
        store.commit(batch).await
    }
}
