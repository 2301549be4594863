//! What a value looks like, and how JSON Schema (2020-12) says so.

use serde_json::{Value, json};

use super::super::fields::{Empty, Field, Fields};
use super::super::nodes::steps::Steps;
use super::super::schema::{Is, Schema};
use super::super::{link_connection, version::Version};
use super::components::Components;
use super::member::{Member, Record};

/// What a value looks like.
#[derive(Debug, Clone, Copy)]
pub(in super::super) enum Shape {
    /// What a field of a body must be.
    Is(Is),
    /// A string.
    Text,
    /// A boolean.
    Bool,
    /// A whole number.
    Integer,
    /// A whole number from 1.
    Positive,
    /// A uuid.
    Uuid,
    /// A uuid or a name.
    Ident,
    /// A point in time (RFC 3339).
    Time,
    /// An Ethernet address.
    Mac,
    /// Any object.
    Object,
    /// Anything.
    Anything,
    /// One of these words.
    Words(&'static [&'static str]),
    /// One of these words, which another table knows.
    Known(fn() -> Vec<&'static str>),
    /// Names of fields, with commas.
    Names(Fields),
    /// What a list can be sorted by.
    SortKey(Fields),
    /// Links of a resource.
    Links,
    /// Steps of this sort.
    Steps(Steps),
    /// A list.
    List(&'static Shape),
    /// An object of any names.
    Map(&'static Shape),
    /// An object of these members and no others.
    Members(&'static [Member]),
    /// An object of these members, and perhaps others.
    Open(&'static [Member]),
    /// Some fields of a resource under a name of their own, each since its version.
    Part(&'static str, Fields, &'static [(&'static str, u16)]),
    /// This, or null.
    OrNull(&'static Shape),
    /// One of these.
    Either(&'static [Shape]),
    /// A resource.
    Record(Record),
    /// A page of a list of this name.
    Page(&'static str, &'static Shape),
    /// What creates a resource.
    Body(Schema),
    /// A patch (RFC 6902) of what may be patched of a resource.
    Patch(Schema),
    /// Text that is no JSON, of this media type.
    Plain(&'static str),
}

/// What a name that stands in paths is made of (RFC 3986 §2.3).
const NAME: &str = "^[A-Za-z0-9._~-]{1,255}$";

/// Six octets with colons.
const MAC: &str = "^([0-9A-Fa-f]{2}:){5}[0-9A-Fa-f]{2}$";

/// The words for true and false.
const FLAGS: &[&str] = &[
    "true", "false", "True", "False", "t", "f", "yes", "no", "y", "n", "on", "off", "1", "0",
];

impl Shape {
    /// A truth value, or a word for one.
    pub(in super::super) const FLAG: Self = Self::Words(FLAGS);

    /// Text for people.
    pub(in super::super) const PLAIN_TEXT: Self = Self::Plain("text/plain; charset=utf-8");

    /// The schema. What has a name of its own is put among the components.
    pub(super) fn schema(self, components: &mut Components) -> Value {
        match self {
            Self::Is(is) => taken(is, components),
            Self::Text => json!({"type": "string"}),
            Self::Bool => json!({"type": "boolean"}),
            Self::Integer => json!({"type": "integer"}),
            Self::Positive => json!({"type": "integer", "minimum": 1}),
            Self::Uuid => json!({"type": "string", "format": "uuid"}),
            Self::Ident => json!({"type": "string", "pattern": NAME}),
            Self::Time => json!({"type": "string", "format": "date-time"}),
            Self::Mac => json!({"type": "string", "pattern": MAC}),
            Self::Object => json!({"type": "object"}),
            Self::Anything => json!({}),
            Self::Words(words) => json!({"type": "string", "enum": words}),
            Self::Known(words) => json!({"type": "string", "enum": words()}),
            Self::Names(fields) => {
                json!({"type": "array", "items": {"type": "string", "enum": fields.selectable()}})
            }
            Self::SortKey(fields) => json!({"type": "string", "enum": fields.sortable()}),
            Self::Links => components.links(),
            Self::Steps(kind) => json!({"type": "array", "items": components.step(kind)}),
            Self::List(item) => json!({"type": "array", "items": item.schema(components)}),
            Self::Map(item) => {
                json!({"type": "object", "additionalProperties": item.schema(components)})
            }
            Self::Members(members) => object(members, components),
            Self::Open(members) => opened(object(members, components)),
            Self::Part(what, fields, names) => components.part(what, fields, names),
            Self::OrNull(other) => or_null(other.schema(components)),
            Self::Either(shapes) => {
                let shapes: Vec<_> = shapes.iter().map(|one| one.schema(components)).collect();
                json!({"anyOf": shapes})
            }
            Self::Record(record) => components.record(&record),
            Self::Page(name, item) => page(name, &item.schema(components)),
            Self::Body(body) => components.body(&body),
            Self::Patch(body) => components.patch(&body),
            Self::Plain(_) => json!({"type": "string"}),
        }
    }

    /// Whether nothing at all does not look so.
    pub(super) fn is_something(self) -> bool {
        match self {
            Self::OrNull(_) => false,
            Self::Members(members) => members.iter().any(|member| member.required),
            _ => true,
        }
    }

    /// The media type of what looks so.
    pub(super) fn media_type(self) -> &'static str {
        match self {
            Self::Plain(media_type) => media_type,
            _ => "application/json",
        }
    }
}

/// What a field of a body must be.
fn taken(is: Is, components: &mut Components) -> Value {
    match is {
        Is::Text(least, most) => {
            let mut schema = json!({"type": ["string", "null"]});
            let mut put = |name: &str, length: usize| {
                if let Some(schema) = schema.as_object_mut() {
                    schema.insert(name.to_owned(), length.into());
                }
            };
            if least > 0 {
                put("minLength", least);
            }
            if most < usize::MAX {
                put("maxLength", most);
            }
            schema
        }
        Is::RequiredText => json!({"type": "string"}),
        Is::Object | Is::NetworkData => json!({"type": ["object", "null"]}),
        Is::Flag => {
            let words = FLAGS.iter().map(|word| Value::from(*word));
            let plain = [true.into(), false.into(), Value::Null];
            json!({"enum": plain.into_iter().chain(words).collect::<Vec<_>>()})
        }
        Is::Bool => json!({"type": "boolean"}),
        Is::BoolOrNull => json!({"type": ["boolean", "null"]}),
        Is::Uuid => json!({"type": ["string", "null"], "format": "uuid"}),
        Is::RequiredUuid => json!({"type": "string", "format": "uuid"}),
        Is::Mac => json!({"type": "string", "pattern": MAC}),
        Is::MacOrNull => json!({"type": ["string", "null"], "pattern": MAC}),
        Is::Integer => json!({"type": "integer"}),
        Is::LinkConnection => link(),
        Is::Trait => trait_name(),
        Is::Traits => or_null(json!({"type": "array", "items": trait_name()})),
        Is::Idents => json!({
            "type": ["array", "null"],
            "items": {"type": "string", "pattern": NAME},
        }),
        Is::DeploySteps => {
            json!({"type": "array", "minItems": 1, "items": components.step(Steps::Deploy)})
        }
        Is::RunbookSteps => {
            json!({"type": "array", "minItems": 1, "items": components.step(Steps::Runbook)})
        }
        Is::Name => json!({"type": "string", "pattern": NAME}),
        Is::NameOrNull => json!({"type": ["string", "null"], "pattern": NAME}),
        Is::Anything => json!({}),
    }
}

fn trait_name() -> Value {
    json!({
        "type": "string",
        "maxLength": 255,
        "description": "CUSTOM_… or a standard trait.",
    })
}

fn link() -> Value {
    let members = link_connection::MEMBERS.iter();
    let members = members.map(|name| ((*name).to_owned(), json!({"type": "string"})));
    json!({
        "type": ["object", "null"],
        "properties": members.collect::<serde_json::Map<_, _>>(),
        "additionalProperties": false,
    })
}

/// The same, or null.
fn or_null(mut schema: Value) -> Value {
    if let Some(kind @ Value::String(_)) = schema.get_mut("type") {
        *kind = json!([kind.take(), "null"]);
        if let Some(Value::Array(words)) = schema.get_mut("enum") {
            words.push(Value::Null);
        }
        return schema;
    }
    match schema.get("type") {
        Some(Value::Array(kinds)) if kinds.contains(&"null".into()) => schema,
        _ => json!({"anyOf": [schema, {"type": "null"}]}),
    }
}

fn page(name: &str, item: &Value) -> Value {
    json!({
        "type": "object",
        "properties": {
            name: {"type": "array", "items": item},
            "next": {
                "type": "string",
                "description": "Where the next page is, if there may be one.",
            },
        },
        "required": [name],
        "additionalProperties": false,
    })
}

/// An object of these members.
pub(super) fn object(members: &[Member], components: &mut Components) -> Value {
    let mut properties = serde_json::Map::new();
    for member in members {
        let schema = member.shape.schema(components);
        properties.insert(
            member.name.to_owned(),
            told(schema, member.about, member.since),
        );
    }
    let required = members.iter().filter(|member| member.required);
    let required: Vec<_> = required.map(|member| member.name).collect();
    closed(properties, &required)
}

/// The same with any others.
fn opened(mut schema: Value) -> Value {
    if let Some(schema) = schema.as_object_mut() {
        schema.remove("additionalProperties");
    }
    schema
}

/// An object that has nothing but these properties.
pub(super) fn closed(properties: serde_json::Map<String, Value>, required: &[&str]) -> Value {
    let mut schema = json!({
        "type": "object",
        "properties": properties,
        "additionalProperties": false,
    });
    if let (false, Some(schema)) = (required.is_empty(), schema.as_object_mut()) {
        schema.insert("required".to_owned(), required.into());
    }
    schema
}

/// The schema with what it is about, and since when it is.
pub(super) fn told(mut schema: Value, about: &str, since: u16) -> Value {
    if let Some(schema) = schema.as_object_mut() {
        if !about.is_empty() {
            schema.insert("description".to_owned(), about.into());
        }
        schema.insert("x-since".to_owned(), Version::told(since).into());
    }
    schema
}

/// What a field reads in answers.
pub(super) fn shown(field: &Field, components: &mut Components) -> Value {
    if let Some(shape) = field.read_as() {
        return shape.schema(components);
    }
    let schema = match (field.taken(true), field.empty()) {
        (Some(Is::Flag), _) | (_, Empty::False | Empty::True) => json!({"type": "boolean"}),
        (Some(Is::LinkConnection), _) => link(),
        (Some(is), _) if is != Is::Anything => taken(is, components),
        (_, Empty::Object) => json!({"type": "object"}),
        (_, Empty::List) => json!({"type": "array"}),
        (_, Empty::Zero) => json!({"type": "integer"}),
        (_, Empty::Text) => json!({"type": "string"}),
        (_, Empty::Null) if field.name.ends_with("_at") => Shape::Time.schema(components),
        (_, Empty::Null) if field.name.ends_with("uuid") => Shape::Uuid.schema(components),
        (_, Empty::Null) => json!({"type": "string"}),
    };
    match field.empty() {
        Empty::Null => or_null(schema),
        _ => schema,
    }
}
