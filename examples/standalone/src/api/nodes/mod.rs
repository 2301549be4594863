//! `/v1/nodes`.

mod create;
mod fields;
mod firmware;
mod history;
mod indicators;
mod list;
mod maintenance;
mod management;
mod media;
mod names;
mod patch;
mod provision;
mod settings;
mod states;
pub(super) mod steps;
mod traits;
mod view;
mod vifs;

pub(super) use fields::FIELDS;
pub(super) use list::{detail_of_chassis, list_of_chassis};
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
use super::{ports, root};

/// The routes.
pub(super) fn routes() -> Router<Arc<Api>> {
    records().merge(states()).merge(management())
}

/// Nodes, and what there is of them beside their state.
fn records() -> Router<Arc<Api>> {
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
        .route(
            "/nodes/{ident}/ports",
            get(ports::list_of_node).post(root::not_within_another),
        )
        .route("/nodes/{ident}/ports/detail", get(ports::detail_of_node))
        .route("/nodes/{ident}/ports/{port}", any(root::not_within_another))
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
        .route("/nodes/{ident}/bios", get(firmware::settings))
        .route("/nodes/{ident}/bios/{name}", get(firmware::setting))
        .route("/nodes/{ident}/firmware", get(firmware::components))
        .route(
            "/nodes/{ident}/firmware/{component}",
            any(root::no_such_method),
        )
        .route("/nodes/{ident}/history", get(history::list))
        .route("/nodes/{ident}/history/{event}", get(history::show))
        .route("/nodes/{ident}/inventory", get(history::inventory))
        .route(
            "/nodes/{ident}/vifs",
            get(vifs::list)
                .post(vifs::attach)
                .delete(root::not_on_a_collection),
        )
        .route(
            "/nodes/{ident}/vifs/{id}",
            axum::routing::delete(vifs::detach),
        )
        .route(
            "/nodes/{ident}/vmedia",
            get(media::list).post(media::attach).delete(media::detach),
        )
}

/// What state nodes are in, and are to be in.
fn states() -> Router<Arc<Api>> {
    let provision = put(provision::provision).layer(Extension(BodyLimit(PROVISION_BODY_LIMIT)));
    Router::new()
        .route(
            "/nodes/{ident}/maintenance",
            put(maintenance::set).delete(maintenance::unset),
        )
        .route("/nodes/{ident}/states", get(states::states))
        .route("/nodes/{ident}/states/{what}", any(root::no_such_method))
        .route("/nodes/{ident}/states/power", put(states::power))
        .route("/nodes/{ident}/states/provision", provision)
        .route("/nodes/{ident}/states/boot_mode", put(settings::boot_mode))
        .route(
            "/nodes/{ident}/states/secure_boot",
            put(settings::secure_boot),
        )
        .route("/nodes/{ident}/states/raid", put(settings::raid))
        .route(
            "/nodes/{ident}/states/console",
            get(settings::console).put(settings::set_console),
        )
}

/// What else is asked of machines.
fn management() -> Router<Arc<Api>> {
    Router::new()
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
        .route(
            "/nodes/{ident}/management/inject_nmi",
            put(management::inject_nmi),
        )
        .route(
            "/nodes/{ident}/management/indicators",
            get(indicators::list),
        )
        .route(
            "/nodes/{ident}/management/indicators/{name}",
            get(indicators::show).put(indicators::set),
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
        FIELDS.check_asked(caller.version, Some(asked))?;
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
