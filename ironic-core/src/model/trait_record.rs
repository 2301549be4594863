use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A trait of a node: a name that a scheduler or a deploy template matches.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct NodeTrait {
    /// Derived from the node and the name, so that no node has a trait twice.
    pub uuid: Uuid,
    /// The node.
    pub node_uuid: Uuid,
    /// The name, for example `CUSTOM_GPU`.
    pub name: String,
}

impl NodeTrait {
    /// The trait `name` of `node`.
    pub fn new(node: Uuid, name: impl Into<String>) -> Self {
        let name = name.into();
        Self {
            uuid: Uuid::new_v5(&node, format!("trait:{name}").as_bytes()),
            node_uuid: node,
            name,
        }
    }
}
