//! `/v1/nodes`.

mod create;
mod fields;
mod firmware;
mod history;
mod indicators;
mod insight;
mod list;
mod maintenance;
mod management;
mod media;
mod names;
mod patch;
mod provision;
mod routes;
mod settings;
mod shapes;
mod states;
pub(super) mod steps;
mod traits;
mod view;
mod vifs;

pub(super) use fields::FIELDS;
pub(super) use list::{detail_of_chassis, list_of_chassis, of_project};
pub use names::{is_reserved as is_reserved_node_name, is_valid as is_valid_node_name};
pub(super) use routes::routes;
pub(super) use shapes::{FILTERS, SHOWN};
pub use steps::{Steps, parse as parse_steps};
pub(super) use traits::of_body as traits_of_body;
pub(super) use view::show;

use axum::Json;
use http::StatusCode;
use ironic_core::states::InterfaceKind;
use serde_json::{Map, Value, json};

use super::args;
use super::arguments::QueryArguments;
use super::caller::{Caller, Ident};
use super::fault::Fault;
use super::permission::of_node;
use super::version::since;

/// `GET /v1/nodes/{ident}`.
async fn show_one(
    caller: Caller,
    Ident(ident): Ident,
    QueryArguments(mut query): QueryArguments,
) -> Result<Json<Value>, Fault> {
    let asked = query.list("fields")?;
    query.end()?;
    let node = caller.visible_node(&ident).await?;
    if let Some(asked) = &asked {
        caller.version.need(since::FIELDS_QUERY)?;
        FIELDS.check_asked(caller.version, Some(asked))?;
    }
    show(&caller, &node, asked.as_deref()).await.map(Json)
}

/// Who may remove any node.
const DELETE: &str = "baremetal:node:delete";

/// Who may remove a node of their own project, where projects look after their nodes themselves.
const DELETE_OWN: &str = "baremetal:node:delete:self_owned_node";

/// `DELETE /v1/nodes/{ident}`.
async fn delete(
    caller: Caller,
    Ident(ident): Ident,
    QueryArguments(query): QueryArguments,
) -> Result<StatusCode, Fault> {
    query.end()?;
    let node = caller.visible_node(&ident).await?;
    caller.need_either(DELETE, DELETE_OWN, &of_node(&node))?;
    caller.client.delete_node(node.uuid).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `GET /v1/nodes/{ident}/validate`.
async fn validate(
    caller: Caller,
    Ident(ident): Ident,
    QueryArguments(query): QueryArguments,
) -> Result<Json<Value>, Fault> {
    query.end()?;
    validated(&caller, &ident).await
}

/// `GET /v1/nodes/validate?node=…`: the same, from the time before nodes were named in paths.
async fn validate_by_argument(
    caller: Caller,
    QueryArguments(mut query): QueryArguments,
) -> Result<Json<Value>, Fault> {
    let ident = query.ident("node")?;
    let uuid = query.uuid("node_uuid")?;
    query.end()?;
    if ident
        .as_deref()
        .is_some_and(|ident| args::parse_uuid(ident).is_none())
    {
        caller.version.need(since::NODE_NAME)?;
    }
    let ident = uuid.map(|uuid| uuid.to_string()).or(ident);
    let ident = ident.ok_or_else(|| Fault::bad("node or node_uuid must name a node"))?;
    validated(&caller, &ident).await
}

async fn validated(caller: &Caller, ident: &str) -> Result<Json<Value>, Fault> {
    let node = caller.node("baremetal:node:validate", ident).await?;
    let results = caller.client.validate(node.uuid).await?;
    let mut answer = Map::new();
    for (kind, validation) in results {
        // Vendor interfaces are not among those that a client can make complete.
        if kind == InterfaceKind::Vendor {
            continue;
        }
        // To clients an interface that does nothing is one that is not ready.
        let mut entry = json!({"result": validation.result.unwrap_or(false)});
        if let (Some(reason), Some(entry)) = (validation.reason, entry.as_object_mut()) {
            entry.insert("reason".to_owned(), reason.into());
        }
        answer.insert(kind.to_string(), entry);
    }
    Ok(Json(Value::Object(answer)))
}
