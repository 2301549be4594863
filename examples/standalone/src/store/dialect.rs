//! What one database does in its own way: all else is common to both.

use std::fmt::Debug;
use std::time::Duration;

use ironic_core::store::{Kind, Record, Scalar, StoreError, UniqueKey};
use uuid::Uuid;

use super::error::{DatabaseError, Failure, OpenError};
use super::group::{Changes, Wanted};
use super::sql::Sql;

/// Expressions over the records `r` of a statement.
///
/// A condition is true, or it is false or NULL, which a WHERE clause, AND and OR take alike; NOT
/// is the one place where they differ, and there stands `IS NOT TRUE`.
pub(super) trait Expressions {
    /// What a list of summaries is taken from where it has only [`COLUMNS`](super::columns::COLUMNS)
    /// to do with, up to the condition that they are of nodes.
    const SUMMARIES: &'static str;

    /// How many expressions a field is sorted by, one after the other.
    const SORT_KEYS: usize;

    /// The record is of this kind.
    fn kind(sql: &mut Sql, kind: Kind);

    /// The field is null or absent.
    fn is_null(sql: &mut Sql, field: &str);

    /// The field is true, or false.
    fn is_flag(sql: &mut Sql, field: &str, flag: bool);

    /// The field is true or false.
    fn is_boolean(sql: &mut Sql, field: &str);

    /// The field is a number.
    fn is_number(sql: &mut Sql, field: &str);

    /// The field as a 64-bit float, where it is a number.
    fn number(sql: &mut Sql, field: &str);

    /// The field is a text that compares so with this one.
    fn compares_text(sql: &mut Sql, field: &str, operator: &str, text: &str);

    /// The field is one of these texts, of which there is one at least.
    fn one_of_texts(sql: &mut Sql, field: &str, texts: &[&str]);

    /// The field is one of these numbers, of which there is one at least, all of them finite.
    fn one_of_numbers(sql: &mut Sql, field: &str, numbers: &[f64]);

    /// The field is an array with this in it, or an object with a member of this name.
    fn contains(sql: &mut Sql, field: &str, scalar: &Scalar);

    /// The field is a text that has this within it, without regard to ASCII case.
    fn like(sql: &mut Sql, field: &str, part: &str);

    /// The n-th expression that the field is sorted by. The first is never NULL, and tells types
    /// apart; where it is equal, the others are NULL on both sides or on none.
    fn sort_key(sql: &mut Sql, field: &str, n: usize);

    /// Ends a statement that lists or counts.
    fn finish(_sql: &mut Sql) {}
}

/// What is found of that which a group of batches depends on.
pub(super) enum Found {
    /// The highest revision given so far.
    Counter(i64),
    /// A record: of locks all of it, of others all but the body. What cannot be read fails who
    /// asks for it.
    Record(Kind, Uuid, Result<Record, StoreError>),
    /// Who has a unique key.
    Owner(Kind, UniqueKey, Uuid),
}

/// A database, and how it is spoken to.
pub(super) trait Dialect: Expressions + Debug + Send + Sync + Sized + 'static {
    /// A connection to a database.
    type Connection: Debug + Send + 'static;

    /// How to connect.
    type Options: Debug + Send + Sync + 'static;

    /// What the database is called.
    const NAME: &'static str;

    /// What leads from each version of the schema to the next. Steps that have been released
    /// never change; a new one is added at the end.
    const MIGRATIONS: &'static [&'static str];

    /// Begins a transaction in which nobody else migrates.
    const BEGIN_MIGRATION: &'static [&'static str];

    /// Counts the tables that tell the version of the schema.
    const HAS_VERSION: &'static str;

    /// Begins a transaction whose every statement sees the same.
    const BEGIN_SNAPSHOT: &'static [&'static str];

    /// Begins a transaction in which nobody else writes, for as long as it may take.
    const BEGIN_ALONE: &'static [&'static str];

    /// Begins a transaction whose every statement sees the same, for as long as it may take.
    const BEGIN_LONG_SNAPSHOT: &'static [&'static str];

    /// Answers `ok`, or what the database finds wrong with itself.
    const INTEGRITY: Option<&'static str>;

    /// Counts the records of which something else stands in a column than in the body, as far as
    /// the database does not see to that itself.
    fn misfiled() -> Option<Sql> {
        None
    }

    /// Whether a connection can be used again when a call on it was dropped half way, or failed.
    const KEEPS_INTERRUPTED: bool;

    /// How long the database may take to answer a call; for ever, if it runs in this process.
    const PATIENCE: Option<Duration>;

    /// A new connection.
    fn connect(
        options: &Self::Options,
    ) -> impl Future<Output = Result<Self::Connection, DatabaseError>> + Send;

    /// Readies a connection for whoever is next, and ends a transaction that was left open;
    /// `false` if that cannot be done.
    fn settle(connection: &mut Self::Connection) -> bool;

    /// Runs the task that writes, for as long as there is something to write.
    fn spawn(writing: impl Future<Output = ()> + Send + 'static) -> Result<(), DatabaseError>;

    /// Whether a database that has no tables yet can be used at all.
    fn check(
        _connection: &mut Self::Connection,
    ) -> impl Future<Output = Result<(), OpenError>> + Send {
        std::future::ready(Ok(()))
    }

    /// Begins a transaction in which nobody else writes, and reads what batches depend on.
    fn begin(
        connection: &mut Self::Connection,
        wanted: &Wanted<'_>,
    ) -> impl Future<Output = Result<Vec<Found>, Failure>> + Send;

    /// Reads what batches depend on.
    fn read(
        connection: &mut Self::Connection,
        wanted: &Wanted<'_>,
    ) -> impl Future<Output = Result<Vec<Found>, Failure>> + Send;

    /// Writes what has become of it.
    fn write(
        connection: &mut Self::Connection,
        changes: &Changes<'_>,
    ) -> impl Future<Output = Result<(), Failure>> + Send;

    /// The same, and ends the transaction.
    fn end(
        connection: &mut Self::Connection,
        changes: &Changes<'_>,
    ) -> impl Future<Output = Result<(), Failure>> + Send;

    /// The record that has a key, by [`columns`](super::row::columns).
    fn find(kind: Kind, key: &UniqueKey) -> Sql;

    /// Notes the version of the schema.
    fn set_version(
        connection: &mut Self::Connection,
        version: i64,
    ) -> impl Future<Output = Result<(), DatabaseError>> + Send {
        Self::execute(
            connection,
            Sql::fixed("UPDATE schema_version SET version = $1", [version.into()]),
        )
    }

    /// Runs statements that have no parameters and answer nothing.
    fn run(
        connection: &mut Self::Connection,
        sql: &'static str,
    ) -> impl Future<Output = Result<(), DatabaseError>> + Send;

    /// Runs a statement that answers nothing.
    fn execute(
        connection: &mut Self::Connection,
        sql: Sql,
    ) -> impl Future<Output = Result<(), DatabaseError>> + Send;

    /// The rows of a statement that answers [`columns`](super::row::columns).
    fn records(
        connection: &mut Self::Connection,
        kind: Kind,
        sql: Sql,
    ) -> impl Future<Output = Result<Vec<Record>, Failure>> + Send;

    /// The one record, if any, of a statement that answers [`columns`](super::row::columns).
    fn record(
        connection: &mut Self::Connection,
        kind: Kind,
        sql: Sql,
    ) -> impl Future<Output = Result<Option<Record>, Failure>> + Send;

    /// The one number, if any, that a statement answers.
    fn whole(
        connection: &mut Self::Connection,
        sql: Sql,
    ) -> impl Future<Output = Result<Option<i64>, DatabaseError>> + Send;

    /// The one text, if any, that a statement answers.
    fn text(
        connection: &mut Self::Connection,
        sql: Sql,
    ) -> impl Future<Output = Result<Option<String>, DatabaseError>> + Send;
}

/// Begins a transaction by these statements. It ends with the connection's next `COMMIT` or
/// `ROLLBACK`, or when the connection is given back.
pub(super) async fn begin_by<D: Dialect>(
    connection: &mut D::Connection,
    statements: &'static [&'static str],
) -> Result<(), DatabaseError> {
    for statement in statements {
        D::run(connection, statement).await?;
    }
    Ok(())
}
