use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::JsonMap;

/// What the last inspection of a node found: one record per node, with the node's uuid.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Inventory {
    /// The node.
    pub uuid: Uuid,
    /// The hardware, as the agent lists it.
    #[serde(default, skip_serializing_if = "JsonMap::is_empty")]
    pub inventory: JsonMap,
    /// What the agent's collectors found besides.
    #[serde(default, skip_serializing_if = "JsonMap::is_empty")]
    pub plugin_data: JsonMap,
}

impl Inventory {
    /// What was found of `node`.
    pub fn new(node: Uuid, inventory: JsonMap, plugin_data: JsonMap) -> Self {
        Self {
            uuid: node,
            inventory,
            plugin_data,
        }
    }
}
