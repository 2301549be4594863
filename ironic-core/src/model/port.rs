use serde::{Deserialize, Serialize};
use serde_json::Map;
use uuid::Uuid;

use super::{JsonMap, MacAddress, is_default, is_yes, yes};
use crate::runtime::Timestamp;

/// A network port of a machine.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Port {
    /// Its identity.
    pub uuid: Uuid,
    /// The machine that it belongs to.
    pub node_uuid: Uuid,
    /// Its hardware address; no two ports share one.
    pub address: MacAddress,
    /// A unique name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Free text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The switch and the port of it that this one is plugged into.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub local_link_connection: JsonMap,
    /// Whether the machine may boot from the network through it.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub pxe_enabled: bool,
    /// The physical network behind it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub physical_network: Option<String>,
    /// The group of ports that it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub portgroup_uuid: Option<Uuid>,
    /// Whether it is a port of a smart NIC.
    #[serde(default, skip_serializing_if = "is_default")]
    pub is_smartnic: bool,
    /// What the operator sorts ports by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
    /// Who made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vendor: Option<String>,
    /// Whether the engine may put it into a group of its own making.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub available_for_dynamic_portgroup: bool,
    /// Anything that the operator wants to remember.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub extra: JsonMap,
    /// What network interfaces remember about it.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub internal_info: JsonMap,
    /// When it was created.
    #[serde(default, skip_serializing_if = "is_default")]
    pub created_at: Timestamp,
    /// When it was last changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<Timestamp>,
}

masked_debug!(Port);

impl Port {
    /// A port with this address and nothing else known.
    pub fn new(uuid: Uuid, node_uuid: Uuid, address: MacAddress) -> Self {
        Self {
            uuid,
            node_uuid,
            address,
            name: None,
            description: None,
            local_link_connection: Map::new(),
            pxe_enabled: true,
            physical_network: None,
            portgroup_uuid: None,
            is_smartnic: false,
            category: None,
            vendor: None,
            available_for_dynamic_portgroup: true,
            extra: Map::new(),
            internal_info: Map::new(),
            created_at: Timestamp::EPOCH,
            updated_at: None,
        }
    }
}
