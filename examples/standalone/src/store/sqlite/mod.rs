//! SQLite, in a file or in memory.

mod expressions;
mod file;
#[cfg(test)]
mod job_tests;
#[cfg(test)]
mod plan_tests;

use std::time::Duration;

use ironic_core::store::{Kind, Record, UniqueKey};
use serde::Serialize;
use sqlx::Row;
use sqlx::sqlite::{SqliteArguments, SqliteRow};
use uuid::Uuid;

use super::columns::columns_of;
use super::dialect::{Connection, Dialect, Found, driver, query};
use super::error::{Failure, Trouble};
use super::group::{Changes, Wanted, Written, array};
use super::row::{self, columns, head};
use super::sql::{Arg, Sql};

pub(super) use file::{open, open_existing};

/// Reads records, given as pairs of kind and id, and the owners of unique keys, given as triples of
/// kind, field and value. Of locks, the bodies too: fences are held against them.
macro_rules! read {
    () => {
        concat!(
            "SELECT 'record' AS what, r.kind, r.id, ",
            head!(),
            " AS head, CASE r.kind WHEN 'lock' THEN r.body ELSE 'null' END AS body \
                FROM json_each(?) AS t CROSS JOIN records AS r \
                ON r.kind = t.value ->> 0 AND r.id = t.value ->> 1; \
            SELECT 'key' AS what, k.kind, k.field, k.value, k.id \
                FROM json_each(?) AS t CROSS JOIN unique_keys AS k \
                ON k.kind = t.value ->> 0 AND k.field = t.value ->> 1 AND k.value = t.value ->> 2"
        )
    };
}

const READ: &str = read!();

/// Takes the write lock at once: a transaction that has read and then wants to write is refused,
/// not kept waiting, when somebody else has written meanwhile.
const BEGIN: &str = concat!(
    "BEGIN IMMEDIATE; SELECT 'revision' AS what, value FROM revision; ",
    read!()
);

/// Removes keys (triples) and records (pairs), writes records (all columns) and keys (triples and
/// the owner's id), notes the last revision given.
macro_rules! write {
    () => {
        "\
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
        FROM json_each(?) AS t WHERE true \
        ON CONFLICT (kind, field, value) DO UPDATE SET id = excluded.id; \
    UPDATE revision SET value = ?"
    };
}

const WRITE: &str = write!();
const END: &str = concat!(write!(), "; COMMIT");

/// The dialect of SQLite.
#[derive(Debug)]
pub(super) struct Sqlite;

query!(sqlx::Sqlite, SqliteArguments);

impl Dialect for Sqlite {
    type Driver = sqlx::Sqlite;

    const NAME: &'static str = "SQLite";

    const MIGRATIONS: &'static [&'static str] = &[
        include_str!("schema_1.sql"),
        include_str!("schema_2.sql"),
        include_str!("schema_3.sql"),
    ];

    const BEGIN_MIGRATION: &'static [&'static str] = &[
        "BEGIN IMMEDIATE",
        "CREATE TABLE IF NOT EXISTS schema_version (version INTEGER NOT NULL) STRICT;
         INSERT INTO schema_version SELECT 0 WHERE NOT EXISTS (SELECT 1 FROM schema_version);",
    ];

    const HAS_VERSION: &'static str =
        "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = 'schema_version'";

    const BEGIN_SNAPSHOT: &'static str = "BEGIN";

    const BEGIN_ALONE: &'static [&'static str] = &["BEGIN IMMEDIATE"];

    const UNHURRIED: Option<&'static str> = None;

    const INTEGRITY: Option<&'static str> =
        Some("SELECT group_concat(integrity_check, '; ') FROM pragma_integrity_check");

    // A statement ends on the connection's thread whoever waits for it, and a connection to
    // memory is all that there is of it.
    const KEEPS_INTERRUPTED: bool = true;

    const PATIENCE: Option<Duration> = None;

    async fn prepare(_connection: &mut Connection<Self>) -> Result<(), sqlx::Error> {
        Ok(())
    }

    async fn begin(
        connection: &mut Connection<Self>,
        wanted: &Wanted<'_>,
    ) -> Result<Vec<Found>, Failure> {
        reading(BEGIN, connection, wanted).await
    }

    async fn read(
        connection: &mut Connection<Self>,
        wanted: &Wanted<'_>,
    ) -> Result<Vec<Found>, Failure> {
        reading(READ, connection, wanted).await
    }

    async fn write(
        connection: &mut Connection<Self>,
        changes: &Changes<'_>,
    ) -> Result<(), Failure> {
        writing(WRITE, connection, changes).await
    }

    async fn end(connection: &mut Connection<Self>, changes: &Changes<'_>) -> Result<(), Failure> {
        writing(END, connection, changes).await
    }

    fn find(kind: Kind, key: &UniqueKey) -> Sql {
        const SQL: &str = concat!(
            "SELECT ",
            columns!(),
            " FROM unique_keys AS k JOIN records AS r ON r.kind = k.kind AND r.id = k.id \
             WHERE k.kind = $1 AND k.field = $2 AND k.value = $3"
        );
        let (field, value) = (key.field.clone(), key.value.clone());
        Sql::fixed(SQL, [Arg::from(kind.as_str()), field.into(), value.into()])
    }

    async fn summaries(
        connection: &mut Connection<Self>,
        sql: Sql,
    ) -> Result<Vec<Record>, Failure> {
        let row = query(sql).fetch_one(connection).await?;
        row::summaries(row.try_get(0)?)
    }

    /// By the code, of which the higher bytes say more (<https://sqlite.org/rescode.html>).
    fn trouble(error: &sqlx::Error) -> Trouble {
        const SQLITE_BUSY: u32 = 5;
        let code = match error {
            sqlx::Error::Database(error) => error.code(),
            sqlx::Error::WorkerCrashed => return Trouble::Lost,
            _ => None,
        };
        match code.and_then(|code| code.parse::<u32>().ok()) {
            Some(code) if code & 0xff == SQLITE_BUSY => Trouble::Busy,
            _ => Trouble::Other,
        }
    }

    driver!();
}

async fn reading(
    sql: &'static str,
    connection: &mut Connection<Sqlite>,
    wanted: &Wanted<'_>,
) -> Result<Vec<Found>, Failure> {
    let keys = wanted.keys.iter().map(|(kind, key)| triple(*kind, key));
    let rows = sqlx::query(sql)
        .bind(array(wanted.records.iter().map(pair))?)
        .bind(array(keys)?)
        .fetch_all(connection)
        .await?;
    rows.iter().map(found).collect()
}

async fn writing(
    sql: &'static str,
    connection: &mut Connection<Sqlite>,
    changes: &Changes<'_>,
) -> Result<(), Failure> {
    let freed = changes.freed.iter().map(|(kind, key)| triple(*kind, key));
    let rows: Result<Vec<_>, _> = changes.written.iter().map(stored).collect();
    let owned = changes.owned.iter();
    let owned = owned.map(|(kind, key, id)| (kind.as_str(), &key.field, &key.value, id));
    sqlx::query(sql)
        .bind(array(freed)?)
        .bind(array(changes.deleted.iter().map(pair))?)
        .bind(array(rows?.iter())?)
        .bind(array(owned)?)
        .bind(changes.last)
        .execute(connection)
        .await?;
    Ok(())
}

fn found(row: &SqliteRow) -> Result<Found, Failure> {
    let what: &str = row.try_get("what")?;
    if what == "revision" {
        return Ok(Found::Counter(row.try_get("value")?));
    }
    let kind = row::kind(row.try_get("kind")?)?;
    let id = row::id(kind, row.try_get("id")?)?;
    if what == "key" {
        let (field, value): (&str, &str) = (row.try_get("field")?, row.try_get("value")?);
        return Ok(Found::Owner(kind, UniqueKey::new(field, value), id));
    }
    match row::whole(kind, row.try_get("head")?, row.try_get("body")?) {
        Ok(record) => Ok(Found::Record(kind, id, Ok(record))),
        Err(Failure::Refused(error)) => Ok(Found::Record(kind, id, Err(error))),
        Err(error) => Err(error),
    }
}

/// The columns of the table, in its order.
fn stored(written: &Written<'_>) -> Result<impl Serialize, Failure> {
    let record = written.record;
    let [
        uuid,
        name,
        instance_uuid,
        power,
        provision,
        maintenance,
        parent,
    ] = columns_of(record);
    Ok((
        record.kind.as_str(),
        record.id,
        written.created,
        written.revision,
        record.schema,
        row::keys(record)?,
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

fn pair((kind, id): &(Kind, Uuid)) -> (&'static str, Uuid) {
    (kind.as_str(), *id)
}

fn triple(kind: Kind, key: &UniqueKey) -> (&'static str, &str, &str) {
    (kind.as_str(), &key.field, &key.value)
}
