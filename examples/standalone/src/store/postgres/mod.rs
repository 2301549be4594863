//! PostgreSQL: one server for several programs, wherever they run.
//!
//! # Isolation
//! All writers take turns: each begins by locking the one row that holds the store's counter,
//! and keeps the lock until its commit is durable. So their transactions are serial in fact, and
//! READ COMMITTED is the right level for them: each of its statements sees all that was committed
//! before it began, and a transaction that holds the lock sees all that any writer has ever
//! done. At REPEATABLE READ or SERIALIZABLE the snapshot would be the one from before the wait
//! for the lock, and every writer that has waited would have to be refused and to begin again.
//!
//! A reader's statement is one snapshot. Where two statements belong together, for a list that
//! goes on after a marker, they are a read-only transaction at REPEATABLE READ, which is one
//! snapshot and never refused.

mod escape;
mod expressions;
mod indexed;

use std::borrow::Cow;
use std::str::FromStr;
use std::time::Duration;

use ironic_core::store::{Kind, Record, StoreError, UniqueKey};
use serde::ser::{Serialize, SerializeSeq as _, Serializer};
use sha2::{Digest, Sha256};
use sqlx::postgres::{PgArguments, PgConnectOptions, PgConnection, PgRow};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Executor as _, Row};
use uuid::Uuid;

use super::OpenError;
use super::columns::{COLUMNS, columns_of};
use super::dialect::{Dialect, Found};
use super::error::{DatabaseError, Failure, Trouble};
use super::group::{Changes, Wanted, Written};
use super::records::Database;
use super::row::{self, columns, corrupt, head};
use super::sql::{Arg, Sql};
use escape::{escape, unescape};
use indexed::{FLAGS, TEXTS, document, indexed};

/// How many reads run at once: a server has memory and processes of its own for each.
const READERS: usize = 8;

/// What a connection needs that a server may have otherwise. A program that stops in the middle
/// of a transaction must not keep all others from writing; compiling a query costs more than any
/// of these takes; and what has been answered must have been kept.
const SETTINGS: &str = "\
    SET lock_timeout = '5s'; \
    SET idle_in_transaction_session_timeout = '10s'; \
    SET jit = off; \
    SELECT set_config('synchronous_commit', 'on', false) \
        WHERE current_setting('synchronous_commit') = 'off'";

/// Locks all other writers out.
const LOCK: &str = "BEGIN; SELECT value FROM revision FOR UPDATE";

/// Reads the records, given as pairs of kind and id, and the owners of unique keys, given as pairs
/// of kind and digest. Of locks, the bodies too: fences are held against them. Each is looked up
/// by itself, so that no statistics, or none yet, make the planner read everything.
const READ: &str = concat!(
    "SELECT r.kind, r.id, ",
    head!(),
    " AS head, CASE r.kind WHEN 'lock' THEN r.body ELSE 'null' END AS body, \
            NULL AS field, NULL AS value \
        FROM jsonb_array_elements($1::jsonb) AS t(value) CROSS JOIN LATERAL ( \
            SELECT * FROM records AS r \
            WHERE r.kind = t.value ->> 0 AND r.id = t.value ->> 1 LIMIT 1 \
        ) AS r \
    UNION ALL SELECT k.kind, k.id, NULL, NULL, k.field, k.value \
        FROM jsonb_array_elements($2::jsonb) AS t(value) CROSS JOIN LATERAL ( \
            SELECT * FROM unique_keys AS k \
            WHERE k.kind = t.value ->> 0 AND k.digest = t.value ->> 1 LIMIT 1 \
        ) AS k"
);

/// Removes keys (pairs) and records (pairs), writes records (all columns) and keys (all columns),
/// notes the last revision given. The parts do not see each other's work, so that no key or
/// record may be in two of them.
const WRITE: &str = "\
    WITH freed AS ( \
        DELETE FROM unique_keys AS k USING jsonb_array_elements($1::jsonb) AS t(value) \
        WHERE k.kind = t.value ->> 0 AND k.digest = t.value ->> 1 \
    ), deleted AS ( \
        DELETE FROM records AS r USING jsonb_array_elements($2::jsonb) AS t(value) \
        WHERE r.kind = t.value ->> 0 AND r.id = t.value ->> 1 \
    ), written AS ( \
        INSERT INTO records ( \
        kind, id, created, revision, schema, keys, body, document, uuid, name, \
        instance_uuid, power_state, provision_state, maintenance, parent_node, by_node_uuid, \
        by_provision_state, by_driver, by_resource_class, by_conductor_group, by_owner, \
        by_lessee, by_shard, by_name, by_address, by_holder, by_parent_node, by_state, \
        by_maintenance, by_console_enabled \
        ) SELECT \
        t.value ->> 0, t.value ->> 1, (t.value ->> 2)::bigint, (t.value ->> 3)::bigint, \
        (t.value ->> 4)::integer, t.value ->> 5, t.value ->> 6, (t.value ->> 7)::jsonb, \
        t.value ->> 8, t.value ->> 9, t.value ->> 10, t.value ->> 11, t.value ->> 12, \
        t.value ->> 13, t.value ->> 14, t.value ->> 15, t.value ->> 16, t.value ->> 17, \
        t.value ->> 18, t.value ->> 19, t.value ->> 20, t.value ->> 21, t.value ->> 22, \
        t.value ->> 23, t.value ->> 24, t.value ->> 25, t.value ->> 26, t.value ->> 27, \
        (t.value ->> 28)::boolean, (t.value ->> 29)::boolean \
        FROM jsonb_array_elements($3::jsonb) AS t(value) \
        ON CONFLICT (kind, id) DO UPDATE SET \
        revision = excluded.revision, schema = excluded.schema, keys = excluded.keys, body = \
        excluded.body, document = excluded.document, uuid = excluded.uuid, name = \
        excluded.name, instance_uuid = excluded.instance_uuid, power_state = \
        excluded.power_state, provision_state = excluded.provision_state, maintenance = \
        excluded.maintenance, parent_node = excluded.parent_node, by_node_uuid = \
        excluded.by_node_uuid, by_provision_state = excluded.by_provision_state, by_driver = \
        excluded.by_driver, by_resource_class = excluded.by_resource_class, \
        by_conductor_group = excluded.by_conductor_group, by_owner = excluded.by_owner, \
        by_lessee = excluded.by_lessee, by_shard = excluded.by_shard, by_name = \
        excluded.by_name, by_address = excluded.by_address, by_holder = excluded.by_holder, \
        by_parent_node = excluded.by_parent_node, by_state = excluded.by_state, \
        by_maintenance = excluded.by_maintenance, by_console_enabled = \
        excluded.by_console_enabled \
    ), owned AS ( \
        INSERT INTO unique_keys (kind, digest, field, value, id) \
        SELECT t.value ->> 0, t.value ->> 1, t.value ->> 2, t.value ->> 3, t.value ->> 4 \
        FROM jsonb_array_elements($4::jsonb) AS t(value) \
        ON CONFLICT (kind, digest) DO UPDATE SET id = excluded.id \
    ) \
    UPDATE revision SET value = $5";

/// The dialect of PostgreSQL.
#[derive(Debug)]
pub(super) struct Postgres;

/// Whether a URL names a PostgreSQL database.
pub(super) fn is_url(url: &str) -> bool {
    url.starts_with("postgres:") || url.starts_with("postgresql:")
}

/// The database at a URL of the form `postgres://USER:PASSWORD@HOST/NAME`.
pub(super) fn open(url: &str) -> Result<Database<Postgres>, OpenError> {
    let options = PgConnectOptions::from_str(url).map_err(|_| OpenError::Url)?;
    let options = options
        .application_name("ironic")
        .disable_statement_logging();
    Ok(Database::new(options.clone(), READERS, options))
}

fn query(sql: Sql) -> sqlx::query::Query<'static, sqlx::Postgres, PgArguments> {
    let (text, args) = sql.into_parts();
    let query = match text {
        Cow::Borrowed(text) => sqlx::query(text),
        // The text is put together here, and what comes from elsewhere is bound.
        Cow::Owned(text) => sqlx::query(AssertSqlSafe(text)),
    };
    args.into_iter().fold(query, |query, arg| match arg {
        Arg::Text(text) => query.bind(text),
        Arg::Real(number) => query.bind(number),
        Arg::Whole(number) => query.bind(number),
    })
}

impl Dialect for Postgres {
    type Connection = PgConnection;
    type Options = PgConnectOptions;

    const NAME: &'static str = "PostgreSQL";

    const MIGRATIONS: &'static [&'static str] = &[include_str!("schema_1.sql")];

    // The number is that of `schema_version` as ASCII; who else would take such a lock?
    const BEGIN_MIGRATION: &'static [&'static str] = &[
        "BEGIN",
        "SELECT pg_advisory_xact_lock(x'736368656d615f76'::bigint)",
        "CREATE TABLE IF NOT EXISTS schema_version (version bigint NOT NULL);
         INSERT INTO schema_version SELECT 0 WHERE NOT EXISTS (SELECT 1 FROM schema_version);",
    ];

    const HAS_VERSION: &'static str = "SELECT count(*) FROM (SELECT to_regclass('schema_version') AS found) AS t \
         WHERE found IS NOT NULL";

    const BEGIN_SNAPSHOT: &'static [&'static str] =
        &["BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"];

    const BEGIN_LONG_SNAPSHOT: &'static [&'static str] = &[
        "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
        "SET LOCAL idle_in_transaction_session_timeout = 0",
    ];

    const BEGIN_ALONE: &'static [&'static str] = &[
        "BEGIN",
        "SET LOCAL idle_in_transaction_session_timeout = 0; SELECT value FROM revision FOR UPDATE",
    ];

    const INTEGRITY: Option<&'static str> = None;

    // What the server still has to say to a call that was dropped would be taken for an answer to
    // the next one, or the transaction for that of the next one.
    const KEEPS_INTERRUPTED: bool = false;

    const PATIENCE: Option<Duration> = Some(Duration::from_secs(30));

    async fn connect(options: &PgConnectOptions) -> Result<PgConnection, DatabaseError> {
        let mut connection = options.connect().await?;
        Self::run(&mut connection, SETTINGS).await?;
        Ok(connection)
    }

    /// What was dropped half way does not come back, and all others end their transactions.
    fn settle(_connection: &mut PgConnection) -> bool {
        true
    }

    fn spawn(writing: impl Future<Output = ()> + Send + 'static) -> Result<(), DatabaseError> {
        tokio::spawn(writing);
        Ok(())
    }

    async fn check(connection: &mut PgConnection) -> Result<(), OpenError> {
        let encoding = Sql::fixed("SELECT current_setting('server_encoding')", []);
        match Self::text(connection, encoding).await? {
            Some(found) if found != "UTF8" => Err(OpenError::Encoding { found }),
            _ => Ok(()),
        }
    }

    async fn begin(
        connection: &mut PgConnection,
        wanted: &Wanted<'_>,
    ) -> Result<Vec<Found>, Failure> {
        let row = sqlx::raw_sql(LOCK).fetch_one(&mut *connection).await?;
        let mut all = vec![Found::Counter(row.try_get("value")?)];
        all.extend(Self::read(connection, wanted).await?);
        Ok(all)
    }

    async fn read(
        connection: &mut PgConnection,
        wanted: &Wanted<'_>,
    ) -> Result<Vec<Found>, Failure> {
        if wanted.records.is_empty() && wanted.keys.is_empty() {
            return Ok(Vec::new());
        }
        let keys = wanted.keys.iter().map(|(kind, key)| digested(*kind, key));
        let rows = sqlx::query(READ)
            .bind(array(wanted.records.iter().map(pair))?)
            .bind(array(keys)?)
            .fetch_all(connection)
            .await?;
        rows.iter().map(found).collect()
    }

    async fn write(connection: &mut PgConnection, changes: &Changes<'_>) -> Result<(), Failure> {
        let freed = changes.freed.iter().map(|(kind, key)| digested(*kind, key));
        let rows: Result<Vec<_>, _> = changes.written.iter().map(stored).collect();
        let owned = changes.owned.iter().map(|(kind, key, id)| {
            let (kind, digest) = digested(*kind, key);
            (kind, digest, escape(&key.field), escape(&key.value), id)
        });
        sqlx::query(WRITE)
            .bind(array(freed)?)
            .bind(array(changes.deleted.iter().map(pair))?)
            .bind(array(rows?.iter())?)
            .bind(array(owned)?)
            .bind(changes.last)
            .execute(connection)
            .await?;
        Ok(())
    }

    async fn end(connection: &mut PgConnection, changes: &Changes<'_>) -> Result<(), Failure> {
        Self::write(connection, changes).await?;
        Self::run(connection, "COMMIT").await?;
        Ok(())
    }

    fn find(kind: Kind, key: &UniqueKey) -> Sql {
        const SQL: &str = concat!(
            "SELECT ",
            columns!(),
            " FROM unique_keys AS k JOIN records AS r ON r.kind = k.kind AND r.id = k.id \
             WHERE k.kind = $1 AND k.digest = $2"
        );
        let (kind, digest) = digested(kind, key);
        Sql::fixed(SQL, [Arg::from(kind), digest.into()])
    }

    async fn run(connection: &mut PgConnection, sql: &'static str) -> Result<(), DatabaseError> {
        connection.execute(sqlx::raw_sql(sql)).await?;
        Ok(())
    }

    async fn execute(connection: &mut PgConnection, sql: Sql) -> Result<(), DatabaseError> {
        query(sql).execute(connection).await?;
        Ok(())
    }

    async fn records(
        connection: &mut PgConnection,
        kind: Kind,
        sql: Sql,
    ) -> Result<Vec<Record>, Failure> {
        let rows = query(sql).fetch_all(connection).await?;
        rows.iter()
            .map(|row| row::whole(kind, row.try_get(0)?, row.try_get(1)?))
            .collect()
    }

    async fn record(
        connection: &mut PgConnection,
        kind: Kind,
        sql: Sql,
    ) -> Result<Option<Record>, Failure> {
        let row = query(sql).fetch_optional(connection).await?;
        row.map(|row| row::whole(kind, row.try_get(0)?, row.try_get(1)?))
            .transpose()
    }

    async fn whole(connection: &mut PgConnection, sql: Sql) -> Result<Option<i64>, DatabaseError> {
        let row = query(sql).fetch_optional(connection).await?;
        Ok(row.map(|row| row.try_get(0)).transpose()?)
    }

    async fn text(
        connection: &mut PgConnection,
        sql: Sql,
    ) -> Result<Option<String>, DatabaseError> {
        let row = query(sql).fetch_optional(connection).await?;
        Ok(row.map(|row| row.try_get(0)).transpose()?)
    }
}

impl From<sqlx::Error> for DatabaseError {
    fn from(error: sqlx::Error) -> Self {
        Self::new(trouble(&error), error)
    }
}

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(error.into())
    }
}

/// By the class and code of what the server says (PostgreSQL 15, appendix A).
fn trouble(error: &sqlx::Error) -> Trouble {
    let error = match error {
        sqlx::Error::Database(error) => error,
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::Protocol(_)
        | sqlx::Error::WorkerCrashed => return Trouble::Lost,
        _ => return Trouble::Other,
    };
    match error.code().as_deref().unwrap_or_default() {
        // Starting up; too many connections; a lock not had in time.
        "57P03" | "53300" | "55P03" => Trouble::Busy,
        // Shut down, crashed, or the database dropped; the transaction idle for too long; a
        // server that only reads, as one does that is no longer the first of its cluster.
        "57P01" | "57P02" | "57P04" | "57P05" | "25P03" | "25006" => Trouble::Lost,
        code if code.starts_with("08") => Trouble::Lost,
        // What does not fit: no JSON, too long, or nested too deep.
        code if code.starts_with("22") || code.starts_with("54") => Trouble::Content,
        _ => Trouble::Other,
    }
}

/// Rows as one parameter, however many they are.
fn array(rows: impl Iterator<Item = impl Serialize>) -> Result<String, Failure> {
    let rows: Vec<_> = rows.collect();
    serde_json::to_string(&rows).map_err(|e| {
        let message = format!("rows cannot be written as JSON: {e}");
        Failure::Refused(StoreError::unavailable(message))
    })
}

fn found(row: &PgRow) -> Result<Found, Failure> {
    let kind = row::kind(row.try_get("kind")?)?;
    let id = row::id(kind, row.try_get("id")?)?;
    let head: Option<&str> = row.try_get("head")?;
    let Some(head) = head else {
        let (field, value): (&str, &str) = (row.try_get("field")?, row.try_get("value")?);
        let key = UniqueKey::new(unescape(field), unescape(value));
        return Ok(Found::Owner(kind, key, id));
    };
    match row::whole(kind, head, row.try_get("body")?) {
        Ok(record) => Ok(Found::Record(kind, id, Ok(record))),
        Err(Failure::Refused(error)) => Ok(Found::Record(kind, id, Err(error))),
        Err(error) => Err(error),
    }
}

fn stored<'a>(written: &Written<'a>) -> Result<Stored<'a>, Failure> {
    let record = written.record;
    let document =
        document(record.body.get()).map_err(|e| corrupt(record.kind, record.id, e.to_string()))?;
    let (texts, flags) = indexed(record);
    Ok(Stored {
        written: *written,
        keys: row::keys(record)?,
        document,
        columns: columns_of(record),
        texts,
        flags,
    })
}

/// A row of the table.
struct Stored<'a> {
    written: Written<'a>,
    keys: String,
    document: Option<String>,
    columns: [Option<&'a str>; COLUMNS.len()],
    texts: [Option<String>; TEXTS.len()],
    flags: [Option<bool>; FLAGS.len()],
}

impl Serialize for Stored<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut row = serializer.serialize_seq(None)?;
        let record = self.written.record;
        row.serialize_element(record.kind.as_str())?;
        row.serialize_element(&record.id)?;
        row.serialize_element(&self.written.created)?;
        row.serialize_element(&self.written.revision)?;
        row.serialize_element(&record.schema)?;
        row.serialize_element(&self.keys)?;
        row.serialize_element(record.body.get())?;
        row.serialize_element(&self.document)?;
        self.columns
            .iter()
            .try_for_each(|column| row.serialize_element(column))?;
        self.texts
            .iter()
            .try_for_each(|text| row.serialize_element(text))?;
        self.flags
            .iter()
            .try_for_each(|flag| row.serialize_element(flag))?;
        row.end()
    }
}

fn pair((kind, id): &(Kind, Uuid)) -> (&'static str, Uuid) {
    (kind.as_str(), *id)
}

/// A unique key as the index has it.
fn digested(kind: Kind, key: &UniqueKey) -> (&'static str, String) {
    let mut hash = Sha256::new();
    // The length tells where the field ends.
    hash.update((key.field.len() as u64).to_be_bytes());
    hash.update(&key.field);
    hash.update(&key.value);
    let digest = hash.finalize();
    (
        kind.as_str(),
        digest.iter().map(|byte| format!("{byte:02x}")).collect(),
    )
}
