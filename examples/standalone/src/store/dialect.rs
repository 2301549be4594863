//! What one database does in its own way: all else is common to both.

use std::fmt::Debug;
use std::time::Duration;

use ironic_core::store::{Kind, Record, Scalar, StoreError, UniqueKey};
use sqlx::{Connection as _, SqlStr, Transaction};
use uuid::Uuid;

use super::error::{Failure, OpenError, Trouble};
use super::group::{Changes, Wanted};
use super::sql::Sql;

/// A connection to a database of this dialect.
pub(super) type Connection<D> = <<D as Dialect>::Driver as sqlx::Database>::Connection;

/// How to connect to a database of this dialect.
pub(super) type Options<D> = <Connection<D> as sqlx::Connection>::Options;

/// Expressions over the records `r` of a statement.
///
/// A condition is true, or it is false or NULL, which a WHERE clause, AND and OR take alike; NOT
/// is the one place where they differ, and there stands `IS NOT TRUE`.
pub(super) trait Expressions {
    /// Whether a list of summaries comes as one text, in one row.
    const JOINS_SUMMARIES: bool;

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
    type Driver: sqlx::Database<Connection: Debug>;

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
    const BEGIN_SNAPSHOT: &'static str;

    /// Begins a transaction in which nobody else writes, for as long as it may take.
    const BEGIN_ALONE: &'static [&'static str];

    /// Gives a transaction as long as it may take.
    const UNHURRIED: Option<&'static str>;

    /// Answers `ok`, or what the database finds wrong with itself.
    const INTEGRITY: Option<&'static str>;

    /// Whether a connection can be used again when a call on it was dropped half way.
    const KEEPS_INTERRUPTED: bool;

    /// How long the database may take to answer a call; for ever, if it runs in this process.
    const PATIENCE: Option<Duration>;

    /// Makes a new connection what the store needs.
    fn prepare(
        connection: &mut Connection<Self>,
    ) -> impl Future<Output = Result<(), sqlx::Error>> + Send;

    /// Whether a database that has no tables yet can be used at all.
    fn check(
        _connection: &mut Connection<Self>,
    ) -> impl Future<Output = Result<(), OpenError>> + Send {
        std::future::ready(Ok(()))
    }

    /// Begins a transaction in which nobody else writes, and reads what batches depend on.
    fn begin(
        connection: &mut Connection<Self>,
        wanted: &Wanted<'_>,
    ) -> impl Future<Output = Result<Vec<Found>, Failure>> + Send;

    /// Reads what batches depend on.
    fn read(
        connection: &mut Connection<Self>,
        wanted: &Wanted<'_>,
    ) -> impl Future<Output = Result<Vec<Found>, Failure>> + Send;

    /// Writes what has become of it.
    fn write(
        connection: &mut Connection<Self>,
        changes: &Changes<'_>,
    ) -> impl Future<Output = Result<(), Failure>> + Send;

    /// The same, and ends the transaction.
    fn end(
        connection: &mut Connection<Self>,
        changes: &Changes<'_>,
    ) -> impl Future<Output = Result<(), Failure>> + Send;

    /// The record that has a key, by [`columns`](super::row::columns).
    fn find(kind: Kind, key: &UniqueKey) -> Sql;

    /// Notes the version of the schema.
    fn set_version(
        connection: &mut Connection<Self>,
        version: i64,
    ) -> impl Future<Output = Result<(), sqlx::Error>> + Send {
        Self::execute(
            connection,
            Sql::fixed("UPDATE schema_version SET version = $1", [version.into()]),
        )
    }

    /// Runs statements that have no parameters and answer nothing.
    fn run(
        connection: &mut Connection<Self>,
        sql: &'static str,
    ) -> impl Future<Output = Result<(), sqlx::Error>> + Send;

    /// Runs a statement that answers nothing.
    fn execute(
        connection: &mut Connection<Self>,
        sql: Sql,
    ) -> impl Future<Output = Result<(), sqlx::Error>> + Send;

    /// The rows of a statement that answers [`columns`](super::row::columns).
    fn records(
        connection: &mut Connection<Self>,
        kind: Kind,
        sql: Sql,
    ) -> impl Future<Output = Result<Vec<Record>, Failure>> + Send;

    /// The one record, if any, of a statement that answers [`columns`](super::row::columns).
    fn record(
        connection: &mut Connection<Self>,
        kind: Kind,
        sql: Sql,
    ) -> impl Future<Output = Result<Option<Record>, Failure>> + Send;

    /// The nodes of a statement that answers a list of summaries.
    fn summaries(
        connection: &mut Connection<Self>,
        sql: Sql,
    ) -> impl Future<Output = Result<Vec<Record>, Failure>> + Send;

    /// The one number, if any, that a statement answers.
    fn whole(
        connection: &mut Connection<Self>,
        sql: Sql,
    ) -> impl Future<Output = Result<Option<i64>, sqlx::Error>> + Send;

    /// The one text, if any, that a statement answers.
    fn text(
        connection: &mut Connection<Self>,
        sql: Sql,
    ) -> impl Future<Output = Result<Option<String>, sqlx::Error>> + Send;

    /// What an error means for the connection, and for those who wait.
    fn trouble(error: &sqlx::Error) -> Trouble;
}

/// Statements and their answers, which are the same text for either driver.
macro_rules! driver {
    () => {
        async fn run(
            connection: &mut $crate::store::dialect::Connection<Self>,
            sql: &'static str,
        ) -> Result<(), sqlx::Error> {
            use sqlx::Executor as _;
            connection.execute(sqlx::raw_sql(sql)).await.map(drop)
        }

        async fn execute(
            connection: &mut $crate::store::dialect::Connection<Self>,
            sql: $crate::store::sql::Sql,
        ) -> Result<(), sqlx::Error> {
            query(sql).execute(connection).await.map(drop)
        }

        async fn records(
            connection: &mut $crate::store::dialect::Connection<Self>,
            kind: ironic_core::store::Kind,
            sql: $crate::store::sql::Sql,
        ) -> Result<Vec<ironic_core::store::Record>, $crate::store::error::Failure> {
            use sqlx::Row as _;
            let rows = query(sql).fetch_all(connection).await?;
            rows.iter()
                .map(|row| $crate::store::row::whole(kind, row.try_get(0)?, row.try_get(1)?))
                .collect()
        }

        async fn record(
            connection: &mut $crate::store::dialect::Connection<Self>,
            kind: ironic_core::store::Kind,
            sql: $crate::store::sql::Sql,
        ) -> Result<Option<ironic_core::store::Record>, $crate::store::error::Failure> {
            use sqlx::Row as _;
            let row = query(sql).fetch_optional(connection).await?;
            row.map(|row| $crate::store::row::whole(kind, row.try_get(0)?, row.try_get(1)?))
                .transpose()
        }

        async fn whole(
            connection: &mut $crate::store::dialect::Connection<Self>,
            sql: $crate::store::sql::Sql,
        ) -> Result<Option<i64>, sqlx::Error> {
            use sqlx::Row as _;
            let row = query(sql).fetch_optional(connection).await?;
            row.map(|row| row.try_get(0)).transpose()
        }

        async fn text(
            connection: &mut $crate::store::dialect::Connection<Self>,
            sql: $crate::store::sql::Sql,
        ) -> Result<Option<String>, sqlx::Error> {
            use sqlx::Row as _;
            let row = query(sql).fetch_optional(connection).await?;
            row.map(|row| row.try_get(0)).transpose()
        }
    };
}
pub(super) use driver;

/// `query`, with which [`driver`] runs statements.
macro_rules! query {
    ($driver:ty, $arguments:ty) => {
        fn query(sql: $crate::store::sql::Sql) -> sqlx::query::Query<'static, $driver, $arguments> {
            let (text, args) = sql.into_parts();
            let mut query = match text {
                std::borrow::Cow::Borrowed(text) => sqlx::query(text),
                // The text is put together here, and what comes from elsewhere is bound.
                std::borrow::Cow::Owned(text) => sqlx::query(sqlx::AssertSqlSafe(text)),
            };
            for arg in args {
                query = match arg {
                    $crate::store::sql::Arg::Text(text) => query.bind(text),
                    $crate::store::sql::Arg::Real(number) => query.bind(number),
                    $crate::store::sql::Arg::Whole(number) => query.bind(number),
                };
            }
            query
        }
    };
}
pub(super) use query;

/// Begins a transaction by these statements, of which there is one at least.
pub(super) async fn begin_by<'c, D: Dialect>(
    connection: &'c mut Connection<D>,
    statements: &'static [&'static str],
) -> Result<Transaction<'c, D::Driver>, sqlx::Error> {
    let (first, then) = match statements {
        [first, then @ ..] => (*first, then),
        [] => ("BEGIN", &[][..]),
    };
    let mut transaction = connection.begin_with(SqlStr::from_static(first)).await?;
    for statement in then {
        D::run(&mut transaction, statement).await?;
    }
    Ok(transaction)
}
