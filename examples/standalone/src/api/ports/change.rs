//! `POST /v1/ports`, and `PATCH` and `DELETE` of one.

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::{StatusCode, header};
use ironic_core::model::Port;
use ironic_core::states::ProvisionState;
use ironic_core::store::Kind;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::super::arguments::{Document, QueryArguments};
use super::super::caller::{Caller, Segment, as_bad_request};
use super::super::fault::Fault;
use super::super::patch::{Patch, changes};
use super::super::version::since;
use super::super::{args, link_connection, schema};
use super::view::{FIELDS, document, knows_vtep, show};
use super::{DELETED, port_to};

/// The fields of which a patch needs the version that has them.
const GATED: &[&str] = &[
    "pxe_enabled",
    "local_link_connection",
    "portgroup_uuid",
    "physical_network",
    "is_smartnic",
];

/// `POST /v1/ports`.
pub(super) async fn create(
    caller: Caller,
    QueryArguments(query): QueryArguments,
    Document(body): Document,
) -> Result<Response, Fault> {
    query.end()?;
    let body = body.unwrap_or_else(|| Value::Object(Map::new()));
    let mut body = schema::PORT.check(body)?;
    let ident = match (body.remove("node_ident"), body.remove("node_uuid")) {
        (Some(ident), None) => {
            caller.version.need(since::PORT_BY_NODE_IDENT)?;
            ident
        }
        (None, Some(uuid)) => uuid,
        _ => return Err(Fault::bad("a port needs one of node_uuid and node_ident")),
    };
    let ident = ident.as_str().unwrap_or_default();
    let node = caller
        .node_to_add_to("baremetal:port:create", ident)
        .await?;
    check_set(&caller, &body)?;
    check_group(&caller, &body).await?;
    check_network(&body)?;
    let smart = body.get("is_smartnic") == Some(&Value::Bool(true));
    if smart && !link_connection::is_of_smart_nic(body.get("local_link_connection")) {
        return Err(Fault::bad(
            "a smart NIC's local_link_connection needs port_id and hostname",
        ));
    }
    let port = record(body, node.uuid)?;
    let port = caller
        .client
        .create_port(port)
        .await
        .map_err(as_bad_request)?;
    let location = caller.endpoint.url(&format!("ports/{}", port.uuid));
    let shown = show(&caller, &port, None)?;
    Ok((
        StatusCode::CREATED,
        [(header::LOCATION, location)],
        Json(shown),
    )
        .into_response())
}

/// Refuses fields that this version does not have, be they null.
fn check_set(caller: &Caller, body: &Map<String, Value>) -> Result<(), Fault> {
    FIELDS.check_version(caller.version, body.keys().map(String::as_str))?;
    let Some(Value::Object(link)) = body.get("local_link_connection") else {
        return Ok(());
    };
    if link.contains_key("network_type") {
        caller.version.need(since::LINK_NETWORK_TYPE)?;
    }
    if link.contains_key("vtep-logical-switch") && !knows_vtep(caller.version) {
        return Err(Fault::not_acceptable(
            "links to vtep switches need a version of the API from 1.90 to 1.104",
        ));
    }
    Ok(())
}

async fn check_group(caller: &Caller, body: &Map<String, Value>) -> Result<(), Fault> {
    let Some(group) = body.get("portgroup_uuid").and_then(Value::as_str) else {
        return Ok(());
    };
    let id = args::parse_uuid(group).unwrap_or_default();
    let store = caller.client.repository().store();
    let found = store.get(Kind::Portgroup, id).await;
    match found.map_err(ironic_core::Error::from)? {
        Some(_) => Ok(()),
        None => Err(Fault::bad(format!("there is no port group {id}"))),
    }
}

fn check_network(body: &Map<String, Value>) -> Result<(), Fault> {
    if body.get("physical_network") == Some(&Value::from("")) {
        return Err(Fault::bad("physical_network must not be empty"));
    }
    Ok(())
}

/// The port that a checked body describes.
fn record(mut body: Map<String, Value>, node: Uuid) -> Result<Port, Fault> {
    body.retain(|_, value| !value.is_null());
    let uuid = body
        .get("uuid")
        .and_then(|id| args::parse_uuid(id.as_str()?));
    body.insert(
        "uuid".to_owned(),
        uuid.unwrap_or_default().to_string().into(),
    );
    body.insert("node_uuid".to_owned(), node.to_string().into());
    serde_json::from_value(Value::Object(body))
        .map_err(|error| Fault::bad(format!("a field has a wrong value: {error}")))
}

/// `PATCH /v1/ports/{ident}`.
pub(super) async fn patch(
    caller: Caller,
    Segment(ident): Segment,
    QueryArguments(query): QueryArguments,
    Document(body): Document,
) -> Result<Json<Value>, Fault> {
    query.end()?;
    let patch = Patch::from_request(&body.unwrap_or_else(|| Value::Object(Map::new())))?;
    let patchable_fields: Vec<_> = FIELDS.patchable().map(|field| field.name).collect();
    patch.check_fields(caller.version, &patchable_fields)?;
    let touched = |name: &&&str| {
        let path = format!("/{name}");
        !patch.values(&path).is_empty() || patch.removes(&path)
    };
    let touched = GATED.iter().filter(touched).copied();
    FIELDS.check_version(caller.version, touched)?;
    let (port, node) = port_to(&caller, "baremetal:port:update", &ident).await?;
    let before = document(&port)?;
    let mut after = patch.apply(&Value::Object(before.clone()))?;
    check_moved(&caller, &patch, &port).await?;
    if let (Some(after), false) = (after.as_object_mut(), patch.values("/node_uuid").is_empty()) {
        // It may have been named otherwise.
        after.insert("node_uuid".to_owned(), port.node_uuid.to_string().into());
    }
    let after = schema::PORT.check_known(after)?;
    if after.get("portgroup_uuid") != before.get("portgroup_uuid") {
        check_group(&caller, &after).await?;
    }
    let inspecting = node.provision_state == ProvisionState::Inspecting;
    if inspecting && caller.version.has(since::INSPECT_WAIT_STATE) {
        return Err(Fault::conflict(format!(
            "port {} cannot be updated while node {} is in state \"inspecting\"",
            port.uuid,
            node.label()
        )));
    }
    if patch.updates("/physical_network") {
        check_network(&after)?;
    }
    let changes = changes(&patchable(before), &patchable(after));
    let port = caller.client.update_port(port.uuid, changes).await?;
    show(&caller, &port, None).map(Json)
}

/// A port stays with its node.
async fn check_moved(caller: &Caller, patch: &Patch, port: &Port) -> Result<(), Fault> {
    for ident in patch.values("/node_uuid") {
        let ident = ident.as_str().unwrap_or_default();
        let refusal = || Fault::bad("node_uuid names no node that the port can belong to");
        let node = caller.visible_node(ident).await;
        let node = node.map_err(|fault| fault.instead_of_missing(refusal()))?;
        if node.uuid != port.node_uuid {
            return Err(Fault::conflict("a port cannot be moved to another node"));
        }
    }
    Ok(())
}

/// What of a port is written to its record: it stays with its node.
fn patchable(port: Map<String, Value>) -> Map<String, Value> {
    let mut port = FIELDS.only_patchable(port);
    port.retain(|name, _| !name.starts_with("node_"));
    port
}

/// `DELETE /v1/ports/{uuid}`.
pub(super) async fn delete(
    caller: Caller,
    Segment(ident): Segment,
    QueryArguments(query): QueryArguments,
) -> Result<StatusCode, Fault> {
    query.end()?;
    let shown: String = ident.chars().take(80).collect();
    if args::parse_uuid(&ident).is_none() {
        return Err(Fault::bad(format!("{shown:?} is no uuid")));
    }
    let (port, _) = port_to(&caller, "baremetal:port:delete", &ident).await?;
    caller.client.delete_port(port.uuid).await?;
    Ok(DELETED)
}
