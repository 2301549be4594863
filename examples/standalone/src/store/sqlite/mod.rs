//! SQLite, in a file or in memory: [`connection`] tells on which threads.

mod connection;
mod expressions;
mod file;
#[cfg(test)]
mod job_tests;
#[cfg(test)]
mod plan_tests;
mod put;
mod wal;

use std::time::Duration;

use ironic_core::store::{Kind, Record, UniqueKey};
use rusqlite::types::{ToSql, ToSqlOutput};
use rusqlite::{ErrorCode, Row, params_from_iter};

use super::dialect::{Dialect, Found};
use super::error::{DatabaseError, Failure, Trouble};
use super::group::{Changes, Wanted};
use super::row::{self, columns, head};
use super::sql::{Arg, Sql};
use connection::{Connection, Options};

pub(super) use file::{open, open_existing};

/// The record of a kind and an id: of locks, the body too, as fences are held against them.
const RECORD: &str = concat!(
    "SELECT ",
    head!(),
    ", CASE r.kind WHEN 'lock' THEN r.body ELSE 'null' END \
        FROM records AS r WHERE r.kind = ? AND r.id = ?"
);

/// The owner of a unique key.
const OWNER: &str = "SELECT id FROM unique_keys WHERE kind = ? AND field = ? AND value = ?";

const FREE: &str = "DELETE FROM unique_keys WHERE kind = ? AND field = ? AND value = ?";

const DELETE: &str = "DELETE FROM records WHERE kind = ? AND id = ?";

const OWN: &str = "\
    INSERT INTO unique_keys (kind, field, value, id) VALUES (?, ?, ?, ?) \
        ON CONFLICT (kind, field, value) DO UPDATE SET id = excluded.id";

const COUNT: &str = "UPDATE revision SET value = ?";

/// The dialect of SQLite.
#[derive(Debug)]
pub(super) struct Sqlite;

impl Dialect for Sqlite {
    type Connection = Connection;
    type Options = Options;

    const NAME: &'static str = "SQLite";

    const MIGRATIONS: &'static [&'static str] = &[
        include_str!("schema_1.sql"),
        include_str!("schema_2.sql"),
        include_str!("schema_3.sql"),
        include_str!("schema_4.sql"),
    ];

    const BEGIN_MIGRATION: &'static [&'static str] = &[
        "BEGIN IMMEDIATE",
        "CREATE TABLE IF NOT EXISTS schema_version (version INTEGER NOT NULL) STRICT;
         INSERT INTO schema_version SELECT 0 WHERE NOT EXISTS (SELECT 1 FROM schema_version);",
    ];

    const HAS_VERSION: &'static str =
        "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = 'schema_version'";

    const BEGIN_SNAPSHOT: &'static [&'static str] = &["BEGIN"];

    const BEGIN_LONG_SNAPSHOT: &'static [&'static str] = Self::BEGIN_SNAPSHOT;

    const BEGIN_ALONE: &'static [&'static str] = &["BEGIN IMMEDIATE"];

    const INTEGRITY: Option<&'static str> =
        Some("SELECT group_concat(integrity_check, '; ') FROM pragma_integrity_check");

    fn misfiled() -> Option<Sql> {
        Some(put::misfiled())
    }

    // A connection to memory is all that there is of it.
    const KEEPS_INTERRUPTED: bool = true;

    const PATIENCE: Option<Duration> = None;

    async fn connect(options: &Options) -> Result<Connection, DatabaseError> {
        Ok(Connection::open(options)?)
    }

    fn settle(connection: &mut Connection) -> bool {
        connection.settle()
    }

    /// On a thread of its own: a commit waits for the disk, and for other programs that write.
    fn spawn(writing: impl Future<Output = ()> + Send + 'static) -> Result<(), DatabaseError> {
        let runtime = tokio::runtime::Handle::current();
        let thread = std::thread::Builder::new().name("sqlite-writer".into());
        let thread = thread.spawn(move || runtime.block_on(writing));
        thread.map_err(|error| DatabaseError::new(Trouble::Other, error))?;
        Ok(())
    }

    async fn begin(
        connection: &mut Connection,
        wanted: &Wanted<'_>,
    ) -> Result<Vec<Found>, Failure> {
        let database = connection.between_commits().await;
        let counter = "SELECT value FROM revision";
        run(&database, "BEGIN IMMEDIATE")?;
        let last = database
            .prepare_cached(counter)?
            .query_one((), |row| row.get(0))?;
        let mut all = vec![Found::Counter(last)];
        look_up(&database, wanted, &mut all)?;
        Ok(all)
    }

    async fn read(connection: &mut Connection, wanted: &Wanted<'_>) -> Result<Vec<Found>, Failure> {
        let mut all = Vec::new();
        look_up(&*connection.database().await, wanted, &mut all)?;
        Ok(all)
    }

    async fn write(connection: &mut Connection, changes: &Changes<'_>) -> Result<(), Failure> {
        write(&*connection.database().await, changes)
    }

    async fn end(connection: &mut Connection, changes: &Changes<'_>) -> Result<(), Failure> {
        let database = connection.database().await;
        write(&database, changes)?;
        run(&database, "COMMIT")?;
        Ok(())
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

    async fn run(connection: &mut Connection, sql: &'static str) -> Result<(), DatabaseError> {
        Ok(connection.database().await.execute_batch(sql)?)
    }

    async fn execute(connection: &mut Connection, sql: Sql) -> Result<(), DatabaseError> {
        let (text, args) = sql.into_parts();
        let database = connection.database().await;
        database
            .prepare_cached(&text)?
            .execute(params_from_iter(args))?;
        Ok(())
    }

    async fn records(
        connection: &mut Connection,
        kind: Kind,
        sql: Sql,
    ) -> Result<Vec<Record>, Failure> {
        connection.rows(sql, move |row| record(kind, row)).await
    }

    async fn record(
        connection: &mut Connection,
        kind: Kind,
        sql: Sql,
    ) -> Result<Option<Record>, Failure> {
        let records = Self::records(connection, kind, sql).await?;
        Ok(records.into_iter().next())
    }

    async fn whole(connection: &mut Connection, sql: Sql) -> Result<Option<i64>, DatabaseError> {
        let rows = connection
            .rows(sql, |row| Ok::<_, DatabaseError>(row.get(0)?))
            .await?;
        Ok(rows.into_iter().next().flatten())
    }

    async fn text(connection: &mut Connection, sql: Sql) -> Result<Option<String>, DatabaseError> {
        let rows = connection
            .rows(sql, |row| Ok::<_, DatabaseError>(row.get(0)?))
            .await?;
        Ok(rows.into_iter().next().flatten())
    }
}

impl From<rusqlite::Error> for DatabaseError {
    fn from(error: rusqlite::Error) -> Self {
        let is_busy = error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy);
        let trouble = if is_busy {
            Trouble::Busy
        } else {
            Trouble::Other
        };
        Self::new(trouble, error)
    }
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        Self::Database(error.into())
    }
}

impl ToSql for Arg {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        match self {
            Self::Text(text) => text.to_sql(),
            Self::Real(number) => number.to_sql(),
            Self::Whole(number) => number.to_sql(),
        }
    }
}

/// A statement without an answer that is run again and again.
fn run(database: &rusqlite::Connection, sql: &'static str) -> rusqlite::Result<()> {
    database.prepare_cached(sql)?.execute(()).map(drop)
}

/// The record of a row with [`columns`].
fn record(kind: Kind, row: &Row<'_>) -> Result<Record, Failure> {
    row::whole(kind, text(row, 0)?, row.get(1)?)
}

fn text<'r>(row: &'r Row<'_>, column: usize) -> rusqlite::Result<&'r str> {
    row.get_ref(column)?.as_str().map_err(Into::into)
}

fn look_up(
    database: &rusqlite::Connection,
    wanted: &Wanted<'_>,
    all: &mut Vec<Found>,
) -> Result<(), Failure> {
    let mut by_id = database.prepare_cached(RECORD)?;
    for &(kind, id) in &wanted.records {
        let mut rows = by_id.query((kind.as_str(), id.to_string()))?;
        let Some(row) = rows.next()? else { continue };
        all.push(match record(kind, row) {
            Ok(record) => Found::Record(kind, id, Ok(record)),
            Err(Failure::Refused(error)) => Found::Record(kind, id, Err(error)),
            Err(error) => return Err(error),
        });
    }
    let mut by_key = database.prepare_cached(OWNER)?;
    for &(kind, key) in &wanted.keys {
        let mut rows = by_key.query((kind.as_str(), &key.field, &key.value))?;
        let Some(row) = rows.next()? else { continue };
        let id = row::id(kind, text(row, 0)?)?;
        all.push(Found::Owner(kind, key.clone(), id));
    }
    Ok(())
}

fn write(database: &rusqlite::Connection, changes: &Changes<'_>) -> Result<(), Failure> {
    let mut free = database.prepare_cached(FREE)?;
    for (kind, key) in &changes.freed {
        free.execute((kind.as_str(), &key.field, &key.value))?;
    }
    let mut delete = database.prepare_cached(DELETE)?;
    for (kind, id) in &changes.deleted {
        delete.execute((kind.as_str(), id.to_string()))?;
    }
    for written in &changes.written {
        put::put(database, written)?;
    }
    let mut own = database.prepare_cached(OWN)?;
    for (kind, key, id) in &changes.owned {
        own.execute((kind.as_str(), &key.field, &key.value, id.to_string()))?;
    }
    database.prepare_cached(COUNT)?.execute((changes.last,))?;
    Ok(())
}
