use serde::{Deserialize, Serialize};
use serde_json::Map;
use uuid::Uuid;

use super::managed::{check_length, check_name, header};
use super::{JsonMap, MacAddress, Managed, is_default, is_yes, yes};
use crate::Error;
use crate::runtime::Timestamp;

/// Network ports of one machine that act as one.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Portgroup {
    /// Its identity.
    pub uuid: Uuid,
    /// The machine that it belongs to.
    pub node_uuid: Uuid,
    /// A unique name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The hardware address of the whole group; no two groups share one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<MacAddress>,
    /// How the ports share the load, as the instance's bonding driver names it. `None` stands
    /// for [`Portgroup::DEFAULT_MODE`]; a group gets the conductor's
    /// [`default_portgroup_mode`](crate::config::Config::default_portgroup_mode) as it is created.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<String>,
    /// Parameters of the mode.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub properties: JsonMap,
    /// Whether its ports may also be used one by one.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub standalone_ports_supported: bool,
    /// The physical network behind all of its ports.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub physical_network: Option<String>,
    /// What the operator sorts groups by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
    /// Whether the engine made it, for as long as it is needed.
    #[serde(default, skip_serializing_if = "is_default")]
    pub dynamic_portgroup: bool,
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

masked_debug!(Portgroup);

impl Portgroup {
    /// The mode of a group for which none is given (the original's `default_portgroup_mode`).
    pub const DEFAULT_MODE: &'static str = "active-backup";

    /// A group without ports.
    pub fn new(uuid: Uuid, node_uuid: Uuid) -> Self {
        Self {
            uuid,
            node_uuid,
            name: None,
            address: None,
            mode: None,
            properties: Map::new(),
            standalone_ports_supported: true,
            physical_network: None,
            category: None,
            dynamic_portgroup: false,
            extra: Map::new(),
            internal_info: Map::new(),
            created_at: Timestamp::EPOCH,
            updated_at: None,
        }
    }

    /// How the ports share the load.
    pub fn mode(&self) -> &str {
        self.mode.as_deref().unwrap_or(Self::DEFAULT_MODE)
    }
}

impl Managed for Portgroup {
    const SETTABLE: &'static [&'static str] = &[
        "node_uuid",
        "name",
        "address",
        "mode",
        "properties",
        "standalone_ports_supported",
        "physical_network",
        "category",
        "extra",
    ];

    header!();

    fn node(&self) -> Option<Uuid> {
        Some(self.node_uuid)
    }

    fn check(&mut self) -> Result<(), Error> {
        let what = "port group";
        check_name(what, self.name.as_deref())?;
        check_length(what, "mode", self.mode.as_deref(), 255)?;
        check_length(what, "category", self.category.as_deref(), 80)?;
        let network = self.physical_network.as_deref();
        check_length(what, "physical_network", network, 64)
    }
}
