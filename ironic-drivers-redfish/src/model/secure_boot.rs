//! `SecureBoot`.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::{Settings, tolerant};

/// UEFI secure boot (DSP0268 SecureBoot).
#[derive(Debug, Clone, Default, Deserialize)]
#[non_exhaustive]
pub struct SecureBoot {
    /// `SecureBootEnable`: whether the next boot is a secure one.
    #[serde(
        rename = "SecureBootEnable",
        default,
        deserialize_with = "tolerant::flag"
    )]
    pub enabled: Option<bool>,
    /// `SecureBootCurrentBoot`: whether the present boot is.
    #[serde(
        rename = "SecureBootCurrentBoot",
        default,
        deserialize_with = "tolerant::flag"
    )]
    pub current: Option<bool>,
    /// `SecureBootMode`.
    #[serde(
        rename = "SecureBootMode",
        default,
        deserialize_with = "tolerant::text"
    )]
    pub mode: Option<String>,
    /// Where changes are written, when not here.
    #[serde(
        rename = "@Redfish.Settings",
        default,
        deserialize_with = "tolerant::lenient"
    )]
    pub settings: Option<Settings>,
    /// Whatever else there is.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}
