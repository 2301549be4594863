use serde::{Deserialize, Serialize};
use serde_json::Map;
use uuid::Uuid;

use super::managed::{check_length, header};
use super::{JsonMap, Managed, is_default};
use crate::Error;
use crate::runtime::Timestamp;

/// A volume that a machine uses.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct VolumeTarget {
    /// Its identity.
    pub uuid: Uuid,
    /// The machine that uses it.
    pub node_uuid: Uuid,
    /// How the machine reaches it: `iscsi` or `fibre_channel`.
    pub volume_type: String,
    /// The volume's name where it is kept.
    pub volume_id: String,
    /// Its place among the machine's volumes, each once: the machine boots from 0.
    pub boot_index: i64,
    /// Where it is and how to get in.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub properties: JsonMap,
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

impl VolumeTarget {
    /// A volume of `node_uuid`.
    pub fn new(
        uuid: Uuid,
        node_uuid: Uuid,
        volume_type: impl Into<String>,
        volume_id: impl Into<String>,
        boot_index: i64,
    ) -> Self {
        Self {
            uuid,
            node_uuid,
            volume_type: volume_type.into(),
            volume_id: volume_id.into(),
            boot_index,
            properties: Map::new(),
            extra: Map::new(),
            created_at: Timestamp::EPOCH,
            updated_at: None,
        }
    }
}

masked_debug!(VolumeTarget);

impl Managed for VolumeTarget {
    const SETTABLE: &'static [&'static str] = &[
        "node_uuid",
        "volume_type",
        "volume_id",
        "boot_index",
        "properties",
        "extra",
    ];

    header!();

    fn node(&self) -> Option<Uuid> {
        Some(self.node_uuid)
    }

    fn check(&mut self) -> Result<(), Error> {
        let what = "volume target";
        check_length(what, "volume_type", Some(&self.volume_type), 64)?;
        check_length(what, "volume_id", Some(&self.volume_id), 36)
    }
}
