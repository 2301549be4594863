//! The lines of an export: a head, a record in each, and an end by which it is known to be whole.

use std::borrow::Cow;

use ironic_core::store::{Kind, Record, Revision, UniqueKey};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use uuid::Uuid;

/// What an export says that it is.
pub(super) const FORMAT: &str = "ironic-records";
/// The version of its lines.
pub(super) const VERSION: u32 = 1;

/// The first line.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Head<'a> {
    #[serde(borrow)]
    pub(super) format: Cow<'a, str>,
    pub(super) version: u32,
    /// The highest revision given when it was written.
    pub(super) revision: u64,
    /// How many records follow.
    pub(super) records: u64,
}

/// A line in between.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Line<'a> {
    pub(super) kind: Kind,
    pub(super) id: Uuid,
    pub(super) created: Revision,
    pub(super) revision: Revision,
    pub(super) schema: u16,
    pub(super) keys: Cow<'a, [UniqueKey]>,
    pub(super) body: Cow<'a, RawValue>,
}

impl<'a> Line<'a> {
    pub(super) fn of(record: &'a Record) -> Self {
        Self {
            kind: record.kind,
            id: record.id,
            created: record.created,
            revision: record.revision,
            schema: record.schema,
            keys: Cow::Borrowed(&record.keys),
            body: one_line(&record.body),
        }
    }

    pub(super) fn into_record(self) -> Record {
        Record {
            kind: self.kind,
            id: self.id,
            created: self.created,
            revision: self.revision,
            schema: self.schema,
            keys: self.keys.into_owned(),
            body: self.body.into_owned().into(),
        }
    }
}

/// A body without line breaks: JSON has them between its parts alone, where a space does as well.
fn one_line(body: &RawValue) -> Cow<'_, RawValue> {
    if !body.get().contains(['\n', '\r']) {
        return Cow::Borrowed(body);
    }
    let joined = body.get().replace(['\n', '\r'], " ");
    RawValue::from_string(joined).map_or(Cow::Borrowed(body), Cow::Owned)
}

/// The last line.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct End<'a> {
    /// SHA-256 of all lines before, in hexadecimal digits.
    #[serde(borrow)]
    pub(super) sha256: Cow<'a, str>,
}

/// Digits of a digest.
pub(super) fn hex(digest: &[u8]) -> String {
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}
