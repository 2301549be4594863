//! SQLite without our layer: the same bytes by the same client library, with the same settings, and
//! nothing kept but a body by its id.

use std::path::Path;

use ironic_core::store::Record;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions, Row};

/// A table of bodies, with the columns of a summary beside them.
pub(crate) async fn open(folder: &Path, records: &[Record]) -> SqliteConnection {
    let options = SqliteConnectOptions::new()
        .filename(folder.join("raw.db"))
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Normal)
        .disable_statement_logging();
    let mut database = options.connect().await.unwrap();
    sqlx::raw_sql(
        "CREATE TABLE raw (
            id TEXT PRIMARY KEY, body TEXT NOT NULL, uuid TEXT, name TEXT,
            instance_uuid TEXT, power_state TEXT, provision_state TEXT, maintenance TEXT
        ) STRICT;
        CREATE INDEX brief ON raw (id, uuid, name, instance_uuid, power_state, provision_state, maintenance);",
    )
    .execute(&mut database)
    .await
    .unwrap();
    for record in records {
        write(&mut database, record).await;
    }
    sqlx::raw_sql(
        "UPDATE raw SET uuid = body -> 'uuid', name = body -> 'name',
            provision_state = body -> 'provision_state'",
    )
    .execute(&mut database)
    .await
    .unwrap();
    database
}

/// The body of one record.
pub(crate) async fn read(database: &mut SqliteConnection, id: &str) -> String {
    sqlx::query_scalar("SELECT body FROM raw WHERE id = ?")
        .bind(id.to_owned())
        .fetch_one(database)
        .await
        .unwrap()
}

/// One record in a transaction of its own.
pub(crate) async fn write(database: &mut SqliteConnection, record: &Record) {
    let sql = "INSERT INTO raw (id, body) VALUES (?, ?) \
               ON CONFLICT (id) DO UPDATE SET body = excluded.body";
    sqlx::query(sql)
        .bind(record.id.to_string())
        .bind(record.body.get().to_owned())
        .execute(database)
        .await
        .unwrap();
}

/// All bodies.
pub(crate) async fn list(database: &mut SqliteConnection) -> Vec<String> {
    sqlx::query_scalar("SELECT body FROM raw ORDER BY id")
        .fetch_all(database)
        .await
        .unwrap()
}

/// All summaries, column by column.
pub(crate) async fn summaries(database: &mut SqliteConnection) -> Vec<[Option<String>; 6]> {
    let sql = "SELECT uuid, name, instance_uuid, power_state, provision_state, maintenance \
               FROM raw ORDER BY id";
    let rows = sqlx::query(sql).fetch_all(database).await.unwrap();
    let rows = rows.iter();
    rows.map(|row| std::array::from_fn(|column| row.get(column)))
        .collect()
}
