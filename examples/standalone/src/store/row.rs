use ironic_core::store::{Kind, Record, Revision, StoreError};
use serde_json::value::RawValue;
use uuid::Uuid;

use super::error::Failure;
use super::sql::{Arg, Sql};

/// Where and when a record was put, as one column: each further one costs a list more than all
/// that SQLite does for the row.
macro_rules! head {
    () => {
        "r.id || ' ' || r.created || ' ' || r.revision || ' ' || r.schema || ' ' || r.keys"
    };
}
pub(super) use head;

/// The columns of a statement that answers records.
macro_rules! columns {
    () => {
        concat!($crate::store::row::head!(), " AS head, r.body AS body")
    };
}
pub(super) use columns;

/// A body that has the members of
/// [`NodeSummary::FIELDS`](ironic_core::model::NodeSummary::FIELDS) and no others.
macro_rules! summary_body {
    () => {
        concat!(
            "'{' || substr(",
            r#"coalesce(',"uuid":' || r.uuid, '') || "#,
            r#"coalesce(',"name":' || r.name, '') || "#,
            r#"coalesce(',"instance_uuid":' || r.instance_uuid, '') || "#,
            r#"coalesce(',"power_state":' || r.power_state, '') || "#,
            r#"coalesce(',"provision_state":' || r.provision_state, '') || "#,
            r#"coalesce(',"maintenance":' || r.maintenance, '')"#,
            ", 2) || '}'"
        )
    };
}
pub(super) use summary_body;

/// The record of a row with [`columns`].
pub(super) fn whole(kind: Kind, head: &str, body: String) -> Result<Record, Failure> {
    let mut parts = head.splitn(5, ' ');
    let mut part = || parts.next().unwrap_or_default();
    let id = self::id(kind, part())?;
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
pub(super) fn fetch(kind: Kind, id: Uuid) -> Sql {
    const SQL: &str = concat!(
        "SELECT ",
        columns!(),
        " FROM records AS r WHERE r.kind = $1 AND r.id = $2"
    );
    Sql::fixed(SQL, [Arg::from(kind.as_str()), Arg::from(id.to_string())])
}

/// A record's keys as its column has them.
pub(super) fn keys(record: &Record) -> Result<String, Failure> {
    serde_json::to_string(&record.keys)
        .map_err(|e| corrupt(record.kind, record.id, format!("its keys: {e}")))
}

/// The databases count in i64; so does the counter here, from 1.
pub(super) fn revision(stored: i64) -> Revision {
    Revision(u64::try_from(stored).unwrap_or(0))
}

/// The same the other way round.
pub(super) fn counted(revision: Revision) -> i64 {
    i64::try_from(revision.0).unwrap_or(i64::MAX)
}

pub(super) fn id(kind: Kind, id: &str) -> Result<Uuid, Failure> {
    // There is no id to name.
    id.parse()
        .map_err(|_| corrupt(kind, Uuid::nil(), format!("{id:?} is no uuid")))
}

pub(super) fn kind(kind: &str) -> Result<Kind, Failure> {
    kind.parse().map_err(|_| {
        let message = format!("there is no kind {kind:?}");
        Failure::Refused(StoreError::unavailable(message))
    })
}

pub(super) fn corrupt(kind: Kind, id: Uuid, message: String) -> Failure {
    Failure::Refused(StoreError::Corrupt { kind, id, message })
}
