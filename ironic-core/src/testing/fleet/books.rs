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
            let (kind, id) = op.target();
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
            match kind {
                Kind::Node => {
                    let change = replaced(&mut self.nodes, id, body);
                    self.note_call(&change);
                    if let (None, Some(machine)) = (&change.after, self.machines.get_mut(&id)) {
                        machine.forget();
                    }
                    commit.nodes.push(change);
                }
                Kind::Flow => commit.flows.push(replaced(&mut self.flows, id, body)),
                Kind::Lock => {
                    let change = replaced(&mut self.locks, id, body);
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
                    let change = replaced(&mut self.allocations, id, body);
                    commit.allocations.push(change);
                }
                Kind::Port => commit.ports.push(replaced(&mut self.ports, id, body)),
                Kind::Conductor => self.note_conductor(body),
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

    fn note_conductor(&mut self, body: Option<&str>) {
        let Some(mut fresh) =
            body.and_then(|body| serde_json::from_str::<ConductorView>(body).ok())
        else {
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

fn replaced<T: Clone + serde::de::DeserializeOwned>(
    table: &mut BTreeMap<Uuid, T>,
    id: Uuid,
    body: Option<&str>,
) -> Change<T> {
    let after = body.and_then(|body| serde_json::from_str::<T>(body).ok());
    let before = match &after {
        Some(after) => table.insert(id, after.clone()),
        None => table.remove(&id),
    };
    Change { id, before, after }
}
