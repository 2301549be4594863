//! What the bodies of requests may hold: each resource's fields, each with what it must be.

use ironic_core::model::is_valid_trait;
use ironic_core::steps::{DeployTemplate, Runbook};
use serde_json::{Map, Value};

use super::fault::Fault;
use super::fields::{Field, Fields};
use super::nodes::steps::{self, Steps};
use super::records::Resource;
use super::{args, link_connection, network_data, nodes, ports};

/// What a field must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Is {
    /// A string of at least and at most so many characters, or null.
    Text(usize, usize),
    /// A string.
    RequiredText,
    /// An object, or null.
    Object,
    /// A truth value or a word for one, or null; becomes a boolean.
    Flag,
    /// A boolean.
    Bool,
    /// A uuid, or null.
    Uuid,
    /// A uuid.
    RequiredUuid,
    /// An Ethernet address; becomes lower case.
    Mac,
    /// An Ethernet address, or null; becomes lower case.
    MacOrNull,
    /// A whole number.
    Integer,
    /// A network configuration, an empty object, or null.
    NetworkData,
    /// Where a port is plugged in, or null; switch identities become lower case.
    LinkConnection,
    /// The name of a trait.
    Trait,
    /// A list of names of traits, or null.
    Traits,
    /// A list of uuids and names, or null.
    Idents,
    /// Deploy steps, one at least.
    DeploySteps,
    /// Steps of a runbook, one at least.
    RunbookSteps,
    /// A logical name, which stands in paths.
    Name,
    /// A logical name, or null.
    NameOrNull,
    /// A boolean, or null.
    BoolOrNull,
    /// Anything: whoever reads the whole resource checks it.
    Anything,
}

/// A string of any length.
pub(super) const TEXT: Is = Is::Text(0, usize::MAX);

/// What a client may send of a resource: the fields of its table that clients may set.
#[derive(Clone, Copy)]
pub struct Schema {
    what: &'static str,
    fields: Fields,
    patched: bool,
}

/// A node that is to be enrolled.
pub const NODE: Schema = Schema::new("node", nodes::FIELDS);

/// A node that has been patched.
pub const PATCHED_NODE: Schema = NODE.patched();

/// A port, new or patched.
pub const PORT: Schema = Schema::new("port", ports::FIELDS);

/// A deploy template: the steps that a trait of an instance adds to a deployment. That no step is
/// there twice is not said here.
pub const DEPLOY_TEMPLATE: Schema = Schema::new("deploy template", DeployTemplate::FIELDS);

/// A runbook as it is written since 1.112. Its traits are a resource of their own.
pub const RUNBOOK: Schema = Schema::new("runbook", Runbook::FIELDS);

impl Schema {
    /// What creates such a resource.
    pub(super) const fn new(what: &'static str, fields: Fields) -> Self {
        Self {
            what,
            fields,
            patched: false,
        }
    }

    /// What such a resource may be after a patch.
    pub(super) const fn patched(mut self) -> Self {
        self.patched = true;
        self
    }

    /// What the resource is called.
    pub(super) const fn what(&self) -> &'static str {
        self.what
    }

    /// The fields of the resource, those that no client sets among them.
    pub(super) const fn fields(&self) -> Fields {
        self.fields
    }

    /// Checks a body and brings its values into their normal form.
    ///
    /// # Errors
    /// 400 that names the field at fault.
    pub fn check(&self, body: Value) -> Result<Map<String, Value>, Fault> {
        let Value::Object(mut body) = body else {
            return Err(Fault::bad(format!("a {} is a JSON object", self.what)));
        };
        for (name, value) in &mut body {
            let is = self.field(name).ok_or_else(|| {
                let shown: String = name.chars().take(80).collect();
                Fault::bad(format!("a {} has no field {shown:?} to be set", self.what))
            })?;
            is.check(name, value)?;
        }
        let mut required = self.fields.0.iter().filter(|field| field.is_required());
        match required.find(|field| !body.contains_key(field.name)) {
            Some(missing) => {
                let missing = missing.name;
                Err(Fault::bad(format!("a {} needs {missing:?}", self.what)))
            }
            None => Ok(body),
        }
    }

    /// Takes out of a resource as it is stored what a client could not have sent, then checks the
    /// rest.
    ///
    /// # Errors
    /// As [`Schema::check`].
    pub fn check_known(&self, body: Value) -> Result<Map<String, Value>, Fault> {
        match body {
            Value::Object(mut body) => {
                body.retain(|name, _| self.field(name).is_some());
                self.check(Value::Object(body))
            }
            other => self.check(other),
        }
    }

    fn field(&self, name: &str) -> Option<Is> {
        let field: Option<&Field> = self.fields.find(name);
        field.and_then(|field| field.taken(self.patched))
    }
}

impl std::fmt::Debug for Schema {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Schema of a {}", self.what)
    }
}

impl Is {
    fn check(self, name: &str, value: &mut Value) -> Result<(), Fault> {
        let wrong = |what: &str| Fault::bad(format!("{name} must be {what}"));
        match self {
            Self::RequiredText if value.is_string() => {}
            Self::RequiredText => return Err(wrong("a string")),
            Self::Bool if value.is_boolean() => {}
            Self::Bool => return Err(wrong("true or false")),
            Self::Mac => match args::mac_address(name, value)? {
                Some(mac) => *value = Value::String(mac),
                None => return Err(wrong("a MAC address")),
            },
            Self::RequiredUuid if !value.is_string() => return Err(wrong("a uuid")),
            Self::Integer if value.is_i64() => {}
            Self::Integer => return Err(wrong("a whole number")),
            Self::Anything => {}
            Self::Trait if value.as_str().is_some_and(is_valid_trait) => {}
            Self::Trait => return Err(wrong("CUSTOM_… or a standard trait")),
            Self::DeploySteps if value.as_array().is_some_and(|steps| !steps.is_empty()) => {
                steps::parse(Steps::Deploy, value)?;
            }
            Self::DeploySteps => return Err(wrong("a list of one deploy step or more")),
            Self::RunbookSteps if value.as_array().is_some_and(|steps| !steps.is_empty()) => {
                steps::parse_runbook(value)?;
            }
            Self::RunbookSteps => return Err(wrong("a list of one step or more")),
            Self::Name if value.as_str().is_some_and(args::is_logical_name) => {}
            Self::Name => return Err(wrong("a name of letters, digits and -._~")),
            _ if value.is_null() => {}
            Self::MacOrNull => *value = args::mac_address(name, value)?.into(),
            Self::NameOrNull => {
                args::name(name, value)?;
            }
            Self::Traits if is_list(value, |item| item.as_str().is_some_and(is_valid_trait)) => {}
            Self::Traits => return Err(wrong("a list of traits, CUSTOM_… or standard ones")),
            Self::Idents if is_list(value, |item| args::uuid_or_name(name, item).is_ok()) => {}
            Self::Idents => return Err(wrong("a list of uuids or names")),
            Self::Text(least, most) => {
                let length = args::text(name, value)?.map_or(0, |text| text.chars().count());
                if length < least || length > most {
                    return Err(wrong(&format!("{least} to {most} characters long")));
                }
            }
            Self::BoolOrNull if value.is_boolean() => {}
            Self::BoolOrNull => return Err(wrong("true or false")),
            Self::Object if value.is_object() => {}
            Self::Object => return Err(wrong("a JSON object")),
            Self::Flag if matches!(value, Value::String(_) | Value::Bool(_)) => {
                *value = args::boolean(name, value)?.into();
            }
            Self::Flag => return Err(wrong("true or false")),
            Self::Uuid | Self::RequiredUuid if value.is_string() => {
                args::uuid(name, value)?;
            }
            Self::Uuid | Self::RequiredUuid => return Err(wrong("a uuid")),
            Self::NetworkData => network_data::check(value)?,
            Self::LinkConnection => *value = link_connection::normal(value)?,
        }
        Ok(())
    }
}

/// Whether it is a list of such items, none of them null.
fn is_list(value: &Value, is: impl Fn(&Value) -> bool) -> bool {
    let items = value.as_array();
    items.is_some_and(|items| items.iter().all(|item| !item.is_null() && is(item)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{DEPLOY_TEMPLATE, NODE, PORT};

    #[test]
    fn values_come_into_their_normal_form() {
        let node = json!({"driver": "d", "maintenance": "yes", "name": null});
        let node = NODE.check(node).unwrap();
        assert_eq!(node.get("maintenance"), Some(&json!(true)));
        let port = PORT.check(json!({"address": "52:54:00:AB:CD:EF"})).unwrap();
        assert_eq!(port.get("address"), Some(&json!("52:54:00:ab:cd:ef")));
    }

    #[test]
    fn a_deploy_template_has_a_trait_for_a_name_and_steps() {
        let step = json!({"interface": "bios", "step": "s", "args": {}, "priority": "10"});
        let template = json!({"name": "CUSTOM_A", "steps": [step], "description": null});
        assert!(DEPLOY_TEMPLATE.check(template.clone()).is_ok());
        for (field, value) in [
            ("name", json!("gpu")),
            ("name", json!(null)),
            ("steps", json!([])),
            ("steps", json!([{"interface": "bios"}])),
            ("steps", json!(null)),
            ("uuid", json!("x")),
        ] {
            let mut wrong = template.clone();
            wrong[field] = value.clone();
            let fault = DEPLOY_TEMPLATE.check(wrong).unwrap_err();
            assert!(fault.message().contains(field), "{value}: {fault}");
        }
    }

    #[test]
    fn a_refusal_names_the_field() {
        for (body, named) in [
            (json!({}), "driver"),
            (json!({"driver": "d", "nosuch": 1}), "nosuch"),
            (json!({"driver": "d", "extra": []}), "extra"),
            (json!({"driver": "d", "instance_name": ""}), "instance_name"),
            (json!([]), "object"),
        ] {
            let fault = NODE.check(body.clone()).unwrap_err();
            assert!(fault.message().contains(named), "{body}: {fault}");
        }
    }
}
