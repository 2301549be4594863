use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::is_default;
use crate::runtime::Timestamp;

/// A setting of a machine's firmware, as last read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct BiosSetting {
    /// Derived from the node and the name, so that no node has a setting twice.
    pub uuid: Uuid,
    /// The machine.
    pub node_uuid: Uuid,
    /// What the firmware calls it.
    pub name: String,
    /// What it is set to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// What sort of value it takes: `Enumeration`, `String`, `Integer`, `Boolean` or `Password`
    /// (DMTF DSP8010, AttributeRegistry).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attribute_type: Option<String>,
    /// The values that it takes, where these are listed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allowable_values: Option<Vec<String>>,
    /// The least number that it takes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lower_bound: Option<i64>,
    /// The greatest number that it takes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upper_bound: Option<i64>,
    /// The fewest characters that it takes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_length: Option<i64>,
    /// The most characters that it takes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_length: Option<i64>,
    /// Whether it cannot be changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read_only: Option<bool>,
    /// Whether a change takes a reset to come into force.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reset_required: Option<bool>,
    /// Whether it differs from machine to machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unique: Option<bool>,
    /// When it was first read.
    #[serde(default, skip_serializing_if = "is_default")]
    pub created_at: Timestamp,
    /// When it was last seen to have changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<Timestamp>,
}

impl BiosSetting {
    /// The setting `name` of `node`.
    pub fn new(node: Uuid, name: impl Into<String>, value: Option<String>) -> Self {
        let name = name.into();
        Self {
            uuid: Self::id(node, &name),
            node_uuid: node,
            name,
            value,
            attribute_type: None,
            allowable_values: None,
            lower_bound: None,
            upper_bound: None,
            min_length: None,
            max_length: None,
            read_only: None,
            reset_required: None,
            unique: None,
            created_at: Timestamp::EPOCH,
            updated_at: None,
        }
    }

    /// The identity of the setting of this name.
    pub fn id(node: Uuid, name: &str) -> Uuid {
        Uuid::new_v5(&node, format!("bios:{name}").as_bytes())
    }
}
