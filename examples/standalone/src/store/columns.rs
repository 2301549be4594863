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

/// What belongs into a record's columns, in the order of [`COLUMNS`].
pub(super) fn columns_of(record: &Record) -> [Option<&str>; COLUMNS.len()] {
    if record.kind == Kind::Node {
        members(record, &COLUMNS)
    } else {
        Default::default()
    }
}

/// The members of a record's body that have these names, each as the JSON that stands there. A
/// body that is no object has none; of members of one name the last counts.
pub(super) fn members<'a, const N: usize>(
    record: &'a Record,
    names: &[&str; N],
) -> [Option<&'a str>; N] {
    let mut body = serde_json::Deserializer::from_str(record.body.get());
    body.deserialize_map(Members(names)).unwrap_or([None; N])
}

struct Members<'n, const N: usize>(&'n [&'n str; N]);

impl<'de, const N: usize> Visitor<'de> for Members<'_, N> {
    type Value = [Option<&'de str>; N];

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = [None; N];
        while let Some(name) = map.next_key::<Name<'de>>()? {
            let mut known = self.0.iter().zip(&mut members);
            match known.find(|(known, _)| **known == name.0) {
                Some((_, member)) => *member = Some(map.next_value::<&RawValue>()?.get()),
                None => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(members)
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
