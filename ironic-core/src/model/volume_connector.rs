use serde::{Deserialize, Serialize};
use serde_json::Map;
use uuid::Uuid;

use super::managed::{check_length, header};
use super::{JsonMap, Managed, is_default};
use crate::Error;
use crate::runtime::Timestamp;

/// How a machine is known to what it gets volumes from.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct VolumeConnector {
    /// Its identity.
    pub uuid: Uuid,
    /// The machine that it belongs to.
    pub node_uuid: Uuid,
    /// What sort of name it is: `iqn`, `ip`, `mac`, `wwnn`, `wwpn`, `port` or `portgroup`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The name; no two connectors share type and name.
    pub connector_id: String,
    /// Anything that the operator wants to remember.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub extra: JsonMap,
    /// When it was created.
    #[serde(default, skip_serializing_if = "is_default")]
    pub created_at: Timestamp,
    /// When it was last changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<Timestamp>,
}

masked_debug!(VolumeConnector);

impl VolumeConnector {
    /// The connector of `node_uuid` with this type and name.
    pub fn new(
        uuid: Uuid,
        node_uuid: Uuid,
        kind: impl Into<String>,
        connector_id: impl Into<String>,
    ) -> Self {
        Self {
            uuid,
            node_uuid,
            kind: kind.into(),
            connector_id: connector_id.into(),
            extra: Map::new(),
            created_at: Timestamp::EPOCH,
            updated_at: None,
        }
    }
}

impl Managed for VolumeConnector {
    const SETTABLE: &'static [&'static str] = &["node_uuid", "type", "connector_id", "extra"];

    header!();

    fn node(&self) -> Option<Uuid> {
        Some(self.node_uuid)
    }

    fn check(&mut self) -> Result<(), Error> {
        let what = "volume connector";
        check_length(what, "type", Some(&self.kind), 32)?;
        check_length(what, "connector_id", Some(&self.connector_id), 255)
    }
}
