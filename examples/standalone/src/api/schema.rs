//! What the bodies of requests may hold: each resource's fields, each with what it must be.

use ironic_core::model::is_valid_trait;
use serde_json::{Map, Value};

use super::args;
use super::fault::Fault;
use super::nodes::steps::{self, Steps};
use super::{link_connection, network_data};

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
    /// An Ethernet address; becomes lower case.
    Mac,
    /// A network configuration, an empty object, or null.
    NetworkData,
    /// Where a port is plugged in, or null; switch identities become lower case.
    LinkConnection,
    /// The name of a trait.
    Trait,
    /// Deploy steps, one at least.
    DeploySteps,
    /// Steps of a runbook, one at least.
    RunbookSteps,
    /// A logical name, which stands in paths.
    Name,
    /// A boolean, or null.
    BoolOrNull,
}

/// A string of any length.
const TEXT: Is = Is::Text(0, usize::MAX);

/// The fields of a resource that a client may send.
pub struct Schema {
    what: &'static str,
    fields: &'static [(&'static str, Is)],
    required: &'static [&'static str],
}

/// A node that is to be enrolled.
pub const NODE: Schema = Schema {
    what: "node",
    fields: NODE_FIELDS,
    required: &["driver"],
};

/// A node that has been patched.
pub const PATCHED_NODE: Schema = Schema {
    what: "node",
    fields: PATCHED_NODE_FIELDS,
    required: &["driver"],
};

/// A port, new or patched.
pub const PORT: Schema = Schema {
    what: "port",
    fields: PORT_FIELDS,
    required: &["address"],
};

/// A deploy template: the steps that a trait of an instance adds to a deployment. That no step is
/// there twice is not said here.
pub const DEPLOY_TEMPLATE: Schema = Schema {
    what: "deploy template",
    fields: &[
        ("description", Is::Text(0, 255)),
        ("extra", Is::Object),
        ("name", Is::Trait),
        ("steps", Is::DeploySteps),
        ("uuid", Is::Uuid),
    ],
    required: &["name", "steps"],
};

/// A runbook as it is written since 1.112. Its traits are a resource of their own.
pub const RUNBOOK: Schema = Schema {
    what: "runbook",
    fields: &[
        ("description", Is::Text(0, 255)),
        ("disable_ramdisk", Is::BoolOrNull),
        ("extra", Is::Object),
        ("name", Is::Name),
        ("owner", Is::Text(0, 255)),
        ("public", Is::BoolOrNull),
        ("steps", Is::RunbookSteps),
        ("uuid", Is::Uuid),
    ],
    required: &["name", "steps"],
};

/// A runbook as it was written before: its name is that of the trait that it is meant for.
pub const RUNBOOK_OF_A_TRAIT: Schema = Schema {
    what: "runbook",
    fields: &[
        ("disable_ramdisk", Is::BoolOrNull),
        ("extra", Is::Object),
        ("name", Is::Trait),
        ("owner", Is::Text(0, 255)),
        ("public", Is::BoolOrNull),
        ("steps", Is::RunbookSteps),
        ("uuid", Is::Uuid),
    ],
    required: &["name", "steps"],
};

macro_rules! node_fields {
    ($($more:expr),*) => {
        &[
            $($more,)*
            ("automated_clean", Is::Flag),
            ("bios_interface", TEXT),
            ("boot_interface", TEXT),
            ("boot_mode", TEXT),
            ("chassis_uuid", Is::Uuid),
            ("conductor_group", TEXT),
            ("console_enabled", Is::Flag),
            ("console_interface", TEXT),
            ("deploy_interface", TEXT),
            ("description", Is::Text(0, 4096)),
            ("disable_power_off", Is::Flag),
            ("driver", Is::RequiredText),
            ("driver_info", Is::Object),
            ("extra", Is::Object),
            ("firmware_interface", TEXT),
            ("inspect_interface", TEXT),
            ("instance_info", Is::Object),
            ("instance_name", Is::Text(1, 255)),
            ("instance_uuid", Is::Uuid),
            ("lessee", TEXT),
            ("maintenance", Is::Flag),
            ("management_interface", TEXT),
            ("name", TEXT),
            ("network_data", Is::NetworkData),
            ("network_interface", TEXT),
            ("owner", TEXT),
            ("parent_node", Is::Text(0, 36)),
            ("power_interface", TEXT),
            ("properties", Is::Object),
            ("raid_interface", TEXT),
            ("rescue_interface", TEXT),
            ("resource_class", Is::Text(0, 80)),
            ("retired", Is::Flag),
            ("retired_reason", TEXT),
            ("secure_boot", Is::Flag),
            ("shard", TEXT),
            ("storage_interface", TEXT),
            ("uuid", Is::Uuid),
            ("vendor_interface", TEXT),
        ]
    };
}

const NODE_FIELDS: &[(&str, Is)] = node_fields!();
const PATCHED_NODE_FIELDS: &[(&str, Is)] =
    node_fields!(("protected", Is::Flag), ("protected_reason", TEXT));

const PORT_FIELDS: &[(&str, Is)] = &[
    ("address", Is::Mac),
    ("available_for_dynamic_portgroup", Is::Bool),
    ("category", Is::Text(0, 80)),
    ("description", Is::Text(0, 255)),
    ("extra", Is::Object),
    ("is_smartnic", Is::Flag),
    ("local_link_connection", Is::LinkConnection),
    ("name", TEXT),
    ("node_ident", Is::RequiredText),
    ("node_uuid", Is::Uuid),
    ("physical_network", Is::Text(0, 64)),
    ("portgroup_uuid", Is::Uuid),
    ("pxe_enabled", Is::Flag),
    ("uuid", Is::Uuid),
    ("vendor", Is::Text(0, 32)),
];

impl Schema {
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
        match self.required.iter().find(|name| !body.contains_key(**name)) {
            Some(missing) => Err(Fault::bad(format!("a {} needs {missing:?}", self.what))),
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
        let known = self.fields.iter().find(|(field, _)| *field == name);
        known.map(|(_, is)| *is)
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
            Self::Uuid if value.is_string() => {
                args::uuid(name, value)?;
            }
            Self::Uuid => return Err(wrong("a uuid")),
            Self::NetworkData => network_data::check(value)?,
            Self::LinkConnection => *value = link_connection::normal(value)?,
        }
        Ok(())
    }
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
