use ironic_core::store::{Kind, Record, Revision, StoreError};
use serde_json::value::RawValue;
use sqlx::Row;
use sqlx::sqlite::{SqliteConnection, SqliteRow};
use uuid::Uuid;

use super::error::Failure;

/// Where and when a record was put, as one column: each further one costs a list more than all
/// that SQLite does for the row.
macro_rules! head {
    () => {
        "r.id || ' ' || r.created || ' ' || r.revision || ' ' || r.schema || ' ' || r.keys"
    };
}
pub(super) use head;

/// The columns that [`record`] reads.
macro_rules! columns {
    () => {
        concat!($crate::store::row::head!(), " AS head, r.body AS body")
    };
}
pub(super) use columns;

/// What parts the head of a summary from its body, and each summary from the next: JSON has
/// these nowhere, not even in its texts.
const AFTER_HEAD: char = '\u{1f}';
const AFTER_SUMMARY: char = '\u{1e}';

/// The node as one text: its head, and a body that has the members of
/// [`NodeSummary::FIELDS`](ironic_core::model::NodeSummary::FIELDS) and no others.
macro_rules! summary {
    () => {
        concat!(
            $crate::store::row::head!(),
            " || char(31) || '{' || substr(",
            r#"ifnull(',"uuid":' || r.uuid, '') || "#,
            r#"ifnull(',"name":' || r.name, '') || "#,
            r#"ifnull(',"instance_uuid":' || r.instance_uuid, '') || "#,
            r#"ifnull(',"power_state":' || r.power_state, '') || "#,
            r#"ifnull(',"provision_state":' || r.provision_state, '') || "#,
            r#"ifnull(',"maintenance":' || r.maintenance, '')"#,
            ", 2) || '}'"
        )
    };
}
pub(super) use summary;

/// The nodes of a list of [`summary`], which comes in one row: every further one would wake
/// the thread that waits for it. SQLite's longest text has room for two million.
pub(super) fn summaries(row: &SqliteRow) -> Result<Vec<Record>, Failure> {
    let all: Option<&str> = row.try_get(0)?;
    let each = all.map(|all| all.split(AFTER_SUMMARY));
    each.into_iter()
        .flatten()
        .map(|summary| {
            let (head, body) = summary.split_once(AFTER_HEAD).unwrap_or((summary, ""));
            whole(Kind::Node, head, body.to_owned())
        })
        .collect()
}

/// The record of a row with [`columns`].
pub(super) fn record(kind: Kind, row: &SqliteRow) -> Result<Record, Failure> {
    whole(kind, row.try_get("head")?, row.try_get("body")?)
}

fn whole(kind: Kind, head: &str, body: String) -> Result<Record, Failure> {
    let mut parts = head.splitn(5, ' ');
    let mut part = || parts.next().unwrap_or_default();
    let id = part();
    // There is no id to name.
    let id = id
        .parse()
        .map_err(|_| corrupt(kind, Uuid::nil(), format!("{id:?} is no uuid")))?;
    let corrupt = |message| corrupt(kind, id, message);
    let (created, revision, schema, keys) = (part(), part(), part(), part());
    let body = RawValue::from_string(body).map_err(|e| corrupt(e.to_string()))?;
    Ok(Record {
        kind,
        id,
        created: Revision(created.parse().unwrap_or(0)),
        revision: Revision(revision.parse().unwrap_or(0)),
        schema: schema
            .parse()
            .map_err(|_| corrupt(format!("{schema} is no schema version")))?,
        keys: serde_json::from_str(keys).map_err(|e| corrupt(format!("its keys: {e}")))?,
        body: body.into(),
    })
}

/// The record of this kind and id.
pub(super) async fn fetch(
    connection: &mut SqliteConnection,
    kind: Kind,
    id: Uuid,
) -> Result<Option<Record>, Failure> {
    const SQL: &str = concat!(
        "SELECT ",
        columns!(),
        " FROM records AS r WHERE r.kind = ? AND r.id = ?"
    );
    let row = sqlx::query(SQL)
        .bind(kind.as_str())
        .bind(id.to_string())
        .fetch_optional(connection)
        .await?;
    row.map(|row| record(kind, &row)).transpose()
}

/// SQLite counts in i64; so does the counter here, from 1.
pub(super) fn revision(stored: i64) -> Revision {
    Revision(u64::try_from(stored).unwrap_or(0))
}

pub(super) fn id(kind: Kind, row: &SqliteRow) -> Result<Uuid, Failure> {
    let id: &str = row.try_get("id")?;
    // There is no id to name.
    id.parse()
        .map_err(|_| corrupt(kind, Uuid::nil(), format!("{id:?} is no uuid")))
}

pub(super) fn corrupt(kind: Kind, id: Uuid, message: String) -> Failure {
    Failure::Refused(StoreError::Corrupt { kind, id, message })
}
