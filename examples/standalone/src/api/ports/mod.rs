//! `/v1/ports`.

mod change;
mod list;
mod view;

pub(super) use list::{detail_of_group, detail_of_node, list_of_group, list_of_node, of_nodes};
pub(super) use view::FIELDS;

use std::sync::Arc;

use axum::routing::get;
use axum::{Json, Router};
use http::StatusCode;
use ironic_core::Error;
use ironic_core::model::Port;
use serde_json::Value;

use super::arguments::QueryArguments;
use super::caller::{Caller, Segment};
use super::fault::Fault;
use super::version::since;
use super::{Api, args, root};

/// The routes.
pub(super) fn routes() -> Router<Arc<Api>> {
    Router::new()
        .route(
            "/ports",
            get(list::list)
                .post(change::create)
                .patch(root::not_on_a_collection)
                .delete(root::not_on_a_collection),
        )
        .route("/ports/detail", get(list::detail))
        .route(
            "/ports/{ident}",
            get(show).patch(change::patch).delete(change::delete),
        )
}

/// The port of this uuid or name.
async fn port(caller: &Caller, ident: &str) -> Result<Port, Fault> {
    if let Some(id) = args::parse_uuid(ident) {
        return Ok(caller.client.port(id).await?);
    }
    if !args::is_logical_name(ident) {
        let shown: String = ident.chars().take(80).collect();
        return Err(Fault::bad(format!(
            "{shown:?} is neither a uuid nor a name"
        )));
    }
    let repository = caller.client.repository();
    let found = repository.find::<Port>("name", ident).await?;
    let found = found.map(|port| port.value);
    Ok(found.ok_or_else(|| Error::not_found("port", ident))?)
}

/// `GET /v1/ports/{ident}`.
async fn show(
    caller: Caller,
    Segment(ident): Segment,
    QueryArguments(mut query): QueryArguments,
) -> Result<Json<Value>, Fault> {
    let asked = query.list("fields")?;
    query.end()?;
    let port = port(&caller, &ident).await?;
    if let Some(asked) = &asked {
        caller.version.need(since::FIELDS_QUERY)?;
        FIELDS.check_asked(caller.version, Some(asked))?;
    }
    view::show(&caller, &port, asked.as_deref()).map(Json)
}

/// What a deletion is answered.
const DELETED: StatusCode = StatusCode::NO_CONTENT;
