//! `/v1/nodes/{ident}/vifs`: which of an instance's networks a machine's ports are on.

use axum::Json;
use http::StatusCode;
use serde_json::{Value, json};

use super::super::args;
use super::super::arguments::{Document, QueryArguments};
use super::super::caller::{Caller, Ident, NodeAndName};
use super::super::fault::Fault;
use super::super::version::since;

/// `GET vifs`.
pub(super) async fn list(
    caller: Caller,
    Ident(ident): Ident,
    QueryArguments(query): QueryArguments,
) -> Result<Json<Value>, Fault> {
    query.end()?;
    let node = caller.node("baremetal:node:vif:list", &ident).await?;
    let vifs = caller.client.vifs(node.uuid).await?;
    Ok(Json(json!({"vifs": vifs})))
}

/// `POST vifs`.
pub(super) async fn attach(
    caller: Caller,
    Ident(ident): Ident,
    QueryArguments(query): QueryArguments,
    Document(body): Document,
) -> Result<StatusCode, Fault> {
    query.end()?;
    let Some(Value::Object(info)) = body else {
        return Err(Fault::bad("the body must be a JSON object with an id"));
    };
    let id = info.get("id").unwrap_or(&Value::Null);
    if args::uuid_or_name("id", id)?.is_none() {
        return Err(Fault::bad("id must be that of a virtual interface"));
    }
    let node = caller.node("baremetal:node:vif:attach", &ident).await?;
    let twice = info.contains_key("port_uuid") && info.contains_key("portgroup_uuid");
    if twice && caller.version.has(since::VIF_ON_A_PORT) {
        return Err(Fault::bad(
            "port_uuid and portgroup_uuid exclude each other",
        ));
    }
    caller.client.attach_vif(node.uuid, info).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `DELETE vifs/{id}`.
pub(super) async fn detach(
    caller: Caller,
    NodeAndName(ident, id): NodeAndName,
    QueryArguments(query): QueryArguments,
) -> Result<StatusCode, Fault> {
    query.end()?;
    args::uuid_or_name("id", &Value::from(id.as_str()))?;
    let node = caller.node("baremetal:node:vif:detach", &ident).await?;
    caller.client.detach_vif(node.uuid, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}
