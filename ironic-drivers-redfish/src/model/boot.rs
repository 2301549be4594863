//! `ComputerSystem.Boot`.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::common::allowable_values;
use super::{BootSource, OverrideEnabled, OverrideMode, tolerant};

/// How the system boots (DSP0268 ComputerSystem.Boot).
#[derive(Debug, Clone, Default, Deserialize)]
#[non_exhaustive]
pub struct Boot {
    /// From where, while the override is in effect.
    #[serde(
        rename = "BootSourceOverrideTarget",
        default,
        deserialize_with = "tolerant::lenient"
    )]
    pub target: Option<BootSource>,
    /// For how long.
    #[serde(
        rename = "BootSourceOverrideEnabled",
        default,
        deserialize_with = "tolerant::lenient"
    )]
    pub enabled: Option<OverrideEnabled>,
    /// By which firmware interface.
    #[serde(
        rename = "BootSourceOverrideMode",
        default,
        deserialize_with = "tolerant::lenient"
    )]
    pub mode: Option<OverrideMode>,
    /// What `UefiHttp` fetches.
    #[serde(rename = "HttpBootUri", default, deserialize_with = "tolerant::text")]
    pub http_boot_uri: Option<String>,
    /// Whatever else there is, `…@Redfish.AllowableValues` among it.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

impl Boot {
    /// The targets that the BMC takes, when it says so.
    pub fn allowable_targets(&self) -> Option<Vec<BootSource>> {
        let names = allowable_values(&self.rest, "BootSourceOverrideTarget")?;
        Some(
            names
                .iter()
                .map(|name| BootSource::from(name.as_str()))
                .collect(),
        )
    }

    /// What `self` leaves open, taken from `other` (newer BMCs keep part of `Boot` in the
    /// Settings resource).
    #[must_use]
    pub fn or(mut self, other: Self) -> Self {
        self.target = self.target.or(other.target);
        self.enabled = self.enabled.or(other.enabled);
        self.mode = self.mode.or(other.mode);
        self.http_boot_uri = self.http_boot_uri.or(other.http_boot_uri);
        for (name, value) in other.rest {
            if self.rest.get(&name).is_none_or(Value::is_null) {
                self.rest.insert(name, value);
            }
        }
        self
    }
}
