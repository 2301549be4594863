//! Batches that share a transaction: one statement text reads all that they depend on, they are
//! judged here one after the other, and one more text writes what has become of it.
//!
//! Asking the database about each record by itself took most of a commit's time, as every
//! statement goes to the connection's thread and back.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use ironic_core::store::{Batch, Kind, Op, Record, Revision, StoreError, UniqueKey};
use serde::Serialize;
use sqlx::Row;
use sqlx::sqlite::{SqliteConnection, SqliteRow};
use uuid::Uuid;

use super::columns::columns;
use super::error::Failure;
use super::row::{corrupt, head, id, record, revision};

/// Takes the write lock at once: a transaction that has read and then wants to write is refused,
/// not kept waiting, when somebody else has written meanwhile. Then reads the records, given as
/// pairs of kind and id, and the owners of unique keys, given as triples of kind, field and value.
/// Of locks, the bodies too: fences are held against them.
const READ: &str = concat!(
    "BEGIN IMMEDIATE; \
    SELECT 'revision' AS what, value FROM revision; \
    SELECT 'record' AS what, r.kind, r.id, ",
    head!(),
    " AS head, CASE r.kind WHEN 'lock' THEN r.body ELSE 'null' END AS body \
        FROM json_each(?) AS t CROSS JOIN records AS r \
        ON r.kind = t.value ->> 0 AND r.id = t.value ->> 1; \
    SELECT 'key' AS what, k.kind, k.field, k.value, k.id \
        FROM json_each(?) AS t CROSS JOIN unique_keys AS k \
        ON k.kind = t.value ->> 0 AND k.field = t.value ->> 1 AND k.value = t.value ->> 2"
);

/// Removes keys (triples) and records (pairs), writes records (all columns) and keys (triples and
/// the owner's id), notes the last revision given. All keys that leave go first, so that one that
/// a record frees is there for another.
const WRITE: &str = "\
    DELETE FROM unique_keys WHERE (kind, field, value) IN \
        (SELECT t.value ->> 0, t.value ->> 1, t.value ->> 2 FROM json_each(?) AS t); \
    DELETE FROM records WHERE (kind, id) IN \
        (SELECT t.value ->> 0, t.value ->> 1 FROM json_each(?) AS t); \
    INSERT INTO records (kind, id, created, revision, schema, keys, body, \
        uuid, name, instance_uuid, power_state, provision_state, maintenance, parent_node) \
        SELECT t.value ->> 0, t.value ->> 1, t.value ->> 2, t.value ->> 3, t.value ->> 4, \
        t.value ->> 5, t.value ->> 6, t.value ->> 7, t.value ->> 8, t.value ->> 9, \
        t.value ->> 10, t.value ->> 11, t.value ->> 12, t.value ->> 13 \
        FROM json_each(?) AS t WHERE true \
        ON CONFLICT (kind, id) DO UPDATE SET revision = excluded.revision, \
        schema = excluded.schema, keys = excluded.keys, body = excluded.body, \
        uuid = excluded.uuid, name = excluded.name, instance_uuid = excluded.instance_uuid, \
        power_state = excluded.power_state, provision_state = excluded.provision_state, \
        maintenance = excluded.maintenance, parent_node = excluded.parent_node; \
    INSERT INTO unique_keys (kind, field, value, id) \
        SELECT t.value ->> 0, t.value ->> 1, t.value ->> 2, t.value ->> 3 \
        FROM json_each(?) AS t; \
    UPDATE revision SET value = ?; \
    COMMIT";

type Target = (Kind, Uuid);
type Key<'a> = (Kind, Cow<'a, UniqueKey>);

/// The part of the database that batches depend on, as their transaction sees it.
#[derive(Debug)]
pub(super) struct Group<'a> {
    before: i64,
    last: i64,
    /// What a batch would change or is fenced by. What cannot be read fails who asks for it.
    records: BTreeMap<Target, Result<Standing<'a>, StoreError>>,
    owners: BTreeMap<Key<'a>, Uuid>,
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
    pub(super) async fn begin(
        connection: &mut SqliteConnection,
        batches: impl Iterator<Item = &'a Batch>,
    ) -> Result<Self, Failure> {
        let mut targets = BTreeSet::new();
        let mut keys = BTreeSet::new();
        for batch in batches {
            targets.extend(batch.fence.map(|fence| (Kind::Lock, fence.node)));
            for op in &batch.ops {
                let (kind, id) = op.target();
                targets.insert((kind, id));
                keys.extend(keys_of(op).iter().map(|key| (kind, key)));
            }
        }
        let targets: Vec<_> = targets.iter().map(pair).collect();
        let keys: Vec<_> = keys.iter().map(|(kind, key)| triple(*kind, key)).collect();
        let rows = sqlx::query(READ)
            .bind(array(&targets)?)
            .bind(array(&keys)?)
            .fetch_all(connection)
            .await?;
        let mut group = Self {
            before: 0,
            last: 0,
            records: BTreeMap::new(),
            owners: BTreeMap::new(),
            changed: BTreeSet::new(),
            changed_keys: BTreeSet::new(),
        };
        for row in &rows {
            group.take_in(row)?;
        }
        Ok(group)
    }

    fn take_in(&mut self, row: &SqliteRow) -> Result<(), Failure> {
        match row.try_get("what")? {
            "revision" => {
                self.before = row.try_get("value")?;
                self.last = self.before;
            }
            "record" => {
                let kind = kind(row)?;
                let target = (kind, id(kind, row)?);
                let standing = match record(kind, row) {
                    Ok(record) => Ok(Standing {
                        created: record.created,
                        revision: record.revision,
                        record: Cow::Owned(record),
                    }),
                    Err(Failure::Refused(error)) => Err(error),
                    Err(error) => return Err(error),
                };
                self.records.insert(target, standing);
            }
            _ => {
                let kind = kind(row)?;
                let (field, value): (&str, &str) = (row.try_get("field")?, row.try_get("value")?);
                let key = (kind, Cow::Owned(UniqueKey::new(field, value)));
                self.owners.insert(key, id(kind, row)?);
            }
        }
        Ok(())
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
    pub(super) async fn end(self, connection: &mut SqliteConnection) -> Result<(), Failure> {
        if self.last == self.before {
            sqlx::query("ROLLBACK").execute(connection).await?;
            return Ok(());
        }
        let mut deleted = Vec::new();
        let mut written = Vec::new();
        for target in &self.changed {
            match self.standing(*target)? {
                None => deleted.push(pair(target)),
                Some(standing) => written.push(standing.row()?),
            }
        }
        let freed = self.changed_keys.iter();
        let freed: Vec<_> = freed.map(|(kind, key)| triple(*kind, key)).collect();
        let owned = self.changed_keys.iter();
        let owned = owned.filter_map(|key| Some((key, self.owners.get(key)?)));
        let owned: Vec<_> = owned
            .map(|((kind, key), id)| (kind.as_str(), &key.field, &key.value, id))
            .collect();
        sqlx::query(WRITE)
            .bind(array(&freed)?)
            .bind(array(&deleted)?)
            .bind(array(&written)?)
            .bind(array(&owned)?)
            .bind(self.last)
            .execute(connection)
            .await?;
        Ok(())
    }
}

impl Standing<'_> {
    /// The columns of the table, in its order.
    fn row(&self) -> Result<impl Serialize, Failure> {
        let record = &*self.record;
        let keys = serde_json::to_string(&record.keys)
            .map_err(|e| corrupt(record.kind, record.id, format!("its keys: {e}")))?;
        let [
            uuid,
            name,
            instance_uuid,
            power,
            provision,
            maintenance,
            parent,
        ] = columns(record);
        Ok((
            record.kind.as_str(),
            record.id,
            self.created,
            self.revision,
            record.schema,
            keys,
            record.body.get(),
            uuid,
            name,
            instance_uuid,
            power,
            provision,
            maintenance,
            parent,
        ))
    }
}

fn keys_of(op: &Op) -> &[UniqueKey] {
    match op {
        Op::Put { record, .. } => &record.keys,
        Op::Delete { .. } => &[],
    }
}

fn pair((kind, id): &Target) -> (&'static str, Uuid) {
    (kind.as_str(), *id)
}

fn triple(kind: Kind, key: &UniqueKey) -> (&'static str, &str, &str) {
    (kind.as_str(), &key.field, &key.value)
}

/// Rows as one parameter, however many they are.
fn array(rows: &[impl Serialize]) -> Result<String, Failure> {
    serde_json::to_string(rows).map_err(|e| {
        let message = format!("rows cannot be written as JSON: {e}");
        Failure::Refused(StoreError::unavailable(message))
    })
}

fn kind(row: &SqliteRow) -> Result<Kind, Failure> {
    let kind: &str = row.try_get("kind")?;
    kind.parse().map_err(|_| {
        let message = format!("there is no kind {kind:?}");
        Failure::Refused(StoreError::unavailable(message))
    })
}
