//! The members of a node's body that are columns too, each as the JSON that stands there.

use std::borrow::Cow;

use ironic_core::store::{Kind, Record};
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

/// Their names: those of [`NodeSummary::FIELDS`](ironic_core::model::NodeSummary::FIELDS), and
/// what a list of nodes leaves nodes out by.
pub(super) const COLUMNS: [&str; 7] = [
    "uuid",
    "name",
    "instance_uuid",
    "power_state",
    "provision_state",
    "maintenance",
    "parent_node",
];

/// What stands in a record's columns, in the order of [`COLUMNS`].
pub(super) type Columns<'a> = [Option<&'a str>; COLUMNS.len()];

/// What belongs into a record's columns. A body that is no object has no members.
pub(super) fn columns(record: &Record) -> Columns<'_> {
    if record.kind != Kind::Node {
        return Columns::default();
    }
    let mut body = serde_json::Deserializer::from_str(record.body.get());
    body.deserialize_map(Members).unwrap_or_default()
}

struct Members;

impl<'de> Visitor<'de> for Members {
    type Value = Columns<'de>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut columns = Columns::default();
        while let Some(name) = map.next_key::<Name<'de>>()? {
            let mut known = COLUMNS.iter().zip(&mut columns);
            match known.find(|(known, _)| **known == name.0) {
                Some((_, column)) => *column = Some(map.next_value::<&RawValue>()?.get()),
                None => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(columns)
    }
}

/// A name, borrowed where nothing in it is escaped.
#[derive(serde::Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

#[cfg(test)]
mod tests {
    use ironic_core::model::NodeSummary;

    use super::COLUMNS;

    #[test]
    fn a_summary_comes_first_and_in_its_order() {
        assert!(COLUMNS.starts_with(&NodeSummary::FIELDS));
    }
}
