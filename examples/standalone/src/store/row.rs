use ironic_core::model::NodeSummary;
use ironic_core::store::{Kind, Record, Revision, StoreError, UniqueKey};
use serde_json::value::RawValue;
use sqlx::Row;
use sqlx::sqlite::{SqliteConnection, SqliteRow};
use uuid::Uuid;

use super::error::Failure;

/// The columns that [`record`] reads, in the order of their names here.
macro_rules! columns {
    () => {
        "r.id, r.created, r.revision, r.schema, r.keys, r.body"
    };
}
pub(super) use columns;

/// The columns that [`summary`] reads, those of [`NodeSummary::FIELDS`] last and in that order.
macro_rules! summary_columns {
    () => {
        "r.id, r.created, r.revision, r.schema, r.keys, \
         r.uuid, r.name, r.instance_uuid, r.power_state, r.provision_state, r.maintenance"
    };
}
pub(super) use summary_columns;

/// The node of a row with [`summary_columns`], with these members of its body and no others.
pub(super) fn summary(row: &SqliteRow) -> Result<Record, Failure> {
    let kind = Kind::Node;
    let id = id(kind, row)?;
    let mut body = String::with_capacity(256);
    for (index, field) in (FIRST_FIELD..).zip(NodeSummary::FIELDS) {
        if let Some(json) = row.try_get::<Option<&str>, _>(index)? {
            let before = if body.is_empty() { "{\"" } else { ",\"" };
            body.extend([before, field, "\":", json]);
        }
    }
    body.push_str(if body.is_empty() { "{}" } else { "}" });
    whole(kind, id, body, row)
}

/// How many columns come before those of the fields.
const FIRST_FIELD: usize = 5;

/// The record of a row with [`columns`].
pub(super) fn record(kind: Kind, row: &SqliteRow) -> Result<Record, Failure> {
    let id = id(kind, row)?;
    whole(kind, id, row.try_get("body")?, row)
}

/// A record with this body, and what the columns say that all rows have.
fn whole(kind: Kind, id: Uuid, body: String, row: &SqliteRow) -> Result<Record, Failure> {
    let body = RawValue::from_string(body).map_err(|e| corrupt(kind, id, e.to_string()))?;
    let schema: i64 = row.try_get("schema")?;
    let schema = u16::try_from(schema)
        .map_err(|_| corrupt(kind, id, format!("{schema} is no schema version")))?;
    Ok(Record {
        kind,
        id,
        created: revision(row.try_get("created")?),
        revision: revision(row.try_get("revision")?),
        schema,
        keys: keys(kind, id, row.try_get("keys")?)?,
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

fn keys(kind: Kind, id: Uuid, stored: &str) -> Result<Vec<UniqueKey>, Failure> {
    serde_json::from_str(stored).map_err(|e| corrupt(kind, id, format!("its keys: {e}")))
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
