//! One batch within a transaction: judged first, so that a refused one has changed nothing.

use std::collections::{BTreeMap, BTreeSet};

use ironic_core::store::{Batch, Kind, Op, Record, Revision, StoreError, UniqueKey};
use sqlx::Row;
use sqlx::sqlite::SqliteConnection;
use uuid::Uuid;

use super::error::Failure;
use super::row::{corrupt, fetch, keys, revision};

/// What stands where an operation wants to write.
struct Current {
    created: i64,
    revision: Revision,
    keys: Vec<UniqueKey>,
}

/// Applies a batch at this revision, or refuses it.
pub(super) async fn apply(
    connection: &mut SqliteConnection,
    batch: &Batch,
    at: i64,
) -> Result<Vec<Revision>, Failure> {
    check_fence(connection, batch).await?;
    let current = check_expectations(connection, &batch.ops).await?;
    check_keys(connection, &batch.ops, &current).await?;
    // All keys that leave first, so that one that an operation frees is there for another.
    for (op, current) in batch.ops.iter().zip(&current) {
        for key in current.iter().flat_map(|current| &current.keys) {
            if !keys_of(op).contains(key) {
                free_key(connection, op.target().0, key).await?;
            }
        }
    }
    for (op, current) in batch.ops.iter().zip(&current) {
        match op {
            Op::Put { record, .. } => put(connection, record, current.as_ref(), at).await?,
            Op::Delete { kind, id, .. } => delete(connection, *kind, *id).await?,
        }
    }
    Ok(vec![revision(at); batch.ops.len()])
}

async fn check_fence(connection: &mut SqliteConnection, batch: &Batch) -> Result<(), Failure> {
    let Some(fence) = batch.fence else {
        return Ok(());
    };
    let lock = fetch(connection, Kind::Lock, fence.node).await?;
    if fence.holds(lock.as_ref()) {
        return Ok(());
    }
    let (node, epoch) = (fence.node, fence.epoch);
    Err(StoreError::Fenced { node, epoch }.into())
}

async fn check_expectations(
    connection: &mut SqliteConnection,
    ops: &[Op],
) -> Result<Vec<Option<Current>>, Failure> {
    let mut targets = BTreeSet::new();
    let mut all = Vec::with_capacity(ops.len());
    for op in ops {
        let (kind, id) = op.target();
        let current = current(connection, kind, id).await?;
        let met = op.expect().is_met_by(current.as_ref().map(|c| c.revision));
        if !met || !targets.insert((kind, id)) {
            return Err(StoreError::Conflict { kind, id }.into());
        }
        all.push(current);
    }
    Ok(all)
}

async fn current(
    connection: &mut SqliteConnection,
    kind: Kind,
    id: Uuid,
) -> Result<Option<Current>, Failure> {
    let row = sqlx::query("SELECT created, revision, keys FROM records WHERE kind = ? AND id = ?")
        .bind(kind.as_str())
        .bind(id.to_string())
        .fetch_optional(connection)
        .await?;
    row.map(|row| {
        Ok(Current {
            created: row.try_get("created")?,
            revision: revision(row.try_get("revision")?),
            keys: keys(kind, id, row.try_get("keys")?)?,
        })
    })
    .transpose()
}

/// Refuses a batch after which two records would have the same key.
async fn check_keys(
    connection: &mut SqliteConnection,
    ops: &[Op],
    current: &[Option<Current>],
) -> Result<(), Failure> {
    let targets: BTreeSet<_> = ops.iter().map(Op::target).collect();
    let mut taken = BTreeMap::new();
    for (op, current) in ops.iter().zip(current) {
        let (kind, id) = op.target();
        for key in keys_of(op) {
            let has = |current: &Current| current.keys.contains(key);
            let owner = match taken.insert((kind, key), id) {
                Some(owner) => Some(owner),
                None if current.as_ref().is_some_and(has) => Some(id),
                // A record that the batch writes has the keys that the batch gives it.
                None => owner(connection, kind, key)
                    .await?
                    .filter(|owner| !targets.contains(&(kind, *owner))),
            };
            if owner.is_some_and(|owner| owner != id) {
                let key = key.clone();
                return Err(StoreError::Duplicate { kind, key }.into());
            }
        }
    }
    Ok(())
}

fn keys_of(op: &Op) -> &[UniqueKey] {
    match op {
        Op::Put { record, .. } => &record.keys,
        Op::Delete { .. } => &[],
    }
}

async fn owner(
    connection: &mut SqliteConnection,
    kind: Kind,
    key: &UniqueKey,
) -> Result<Option<Uuid>, Failure> {
    let sql = "SELECT id FROM unique_keys WHERE kind = ? AND field = ? AND value = ?";
    let id: Option<String> = sqlx::query_scalar(sql)
        .bind(kind.as_str())
        .bind(&key.field)
        .bind(&key.value)
        .fetch_optional(connection)
        .await?;
    id.map(|id| {
        id.parse()
            .map_err(|_| corrupt(kind, Uuid::nil(), format!("{id:?} is no uuid")))
    })
    .transpose()
}

async fn free_key(
    connection: &mut SqliteConnection,
    kind: Kind,
    key: &UniqueKey,
) -> Result<(), sqlx::Error> {
    sqlx::query("DELETE FROM unique_keys WHERE kind = ? AND field = ? AND value = ?")
        .bind(kind.as_str())
        .bind(&key.field)
        .bind(&key.value)
        .execute(connection)
        .await?;
    Ok(())
}

async fn put(
    connection: &mut SqliteConnection,
    record: &Record,
    current: Option<&Current>,
    at: i64,
) -> Result<(), Failure> {
    let (kind, id) = (record.kind, record.id);
    let keys = serde_json::to_string(&record.keys)
        .map_err(|e| corrupt(kind, id, format!("its keys: {e}")))?;
    let sql = "INSERT INTO records (kind, id, created, revision, schema, keys, body) \
               VALUES (?, ?, ?, ?, ?, ?, ?) \
               ON CONFLICT (kind, id) DO UPDATE SET revision = excluded.revision, \
               schema = excluded.schema, keys = excluded.keys, body = excluded.body";
    sqlx::query(sql)
        .bind(kind.as_str())
        .bind(id.to_string())
        .bind(current.map_or(at, |current| current.created))
        .bind(at)
        .bind(record.schema)
        .bind(keys)
        .bind(record.body.get())
        .execute(&mut *connection)
        .await?;
    let has = |key| current.is_some_and(|current| current.keys.contains(key));
    let new: BTreeSet<_> = record.keys.iter().filter(|key| !has(key)).collect();
    for key in new {
        sqlx::query("INSERT INTO unique_keys (kind, field, value, id) VALUES (?, ?, ?, ?)")
            .bind(kind.as_str())
            .bind(&key.field)
            .bind(&key.value)
            .bind(id.to_string())
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

async fn delete(
    connection: &mut SqliteConnection,
    kind: Kind,
    id: Uuid,
) -> Result<(), sqlx::Error> {
    sqlx::query("DELETE FROM records WHERE kind = ? AND id = ?")
        .bind(kind.as_str())
        .bind(id.to_string())
        .execute(connection)
        .await?;
    Ok(())
}
