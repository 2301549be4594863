use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Node;
use crate::states::{PowerState, ProvisionState};

/// What a list of nodes shows unless more is asked for.
///
/// A store may keep these members where it finds them without reading the rest of the record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct NodeSummary {
    /// The node's identity.
    pub uuid: Uuid,
    /// Its name.
    #[serde(default)]
    pub name: Option<String>,
    /// The instance that it belongs to.
    #[serde(default)]
    pub instance_uuid: Option<Uuid>,
    /// Whether the machine has power, as last seen.
    #[serde(default)]
    pub power_state: Option<PowerState>,
    /// Where it stands in its life.
    pub provision_state: ProvisionState,
    /// Whether the engine leaves the machine alone.
    #[serde(default)]
    pub maintenance: bool,
}

impl NodeSummary {
    /// The names of the members.
    pub const FIELDS: [&'static str; 6] = [
        "uuid",
        "name",
        "instance_uuid",
        "power_state",
        "provision_state",
        "maintenance",
    ];
}

impl From<Node> for NodeSummary {
    fn from(node: Node) -> Self {
        Self {
            uuid: node.uuid,
            name: node.name,
            instance_uuid: node.instance_uuid,
            power_state: node.power_state,
            provision_state: node.provision_state,
            maintenance: node.maintenance,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use uuid::Uuid;

    use super::NodeSummary;
    use crate::model::Node;
    use crate::states::PowerState;

    #[test]
    fn a_summary_is_what_the_record_says() {
        let mut node = Node::new(Uuid::from_u128(7), "fake-hardware");
        for filled in [false, true] {
            if filled {
                node.name = Some("n".to_owned());
                node.instance_uuid = Some(Uuid::from_u128(8));
                node.power_state = Some(PowerState::On);
                node.maintenance = true;
            }
            let record = serde_json::to_value(&node).unwrap();
            let summary: NodeSummary = serde_json::from_value(record.clone()).unwrap();
            assert_eq!(summary, NodeSummary::from(node.clone()));
            let shown = serde_json::to_value(&summary).unwrap();
            assert_eq!(
                shown.as_object().unwrap().len(),
                NodeSummary::FIELDS.len(),
                "what is not set is shown as null"
            );
            for field in NodeSummary::FIELDS {
                let unset = if field == "maintenance" {
                    json!(false)
                } else {
                    Value::Null
                };
                let recorded = record.get(field).unwrap_or(&unset);
                assert_eq!(shown.get(field), Some(recorded), "{field}");
            }
        }
    }
}
