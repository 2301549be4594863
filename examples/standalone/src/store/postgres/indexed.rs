//! What PostgreSQL looks records up by: columns that are taken from the body when it is written.
//! An index over an expression would take the body apart once for each of them.

use ironic_core::store::Record;
use serde_json::{Map, Value};

use super::escape::escape;
use crate::store::columns::members;

/// Members that are looked up by their text: with [`FLAGS`] those of
/// [`Kind::indexed_fields`](ironic_core::store::Kind::indexed_fields).
pub(super) const TEXTS: [&str; 13] = [
    "node_uuid",
    "provision_state",
    "driver",
    "resource_class",
    "conductor_group",
    "owner",
    "lessee",
    "shard",
    "name",
    "address",
    "holder",
    "parent_node",
    "state",
];

/// Members that are looked up by their truth.
pub(super) const FLAGS: [&str; 2] = ["maintenance", "console_enabled"];

const BOTH: [&str; TEXTS.len() + FLAGS.len()] = {
    let mut both = [""; TEXTS.len() + FLAGS.len()];
    let (texts, flags) = both.split_at_mut(TEXTS.len());
    texts.copy_from_slice(&TEXTS);
    flags.copy_from_slice(&FLAGS);
    both
};

/// Up to how many bytes a text is in an index. One entry has room for 2,704, and there are four
/// columns.
pub(super) const LONGEST: usize = 1024;

/// A text as its column has it, if that has it at all.
pub(super) fn column(text: &str) -> Option<String> {
    let text = escape(text);
    (text.len() <= LONGEST).then(|| text.into_owned())
}

/// What belongs into the columns of a record, in the order of [`TEXTS`] and [`FLAGS`].
pub(super) fn indexed(
    record: &Record,
) -> ([Option<String>; TEXTS.len()], [Option<bool>; FLAGS.len()]) {
    let wanted = record.kind.indexed_fields();
    let mut texts = [const { None }; TEXTS.len()];
    let mut flags = [None; FLAGS.len()];
    if wanted.is_empty() {
        return (texts, flags);
    }
    let found = members(record, &BOTH);
    let (for_texts, for_flags) = found.split_at(TEXTS.len());
    for (text, json) in texts.iter_mut().zip(for_texts) {
        let value = json.and_then(|json| serde_json::from_str::<String>(json).ok());
        *text = value.and_then(|value| column(&value));
    }
    for (flag, json) in flags.iter_mut().zip(for_flags) {
        *flag = json.and_then(|json| json.parse().ok());
    }
    (texts, flags)
}

/// A body to be asked, where the database cannot ask the body itself.
pub(super) fn document(body: &str) -> Result<Option<String>, serde_json::Error> {
    // JSON has these characters as escapes alone.
    let is_plain = |rest: &str| !matches!(rest.as_bytes().first(), Some(b'0'..=b'3'));
    if body.split("\\u000").skip(1).all(is_plain) {
        return Ok(None);
    }
    let body: Value = serde_json::from_str(body)?;
    serde_json::to_string(&escaped(body)).map(Some)
}

fn escaped(value: Value) -> Value {
    match value {
        Value::String(text) => Value::String(escape(&text).into_owned()),
        Value::Array(items) => items.into_iter().map(escaped).collect(),
        Value::Object(members) => {
            let members = members.into_iter();
            let members = members.map(|(name, value)| (escape(&name).into_owned(), escaped(value)));
            Value::Object(members.collect::<Map<_, _>>())
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use ironic_core::store::Kind;

    use super::{FLAGS, TEXTS, document};

    #[test]
    fn the_columns_are_of_the_fields_that_the_engine_names() {
        let named = Kind::ALL.iter().flat_map(|kind| kind.indexed_fields());
        let named: BTreeSet<_> = named.copied().collect();
        let columns: BTreeSet<_> = TEXTS.iter().chain(&FLAGS).copied().collect();
        assert_eq!(columns, named);
        for column in columns {
            let sql = format!("CREATE INDEX records_by_{column} ON");
            assert!(include_str!("schema_1.sql").contains(&sql), "{column}");
        }
    }

    #[test]
    fn only_what_the_database_cannot_ask_is_kept_twice() {
        for plain in [r#"{"a":"b"}"#, r#"{"a":"\u0004\u0010\n"}"#, "{}"] {
            assert_eq!(document(plain).unwrap(), None, "{plain}");
        }
        let escaped = document(r#"{"a\u0000":["\u0003"],"n":1.50}"#).unwrap();
        let expected = r#"{"a\u0001\u0002\u0002":["\u0001\u0003\u0003"],"n":1.5}"#;
        assert_eq!(escaped.as_deref(), Some(expected));
    }
}
