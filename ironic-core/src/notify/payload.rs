//! What notifications carry: the original's payload objects, their versions and their fields.

use serde_json::{Map, Value, json};

use super::{Event, Object};
use crate::model::{JsonMap, Node};
use crate::secret::masked;
use crate::states::{FlowKind, InterfaceKind};

/// What stands where a secret would, as in the original's payloads.
const MASK: &str = "******";

/// The fields of an inspection rule that are left out of one that is sensitive: the lists are
/// empty, as consumers of the original's objects take no null there.
const SENSITIVE: &[&str] = &["actions", "conditions"];

/// What a field is where the record leaves it out.
#[derive(Clone, Copy)]
enum Unset {
    Null,
    No,
    Yes,
    Map,
    List,
    Text,
}

impl Unset {
    fn value(self) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::No => Value::Bool(false),
            Self::Yes => Value::Bool(true),
            Self::Map => json!({}),
            Self::List => json!([]),
            Self::Text => json!(""),
        }
    }
}

use Unset::{List as L, Map as M, No as F, Null as N, Text as E, Yes as T};

type Fields = &'static [(&'static str, Unset)];

/// The fields that every payload about a node has, but for those that are made up here: the
/// interfaces, the steps and the traits.
const NODE: Fields = &[
    ("boot_mode", N),
    ("conductor_group", E),
    ("console_enabled", F),
    ("created_at", N),
    ("description", N),
    ("disable_power_off", F),
    ("driver", N),
    ("extra", M),
    ("fault", N),
    ("inspection_finished_at", N),
    ("inspection_started_at", N),
    ("instance_uuid", N),
    ("last_error", N),
    ("lessee", N),
    ("maintenance", F),
    ("maintenance_reason", N),
    ("name", N),
    ("owner", N),
    ("power_state", N),
    ("properties", M),
    ("protected", F),
    ("protected_reason", N),
    ("provision_state", N),
    ("provision_updated_at", N),
    ("resource_class", N),
    ("retired", F),
    ("retired_reason", N),
    ("secure_boot", N),
    ("target_power_state", N),
    ("target_provision_state", N),
    ("updated_at", N),
    ("uuid", N),
];

/// The interfaces that payloads name; firmware came after their last version.
const INTERFACES: &[InterfaceKind] = &[
    InterfaceKind::Bios,
    InterfaceKind::Boot,
    InterfaceKind::Console,
    InterfaceKind::Deploy,
    InterfaceKind::Inspect,
    InterfaceKind::Management,
    InterfaceKind::Network,
    InterfaceKind::Power,
    InterfaceKind::Raid,
    InterfaceKind::Rescue,
    InterfaceKind::Storage,
    InterfaceKind::Vendor,
];

/// Name, version and fields of the payload about a record other than a node.
const fn record(object: Object) -> (&'static str, &'static str, Fields) {
    match object {
        Object::Allocation => (
            "AllocationCRUDPayload",
            "1.1",
            &[
                ("candidate_nodes", L),
                ("created_at", N),
                ("extra", M),
                ("last_error", N),
                ("name", N),
                ("node_uuid", N),
                ("owner", N),
                ("resource_class", N),
                ("state", N),
                ("traits", L),
                ("updated_at", N),
                ("uuid", N),
            ],
        ),
        Object::Chassis => (
            "ChassisCRUDPayload",
            "1.0",
            &[
                ("created_at", N),
                ("description", N),
                ("extra", M),
                ("updated_at", N),
                ("uuid", N),
            ],
        ),
        Object::DeployTemplate => (
            "DeployTemplateCRUDPayload",
            "1.0",
            &[
                ("created_at", N),
                ("extra", M),
                ("name", N),
                ("steps", L),
                ("updated_at", N),
                ("uuid", N),
            ],
        ),
        Object::InspectionRule => (
            "InspectionRuleCRUDPayload",
            "1.0",
            &[
                ("actions", L),
                ("conditions", L),
                ("created_at", N),
                ("description", N),
                ("phase", N),
                ("priority", N),
                ("scope", N),
                ("sensitive", F),
                ("updated_at", N),
                ("uuid", N),
            ],
        ),
        // Nodes have payloads of their own; this is what all of those share.
        Object::Node => ("NodePayload", "1.17", NODE),
        Object::Port => (
            "PortCRUDPayload",
            "1.8",
            &[
                ("address", N),
                ("available_for_dynamic_portgroup", T),
                ("category", N),
                ("created_at", N),
                ("description", N),
                ("extra", M),
                ("is_smartnic", F),
                ("local_link_connection", M),
                ("name", N),
                ("node_uuid", N),
                ("physical_network", N),
                ("portgroup_uuid", N),
                ("pxe_enabled", T),
                ("updated_at", N),
                ("uuid", N),
                ("vendor", N),
            ],
        ),
        Object::Portgroup => (
            "PortgroupCRUDPayload",
            "1.3",
            &[
                ("address", N),
                ("category", N),
                ("created_at", N),
                ("dynamic_portgroup", F),
                ("extra", M),
                ("mode", N),
                ("name", N),
                ("node_uuid", N),
                ("physical_network", N),
                ("properties", M),
                ("standalone_ports_supported", T),
                ("updated_at", N),
                ("uuid", N),
            ],
        ),
        Object::Runbook => (
            "RunbookCRUDPayload",
            "1.1",
            &[
                ("created_at", N),
                ("description", N),
                ("disable_ramdisk", F),
                ("extra", M),
                ("name", N),
                ("owner", N),
                ("public", F),
                ("steps", L),
                ("traits", L),
                ("updated_at", N),
                ("uuid", N),
            ],
        ),
        Object::VolumeConnector => (
            "VolumeConnectorCRUDPayload",
            "1.0",
            &[
                ("connector_id", N),
                ("created_at", N),
                ("extra", M),
                ("node_uuid", N),
                ("type", N),
                ("updated_at", N),
                ("uuid", N),
            ],
        ),
        Object::VolumeTarget => (
            "VolumeTargetCRUDPayload",
            "1.0",
            &[
                ("boot_index", N),
                ("created_at", N),
                ("extra", M),
                ("node_uuid", N),
                ("properties", M),
                ("updated_at", N),
                ("uuid", N),
                ("volume_id", N),
                ("volume_type", N),
            ],
        ),
    }
}

/// The record that an event is about, as it was then; no secret is in it.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Payload {
    /// The name of the original's payload object.
    pub name: &'static str,
    /// The version of that object.
    pub version: &'static str,
    /// Its fields, each one there.
    pub data: JsonMap,
}

impl Payload {
    /// The payload of an event about this node, with its traits and the step that it is at.
    pub fn of_node(
        event: &Event,
        node: &Node,
        traits: &[String],
        step: Option<(FlowKind, Value)>,
    ) -> Self {
        let body = serde_json::to_value(node).unwrap_or_default();
        let mut data = taken(NODE, &body);
        for kind in INTERFACES {
            let name = body.get("interfaces").and_then(|of| of.get(kind.as_str()));
            data.insert(
                format!("{kind}_interface"),
                name.cloned().unwrap_or_default(),
            );
        }
        data.insert("traits".to_owned(), json!(traits));
        for (field, of) in [
            ("clean_step", FlowKind::Clean),
            ("deploy_step", FlowKind::Deploy),
        ] {
            let at = step.as_ref().filter(|(kind, _)| *kind == of);
            let at = at.map_or_else(|| json!({}), |(_, step)| step.clone());
            data.insert(field.to_owned(), at);
        }
        let (name, version, further): (_, _, Fields) = match event {
            Event::Record { .. } => (
                "NodeCRUDPayload",
                "1.15",
                &[
                    ("chassis_uuid", N),
                    ("driver_info", M),
                    ("instance_info", M),
                ],
            ),
            Event::PowerSet { target, .. } => {
                data.insert("to_power".to_owned(), json!(target));
                ("NodeSetPowerStatePayload", "1.17", &[])
            }
            Event::PowerStateCorrected { from, .. } => {
                data.insert("from_power".to_owned(), json!(from));
                ("NodeCorrectedPowerStatePayload", "1.17", &[])
            }
            Event::ProvisionSet {
                by,
                from,
                previous_target,
                ..
            } => {
                data.insert("event".to_owned(), json!(by));
                data.insert("previous_provision_state".to_owned(), json!(from));
                let target = json!(previous_target);
                data.insert("previous_target_provision_state".to_owned(), target);
                (
                    "NodeSetProvisionStatePayload",
                    "1.18",
                    &[("driver_internal_info", M), ("instance_info", M)],
                )
            }
            _ => ("NodePayload", "1.17", &[]),
        };
        data.extend(taken(further, &body));
        let mut data = masked(&data, MASK);
        // A URL of an image may be one that lets anybody have the image.
        if let Some(Value::Object(info)) = data.get_mut("instance_info")
            && let Some(url) = info.get_mut("image_url")
        {
            *url = Value::from(MASK);
        }
        Self {
            name,
            version,
            data,
        }
    }

    /// No more than which node an event is about.
    pub fn of_node_in_brief(node: &Node) -> Self {
        let data = json!({"uuid": node.uuid, "name": node.name});
        let data = data.as_object().cloned().unwrap_or_default();
        Self {
            name: "NodePayload",
            version: "1.17",
            data,
        }
    }

    /// The payload of an event about a record that is no node, from its body.
    pub fn of_record(object: Object, body: &Value) -> Self {
        let (name, version, fields) = record(object);
        let mut data = masked(&taken(fields, body), MASK);
        // The API never shows what such a rule does, so nobody else is told either.
        if object == Object::InspectionRule && body.get("sensitive") == Some(&Value::Bool(true)) {
            for (field, unset) in fields.iter().filter(|(name, _)| SENSITIVE.contains(name)) {
                data.insert((*field).to_owned(), unset.value());
            }
        }
        Self {
            name,
            version,
            data,
        }
    }

    /// The payload as it stands in messages of the original.
    pub fn to_wire(&self) -> Value {
        json!({
            "ironic_object.namespace": "ironic",
            "ironic_object.name": self.name,
            "ironic_object.version": self.version,
            "ironic_object.data": self.data,
        })
    }
}

fn taken(fields: Fields, body: &Value) -> Map<String, Value> {
    let field = |(name, unset): &(&'static str, Unset)| {
        let value = body.get(name).filter(|value| !value.is_null());
        let value = value.cloned().unwrap_or_else(|| unset.value());
        ((*name).to_owned(), value)
    };
    fields.iter().map(field).collect()
}
