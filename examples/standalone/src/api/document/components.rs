//! The schemas that have names of their own, each written once.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::super::fields::Fields;
use super::super::nodes::steps::Steps;
use super::super::schema::Schema;
use super::member::Record;
use super::shape::{closed, shown, told};
use super::words;

/// The schemas that have been referred to.
#[derive(Debug, Default)]
pub(super) struct Components(BTreeMap<String, Value>);

impl Components {
    /// Refers to the schema of this name, which is made once.
    fn refer(&mut self, name: &str, make: impl FnOnce(&mut Self) -> Value) -> Value {
        if !self.0.contains_key(name) {
            // What refers to itself finds a place.
            self.0.insert(name.to_owned(), Value::Null);
            let schema = make(self);
            self.0.insert(name.to_owned(), schema);
        }
        json!({"$ref": format!("#/components/schemas/{name}")})
    }

    /// A resource as answers show it.
    pub(super) fn record(&mut self, record: &Record) -> Value {
        self.refer(&camel(record.what), |components| {
            let mut properties = Map::new();
            for field in record.fields.shown_in_some_version() {
                let schema = shown(field, components);
                properties.insert(
                    field.name.to_owned(),
                    told(schema, words::of(field.name), field.since()),
                );
            }
            for member in record.besides {
                let schema = member.shape.schema(components);
                properties.insert(
                    member.name.to_owned(),
                    told(schema, member.about, member.since),
                );
            }
            let required = record.besides.iter().filter(|member| member.required);
            let required: Vec<_> = required.map(|member| member.name).collect();
            closed(properties, &required)
        })
    }

    /// Some fields of a resource, each since its version.
    pub(super) fn part(&mut self, what: &str, fields: Fields, names: &[(&str, u16)]) -> Value {
        self.refer(&camel(what), |components| {
            let mut properties = Map::new();
            for (name, since) in names {
                if let Some(field) = fields.find(name) {
                    let schema = shown(field, components);
                    properties.insert((*name).to_owned(), told(schema, words::of(name), *since));
                }
            }
            closed(properties, &[])
        })
    }

    /// What creates a resource.
    pub(super) fn body(&mut self, body: &Schema) -> Value {
        self.refer(&format!("New{}", camel(body.what())), |components| {
            let mut properties = Map::new();
            let mut required = Vec::new();
            for field in body.fields().0 {
                let Some(is) = field.taken(false) else {
                    continue;
                };
                let schema = super::Shape::Is(is).schema(components);
                properties.insert(
                    field.name.to_owned(),
                    told(schema, words::of(field.name), field.since()),
                );
                if field.is_required() {
                    required.push(field.name);
                }
            }
            closed(properties, &required)
        })
    }

    /// A patch of a resource (RFC 6902), as far as patches go here.
    pub(super) fn patch(&mut self, body: &Schema) -> Value {
        self.refer(&format!("{}Patch", camel(body.what())), |_| {
            let known = body.fields();
            let fields: Vec<_> = known.patchable().map(|field| field.name).collect();
            let versions = known.patchable();
            let versions = versions.map(|field| {
                let since = super::super::Version::told(field.since());
                (field.name.to_owned(), Value::from(since))
            });
            json!({
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {
                        "op": {"type": "string", "enum": ["add", "replace", "remove"]},
                        "path": {
                            "type": "string",
                            "pattern": format!("^/({})(/[A-Za-z0-9_-]+)*$", fields.join("|")),
                            "description": "The field, and what of it.",
                        },
                        "value": {"description": "What is to be there; none to remove."},
                    },
                    "required": ["op", "path"],
                },
                "x-fields-since": versions.collect::<Map<_, _>>(),
            })
        })
    }

    /// The links of a resource.
    pub(super) fn links(&mut self) -> Value {
        self.refer("Links", |_| {
            let text = json!({"type": "string"});
            json!({
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {
                        "href": {"type": "string", "format": "uri-reference"},
                        "rel": text,
                        "type": text,
                    },
                    "required": ["href", "rel"],
                    "additionalProperties": false,
                },
            })
        })
    }

    /// A step as a client writes it.
    pub(super) fn step(&mut self, kind: Steps) -> Value {
        let name = match kind {
            Steps::Clean | Steps::Service => "Step",
            Steps::Deploy => "DeployStep",
            Steps::Runbook => "RunbookStep",
        };
        self.refer(name, |_| {
            let mut properties = Map::new();
            for (name, _) in kind.members() {
                properties.insert((*name).to_owned(), step_member(name));
            }
            let required = kind.members().iter().filter(|(_, required)| *required);
            let required: Vec<_> = required.map(|(name, _)| *name).collect();
            closed(properties, &required)
        })
    }

    /// A refusal.
    pub(super) fn error(&mut self) -> Value {
        self.refer("Error", |_| {
            json!({
                "type": "object",
                "properties": {
                    "error_message": {
                        "type": "string",
                        "contentMediaType": "application/json",
                        "contentSchema": {"anyOf": [fault(), routing()]},
                        "description": "A JSON document of its own, within a string; plain text \
                                        where the client takes no JSON.",
                    },
                },
                "required": ["error_message"],
            })
        })
    }

    /// All of them, by name.
    pub(super) fn into_map(self) -> Map<String, Value> {
        self.0.into_iter().collect()
    }
}

fn fault() -> Value {
    json!({
        "title": "A resource refuses.",
        "type": "object",
        "properties": {
            "faultcode": {"type": "string", "enum": ["Client", "Server"]},
            "faultstring": {"type": "string", "description": "Why, for people."},
            "debuginfo": {"type": "null"},
        },
        "required": ["faultcode", "faultstring", "debuginfo"],
    })
}

fn routing() -> Value {
    json!({
        "title": "No resource was reached.",
        "type": "object",
        "properties": {
            "code": {"type": "integer"},
            "title": {"type": ["string", "null"]},
            "description": {"type": "string", "description": "Why, for people."},
        },
        "required": ["code", "title", "description"],
    })
}

fn step_member(name: &str) -> Value {
    let about = |schema: Value, about| told(schema, about, 1);
    match name {
        "interface" => about(
            json!({"type": "string", "enum": Steps::interfaces()}),
            "The interface that has the step.",
        ),
        "step" => about(json!({"type": "string", "minLength": 1}), "Its name."),
        "args" => about(json!({"type": "object"}), "Its arguments."),
        "priority" | "order" => about(
            json!({"anyOf": [
                {"type": "integer", "minimum": 0},
                {"type": "string", "pattern": "^[0-9]+$"},
            ]}),
            "When its turn is.",
        ),
        "execute_on_child_nodes" => about(
            json!({"type": "boolean"}),
            "Whether it runs on the nodes within this one.",
        ),
        "limit_child_node_execution" => about(
            json!({"type": "array", "items": {"type": "string", "format": "uuid"}}),
            "On which of them.",
        ),
        _ => json!({}),
    }
}

/// The words of a name in one, as schemas are named.
fn camel(what: &str) -> String {
    let words = what.split(|c: char| !c.is_ascii_alphanumeric());
    let mut name = String::new();
    for word in words {
        let mut letters = word.chars();
        name.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        name.extend(letters);
    }
    name
}
