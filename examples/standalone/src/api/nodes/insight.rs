//! How much of a node a caller is shown: what is secret to nobody, to everybody, and to those who
//! only lease it.

use ironic_core::model::Node;
use ironic_core::secret;
use serde_json::{Map, Value, json};

use super::super::caller::Caller;
use super::super::permission::of_node;

/// What stands where a secret would.
pub(super) const MASK: &str = "******";

/// The fields that hold secrets.
const SECRETIVE: &[&str] = &["driver_info", "instance_info", "driver_internal_info"];

/// Members that are secret in these fields alone, whatever their names say.
const MORE_SECRETS: &[(&str, &str)] = &[
    ("driver_info", "snmp_auth_key"),
    ("driver_info", "snmp_priv_key"),
    ("instance_info", "configdrive"),
    ("instance_info", "image_url"),
];

/// Fields that are kept back from who does not see everything, with their policies, and whether
/// each is an object.
const KEPT_BACK: &[(&str, &str, bool)] = &[
    ("last_error", "baremetal:node:get:last_error", false),
    ("reservation", "baremetal:node:get:reservation", false),
    (
        "driver_internal_info",
        "baremetal:node:get:driver_internal_info",
        true,
    ),
    ("driver_info", "baremetal:node:get:driver_info", true),
];

/// Who is shown every field without further questions.
const THRESHOLD: &str = "baremetal:node:get:filter_threshold";

/// What a caller is shown of nodes; found out once for a whole list.
#[derive(Debug, Clone, Copy)]
pub(super) struct Insight {
    everything: bool,
    passwords: bool,
    instance_secrets: bool,
}

impl Insight {
    /// Into whichever nodes a list has.
    pub(super) fn into_any(caller: &Caller) -> Self {
        Self::with(caller, caller.may(THRESHOLD))
    }

    /// Into this node.
    pub(super) fn into_one(caller: &Caller, node: &Node) -> Self {
        Self::with(caller, caller.may_to(THRESHOLD, &of_node(node)))
    }

    fn with(caller: &Caller, everything: bool) -> Self {
        Self {
            everything,
            passwords: caller.is_shown("show_password"),
            instance_secrets: caller.is_shown("show_instance_secrets"),
        }
    }

    /// Whether the caller is shown this field of the node.
    pub(super) fn shows(self, caller: &Caller, node: &Node, field: &str) -> bool {
        let rule = KEPT_BACK.iter().find(|(name, ..)| *name == field);
        self.everything || rule.is_none_or(|(_, rule, _)| caller.may_to(rule, &of_node(node)))
    }

    /// Puts something else where what the caller is not shown would be.
    pub(super) fn apply(self, caller: &Caller, node: &Node, shown: &mut Map<String, Value>) {
        for (field, rule, is_object) in KEPT_BACK {
            if !self.shows(caller, node, field) {
                let why = format!("** kept back: the policy {rule} forbids it **");
                let value = match is_object {
                    true => json!({"content": why}),
                    false => why.into(),
                };
                shown.insert((*field).to_owned(), value);
            }
        }
        for field in SECRETIVE {
            let open = match *field {
                "instance_info" => self.instance_secrets,
                _ => self.passwords,
            };
            if !open {
                mask(field, shown);
            }
        }
    }
}

/// Puts asterisks where secrets are in a field.
fn mask(field: &str, node: &mut Map<String, Value>) {
    let Some(Value::Object(members)) = node.get_mut(field) else {
        return;
    };
    *members = secret::masked(members, MASK);
    for (of, name) in MORE_SECRETS {
        let member = members.get_mut(*name).filter(|_| *of == field);
        if let Some(member) = member.filter(|value| !is_empty(value)) {
            *member = Value::from(MASK);
        }
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Object(members) => members.is_empty(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use ironic_core::model::Node;
    use serde_json::json;
    use uuid::Uuid;

    use super::super::view::document;
    use super::{SECRETIVE, mask};

    #[test]
    fn no_secret_is_shown() {
        let mut node = Node::new(Uuid::nil(), "ipmi");
        let put = |map: &mut ironic_core::model::JsonMap, value: serde_json::Value| {
            map.clone_from(value.as_object().unwrap());
        };
        put(
            &mut node.driver_info,
            json!({"ipmi_address": "192.0.2.1", "ipmi_password": "pw", "snmp_auth_key": "k"}),
        );
        put(
            &mut node.instance_info,
            json!({"configdrive": {"a": 1}, "image_url": "http://u:p@h/", "root_gb": 5}),
        );
        put(
            &mut node.driver_internal_info,
            json!({"agent_secret_token": "t", "agent_url": "https://h"}),
        );
        let mut shown = document(&node).unwrap();
        for field in SECRETIVE {
            mask(field, &mut shown);
        }
        assert_eq!(
            shown["driver_info"],
            json!({"ipmi_address": "192.0.2.1", "ipmi_password": "******", "snmp_auth_key": "******"})
        );
        assert_eq!(
            shown["instance_info"],
            json!({"configdrive": "******", "image_url": "******", "root_gb": 5})
        );
        assert_eq!(
            shown["driver_internal_info"],
            json!({"agent_secret_token": "******", "agent_url": "https://h"})
        );
    }
}
