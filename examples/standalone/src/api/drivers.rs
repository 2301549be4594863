//! `/v1/drivers`: the hardware types.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use axum::routing::get;
use axum::{Json, Router};
use http::StatusCode;
use ironic_core::states::InterfaceKind;
use ironic_core::{Error, ErrorKind};
use serde_json::{Map, Value, json};

use super::Api;
use super::arguments::QueryArguments;
use super::caller::{Caller, Segment};
use super::fault::Fault;
use super::version::since;

/// From which version on the interfaces of a kind are told; the others are since 1.30.
const INTERFACES_SINCE: &[(InterfaceKind, u16)] = &[
    (InterfaceKind::Storage, 33),
    (InterfaceKind::Rescue, since::RESCUE),
    (InterfaceKind::Bios, 40),
    (InterfaceKind::Firmware, 86),
];

/// The routes.
pub(super) fn routes() -> Router<Arc<Api>> {
    Router::new()
        .route("/drivers", get(list))
        .route("/drivers/{name}", get(show))
        .route("/drivers/{name}/properties", get(properties))
        .route("/drivers/properties", get(properties_by_argument))
        .route(
            "/drivers/{name}/raid/logical_disk_properties",
            get(logical_disk_properties),
        )
}

async fn list(
    caller: Caller,
    QueryArguments(mut query): QueryArguments,
) -> Result<Json<Value>, Fault> {
    let sort = query.text("type")?;
    let detail = query.flag("detail")?;
    let fields = query.list("fields")?;
    query.end()?;
    if fields.is_some() && detail == Some(true) {
        return Err(Fault::bad("fields and detail exclude each other"));
    }
    if detail.is_some() || sort.is_some() {
        caller.version.need(since::DYNAMIC_DRIVERS)?;
    }
    if fields.is_some() {
        caller.version.need(since::DRIVER_FIELDS)?;
    }
    let drivers = match sort.as_deref() {
        None | Some("dynamic") => active(&caller).await?,
        Some("classic") => BTreeMap::new(),
        Some(_) => return Err(Fault::bad("type must be classic or dynamic")),
    };
    let detail = detail.unwrap_or(false) || fields.is_some();
    let items = drivers
        .into_iter()
        .map(|(name, driver)| view(&caller, &name, driver, detail, fields.as_deref()))
        .collect::<Result<Vec<_>, _>>()?;
    Ok(Json(json!({"drivers": items})))
}

async fn show(
    caller: Caller,
    Segment(name): Segment,
    QueryArguments(mut query): QueryArguments,
) -> Result<Json<Value>, Fault> {
    let fields = query.list("fields")?;
    query.end()?;
    if fields.is_some() {
        caller.version.need(since::DRIVER_FIELDS)?;
    }
    let mut drivers = active(&caller).await?;
    let driver = drivers.remove(&name);
    let driver = driver.ok_or_else(|| Error::not_found("driver", &name))?;
    view(&caller, &name, driver, true, fields.as_deref()).map(Json)
}

async fn properties(
    caller: Caller,
    Segment(name): Segment,
    QueryArguments(query): QueryArguments,
) -> Result<Json<Value>, Fault> {
    query.end()?;
    properties_of(&caller, &name).await
}

async fn properties_by_argument(
    caller: Caller,
    QueryArguments(mut query): QueryArguments,
) -> Result<Json<Value>, Fault> {
    let name = query.text("driver_name")?;
    query.end()?;
    let name = name.ok_or_else(|| Fault::bad("driver_name must name a driver"))?;
    properties_of(&caller, &name).await
}

async fn properties_of(caller: &Caller, name: &str) -> Result<Json<Value>, Fault> {
    if !active(caller).await?.contains_key(name) {
        return Err(Error::not_found("driver", name).into());
    }
    let properties = caller.api.registry.properties(name).map_err(Error::from)?;
    Ok(Json(json!(properties)))
}

/// `GET /v1/drivers/{name}/raid/logical_disk_properties`.
async fn logical_disk_properties(
    caller: Caller,
    Segment(name): Segment,
    QueryArguments(query): QueryArguments,
) -> Result<Json<Value>, Fault> {
    query.end()?;
    caller.version.need(since::RAID_CONFIG)?;
    let properties = caller.client.raid_logical_disk_properties(&name).await;
    let properties = properties.map_err(|error| match error.kind() {
        // Without an interface for it there is nothing of the kind.
        ErrorKind::Unsupported => Fault::from(error).with_status(StatusCode::NOT_FOUND),
        _ => error.into(),
    })?;
    Ok(Json(json!(properties)))
}

/// A hardware type, as the conductors have it that live.
#[derive(Debug, Default)]
struct Driver {
    hosts: Vec<String>,
    interfaces: BTreeMap<InterfaceKind, Usable>,
}

/// The interfaces of one kind.
#[derive(Debug, Default)]
struct Usable {
    /// What any of the conductors has enabled.
    enabled: BTreeSet<String>,
    /// What nodes get that name none: on all conductors the same, if they are set up alike.
    default: Option<String>,
}

/// The hardware types that living conductors have, by what these tell of themselves.
async fn active(caller: &Caller) -> Result<BTreeMap<String, Driver>, Fault> {
    let membership = caller.client.membership();
    membership.refresh().await?;
    let mut drivers: BTreeMap<String, Driver> = BTreeMap::new();
    for (record, _) in membership.conductors().iter().filter(|(_, lives)| *lives) {
        for name in &record.drivers {
            let driver = drivers.entry(name.clone()).or_default();
            driver.hosts.push(record.hostname.clone());
            for (kind, registered) in record.interfaces.get(name).into_iter().flatten() {
                let usable = driver.interfaces.entry(*kind).or_default();
                usable.enabled.extend(registered.enabled.iter().cloned());
                let default = Some(&registered.default).filter(|name| !name.is_empty());
                if let Some(default) = default {
                    usable.default = Some(default.clone());
                }
            }
        }
    }
    Ok(drivers)
}

fn view(
    caller: &Caller,
    name: &str,
    driver: Driver,
    detail: bool,
    fields: Option<&[String]>,
) -> Result<Value, Fault> {
    let version = caller.version;
    let path = format!("drivers/{name}");
    let mut shown = Map::new();
    let mut put = |name: &str, value: Value| shown.insert(name.to_owned(), value);
    put("name", name.into());
    put("hosts", driver.hosts.into());
    put("links", caller.endpoint.both(&path));
    if version.has(since::STATES_LINKS) {
        put(
            "properties",
            caller.endpoint.both(&format!("{path}/properties")),
        );
    }
    if version.has(since::DYNAMIC_DRIVERS) {
        put("type", "dynamic".into());
        if detail {
            for kind in InterfaceKind::ALL {
                let since = INTERFACES_SINCE.iter().find(|(of, _)| of == kind);
                if since.is_none_or(|(_, from)| version.has(*from)) {
                    let usable = driver.interfaces.get(kind);
                    let default = usable.and_then(|usable| usable.default.clone());
                    let enabled = usable.map(|usable| json!(usable.enabled));
                    put(&format!("default_{kind}_interface"), default.into());
                    put(
                        &format!("enabled_{kind}_interfaces"),
                        enabled.unwrap_or_else(|| json!([])),
                    );
                }
            }
        }
    }
    if let Some(fields) = fields {
        if let Some(unknown) = fields.iter().find(|field| !shown.contains_key(*field)) {
            let unknown: String = unknown.chars().take(80).collect();
            return Err(Fault::bad(format!("a driver has no field {unknown:?}")));
        }
        shown.retain(|name, _| name == "links" || fields.contains(name));
    }
    Ok(Value::Object(shown))
}
