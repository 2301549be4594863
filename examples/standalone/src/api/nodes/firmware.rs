//! `/v1/nodes/{ident}/bios` and `/v1/nodes/{ident}/firmware`: what was last read of the settings
//! and versions of a machine's firmware.

use axum::Json;
use ironic_core::Error;
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::super::args;
use super::super::arguments::QueryArguments;
use super::super::caller::{Caller, Ident, NodeAndName};
use super::super::fault::Fault;
use super::super::fields::{Fields, fields};
use super::super::version::since::{BIOS, BIOS_REGISTRY, FIRMWARE, FIRMWARE_IDENTITY};

/// The fields of a setting.
pub(super) const SETTING: Fields = fields! {
    "name" since BIOS, Null, brief;
    "value" since BIOS, Null, brief;

    "allowable_values" since BIOS_REGISTRY, List;
    "attribute_type" since BIOS_REGISTRY, Null;
    "created_at" since BIOS, Null;
    "lower_bound" since BIOS_REGISTRY, Null;
    "max_length" since BIOS_REGISTRY, Null;
    "min_length" since BIOS_REGISTRY, Null;
    "read_only" since BIOS_REGISTRY, Null;
    "reset_required" since BIOS_REGISTRY, Null;
    "unique" since BIOS_REGISTRY, Null;
    "updated_at" since BIOS, Null;
    "upper_bound" since BIOS_REGISTRY, Null, unselectable;
};

/// The fields of a component.
pub(super) const COMPONENT: Fields = fields! {
    "component" since FIRMWARE, Null;
    "created_at" since FIRMWARE, Null;
    "current_version" since FIRMWARE, Null;
    "initial_version" since FIRMWARE, Null;
    "last_version_flashed" since FIRMWARE, Null;
    "model" since FIRMWARE_IDENTITY, Null, unknown_before;
    "serial_number" since FIRMWARE_IDENTITY, Null, unknown_before;
    "updated_at" since FIRMWARE, Null;
    "vendor" since FIRMWARE_IDENTITY, Null, unknown_before;
};

/// What every answer shows, whatever is asked for.
const TIMES: &[&str] = &["created_at", "updated_at"];

/// `GET bios`.
pub(super) async fn settings(
    caller: Caller,
    Ident(ident): Ident,
    QueryArguments(mut query): QueryArguments,
) -> Result<Json<Value>, Fault> {
    let (asked, detail) = if caller.version.has(BIOS_REGISTRY) {
        (query.list("fields")?, query.flag("detail")?)
    } else {
        (None, None)
    };
    query.end()?;
    SETTING.check_asked(caller.version, asked.as_deref())?;
    let asked = SETTING.few_or_asked(asked, detail)?;
    let node = caller.node("baremetal:node:bios:get", &ident).await?;
    let mut settings = caller.client.bios_settings(node.uuid).await?;
    settings.sort_by(|one, other| one.name.cmp(&other.name));
    let shown = settings.iter().map(|setting| {
        let shown = shown(&caller, SETTING, asked.clone(), setting)?;
        Ok(linked(&caller, &ident, &setting.name, shown))
    });
    let shown: Vec<_> = shown.collect::<Result<_, Fault>>()?;
    Ok(Json(json!({"bios": shown})))
}

/// `GET bios/{name}`.
pub(super) async fn setting(
    caller: Caller,
    NodeAndName(ident, name): NodeAndName,
    QueryArguments(query): QueryArguments,
) -> Result<Json<Value>, Fault> {
    query.end()?;
    if !args::is_logical_name(&name) {
        return Err(Fault::bad("the path must end in the name of a setting"));
    }
    let node = caller.node("baremetal:node:bios:get", &ident).await?;
    let settings = caller.client.bios_settings(node.uuid).await?;
    let setting = settings.iter().find(|setting| setting.name == name);
    let setting = setting.ok_or_else(|| Error::not_found("BIOS setting", &name))?;
    let shown = shown(&caller, SETTING, None, setting)?;
    let shown = linked(&caller, &node.uuid.to_string(), &name, shown);
    Ok(Json(json!({name: shown})))
}

/// `GET firmware`.
pub(super) async fn components(
    caller: Caller,
    Ident(ident): Ident,
    QueryArguments(mut query): QueryArguments,
) -> Result<Json<Value>, Fault> {
    let asked = query.list("fields")?;
    query.end()?;
    COMPONENT.check_asked(caller.version, asked.as_deref())?;
    let node = caller.node("baremetal:node:firmware:get", &ident).await?;
    let components = caller.client.firmware(node.uuid).await?;
    let shown = components
        .iter()
        .map(|component| shown(&caller, COMPONENT, asked.clone(), component));
    let shown: Vec<_> = shown.collect::<Result<_, Fault>>()?;
    Ok(Json(json!({"firmware": shown})))
}

fn shown(
    caller: &Caller,
    fields: Fields,
    mut asked: Option<Vec<String>>,
    record: &impl Serialize,
) -> Result<Map<String, Value>, Fault> {
    if let Some(asked) = &mut asked {
        asked.extend(TIMES.iter().map(|name| (*name).to_owned()));
    }
    let record = serde_json::to_value(record).map_err(|e| Error::internal(e.to_string()))?;
    let record = record.as_object().cloned().unwrap_or_default();
    let record = fields.complete(record);
    Ok(fields.shown(caller.version, asked.as_deref(), record))
}

fn linked(caller: &Caller, node: &str, name: &str, mut shown: Map<String, Value>) -> Value {
    let path = format!("nodes/{node}/bios/{name}");
    shown.insert("links".to_owned(), caller.endpoint.both(&path));
    Value::Object(shown)
}
