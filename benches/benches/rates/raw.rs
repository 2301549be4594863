//! SQLite without our layer: the same bytes by the same client library, with the same settings, and
//! nothing kept but a body by its id.

use std::path::Path;

use ironic_core::store::Record;
use rusqlite::Connection;

/// A table of bodies, with the columns of a summary beside them.
pub(crate) fn open(folder: &Path, records: &[Record]) -> Connection {
    let database = Connection::open(folder.join("raw.db")).unwrap();
    let wal = |_: &rusqlite::Row<'_>| Ok(());
    database
        .pragma_update_and_check(None, "journal_mode", "wal", wal)
        .unwrap();
    database
        .pragma_update(None, "synchronous", "normal")
        .unwrap();
    database
        .execute_batch(
            "CREATE TABLE raw (
                id TEXT PRIMARY KEY, body TEXT NOT NULL, uuid TEXT, name TEXT,
                instance_uuid TEXT, power_state TEXT, provision_state TEXT, maintenance TEXT
            ) STRICT;
            CREATE INDEX brief ON raw (id, uuid, name, instance_uuid, power_state, provision_state, maintenance);",
        )
        .unwrap();
    for record in records {
        write(&database, record);
    }
    database
        .execute_batch(
            "UPDATE raw SET uuid = body -> 'uuid', name = body -> 'name',
                provision_state = body -> 'provision_state'",
        )
        .unwrap();
    database
}

/// The body of one record.
pub(crate) fn read(database: &Connection, id: &str) -> String {
    let read = database.prepare_cached("SELECT body FROM raw WHERE id = ?");
    read.unwrap().query_one((id,), |row| row.get(0)).unwrap()
}

/// One record in a transaction of its own.
pub(crate) fn write(database: &Connection, record: &Record) {
    let sql = "INSERT INTO raw (id, body) VALUES (?, ?) \
               ON CONFLICT (id) DO UPDATE SET body = excluded.body";
    let values = (record.id.to_string(), record.body.get());
    database
        .prepare_cached(sql)
        .unwrap()
        .execute(values)
        .unwrap();
}

/// All bodies.
pub(crate) fn list(database: &Connection) -> Vec<String> {
    let list = database.prepare_cached("SELECT body FROM raw ORDER BY id");
    let mut list = list.unwrap();
    let bodies = list.query_map((), |row| row.get(0)).unwrap();
    bodies.map(Result::unwrap).collect()
}

/// All summaries, column by column.
pub(crate) fn summaries(database: &Connection) -> Vec<[Option<String>; 6]> {
    let sql = "SELECT uuid, name, instance_uuid, power_state, provision_state, maintenance \
               FROM raw ORDER BY id";
    let mut list = database.prepare_cached(sql).unwrap();
    let rows = list.query_map((), |row| {
        Ok(std::array::from_fn(|column| row.get(column).unwrap()))
    });
    rows.unwrap().map(Result::unwrap).collect()
}
