//! Batches that share a transaction: all that they depend on is read at once, they are judged here
//! one after the other, and what has become of it is written at once.
//!
//! Asking the database about each record by itself took most of a commit's time, as every
//! statement goes to the server and back.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use ironic_core::store::{Batch, Kind, Op, Record, Revision, StoreError, UniqueKey};
use uuid::Uuid;

use super::dialect::{Dialect, Found};
use super::error::Failure;
use super::row::revision;

pub(super) type Target = (Kind, Uuid);
type Key<'a> = (Kind, Cow<'a, UniqueKey>);

/// What batches depend on: records, and the owners of unique keys.
#[derive(Debug, Default)]
pub(super) struct Wanted<'a> {
    pub(super) records: BTreeSet<Target>,
    pub(super) keys: BTreeSet<(Kind, &'a UniqueKey)>,
}

impl<'a> Wanted<'a> {
    fn by(batches: impl Iterator<Item = &'a Batch>) -> Self {
        let mut wanted = Self::default();
        for batch in batches {
            let fence = batch.fence.map(|fence| (Kind::Lock, fence.node));
            wanted.records.extend(fence);
            for op in &batch.ops {
                let (kind, id) = op.target();
                wanted.records.insert((kind, id));
                let keys = keys_of(op).iter().map(|key| (kind, key));
                wanted.keys.extend(keys);
            }
        }
        wanted
    }
}

/// What a transaction has to write. No key is both freed and owned, no record deleted and written.
#[derive(Debug)]
pub(super) struct Changes<'a> {
    pub(super) freed: Vec<(Kind, &'a UniqueKey)>,
    pub(super) deleted: Vec<Target>,
    pub(super) written: Vec<Written<'a>>,
    pub(super) owned: Vec<(Kind, &'a UniqueKey, Uuid)>,
    /// The last revision given.
    pub(super) last: i64,
}

/// A record that is to be stored, and as what.
#[derive(Debug, Clone, Copy)]
pub(super) struct Written<'a> {
    pub(super) record: &'a Record,
    pub(super) created: Revision,
    pub(super) revision: Revision,
}

/// The part of the database that batches depend on, as their transaction sees it.
#[derive(Debug)]
pub(super) struct Group<'a> {
    before: i64,
    last: i64,
    /// What a batch would change or is fenced by. What cannot be read fails who asks for it.
    records: BTreeMap<Target, Result<Standing<'a>, StoreError>>,
    owners: BTreeMap<Key<'a>, Uuid>,
    /// The owners before anything was changed.
    found: BTreeMap<Key<'a>, Uuid>,
    changed: BTreeSet<Target>,
    changed_keys: BTreeSet<Key<'a>>,
}

/// A record, as it was stored (then, but for locks, without its body) or as it is put.
#[derive(Debug, Clone)]
struct Standing<'a> {
    created: Revision,
    revision: Revision,
    record: Cow<'a, Record>,
}

impl<'a> Group<'a> {
    /// Begins the transaction, and reads what the batches depend on.
    pub(super) async fn begin<D: Dialect>(
        connection: &mut D::Connection,
        batches: impl Iterator<Item = &'a Batch>,
    ) -> Result<Self, Failure> {
        let found = D::begin(connection, &Wanted::by(batches)).await?;
        let mut group = Self {
            before: 0,
            last: 0,
            records: BTreeMap::new(),
            owners: BTreeMap::new(),
            found: BTreeMap::new(),
            changed: BTreeSet::new(),
            changed_keys: BTreeSet::new(),
        };
        for found in found {
            group.take_in(found);
        }
        group.found.clone_from(&group.owners);
        Ok(group)
    }

    fn take_in(&mut self, found: Found) {
        match found {
            Found::Counter(last) => {
                self.before = last;
                self.last = last;
            }
            Found::Record(kind, id, record) => {
                let standing = record.map(|record| Standing {
                    created: record.created,
                    revision: record.revision,
                    record: Cow::Owned(record),
                });
                self.records.insert((kind, id), standing);
            }
            Found::Owner(kind, key, id) => {
                self.owners.insert((kind, Cow::Owned(key)), id);
            }
        }
    }

    /// Applies a batch, or refuses it and changes nothing.
    pub(super) fn apply(&mut self, batch: &'a Batch) -> Result<Vec<Revision>, StoreError> {
        self.check_fence(batch)?;
        self.check_expectations(&batch.ops)?;
        self.check_keys(&batch.ops)?;
        if batch.ops.is_empty() {
            return Ok(Vec::new());
        }
        self.last += 1;
        let at = revision(self.last);
        // All that leaves first, so that a key that one operation frees is there for another.
        let created: Vec<_> = batch.ops.iter().map(|op| self.take(op.target())).collect();
        for (op, created) in batch.ops.iter().zip(created) {
            if let Op::Put { record, .. } = op {
                self.put(record, created.unwrap_or(at), at);
            }
        }
        Ok(vec![at; batch.ops.len()])
    }

    fn check_fence(&self, batch: &Batch) -> Result<(), StoreError> {
        let Some(fence) = batch.fence else {
            return Ok(());
        };
        let lock = self.standing((Kind::Lock, fence.node))?;
        if fence.holds(lock.map(|lock| &*lock.record)) {
            return Ok(());
        }
        let (node, epoch) = (fence.node, fence.epoch);
        Err(StoreError::Fenced { node, epoch })
    }

    fn check_expectations(&self, ops: &[Op]) -> Result<(), StoreError> {
        let mut targets = BTreeSet::new();
        for op in ops {
            let (kind, id) = op.target();
            let current = self.standing((kind, id))?;
            let met = op.expect().is_met_by(current.map(|c| c.revision));
            if !met || !targets.insert((kind, id)) {
                return Err(StoreError::Conflict { kind, id });
            }
        }
        Ok(())
    }

    /// Refuses a batch after which two records would have the same key.
    fn check_keys(&self, ops: &'a [Op]) -> Result<(), StoreError> {
        let targets: BTreeSet<_> = ops.iter().map(Op::target).collect();
        let mut taken = BTreeMap::new();
        for op in ops {
            let (kind, id) = op.target();
            for key in keys_of(op) {
                let owner = taken.insert((kind, key), id).or_else(|| {
                    let owner = self.owners.get(&(kind, Cow::Borrowed(key))).copied();
                    // A record that the batch writes has the keys that the batch gives it.
                    owner.filter(|owner| !targets.contains(&(kind, *owner)))
                });
                if owner.is_some_and(|owner| owner != id) {
                    let key = key.clone();
                    return Err(StoreError::Duplicate { kind, key });
                }
            }
        }
        Ok(())
    }

    fn standing(&self, target: Target) -> Result<Option<&Standing<'a>>, StoreError> {
        match self.records.get(&target) {
            Some(Ok(standing)) => Ok(Some(standing)),
            Some(Err(error)) => Err(error.clone()),
            None => Ok(None),
        }
    }

    /// Takes a record out, and tells when it was created.
    fn take(&mut self, target: Target) -> Option<Revision> {
        self.changed.insert(target);
        let standing = self.records.remove(&target)?.ok()?;
        for key in &standing.record.keys {
            let key = (target.0, Cow::Owned(key.clone()));
            self.owners.remove(&key);
            self.changed_keys.insert(key);
        }
        Some(standing.created)
    }

    fn put(&mut self, record: &'a Record, created: Revision, revision: Revision) {
        for key in &record.keys {
            let key = (record.kind, Cow::Borrowed(key));
            self.owners.insert(key.clone(), record.id);
            self.changed_keys.insert(key);
        }
        let standing = Standing {
            created,
            revision,
            record: Cow::Borrowed(record),
        };
        self.records.insert((record.kind, record.id), Ok(standing));
    }

    /// Writes what has changed and ends the transaction.
    pub(super) async fn end<D: Dialect>(
        &self,
        connection: &mut D::Connection,
    ) -> Result<(), Failure> {
        if self.last == self.before {
            D::run(connection, "ROLLBACK").await?;
            return Ok(());
        }
        let mut changes = Changes {
            freed: Vec::new(),
            deleted: Vec::new(),
            written: Vec::new(),
            owned: Vec::new(),
            last: self.last,
        };
        for target in &self.changed {
            match self.standing(*target)? {
                None => changes.deleted.push(*target),
                Some(standing) => changes.written.push(Written {
                    record: &standing.record,
                    created: standing.created,
                    revision: standing.revision,
                }),
            }
        }
        for changed in &self.changed_keys {
            let (kind, key) = (changed.0, &*changed.1);
            match self.owners.get(changed) {
                None => changes.freed.push((kind, key)),
                // Most writes leave a record the keys that it had.
                Some(id) if self.found.get(changed) == Some(id) => {}
                Some(id) => changes.owned.push((kind, key, *id)),
            }
        }
        D::end(connection, &changes).await
    }
}

fn keys_of(op: &Op) -> &[UniqueKey] {
    match op {
        Op::Put { record, .. } => &record.keys,
        Op::Delete { .. } => &[],
    }
}
