//! `POST /v1/nodes`.

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::{StatusCode, header};
use ironic_core::model::Node;
use ironic_core::states::ProvisionState;
use ironic_core::store::Kind;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::super::arguments::{Document, QueryArguments};
use super::super::caller::Caller;
use super::super::fault::Fault;
use super::super::version::since;
use super::super::{args, schema};
use super::fields::{FIELDS, record_path};
use super::{names, view};

/// Who may enrol any node.
const CREATE: &str = "baremetal:node:create";

/// Who may enrol nodes of their own project.
const CREATE_OWN: &str = "baremetal:node:create:self_owned_node";

/// `POST /v1/nodes`.
pub(super) async fn create(
    caller: Caller,
    QueryArguments(query): QueryArguments,
    Document(body): Document,
) -> Result<Response, Fault> {
    query.end()?;
    let body = body.unwrap_or_else(|| Value::Object(Map::new()));
    let mut body = schema::NODE.check(body)?;
    check_version(&caller, &body)?;
    if let Some(name) = body.get("name").and_then(Value::as_str) {
        names::check(name, caller.version)?;
    }
    authorize(&caller, &mut body)?;
    body.retain(|field, value| !matches!(&**field, "owner" | "resource_class") || value != "");
    refer(&caller, &mut body, None).await?;
    let node = caller.client.create_node(record(&caller, body)?).await?;
    let shown = view::show(&caller, &node, None).await?;
    let location = caller.endpoint.url(&format!("nodes/{}", node.uuid));
    Ok((
        StatusCode::CREATED,
        [(header::LOCATION, location)],
        Json(shown),
    )
        .into_response())
}

/// Refuses fields that are set and that this version does not have.
fn check_version(caller: &Caller, body: &Map<String, Value>) -> Result<(), Fault> {
    let set = body.iter().filter(|(name, value)| match name.as_str() {
        "conductor_group" => *value != "",
        _ => !value.is_null(),
    });
    FIELDS.check_version(caller.version, set.map(|(name, _)| name.as_str()))
}

/// Who may enrol nodes, those of their own project or any.
fn authorize(caller: &Caller, body: &mut Map<String, Value>) -> Result<(), Fault> {
    let own = caller.api.settings.projects_manage_own_nodes && caller.may(CREATE_OWN);
    if !own {
        return caller.need(CREATE);
    }
    if caller.is_of_system() {
        return Ok(());
    }
    match body.get("owner").and_then(Value::as_str) {
        None | Some("") => {}
        Some(owner) if caller.project() == Some(owner) => {}
        Some(_) => {
            return Err(Fault::bad(
                "a node is enrolled for the caller's own project; set its owner afterwards",
            ));
        }
    }
    body.insert("owner".to_owned(), caller.project().into());
    Ok(())
}

/// Makes sure that what the node refers to is there, and names it by its uuid. `owner` is the
/// owner of a node that exists already.
pub(super) async fn refer(
    caller: &Caller,
    body: &mut Map<String, Value>,
    owner: Option<&str>,
) -> Result<(), Fault> {
    if let Some(chassis) = body.get("chassis_uuid").and_then(Value::as_str) {
        let id = args::parse_uuid(chassis).unwrap_or_default();
        let store = caller.client.repository().store();
        let found = store.get(Kind::Chassis, id).await;
        let found = found.map_err(ironic_core::Error::from)?;
        if found.is_none() {
            return Err(Fault::bad(format!("there is no chassis {id}")));
        }
    }
    let Some(ident) = body.get("parent_node").and_then(Value::as_str) else {
        return Ok(());
    };
    // Whether there is such a node is not told apart from whether it may be the parent.
    let refusal = || Fault::bad("parent_node names no node that can be the parent");
    let parent = caller.visible_node(ident).await.map_err(|_| refusal())?;
    let owner = owner.or_else(|| body.get("owner").and_then(Value::as_str));
    if parent.owner.as_deref() != owner {
        return Err(refusal());
    }
    body.insert("parent_node".to_owned(), parent.uuid.to_string().into());
    Ok(())
}

/// The node that a checked body describes.
fn record(caller: &Caller, body: Map<String, Value>) -> Result<Node, Fault> {
    let fresh = if caller.version.has(since::ENROLL_STATE) {
        ProvisionState::Enroll
    } else {
        ProvisionState::Available
    };
    let mut record = Map::new();
    record.insert("uuid".to_owned(), Uuid::nil().to_string().into());
    record.insert("provision_state".to_owned(), fresh.as_str().into());
    for (field, value) in body {
        if value.is_null() {
            continue;
        }
        match record_path(&field).as_slice() {
            [group, name] => {
                let group = record
                    .entry(group.clone())
                    .or_insert_with(|| Value::Object(Map::new()));
                if let Some(group) = group.as_object_mut() {
                    group.insert(name.clone(), value);
                }
            }
            _ => {
                record.insert(field, value);
            }
        }
    }
    let settings = &caller.api.settings;
    for (field, default) in [
        ("resource_class", &settings.default_resource_class),
        ("conductor_group", &settings.default_conductor_group),
    ] {
        let unset = record.get(field).is_none_or(|value| *value == "");
        if let (true, Some(default)) = (unset, default) {
            record.insert(field.to_owned(), default.clone().into());
        }
    }
    for field in ["uuid", "instance_uuid", "chassis_uuid"] {
        if let Some(value) = record.get_mut(field) {
            let id = value.as_str().and_then(args::parse_uuid);
            *value = id.unwrap_or_default().to_string().into();
        }
    }
    serde_json::from_value(Value::Object(record))
        .map_err(|error| Fault::bad(format!("a field has a wrong value: {error}")))
}
