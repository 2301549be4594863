//! Writing records: of what is in columns, only what has changed.
//!
//! An index is written anew when a statement sets a column that it is over, whether or not the
//! value is another one, and most writes of a node change what is in no index. So each statement
//! names the columns that change.

use std::sync::LazyLock;

use rusqlite::types::ToSql;
use rusqlite::{Connection, OptionalExtension};

use crate::store::columns::{COLUMNS, columns_of};
use crate::store::error::Failure;
use crate::store::group::Written;
use crate::store::row;
use crate::store::sql::Sql;

use super::expressions::{INDEXED_TEXT, INDEXED_TYPE};

// What statements call their arguments, of which each takes the first few. The body is `?2`, as
// [`Indexed::call`](super::expressions::Indexed) knows.
const RECORD: &str = "kind = ?3 AND id = ?1";
const FIRST_COLUMN: usize = 4;
const CREATED: &str = "?11";
/// How many of them [`CHANGED`] takes.
const TO_COMPARE: usize = 11;

/// The columns that are written when they change, and their new values.
static TRACKED: LazyLock<Vec<(&str, String)>> = LazyLock::new(|| {
    let members = COLUMNS.into_iter().zip(FIRST_COLUMN..);
    let members = members.map(|(column, number)| (column, format!("?{number}")));
    let created = [("created", CREATED.to_owned())];
    let indexed = INDEXED_TEXT.iter().chain(INDEXED_TYPE);
    let indexed = indexed.map(|indexed| (indexed.column, indexed.call.to_owned()));
    members.chain(created).chain(indexed).collect()
});

/// Which of [`TRACKED`] change, a bit for each; no row if the record is new.
static CHANGED: LazyLock<String> = LazyLock::new(|| {
    let bits = TRACKED.iter().enumerate();
    let bits = bits.map(|(bit, (column, value))| format!("(({column} IS NOT {value}) << {bit})"));
    let bits: Vec<_> = bits.collect();
    format!("SELECT {} FROM records WHERE {RECORD}", bits.join(" | "))
});

static INSERT: LazyLock<String> = LazyLock::new(|| {
    let (columns, values): (Vec<_>, Vec<_>) = TRACKED
        .iter()
        .map(|(column, value)| (*column, value.as_str()))
        .unzip();
    format!(
        "INSERT INTO records (id, body, kind, keys, schema, revision, {}) \
         VALUES (?1, ?2, ?3, ?12, ?13, ?14, {})",
        columns.join(", "),
        values.join(", ")
    )
});

/// The statement that changes these of [`TRACKED`].
fn update(changed: u32) -> String {
    let mut sql = String::from("UPDATE records SET body = ?2, keys = ?12, schema = ?13");
    for (bit, (column, value)) in TRACKED.iter().enumerate() {
        if changed >> bit & 1 == 1 {
            sql += &format!(", {column} = {value}");
        }
    }
    sql + &format!(", revision = ?14 WHERE {RECORD}")
}

/// Writes a record, in the place of what there was of its kind and id.
pub(super) fn put(database: &Connection, written: &Written<'_>) -> Result<(), Failure> {
    let record = written.record;
    let id = record.id.to_string();
    let keys = row::keys(record)?;
    let kind = record.kind.as_str();
    let body = record.body.get();
    let columns = columns_of(record);
    let created = row::counted(written.created);
    let revision = row::counted(written.revision);
    let mut values: Vec<&dyn ToSql> = vec![&id, &body, &kind];
    values.extend(columns.iter().map(|column| column as &dyn ToSql));
    values.extend([&created as &dyn ToSql, &keys, &record.schema, &revision]);
    let (to_compare, _) = values.split_at(TO_COMPARE);
    let mut compare = database.prepare_cached(&CHANGED)?;
    let changed = compare.query_row(to_compare, |row| row.get(0)).optional()?;
    let mut write = match changed {
        Some(changed) => database.prepare_cached(&update(changed))?,
        None => database.prepare_cached(&INSERT)?,
    };
    write.execute(values.as_slice())?;
    Ok(())
}

/// Counts the records that an index has under another value than the body's.
pub(super) fn misfiled() -> Sql {
    let differences = INDEXED_TEXT.iter().chain(INDEXED_TYPE).map(|indexed| {
        let call = indexed.call.replace("?2", "body");
        format!("{} IS NOT {call}", indexed.column)
    });
    let differences: Vec<_> = differences.collect();
    let mut sql = Sql::fixed("SELECT count(*) FROM records WHERE ", []);
    sql.push(&differences.join(" OR "));
    sql
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_update_names_what_changes_and_no_more() {
        let nothing = update(0);
        assert_eq!(
            nothing,
            "UPDATE records SET body = ?2, keys = ?12, schema = ?13, revision = ?14 \
             WHERE kind = ?3 AND id = ?1"
        );
        let last = TRACKED.len() - 1;
        let some = update(1 | 1 << last);
        assert!(some.contains("schema = ?13, uuid = ?4, by_console_enabled = json_type(?2, "));
        assert_eq!(TRACKED[COLUMNS.len()], ("created", CREATED.to_owned()));
        assert_eq!(FIRST_COLUMN + COLUMNS.len(), TO_COMPARE);
        // They are the bits of a number.
        assert!(TRACKED.len() < 32);
    }
}
