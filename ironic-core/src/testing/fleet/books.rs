//! What an outsider who sees every commit knows of the fleet: kept apart from the store, and from
//! all that the conductors believe.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::time::Instant;
use uuid::Uuid;

use super::machine::Machine;
use super::weather::DRIFT;
use crate::config::Config;
use crate::flow::Flow;
use crate::model::{AllocationState, Lock};
use crate::runtime::Timestamp;
use crate::states::{PowerTarget, ProvisionState};
use crate::store::{Batch, Expect, Fence, Kind, Op, Revision};

/// The members of a node that somebody asks about here.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct NodeView {
    pub(super) provision_state: ProvisionState,
    #[serde(default)]
    pub(super) target_power_state: Option<PowerTarget>,
    #[serde(default)]
    pub(super) generation: u64,
    #[serde(default)]
    pub(super) instance_uuid: Option<Uuid>,
    #[serde(default)]
    pub(super) maintenance: bool,
    #[serde(default)]
    pub(super) last_error: Option<String>,
    #[serde(default)]
    pub(super) allocation_uuid: Option<Uuid>,
    #[serde(default)]
    pub(super) driver_internal_info: Internal,
}

/// What drivers remember.
#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct Internal {
    #[serde(default)]
    pub(super) agent_last_heartbeat: Option<Timestamp>,
}

/// A conductor's record, and when it last said that it lives.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct ConductorView {
    pub(super) hostname: String,
    pub(super) incarnation: Uuid,
    pub(super) beat: u64,
    #[serde(skip, default = "Instant::now")]
    pub(super) beaten: Instant,
}

/// The members of an allocation that somebody asks about here.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct AllocationView {
    pub(super) state: AllocationState,
    #[serde(default)]
    pub(super) node_uuid: Option<Uuid>,
    #[serde(default)]
    pub(super) conductor: Option<String>,
}

/// The members of a port that somebody asks about here.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct PortView {
    pub(super) node_uuid: Uuid,
    pub(super) address: String,
}

/// Who does something: a conductor in one of its lives, or nobody of the fleet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Caller {
    pub(super) host: String,
    pub(super) life: u64,
}

/// One record before and after.
#[derive(Debug)]
pub(super) struct Change<T> {
    pub(super) id: Uuid,
    pub(super) before: Option<T>,
    pub(super) after: Option<T>,
}

/// A batch that has been applied.
#[derive(Debug)]
pub(super) struct Commit {
    pub(super) by: Caller,
    /// The lock that it claims to hold.
    pub(super) fence: Option<Fence>,
    /// The lock of its fence as it was before.
    pub(super) fenced_by: Option<Lock>,
    /// Who held the nodes before whose locks it changes.
    pub(super) held_by: BTreeMap<Uuid, Caller>,
    /// The last epochs before, of the nodes whose locks it takes.
    pub(super) epochs: BTreeMap<Uuid, u64>,
    pub(super) nodes: Vec<Change<NodeView>>,
    pub(super) locks: Vec<Change<Lock>>,
    pub(super) flows: Vec<Change<Flow>>,
    pub(super) allocations: Vec<Change<AllocationView>>,
    pub(super) ports: Vec<Change<PortView>>,
    /// The expectations that were not met.
    pub(super) unmet: Vec<(Kind, Uuid)>,
    /// What was written, as text.
    pub(super) bodies: Vec<(Kind, Uuid, Arc<RawValue>)>,
    /// Of which records nobody can make sense any more, and why.
    pub(super) unread: Vec<String>,
}

/// The fleet as it is.
#[derive(Debug, Default)]
pub(super) struct Books {
    pub(super) nodes: BTreeMap<Uuid, NodeView>,
    pub(super) locks: BTreeMap<Uuid, Lock>,
    pub(super) flows: BTreeMap<Uuid, Flow>,
    pub(super) allocations: BTreeMap<Uuid, AllocationView>,
    pub(super) ports: BTreeMap<Uuid, PortView>,
    pub(super) conductors: BTreeMap<String, ConductorView>,
    pub(super) machines: BTreeMap<Uuid, Machine>,
    /// The lives that are over.
    pub(super) dead: BTreeSet<(String, u64)>,
    /// In which life whoever holds a node took it.
    holders: BTreeMap<Uuid, Caller>,
    /// How many calls of its agent are on a node's record.
    pub(super) calls: BTreeMap<Uuid, u64>,
    /// The last epoch of each node's lock, which outlives the node.
    pub(super) epochs: BTreeMap<Uuid, u64>,
    revisions: BTreeMap<(Kind, Uuid), Revision>,
    /// The settings that conductors ought to have.
    pub(super) config: Config,
}

impl Books {
    /// Of a fleet that has nothing yet, whose conductors ought to have these settings.
    pub(super) fn new(config: &Config) -> Self {
        Self {
            config: config.clone(),
            ..Self::default()
        }
    }

    /// The name of a node, for people.
    pub(super) fn name(&self, id: Uuid) -> String {
        let machine = self.machines.get(&id);
        machine.map_or_else(|| id.to_string(), |machine| machine.name.clone())
    }

    /// Until when nobody else may take what a conductor holds, as far as others can have seen, by
    /// the fastest of clocks.
    pub(super) fn taken_from_no_earlier_than(&self, host: &str) -> Option<Instant> {
        let conductor = self.conductors.get(host)?;
        let after = self.config.take_over_after();
        Some(conductor.beaten + after - drifted(after))
    }

    /// When the lease ends on which a conductor acts, by the slowest of clocks.
    pub(super) fn lease_end(&self, host: &str) -> Option<Instant> {
        let conductor = self.conductors.get(host)?;
        let lease = self.config.heartbeat_timeout;
        Some(conductor.beaten + lease + drifted(lease))
    }

    /// Notes a batch that the store has applied.
    pub(super) fn apply(&mut self, by: &Caller, batch: &Batch, revisions: &[Revision]) -> Commit {
        let mut commit = Commit {
            by: by.clone(),
            fence: batch.fence,
            fenced_by: batch
                .fence
                .and_then(|fence| self.locks.get(&fence.node).cloned()),
            held_by: BTreeMap::new(),
            epochs: BTreeMap::new(),
            nodes: Vec::new(),
            locks: Vec::new(),
            flows: Vec::new(),
            allocations: Vec::new(),
            ports: Vec::new(),
            unmet: Vec::new(),
            bodies: Vec::new(),
            unread: Vec::new(),
        };
        for op in &batch.ops {
            let target = op.target();
            let current = self.revisions.get(&target).copied();
            if let Expect::Revision(_) | Expect::Absent = op.expect()
                && !op.expect().is_met_by(current)
            {
                commit.unmet.push(target);
            }
        }
        for (op, revision) in batch.ops.iter().zip(revisions) {
            let target = op.target();
            let (kind, id) = target;
            let body = match op {
                Op::Put { record, .. } => {
                    self.revisions.insert((kind, id), *revision);
                    commit.bodies.push((kind, id, Arc::clone(&record.body)));
                    Some(record.body.get())
                }
                Op::Delete { .. } => {
                    self.revisions.remove(&(kind, id));
                    None
                }
            };
            let unread = &mut commit.unread;
            match kind {
                Kind::Node => {
                    let change = replaced(&mut self.nodes, target, body, unread);
                    self.note_call(&change);
                    if let (None, Some(machine)) = (&change.after, self.machines.get_mut(&id)) {
                        machine.forget();
                    }
                    commit.nodes.push(change);
                }
                Kind::Flow => {
                    let change = replaced(&mut self.flows, target, body, unread);
                    commit.flows.push(change);
                }
                Kind::Lock => {
                    let change = replaced(&mut self.locks, target, body, unread);
                    let is_held = change.after.as_ref().is_some_and(|it| it.holder.is_some());
                    let held_by = match is_held {
                        true => self.holders.insert(id, by.clone()),
                        false => self.holders.remove(&id),
                    };
                    if let Some(lock) = change.after.as_ref().filter(|_| is_held) {
                        let last = self.epochs.insert(id, lock.epoch);
                        commit.epochs.extend(last.map(|last| (id, last)));
                    }
                    commit.held_by.extend(held_by.map(|held_by| (id, held_by)));
                    commit.locks.push(change);
                }
                Kind::Allocation => {
                    let change = replaced(&mut self.allocations, target, body, unread);
                    commit.allocations.push(change);
                }
                Kind::Port => {
                    let change = replaced(&mut self.ports, target, body, unread);
                    commit.ports.push(change);
                }
                Kind::Conductor => self.note_conductor(target, body, unread),
                _ => {}
            }
        }
        commit
    }

    fn note_call(&mut self, change: &Change<NodeView>) {
        let last = |node: &Option<NodeView>| {
            let node = node.as_ref()?;
            node.driver_internal_info.agent_last_heartbeat
        };
        let after = last(&change.after);
        if after.is_some() && after != last(&change.before) {
            *self.calls.entry(change.id).or_default() += 1;
        }
    }

    /// Whether a life of a conductor is over.
    pub(super) fn is_dead(&self, caller: &Caller) -> bool {
        self.dead.contains(&(caller.host.clone(), caller.life))
    }

    fn note_conductor(
        &mut self,
        target: (Kind, Uuid),
        body: Option<&str>,
        unread: &mut Vec<String>,
    ) {
        let fresh = body.map(|body| read::<ConductorView>(target, body, unread));
        let Some(mut fresh) = fresh.flatten() else {
            return;
        };
        if let Some(known) = self.conductors.get(&fresh.hostname)
            && known.beat == fresh.beat
            && known.incarnation == fresh.incarnation
        {
            fresh.beaten = known.beaten;
        }
        self.conductors.insert(fresh.hostname.clone(), fresh);
    }
}

/// By how much a clock may be wrong after so long.
fn drifted(time: Duration) -> Duration {
    let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
    Duration::from_micros(micros / 1_000_000 * DRIFT)
}

/// What a record says; of one that cannot be read it is told why.
fn read<T: serde::de::DeserializeOwned>(
    (kind, id): (Kind, Uuid),
    body: &str,
    unread: &mut Vec<String>,
) -> Option<T> {
    match serde_json::from_str(body) {
        Ok(read) => Some(read),
        Err(error) => {
            unread.push(format!("{kind} {id} cannot be read: {error}"));
            None
        }
    }
}

/// A record becomes what was written, or goes; one that cannot be read stays what it was.
fn replaced<T: Clone + serde::de::DeserializeOwned>(
    table: &mut BTreeMap<Uuid, T>,
    target: (Kind, Uuid),
    body: Option<&str>,
    unread: &mut Vec<String>,
) -> Change<T> {
    let (_, id) = target;
    let (before, after) = match body {
        None => (table.remove(&id), None),
        Some(body) => match read::<T>(target, body, unread) {
            Some(after) => (table.insert(id, after.clone()), Some(after)),
            None => (table.get(&id).cloned(), table.get(&id).cloned()),
        },
    };
    Change { id, before, after }
}

#[cfg(test)]
mod tests {
    use serde_json::value::RawValue;
    use uuid::Uuid;

    use super::{Books, Caller};
    use crate::config::Config;
    use crate::store::{Batch, Expect, Kind, Op, Record, Revision};

    #[test]
    fn a_record_that_cannot_be_read_is_told_of_and_not_taken_for_removed() {
        let mut books = Books::new(&Config::new("a"));
        let by = Caller {
            host: "a".to_owned(),
            life: 0,
        };
        let mut put = |body: &str, revision: u64| {
            let record = Record {
                kind: Kind::Node,
                id: Uuid::from_u128(1),
                created: Revision(1),
                revision: Revision(revision),
                schema: 1,
                keys: Vec::new(),
                body: RawValue::from_string(body.to_owned()).unwrap().into(),
            };
            let op = Op::Put {
                record,
                expect: Expect::Any,
            };
            let batch = Batch {
                fence: None,
                ops: vec![op],
            };
            let commit = books.apply(&by, &batch, &[Revision(revision)]);
            (commit, books.nodes.len())
        };
        let (commit, nodes) = put(r#"{"provision_state":"active"}"#, 1);
        assert_eq!((commit.unread.len(), nodes), (0, 1));
        let (commit, nodes) = put(r#"{"provision_state":"nonsense"}"#, 2);
        assert_eq!((commit.unread.len(), nodes), (1, 1));
        assert!(commit.nodes[0].after.is_some(), "it is still there");
    }
}
