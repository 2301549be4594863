//! The document: `OpenAPI` 3.1 of all operations.

use std::collections::BTreeMap;

use http::Method;
use serde_json::{Map, Value, json};

use super::super::Version;
use super::super::version::HEADER;
use super::components::Components;
use super::gate::Gate;
use super::member::Member;
use super::operation::Operation;
use super::shape::{Shape, told};

/// The version of the specification that the document keeps to.
const OPENAPI: &str = "3.1.0";

/// The prefix of paths that have versions.
const VERSIONED: &str = "/v1";

/// The document of these operations, served at this address; at the one that it is read from
/// without.
pub(in super::super) fn document(operations: &[Operation], address: Option<&str>) -> Value {
    let mut components = Components::default();
    let mut paths: BTreeMap<&str, Map<String, Value>> = BTreeMap::new();
    for operation in operations {
        let path = paths.entry(&operation.path).or_default();
        let method = operation.method.as_str().to_lowercase();
        path.insert(method, told_of(operation, &mut components));
    }
    let error = components.error();
    let responses = REFUSALS.iter().map(|(_, name, about)| {
        let response = json!({
            "description": about,
            "content": {"application/json": {"schema": error}},
        });
        ((*name).to_owned(), response)
    });
    json!({
        "openapi": OPENAPI,
        "info": {
            "title": "Bare Metal",
            "description": "Enrols, inspects, cleans, deploys and services machines. What has \
                            x-since is there since that microversion.",
            "version": Version::MAXIMUM.to_string(),
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": address.unwrap_or("/")}],
        "security": [{}, {"token": []}, {"basic": []}],
        "tags": tags(operations),
        "paths": paths,
        "components": {
            "schemas": components.into_map(),
            "responses": responses.collect::<Map<_, _>>(),
            "parameters": {"version": version_header()},
            "securitySchemes": {
                "token": {"type": "apiKey", "in": "header", "name": "X-Auth-Token"},
                "basic": {"type": "http", "scheme": "basic"},
            },
        },
    })
}

/// The refusals that there are, with their names and what they say.
const REFUSALS: &[(&str, &str, &str)] = &[
    ("400", "BadRequest", "Something that was sent is wrong."),
    ("401", "Unauthorized", "Nobody knows who asks."),
    ("403", "Forbidden", "Whoever asks may not."),
    (
        "404",
        "NotFound",
        "There is no such thing, or not in this version.",
    ),
    (
        "405",
        "MethodNotAllowed",
        "It cannot be done to this, or not in this version.",
    ),
    (
        "406",
        "NotAcceptable",
        "The version asked for does not have this, or there is no such version.",
    ),
    ("409", "Conflict", "The state of things forbids it."),
    ("413", "TooLarge", "The body has too many bytes."),
    (
        "5XX",
        "Failure",
        "The service, or the machine, cannot do it; perhaps later.",
    ),
];

fn tags(operations: &[Operation]) -> Value {
    let mut names: Vec<_> = operations
        .iter()
        .map(|operation| operation.resource)
        .collect();
    let mut seen = std::collections::BTreeSet::new();
    names.retain(|name| seen.insert(*name));
    names.iter().map(|name| json!({"name": name})).collect()
}

fn version_header() -> Value {
    json!({
        "name": HEADER,
        "in": "header",
        "description": "The microversion to answer in; without it the oldest.",
        "schema": {
            "type": "string",
            "pattern": "^(latest|1\\.[0-9]{1,3})$",
            "default": Version::MINIMUM.to_string(),
        },
        "example": Version::MAXIMUM.to_string(),
    })
}

fn told_of(operation: &Operation, components: &mut Components) -> Value {
    let about = &operation.about;
    let versioned = operation.path.strip_prefix(VERSIONED);
    let gate = versioned.map(|path| Gate::of(&operation.method, path));
    let since = gate.map_or(1, |gate| gate.since).max(about.since);
    let mut told = Map::new();
    let mut put = |name: &str, value: Value| told.insert(name.to_owned(), value);
    put("tags", json!([operation.resource]));
    put("operationId", operation_id(operation).into());
    put("summary", about.summary.into());
    put(
        "parameters",
        parameters(operation, versioned.is_some(), components),
    );
    if let Some(body) = about.body {
        let schema = body.schema(components);
        let content = json!({body.media_type(): {"schema": schema}});
        let required = body.is_something();
        put(
            "requestBody",
            json!({"required": required, "content": content}),
        );
    }
    put("responses", responses(operation, gate, components));
    if about.public {
        put("security", json!([]));
    }
    if versioned.is_some() {
        put("x-since", Version::told(since).into());
    }
    Value::Object(told)
}

/// A name for the operation: its method and the words of its path.
fn operation_id(operation: &Operation) -> String {
    let path = operation.path.strip_prefix(VERSIONED);
    let path = path.unwrap_or(&operation.path);
    let words = path.split(|c: char| !c.is_ascii_alphanumeric());
    let words = words.filter(|word| !word.is_empty());
    let method = operation.method.as_str().to_lowercase();
    let id: Vec<_> = std::iter::once(method.as_str()).chain(words).collect();
    match id.as_slice() {
        [only] if operation.path == VERSIONED => format!("{only}_v1"),
        [only] => format!("{only}_root"),
        words => words.join("_"),
    }
}

fn parameters(operation: &Operation, versioned: bool, components: &mut Components) -> Value {
    let mut parameters = Vec::new();
    for name in operation.segments() {
        let (about, shape) = segment(name);
        parameters.push(json!({
            "name": name,
            "in": "path",
            "required": true,
            "description": about,
            "schema": shape.schema(components),
        }));
    }
    for argument in &operation.about.arguments {
        parameters.push(query(argument, components));
    }
    if versioned {
        parameters.push(json!({"$ref": "#/components/parameters/version"}));
    }
    parameters.into()
}

fn query(argument: &Member, components: &mut Components) -> Value {
    let mut parameter = json!({
        "name": argument.name,
        "in": "query",
        "required": argument.required,
        "schema": argument.shape.schema(components),
    });
    let listed = matches!(argument.shape, Shape::Names(_) | Shape::List(_));
    if let (true, Some(parameter)) = (listed, parameter.as_object_mut()) {
        // One argument, with commas.
        parameter.insert("style".to_owned(), "form".into());
        parameter.insert("explode".to_owned(), false.into());
    }
    told(parameter, argument.about, argument.since)
}

/// What a variable segment of a path says.
fn segment(name: &str) -> (&'static str, Shape) {
    match name {
        "ident" => ("Its uuid or its name.", Shape::Ident),
        "event" => ("The uuid of the event.", Shape::Uuid),
        "hostname" => ("The name of the conductor.", Shape::Text),
        "method" => ("The name of the vendor's method.", Shape::Text),
        "id" => ("The id of the virtual interface.", Shape::Ident),
        _ => ("The name of it.", Shape::Text),
    }
}

fn responses(operation: &Operation, gate: Option<Gate>, components: &mut Components) -> Value {
    let answer = operation.about.answer;
    let mut done = json!({"description": done_says(answer.status)});
    if let Some(done) = done.as_object_mut() {
        if let Some(shape) = answer.shape {
            let schema = shape.schema(components);
            done.insert(
                "content".to_owned(),
                json!({shape.media_type(): {"schema": schema}}),
            );
        }
        if answer.location {
            let location = json!({
                "Location": {
                    "description": "Where to look.",
                    "schema": {"type": "string", "format": "uri-reference"},
                },
            });
            done.insert("headers".to_owned(), location);
        }
    }
    let mut responses = Map::from_iter([(answer.status.to_string(), done)]);
    if answer.perhaps_begun {
        let begun = json!({"description": done_says(202)});
        responses.insert("202".to_owned(), begun);
    }
    for (status, name, _) in REFUSALS {
        if can_refuse(operation, gate, status) {
            let refusal = json!({"$ref": format!("#/components/responses/{name}")});
            responses.insert((*status).to_owned(), refusal);
        }
    }
    Value::Object(responses)
}

/// What an answer of this status says by itself.
fn done_says(status: u16) -> &'static str {
    match status {
        201 => "It is there now.",
        202 => "It has begun.",
        204 => "It is done.",
        _ => "What was asked for.",
    }
}

fn can_refuse(operation: &Operation, gate: Option<Gate>, status: &str) -> bool {
    let about = &operation.about;
    let changes = operation.method != Method::GET;
    let before = gate.and_then(|gate| gate.before);
    match status {
        "400" | "404" | "406" => gate.is_some(),
        "401" | "403" => !about.public,
        "405" => before == Some(405) || about.impossible_before,
        "409" => changes,
        "413" => about.body.is_some(),
        _ => true,
    }
}
