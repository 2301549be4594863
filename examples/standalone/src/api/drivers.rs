//! `/v1/drivers`: the hardware types.

use std::collections::{BTreeMap, BTreeSet};

use axum::Json;
use http::StatusCode;
use ironic_core::states::InterfaceKind;
use ironic_core::{Error, ErrorKind};
use serde_json::{Map, Value, json};

use super::arguments::QueryArguments;
use super::caller::{Caller, Segment};
use super::document::{Member, Routes, Shape, about, get, shows};
use super::fault::Fault;
use super::version::since;

/// From which version on the interfaces of a kind are told; the others are since 1.30.
const INTERFACES_SINCE: &[(InterfaceKind, u16)] = &[
    (InterfaceKind::Storage, 33),
    (InterfaceKind::Rescue, since::RESCUE),
    (InterfaceKind::Bios, 40),
    (InterfaceKind::Firmware, 86),
];

/// A hardware type as answers show it: its interfaces with `detail`, and by itself.
const SHOWN: Shape = Shape::Open(&[
    Member::new("name", Shape::Text, "Its name."),
    Member::new(
        "hosts",
        Shape::List(&Shape::Text),
        "The conductors that have it.",
    ),
    Member::new("links", Shape::Links, "Where it is.").required(),
    Member::new("properties", Shape::Links, "Where its properties are.").since(since::STATES_LINKS),
    Member::new("type", Shape::Text, "Of what sort it is.").since(since::DYNAMIC_DRIVERS),
]);

/// The hardware types.
const LIST: Shape =
    Shape::Members(&[
        Member::new("drivers", Shape::List(&SHOWN), "The hardware types.").required(),
    ]);

/// Which fields of a driver are shown.
const SELECTS: Member = Member::new(
    "fields",
    Shape::List(&Shape::Text),
    "Which fields are shown.",
)
.since(since::DRIVER_FIELDS);

/// The routes.
pub(super) fn routes() -> Routes {
    let properties_shown = shows(Shape::Map(&Shape::OrNull(&Shape::Text)));
    Routes::of("Drivers")
        .route(
            "/drivers",
            get(
                list,
                about("Lists the hardware types.", shows(LIST))
                    .query(&[
                        SELECTS,
                        Member::new(
                            "type",
                            Shape::Words(&["classic", "dynamic"]),
                            "Of which sort.",
                        )
                        .since(since::DYNAMIC_DRIVERS),
                    ])
                    .details(since::DYNAMIC_DRIVERS),
            ),
        )
        .route(
            "/drivers/{name}",
            get(
                show,
                about("Shows a hardware type.", shows(SHOWN)).query(&[SELECTS]),
            ),
        )
        .route(
            "/drivers/{name}/properties",
            get(
                properties,
                about(
                    "Tells what a node's driver_info may hold.",
                    properties_shown,
                ),
            ),
        )
        .route(
            "/drivers/properties",
            get(
                properties_by_argument,
                about(
                    "Tells what a node's driver_info may hold.",
                    properties_shown,
                )
                .query(&[Member::new(
                    "driver_name",
                    Shape::Text,
                    "The hardware type.",
                )
                .required()]),
            ),
        )
        .route(
            "/drivers/{name}/raid/logical_disk_properties",
            get(
                logical_disk_properties,
                about(
                    "Tells what can be said of a logical disk.",
                    shows(Shape::Map(&Shape::Text)),
                )
                .since(since::RAID_CONFIG),
            ),
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
    caller.need("baremetal:driver:get")?;
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
    caller.need("baremetal:driver:get")?;
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
    caller.need("baremetal:driver:get_properties")?;
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
    caller.need("baremetal:driver:get_raid_logical_disk_properties")?;
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
