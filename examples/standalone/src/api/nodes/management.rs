//! `/v1/nodes/{ident}/management`.

use axum::Json;
use http::StatusCode;
use ironic_core::states::BootDevice;
use serde_json::{Value, json};

use super::super::arguments::{Arguments, QueryArguments};
use super::super::caller::{Caller, Ident};
use super::super::fault::Fault;
use super::super::version::since;

/// `GET boot_device`.
pub(super) async fn boot_device(
    caller: Caller,
    Ident(ident): Ident,
    QueryArguments(query): QueryArguments,
) -> Result<Json<Value>, Fault> {
    query.end()?;
    let node = caller
        .node("baremetal:node:get_boot_device", &ident)
        .await?;
    let setting = caller.client.boot_device(node.uuid).await?;
    Ok(Json(json!({
        "boot_device": setting.device,
        "persistent": setting.persistent,
    })))
}

/// `PUT boot_device`.
pub(super) async fn set_boot_device(
    caller: Caller,
    Ident(ident): Ident,
    mut arguments: Arguments,
) -> Result<StatusCode, Fault> {
    let device = arguments.text("boot_device")?;
    let persistent = arguments.flag("persistent")?.unwrap_or(false);
    arguments.end()?;
    let device = device.ok_or_else(|| Fault::bad("boot_device must name a device"))?;
    let node = caller
        .node("baremetal:node:set_boot_device", &ident)
        .await?;
    let device: BootDevice = device
        .parse()
        .map_err(|error| Fault::bad(format!("boot_device: {error}")))?;
    caller
        .client
        .set_boot_device(node.uuid, device, persistent)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `GET boot_device/supported`.
pub(super) async fn supported_boot_devices(
    caller: Caller,
    Ident(ident): Ident,
    QueryArguments(query): QueryArguments,
) -> Result<Json<Value>, Fault> {
    query.end()?;
    let node = caller
        .node("baremetal:node:get_boot_device", &ident)
        .await?;
    let devices = caller.client.supported_boot_devices(node.uuid).await?;
    Ok(Json(json!({"supported_boot_devices": devices})))
}

/// `PUT inject_nmi`.
pub(super) async fn inject_nmi(
    caller: Caller,
    Ident(ident): Ident,
    arguments: Arguments,
) -> Result<StatusCode, Fault> {
    arguments.end()?;
    if !caller.version.has(since::INJECT_NMI) {
        let message = format!("inject_nmi is there since version 1.{}", since::INJECT_NMI);
        return Err(Fault::not_found(message));
    }
    let node = caller.node("baremetal:node:inject_nmi", &ident).await?;
    caller.client.inject_nmi(node.uuid).await?;
    Ok(StatusCode::NO_CONTENT)
}
