//! Ports as answers show them.

use ironic_core::Error;
use ironic_core::model::Port;
use serde_json::{Map, Value};

use super::super::caller::Caller;
use super::super::fault::Fault;
use super::super::fields::{Fields, fields};
use super::super::link_connection::VTEP_MEMBERS;
use super::super::schema::{Is, TEXT};
use super::super::version::{Version, since};

/// The fields of a port; in front what a list shows.
pub(in super::super) const FIELDS: Fields = fields! {
    "uuid" since 1, Null, takes(Is::Uuid), brief;
    "address" since 1, Null, takes(Is::Mac), required, patchable, brief;

    "available_for_dynamic_portgroup" since 111, True, takes(Is::Bool), patchable;
    "category" since 101, Null, takes(Is::Text(0, 80)), patchable;
    "created_at" since 1, Null;
    "description" since 97, Null, takes(Is::Text(0, 255)), patchable;
    "extra" since 1, Object, takes(Is::Object), patchable, unordered;
    "internal_info" since 18, Object, named_since(1), unordered;
    "is_smartnic" since 53, False, takes(Is::Flag), patchable;
    "local_link_connection" since 19, Object, takes(Is::LinkConnection), patchable, unordered;
    "name" since 88, Null, takes(TEXT), patchable;
    "node_ident" since 94, Null, takes(TEXT), patchable, write_only;
    "node_uuid" since 1, Null, takes(Is::Uuid), patchable, unordered;
    "physical_network" since 34, Null, takes(Is::Text(0, 64)), patchable;
    "portgroup_uuid" since 24, Null, takes(Is::Uuid), patchable, unordered;
    "pxe_enabled" since 19, True, takes(Is::Flag), patchable;
    "updated_at" since 1, Null;
    "vendor" since 100, Null, takes(Is::Text(0, 32)), patchable;
};

/// The place in the record of what `sort_key` names; `None` for the order of creation.
pub(super) fn sort_path(key: &str) -> Option<String> {
    (key != "id").then(|| key.to_owned())
}

/// A port as a client sees it, every field of it.
pub(super) fn document(port: &Port) -> Result<Map<String, Value>, Fault> {
    let record = serde_json::to_value(port).map_err(|e| Error::internal(e.to_string()))?;
    match record {
        Value::Object(record) => Ok(FIELDS.complete(record)),
        _ => Err(Error::internal("a port is no JSON object").into()),
    }
}

/// Whether ports can be linked to a hardware VXLAN gateway in this version.
pub(super) fn knows_vtep(version: Version) -> bool {
    version.has(since::VTEP_LINKS) && !version.has(since::NO_VTEP_LINKS)
}

/// The port as this caller sees it.
pub(super) fn show(caller: &Caller, port: &Port, asked: Option<&[String]>) -> Result<Value, Fault> {
    let mut whole = document(port)?;
    let link = whole.get_mut("local_link_connection");
    if let Some(Value::Object(link)) = link
        && !knows_vtep(caller.version)
        && VTEP_MEMBERS.iter().any(|name| link.contains_key(*name))
    {
        // Clients of other versions would not know what to make of such a link.
        link.clear();
    }
    let mut shown = FIELDS.shown(caller.version, asked, whole);
    let path = format!("ports/{}", port.uuid);
    shown.insert("links".to_owned(), caller.endpoint.both(&path));
    Ok(Value::Object(shown))
}
