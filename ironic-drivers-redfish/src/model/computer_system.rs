//! `ComputerSystem`.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::{Action, Boot, IndicatorLed, Link, PowerState, Settings, Status, tolerant};

/// A machine (DSP0268 ComputerSystem).
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
#[allow(missing_docs, reason = "members are named as in the schema")]
pub struct ComputerSystem {
    #[serde(rename = "@odata.id", default, deserialize_with = "tolerant::text")]
    pub odata_id: Option<String>,
    #[serde(default, deserialize_with = "tolerant::text")]
    pub id: Option<String>,
    #[serde(default, deserialize_with = "tolerant::text")]
    pub name: Option<String>,
    #[serde(rename = "UUID", default, deserialize_with = "tolerant::text")]
    pub uuid: Option<String>,
    #[serde(default, deserialize_with = "tolerant::text")]
    pub manufacturer: Option<String>,
    #[serde(default, deserialize_with = "tolerant::text")]
    pub model: Option<String>,
    #[serde(rename = "SKU", default, deserialize_with = "tolerant::text")]
    pub sku: Option<String>,
    #[serde(default, deserialize_with = "tolerant::text")]
    pub serial_number: Option<String>,
    #[serde(default, deserialize_with = "tolerant::text")]
    pub part_number: Option<String>,
    #[serde(default, deserialize_with = "tolerant::text")]
    pub asset_tag: Option<String>,
    #[serde(default, deserialize_with = "tolerant::text")]
    pub bios_version: Option<String>,
    #[serde(default, deserialize_with = "tolerant::text")]
    pub host_name: Option<String>,
    #[serde(default, deserialize_with = "tolerant::text")]
    pub system_type: Option<String>,
    #[serde(default, deserialize_with = "tolerant::lenient")]
    pub power_state: Option<PowerState>,
    #[serde(default, deserialize_with = "tolerant::lenient")]
    pub status: Option<Status>,
    #[serde(default, deserialize_with = "tolerant::lenient")]
    pub boot: Option<Boot>,
    #[serde(default, deserialize_with = "tolerant::lenient")]
    pub processor_summary: Option<ProcessorSummary>,
    #[serde(default, deserialize_with = "tolerant::lenient")]
    pub memory_summary: Option<MemorySummary>,
    #[serde(
        rename = "IndicatorLED",
        default,
        deserialize_with = "tolerant::lenient"
    )]
    pub indicator_led: Option<IndicatorLed>,
    #[serde(default, deserialize_with = "tolerant::flag")]
    pub location_indicator_active: Option<bool>,
    #[serde(default, deserialize_with = "tolerant::lenient")]
    pub ethernet_interfaces: Option<Link>,
    #[serde(default, deserialize_with = "tolerant::lenient")]
    pub secure_boot: Option<Link>,
    #[serde(default, deserialize_with = "tolerant::lenient")]
    pub links: Option<SystemLinks>,
    #[serde(default, deserialize_with = "tolerant::lenient")]
    pub actions: Option<SystemActions>,
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

/// `ComputerSystem.ProcessorSummary`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
#[allow(missing_docs, reason = "members are named as in the schema")]
pub struct ProcessorSummary {
    #[serde(default, deserialize_with = "tolerant::count")]
    pub count: Option<u64>,
    #[serde(default, deserialize_with = "tolerant::count")]
    pub core_count: Option<u64>,
    #[serde(default, deserialize_with = "tolerant::count")]
    pub logical_processor_count: Option<u64>,
    #[serde(default, deserialize_with = "tolerant::text")]
    pub model: Option<String>,
}

/// `ComputerSystem.MemorySummary`.
#[derive(Debug, Clone, Default, Deserialize)]
#[non_exhaustive]
pub struct MemorySummary {
    /// Installed memory, in GiB; not always a whole number.
    #[serde(
        rename = "TotalSystemMemoryGiB",
        default,
        deserialize_with = "tolerant::number"
    )]
    pub total_gib: Option<f64>,
}

/// `ComputerSystem.Links`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
#[allow(missing_docs, reason = "members are named as in the schema")]
pub struct SystemLinks {
    #[serde(default, deserialize_with = "tolerant::list")]
    pub chassis: Option<Vec<Link>>,
    #[serde(default, deserialize_with = "tolerant::list")]
    pub managed_by: Option<Vec<Link>>,
}

/// `ComputerSystem.Actions`.
#[derive(Debug, Clone, Default, Deserialize)]
#[non_exhaustive]
pub struct SystemActions {
    /// `#ComputerSystem.Reset`.
    #[serde(
        rename = "#ComputerSystem.Reset",
        default,
        deserialize_with = "tolerant::lenient"
    )]
    pub reset: Option<Action>,
    /// Whatever else there is.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}
