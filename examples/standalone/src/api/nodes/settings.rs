//! What is set of a machine by its states: boot mode, secure boot, RAID, the console.

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::{StatusCode, header};
use ironic_core::ErrorKind;
use ironic_core::model::Node;
use ironic_core::states::BootMode;
use serde_json::{Map, Value, json};

use super::super::arguments::{Arguments, Document, QueryArguments};
use super::super::caller::{Caller, Ident};
use super::super::fault::Fault;
use super::super::version::since;
use super::states::begun;

/// The node of which the firmware is to be changed, which can be asked for since 1.76.
async fn changeable(caller: &Caller, rule: &str, ident: &str) -> Result<Node, Fault> {
    let node = caller.node(rule, ident).await?;
    if caller.version.has(since::CHANGE_BOOT_MODE) {
        return Ok(node);
    }
    Err(Fault::not_found(format!(
        "boot mode and secure boot are set since version 1.{} of the API",
        since::CHANGE_BOOT_MODE
    )))
}

/// What is booting or about to is left alone.
fn check_state(node: &Node) -> Result<(), Fault> {
    let state = node.provision_state;
    if state.is_in_progress() || state.is_waiting() {
        return Err(Fault::conflict(format!(
            "the firmware of node {} cannot be set while it is in state \"{state}\": try again later",
            node.label()
        )));
    }
    Ok(())
}

/// `PUT states/boot_mode`.
pub(super) async fn boot_mode(
    caller: Caller,
    Ident(ident): Ident,
    mut arguments: Arguments,
) -> Result<Response, Fault> {
    let target = arguments.text("target")?;
    arguments.end()?;
    let target = target.ok_or_else(|| Fault::bad("target must be a boot mode"))?;
    let node = changeable(&caller, "baremetal:node:set_boot_mode", &ident).await?;
    let mode: BootMode = target
        .parse()
        .map_err(|error| Fault::bad(format!("target: {error}")))?;
    check_state(&node)?;
    caller.client.set_boot_mode(node.uuid, mode).await?;
    Ok(begun(&caller, &ident))
}

/// `PUT states/secure_boot`.
pub(super) async fn secure_boot(
    caller: Caller,
    Ident(ident): Ident,
    mut arguments: Arguments,
) -> Result<Response, Fault> {
    let target = arguments.flag("target")?;
    arguments.end()?;
    let node = changeable(&caller, "baremetal:node:set_secure_boot", &ident).await?;
    let on = target.ok_or_else(|| Fault::bad("target must be true or false"))?;
    check_state(&node)?;
    caller.client.set_secure_boot(node.uuid, on).await?;
    Ok(begun(&caller, &ident))
}

/// `PUT states/raid`.
pub(super) async fn raid(
    caller: Caller,
    Ident(ident): Ident,
    QueryArguments(query): QueryArguments,
    Document(body): Document,
) -> Result<StatusCode, Fault> {
    query.end()?;
    let Value::Object(config) = body.unwrap_or_else(|| Value::Object(Map::new())) else {
        return Err(Fault::bad("a RAID configuration is a JSON object"));
    };
    let node = caller.node("baremetal:node:set_raid_state", &ident).await?;
    caller.version.need(since::RAID_CONFIG)?;
    let set = caller.client.set_target_raid(node.uuid, config).await;
    set.map_err(|error| match error.kind() {
        // Without an interface for it the machine has no such state.
        ErrorKind::Unsupported => Fault::from(error).with_status(StatusCode::NOT_FOUND),
        _ => error.into(),
    })?;
    Ok(StatusCode::NO_CONTENT)
}

/// `GET states/console`.
pub(super) async fn console(
    caller: Caller,
    Ident(ident): Ident,
    QueryArguments(query): QueryArguments,
) -> Result<Json<Value>, Fault> {
    query.end()?;
    let node = caller.node("baremetal:node:get_console", &ident).await?;
    if !node.console_enabled {
        return Ok(Json(
            json!({"console_enabled": false, "console_info": null}),
        ));
    }
    let info = caller.client.console(node.uuid).await?;
    // A console of which nothing is known tells nothing.
    let told = [("type", info.kind), ("url", info.url)].into_iter();
    let told = told.filter(|(_, text)| !text.is_empty());
    let told: Map<_, _> = told
        .map(|(name, text)| (name.to_owned(), text.into()))
        .collect();
    Ok(Json(json!({"console_enabled": true, "console_info": told})))
}

/// `PUT states/console`.
pub(super) async fn set_console(
    caller: Caller,
    Ident(ident): Ident,
    mut arguments: Arguments,
) -> Result<Response, Fault> {
    let on = arguments.flag("enabled")?;
    arguments.end()?;
    let on = on.ok_or_else(|| Fault::bad("enabled must be true or false"))?;
    let node = caller
        .node("baremetal:node:set_console_state", &ident)
        .await?;
    caller.client.set_console(node.uuid, on).await?;
    let path = format!("nodes/{ident}/states/console");
    let location = [(header::LOCATION, caller.endpoint.url(&path))];
    Ok((StatusCode::ACCEPTED, location).into_response())
}
