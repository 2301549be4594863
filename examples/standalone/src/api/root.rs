//! The documents at the root: which versions there are, and what this one has.

use axum::Json;
use axum::extract::Request;
use http::{Method, StatusCode};
use serde_json::{Map, Value, json};

use super::caller::Caller;
use super::fault::Fault;
use super::links::Endpoint;
use super::version::{Version, since};

/// The resources, and from which version on each exists.
const RESOURCES: &[(&str, u16)] = &[
    ("chassis", 1),
    ("nodes", 1),
    ("ports", 1),
    ("drivers", 1),
    ("portgroups", since::PORTGROUPS),
    ("volume", since::VOLUME),
    ("lookup", since::RAMDISK),
    ("heartbeat", since::RAMDISK),
    ("conductors", since::CONDUCTORS),
    ("allocations", since::ALLOCATIONS),
    ("events", since::EVENTS),
    ("deploy_templates", since::DEPLOY_TEMPLATES),
    ("shards", since::SHARDS),
    ("runbooks", since::RUNBOOKS),
    ("inspection_rules", since::INSPECTION_RULES),
    ("continue_inspection", since::CONTINUE_INSPECTION),
];

/// What links of the original call a resource, where that is not its path.
const LINKED_AS: &[(&str, &str)] = &[("inspection", "inspection_rules")];

/// Resources of which an older version knows so little that they are not even routed to.
const UNROUTED: &[&str] = &["deploy_templates", "runbooks"];

fn version_document(endpoint: &Endpoint) -> Value {
    json!({
        "id": "v1",
        "links": [endpoint.to_version()],
        "status": "CURRENT",
        "min_version": Version::MINIMUM.to_string(),
        "version": Version::MAXIMUM.to_string(),
    })
}

/// What is served at `/`.
pub(super) fn root(endpoint: &Endpoint) -> Json<Value> {
    let version = version_document(endpoint);
    Json(json!({
        "name": "OpenStack Ironic API",
        "description": "Provisions and manages bare-metal machines.",
        "default_version": version,
        "versions": [version],
    }))
}

/// What is served at `/v1`.
pub(super) async fn v1(caller: Caller) -> Json<Value> {
    let mut document = Map::new();
    let mut put = |name: &str, value: Value| document.insert(name.to_owned(), value);
    put("id", "v1".into());
    put(
        "links",
        json!([
            caller.endpoint.to_version(),
            {
                "href": "https://docs.openstack.org//ironic/latest/contributor//webapi.html",
                "rel": "describedby",
                "type": "text/html",
            },
        ]),
    );
    put(
        "media_types",
        json!({
            "base": "application/json",
            "type": "application/vnd.openstack.ironic.v1+json",
        }),
    );
    put("version", version_document(&caller.endpoint));
    for (name, from) in RESOURCES {
        if caller.version.has(*from) {
            put(name, caller.endpoint.both(&format!("{name}/")));
        }
    }
    Json(Value::Object(document))
}

/// What can be done to a resource later than it could be read, and since when: by older versions
/// it is not possible (405), where reading it finds nothing (404).
const CHANGED_SINCE: &[(&str, &Method, u16)] = &[
    ("allocations", &Method::POST, since::ALLOCATIONS),
    ("allocations", &Method::PATCH, since::ALLOCATION_UPDATE),
    ("allocations", &Method::DELETE, since::ALLOCATIONS),
    ("inspection_rules", &Method::POST, since::INSPECTION_RULES),
    ("inspection_rules", &Method::PATCH, since::INSPECTION_RULES),
    ("inspection_rules", &Method::DELETE, since::INSPECTION_RULES),
];

/// What a node or a port group has in its path, and from which version on.
const WITHIN: &[(&str, &str, u16)] = &[
    ("nodes", "portgroups", since::PORTGROUP_LINKS),
    ("nodes", "vifs", since::VIFS),
    ("nodes", "volume", since::VOLUME),
    ("nodes", "bios", since::BIOS),
    ("nodes", "allocation", since::ALLOCATIONS),
    ("nodes", "history", since::HISTORY),
    ("nodes", "inventory", since::INVENTORY),
    ("nodes", "firmware", since::FIRMWARE),
    ("nodes", "vmedia", since::VIRTUAL_MEDIA),
    ("portgroups", "ports", since::PORTGROUP_LINKS),
];

/// The refusal of a resource that this version does not have yet, by its path.
pub(super) fn hidden(version: Version, method: &Method, path: &str) -> Option<Fault> {
    let mut segments = path.split('/').filter(|segment| !segment.is_empty());
    let named = segments.next().unwrap_or_default();
    let linked = LINKED_AS.iter().find(|(linked, _)| *linked == named);
    let resource = linked.map_or(named, |(_, resource)| *resource);
    let needs = |from: u16| format!("{resource} need at least version 1.{from} of the API");
    let changed = CHANGED_SINCE
        .iter()
        .find(|(name, by, _)| *name == resource && *by == method);
    if let Some((_, _, from)) = changed.filter(|(_, _, from)| !version.has(*from)) {
        return Some(Fault::new(StatusCode::METHOD_NOT_ALLOWED, needs(*from)));
    }
    let within = segments.nth(1);
    let part = WITHIN
        .iter()
        .find(|(of, name, _)| *of == resource && Some(*name) == within);
    if let Some((_, name, from)) = part.filter(|(_, _, from)| !version.has(*from)) {
        let message = format!("{name} of {resource} need at least version 1.{from} of the API");
        // The one of these that is shown itself, besides what is in it.
        let reached = *name == "volume" && segments.next().is_none();
        return Some(match reached {
            true => Fault::not_found(message),
            false => Fault::routing(StatusCode::NOT_FOUND, message),
        });
    }
    let (name, from) = RESOURCES.iter().find(|(name, _)| *name == resource)?;
    // Inspection's own service had this path before, so its clients ask for no version.
    let for_inspector = *name == "continue_inspection" && version == Version::MINIMUM;
    if version.has(*from) || for_inspector {
        return None;
    }
    Some(if UNROUTED.contains(name) && method == Method::GET {
        Fault::routing(StatusCode::NOT_FOUND, needs(*from))
    } else if UNROUTED.contains(name) {
        Fault::routing(StatusCode::METHOD_NOT_ALLOWED, needs(*from))
    } else {
        Fault::not_found(needs(*from))
    })
}

/// The refusal of a path that leads nowhere.
pub(super) async fn no_such_path(request: Request) -> Fault {
    let shown: String = request.uri().path().chars().take(200).collect();
    Fault::routing(
        StatusCode::NOT_FOUND,
        format!("there is nothing at {shown}"),
    )
}

/// Collections that take what is to be created at their own path only, and say so at those of
/// what is in them.
const CREATED_AT_THE_COLLECTION: &[&str] = &[
    "/chassis",
    "/deploy_templates",
    "/inspection_rules",
    "/nodes",
    "/portgroups",
    "/ports",
    "/volume/connectors",
    "/volume/targets",
];

/// The refusal of a method that a path does not have.
pub(super) async fn no_such_method(request: Request) -> Fault {
    let collection = request.uri().path().rsplit_once('/').map(|(of, _)| of);
    let created = |of| CREATED_AT_THE_COLLECTION.contains(&of);
    if request.method() == Method::POST && collection.is_some_and(created) {
        return Fault::bad("the path must not name which one: it is created at the collection");
    }
    Fault::new(
        StatusCode::METHOD_NOT_ALLOWED,
        format!("{} is not possible here", request.method()),
    )
}

/// The refusal of changing a collection as a whole.
pub(super) async fn not_on_a_collection() -> Fault {
    Fault::bad("the path must name which one")
}

/// The refusal of something that a path names within something else, but that has a path of its
/// own.
pub(super) async fn not_within_another(request: Request) -> Fault {
    let shown: String = request.uri().path().chars().take(200).collect();
    Fault::bad(format!(
        "{shown} can only be listed: what is in it has a path of its own"
    ))
}

/// The refusal of showing by itself what there are only counts of.
pub(super) async fn only_listed(request: Request) -> Fault {
    let shown: String = request.uri().path().chars().take(200).collect();
    Fault::not_found(format!(
        "there is nothing to be shown at {shown}: see the list"
    ))
}
