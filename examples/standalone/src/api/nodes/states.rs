//! `/v1/nodes/{ident}/states`, and the power of the machine.

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::{StatusCode, header};
use ironic_core::states::{PowerTarget, ProvisionState};
use serde_json::Value;

use super::super::arguments::{Arguments, QueryArguments};
use super::super::caller::{Caller, Ident};
use super::super::fault::Fault;
use super::super::version::since;
use super::view;

/// What the states of a node are, and from which version on each is told.
pub(super) const STATES: &[(&str, u16)] = &[
    ("boot_mode", since::BOOT_MODE),
    ("console_enabled", 1),
    ("last_error", 1),
    ("power_state", 1),
    ("provision_state", 1),
    ("provision_updated_at", 1),
    ("raid_config", since::RAID_CONFIG),
    ("secure_boot", since::BOOT_MODE),
    ("target_power_state", 1),
    ("target_provision_state", 1),
    ("target_raid_config", since::RAID_CONFIG),
];

/// `GET states`.
pub(super) async fn states(
    caller: Caller,
    Ident(ident): Ident,
    QueryArguments(query): QueryArguments,
) -> Result<Json<Value>, Fault> {
    query.end()?;
    let node = caller.node("baremetal:node:get_states", &ident).await?;
    let mut states = view::document(&node)?;
    states.retain(|name, _| {
        let state = STATES.iter().find(|(state, _)| state == name);
        state.is_some_and(|(_, from)| caller.version.has(*from))
    });
    view::put_state(caller.version, &mut states);
    Ok(Json(Value::Object(states)))
}

/// The answer to what goes on in the background: where to look how far it is.
pub(super) fn begun(caller: &Caller, ident: &str) -> Response {
    let location = caller.endpoint.url(&format!("nodes/{ident}/states"));
    (StatusCode::ACCEPTED, [(header::LOCATION, location)]).into_response()
}

/// `PUT states/power`.
pub(super) async fn power(
    caller: Caller,
    Ident(ident): Ident,
    mut arguments: Arguments,
) -> Result<Response, Fault> {
    let target = arguments.text("target")?;
    let timeout = arguments.integer("timeout")?;
    arguments.end()?;
    let target = target.ok_or_else(|| Fault::bad("target must be a power state"))?;
    let node = caller
        .node("baremetal:node:set_power_state", &ident)
        .await?;
    let target: Result<PowerTarget, _> = target.parse();
    let soft = matches!(target, Ok(PowerTarget::SoftReboot | PowerTarget::SoftOff));
    if soft || timeout.is_some_and(|timeout| timeout != 0) {
        caller.version.need(since::SOFT_POWER)?;
    }
    let timeout = timeout
        .map(|timeout| match u64::try_from(timeout) {
            Ok(seconds) if seconds > 0 => Ok(seconds),
            _ => Err(Fault::bad("timeout must be a positive number of seconds")),
        })
        .transpose()?;
    let target = target.map_err(|error| Fault::bad(format!("target: {error}")))?;
    let state = node.provision_state;
    if matches!(state, ProvisionState::Cleaning | ProvisionState::CleanWait) {
        return Err(Fault::bad(format!(
            "power cannot be changed while node {} is in state \"{state}\"",
            node.label()
        )));
    }
    if node.disable_power_off && matches!(target, PowerTarget::Off | PowerTarget::SoftOff) {
        return Err(Fault::conflict(format!(
            "power off is disabled for node {} (disable_power_off)",
            node.label()
        )));
    }
    caller.client.set_power(node.uuid, target, timeout).await?;
    Ok(begun(&caller, &ident))
}
