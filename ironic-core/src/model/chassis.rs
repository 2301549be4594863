use serde::{Deserialize, Serialize};
use serde_json::Map;
use uuid::Uuid;

use super::managed::{check_length, header};
use super::{JsonMap, Managed, is_default};
use crate::Error;
use crate::runtime::Timestamp;

/// What machines stand in.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Chassis {
    /// Its identity.
    pub uuid: Uuid,
    /// Free text, 255 characters at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
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

masked_debug!(Chassis);

impl Chassis {
    /// A chassis of which nothing is known.
    pub fn new(uuid: Uuid) -> Self {
        Self {
            uuid,
            ..Self::default()
        }
    }
}

impl Managed for Chassis {
    const SETTABLE: &'static [&'static str] = &["description", "extra"];

    header!();

    fn check(&mut self) -> Result<(), Error> {
        check_length("chassis", "description", self.description.as_deref(), 255)
    }
}
