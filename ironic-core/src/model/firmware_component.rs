use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::is_default;
use crate::runtime::Timestamp;

/// A piece of a machine's firmware, as last read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FirmwareComponent {
    /// Derived from the node and the component, so that no node has a component twice.
    pub uuid: Uuid,
    /// The machine.
    pub node_uuid: Uuid,
    /// What it is the firmware of: `bios`, `bmc`, `nic:…`.
    pub component: String,
    /// The version that was read first.
    pub initial_version: String,
    /// The version that was read last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub current_version: Option<String>,
    /// The version that was put on it last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_version_flashed: Option<String>,
    /// Who made the component.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vendor: Option<String>,
    /// Which model it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Its serial number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serial_number: Option<String>,
    /// When it was first read.
    #[serde(default, skip_serializing_if = "is_default")]
    pub created_at: Timestamp,
    /// When it was last seen to have changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<Timestamp>,
}

impl FirmwareComponent {
    /// The component of `node`, of which this version has been read.
    pub fn new(node: Uuid, component: impl Into<String>, version: impl Into<String>) -> Self {
        let (component, version) = (component.into(), version.into());
        Self {
            uuid: Self::id(node, &component),
            node_uuid: node,
            component,
            current_version: Some(version.clone()),
            initial_version: version,
            last_version_flashed: None,
            vendor: None,
            model: None,
            serial_number: None,
            created_at: Timestamp::EPOCH,
            updated_at: None,
        }
    }

    /// The identity of the component of this name.
    pub fn id(node: Uuid, component: &str) -> Uuid {
        Uuid::new_v5(&node, format!("firmware:{component}").as_bytes())
    }
}
