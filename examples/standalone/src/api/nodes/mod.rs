//! `/v1/nodes`.

mod create;
mod fields;
mod list;
mod maintenance;
mod management;
mod names;
mod patch;
mod provision;
mod states;
pub(super) mod steps;
mod traits;
mod view;

pub use names::{is_reserved as is_reserved_node_name, is_valid as is_valid_node_name};
pub use steps::{Steps, parse as parse_steps};
pub(super) use traits::of_body as traits_of_body;
pub(super) use view::show;

use std::sync::Arc;

use axum::routing::{any, get, put};
use axum::{Extension, Json, Router};
use http::StatusCode;
use ironic_core::states::InterfaceKind;
use serde_json::{Map, Value, json};

use super::Api;
use super::arguments::{BodyLimit, PROVISION_BODY_LIMIT, QueryArguments};
use super::caller::{Caller, Ident};
use super::fault::Fault;
use super::version::since;
use super::{fields as field, ports, root};

/// The routes.
pub(super) fn routes() -> Router<Arc<Api>> {
    let provision = put(provision::provision).layer(Extension(BodyLimit(PROVISION_BODY_LIMIT)));
    Router::new()
        .route(
            "/nodes",
            get(list::list)
                .post(create::create)
                .patch(root::not_on_a_collection)
                .delete(root::not_on_a_collection),
        )
        .route("/nodes/detail", get(list::detail))
        .route("/nodes/validate", get(validate_by_argument))
        .route(
            "/nodes/{ident}",
            get(show_one).patch(patch::patch).delete(delete),
        )
        .route("/nodes/{ident}/validate", get(validate))
        .route("/nodes/{ident}/children", get(list::children))
        .route("/nodes/{ident}/ports", get(ports::list_of_node))
        .route("/nodes/{ident}/ports/detail", get(ports::detail_of_node))
        .route(
            "/nodes/{ident}/maintenance",
            put(maintenance::set).delete(maintenance::unset),
        )
        .route("/nodes/{ident}/states", get(states::states))
        .route("/nodes/{ident}/states/power", put(states::power))
        .route("/nodes/{ident}/states/provision", provision)
        .route(
            "/nodes/{ident}/traits",
            get(traits::list)
                .put(traits::replace)
                .delete(traits::remove_all),
        )
        .route(
            "/nodes/{ident}/traits/{name}",
            put(traits::add).delete(traits::remove),
        )
        .route("/nodes/{ident}/management", any(root::no_such_method))
        .route(
            "/nodes/{ident}/management/{what}",
            any(root::no_such_method),
        )
        .route(
            "/nodes/{ident}/management/boot_device",
            get(management::boot_device).put(management::set_boot_device),
        )
        .route(
            "/nodes/{ident}/management/boot_device/supported",
            get(management::supported_boot_devices),
        )
}

/// `GET /v1/nodes/{ident}`.
async fn show_one(
    caller: Caller,
    Ident(ident): Ident,
    QueryArguments(mut query): QueryArguments,
) -> Result<Json<Value>, Fault> {
    let asked = query.list("fields")?;
    query.end()?;
    let node = caller.node(&ident).await?;
    if let Some(asked) = &asked {
        caller.version.need(since::FIELDS_QUERY)?;
        let names = asked.iter().map(String::as_str);
        fields::NODE.check_version(caller.version, names)?;
        field::check_known(asked, fields::is_selectable)?;
    }
    show(&caller, &node, asked.as_deref()).await.map(Json)
}

/// `DELETE /v1/nodes/{ident}`.
async fn delete(
    caller: Caller,
    Ident(ident): Ident,
    QueryArguments(query): QueryArguments,
) -> Result<StatusCode, Fault> {
    query.end()?;
    let node = caller.node(&ident).await?;
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
    let ident = uuid.map(|uuid| uuid.to_string()).or(ident);
    let ident = ident.ok_or_else(|| Fault::bad("node or node_uuid must name a node"))?;
    validated(&caller, &ident).await
}

async fn validated(caller: &Caller, ident: &str) -> Result<Json<Value>, Fault> {
    let node = caller.node(ident).await?;
    let results = caller.client.validate(node.uuid).await?;
    let mut answer = Map::new();
    for (kind, validation) in results {
        // Vendor interfaces are not among those that a client can make complete.
        if kind == InterfaceKind::Vendor {
            continue;
        }
        let mut entry = json!({"result": validation.result});
        if let (Some(reason), Some(entry)) = (validation.reason, entry.as_object_mut()) {
            entry.insert("reason".to_owned(), reason.into());
        }
        answer.insert(kind.to_string(), entry);
    }
    Ok(Json(Value::Object(answer)))
}
