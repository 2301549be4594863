//! `/v1/nodes/{ident}/traits`.

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::{StatusCode, header};
use ironic_core::model::is_valid_trait;
use serde_json::{Value, json};

use super::super::arguments::{Document, QueryArguments};
use super::super::caller::{Caller, Ident, NodeAndName};
use super::super::fault::Fault;
use super::super::version::since;

/// What a node that a trait was set for, or taken from, is answered.
const DONE: StatusCode = StatusCode::NO_CONTENT;

/// Refuses what there is since 1.37 only, as paths are that an older version does not have: each
/// method in its own way.
fn check_version(caller: &Caller, otherwise: StatusCode) -> Result<(), Fault> {
    if caller.version.has(since::TRAITS) {
        return Ok(());
    }
    let message = format!(
        "traits need at least version 1.{} of the API",
        since::TRAITS
    );
    Err(Fault::new(otherwise, message))
}

/// `GET traits`.
pub(super) async fn list(
    caller: Caller,
    Ident(ident): Ident,
    QueryArguments(query): QueryArguments,
) -> Result<Json<Value>, Fault> {
    query.end()?;
    check_version(&caller, StatusCode::NOT_ACCEPTABLE)?;
    let node = caller.node("baremetal:node:traits:list", &ident).await?;
    let traits = caller.client.traits(node.uuid).await?;
    Ok(Json(json!({"traits": traits})))
}

/// The names of `{"traits": […]}`.
pub(in super::super) fn of_body(body: Option<Value>) -> Result<Vec<String>, Fault> {
    let wrong = || {
        Fault::bad("the body must be {\"traits\": […]}: names of traits, CUSTOM_… or standard ones")
    };
    let Some(Value::Object(mut body)) = body else {
        return Err(wrong());
    };
    let Some(Value::Array(names)) = body.remove("traits") else {
        return Err(wrong());
    };
    let name = |name: Value| {
        name.as_str()
            .filter(|name| is_valid_trait(name))
            .map(str::to_owned)
    };
    let names: Option<Vec<String>> = names.into_iter().map(name).collect();
    names.filter(|_| body.is_empty()).ok_or_else(wrong)
}

/// `PUT traits`: exactly those of the body.
pub(super) async fn replace(
    caller: Caller,
    Ident(ident): Ident,
    QueryArguments(query): QueryArguments,
    Document(body): Document,
) -> Result<StatusCode, Fault> {
    query.end()?;
    check_version(&caller, StatusCode::METHOD_NOT_ALLOWED)?;
    let names = of_body(body)?;
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    let node = caller.node("baremetal:node:traits:set", &ident).await?;
    caller.client.set_traits(node.uuid, &names).await?;
    Ok(DONE)
}

/// `PUT traits/{name}`: that one besides the others.
pub(super) async fn add(
    caller: Caller,
    NodeAndName(ident, name): NodeAndName,
    QueryArguments(query): QueryArguments,
    Document(body): Document,
) -> Result<Response, Fault> {
    query.end()?;
    check_version(&caller, StatusCode::METHOD_NOT_ALLOWED)?;
    if !is_valid_trait(&name) {
        return Err(Fault::bad(
            "the path must end in a trait, CUSTOM_… or a standard one",
        ));
    }
    let empty =
        |body: &Value| body.is_null() || body.as_object().is_some_and(serde_json::Map::is_empty);
    if body.is_some_and(|body| !empty(&body)) {
        return Err(Fault::bad(
            "the path names the trait, so there is to be no body",
        ));
    }
    let node = caller.node("baremetal:node:traits:set", &ident).await?;
    caller.client.add_traits(node.uuid, &[&name]).await?;
    let location = caller.endpoint.url(&format!("nodes/{ident}/traits/{name}"));
    Ok((DONE, [(header::LOCATION, location)]).into_response())
}

/// `DELETE traits`: all of them.
pub(super) async fn remove_all(
    caller: Caller,
    Ident(ident): Ident,
    QueryArguments(query): QueryArguments,
) -> Result<StatusCode, Fault> {
    query.end()?;
    check_version(&caller, StatusCode::NOT_FOUND)?;
    let node = caller.node("baremetal:node:traits:delete", &ident).await?;
    caller.client.remove_traits(node.uuid, None).await?;
    Ok(DONE)
}

/// `DELETE traits/{name}`.
pub(super) async fn remove(
    caller: Caller,
    NodeAndName(ident, name): NodeAndName,
    QueryArguments(query): QueryArguments,
) -> Result<StatusCode, Fault> {
    query.end()?;
    check_version(&caller, StatusCode::NOT_FOUND)?;
    let node = caller.node("baremetal:node:traits:delete", &ident).await?;
    let names = [name.as_str()];
    caller.client.remove_traits(node.uuid, Some(&names)).await?;
    Ok(DONE)
}
