//! Ports as answers show them.

use ironic_core::Error;
use ironic_core::model::Port;
use serde_json::{Map, Value};

use super::super::caller::Caller;
use super::super::fault::Fault;
use super::super::fields::{Empty, Field, Fields};
use super::super::link_connection::VTEP_MEMBERS;
use super::super::version::{Version, since};

/// The fields of a port.
const PORT: Fields = Fields(&[
    Field::new("address", 1, Empty::Null),
    Field::new("available_for_dynamic_portgroup", 111, Empty::True),
    Field::new("category", 101, Empty::Null),
    Field::new("created_at", 1, Empty::Null),
    Field::new("description", 97, Empty::Null),
    Field::new("extra", 1, Empty::Object),
    Field::new("internal_info", 18, Empty::Object),
    Field::new("is_smartnic", 53, Empty::False),
    Field::new("local_link_connection", 19, Empty::Object),
    Field::new("name", 88, Empty::Null),
    Field::new("node_uuid", 1, Empty::Null),
    Field::new("physical_network", 34, Empty::Null),
    Field::new("portgroup_uuid", 24, Empty::Null),
    Field::new("pxe_enabled", 19, Empty::True),
    Field::new("updated_at", 1, Empty::Null),
    Field::new("uuid", 1, Empty::Null),
    Field::new("vendor", 100, Empty::Null),
]);

/// What a list shows unless asked for more.
pub(super) const FEW: &[&str] = &["uuid", "address"];

/// What a list cannot be sorted by.
const NOT_SORTABLE: &[&str] = &[
    "extra",
    "internal_info",
    "local_link_connection",
    "node_uuid",
    "portgroup_uuid",
];

/// Refuses (406) fields that this version does not have. One that it merely does not show may
/// be named all the same.
pub(super) fn check_version<'a>(
    version: Version,
    names: impl IntoIterator<Item = &'a str>,
) -> Result<(), Fault> {
    let gated = names.into_iter().filter(|name| *name != "internal_info");
    PORT.check_version(version, gated)
}

/// Whether `fields=` may name it.
pub(super) fn is_selectable(name: &str) -> bool {
    name == "links" || PORT.names().any(|field| field == name)
}

/// The place in the record of what `sort_key` names; `None` for the order of creation.
pub(super) fn sort_path(key: &str) -> Option<Option<String>> {
    if key == "id" {
        return Some(None);
    }
    let sortable = PORT.names().any(|field| field == key) && !NOT_SORTABLE.contains(&key);
    sortable.then(|| Some(key.to_owned()))
}

/// A port as a client sees it, every field of it.
pub(super) fn document(port: &Port) -> Result<Map<String, Value>, Fault> {
    let record = serde_json::to_value(port).map_err(|e| Error::internal(e.to_string()))?;
    match record {
        Value::Object(record) => Ok(PORT.complete(record)),
        _ => Err(Error::internal("a port is no JSON object").into()),
    }
}

/// The port as this caller sees it.
pub(super) fn show(caller: &Caller, port: &Port, asked: Option<&[String]>) -> Result<Value, Fault> {
    let mut whole = document(port)?;
    let link = whole.get_mut("local_link_connection");
    if let Some(Value::Object(link)) = link
        && !caller.version.has(since::VTEP_LINKS)
        && VTEP_MEMBERS.iter().any(|name| link.contains_key(*name))
    {
        // Older clients would not know what to make of such a link.
        link.clear();
    }
    let mut shown = PORT.shown(caller.version, asked, whole);
    let path = format!("ports/{}", port.uuid);
    shown.insert("links".to_owned(), caller.endpoint.both(&path));
    Ok(Value::Object(shown))
}
