//! `EthernetInterface`.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::{Status, tolerant};

/// A network port of the machine (DSP0268 EthernetInterface).
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
#[allow(missing_docs, reason = "members are named as in the schema")]
pub struct EthernetInterface {
    #[serde(default, deserialize_with = "tolerant::text")]
    pub id: Option<String>,
    #[serde(default, deserialize_with = "tolerant::text")]
    pub name: Option<String>,
    /// The address in use.
    #[serde(rename = "MACAddress", default, deserialize_with = "tolerant::text")]
    pub mac_address: Option<String>,
    /// The address that the port was made with.
    #[serde(
        rename = "PermanentMACAddress",
        default,
        deserialize_with = "tolerant::text"
    )]
    pub permanent_mac_address: Option<String>,
    /// In Mbit/s.
    #[serde(default, deserialize_with = "tolerant::count")]
    pub speed_mbps: Option<u64>,
    #[serde(default, deserialize_with = "tolerant::lenient")]
    pub status: Option<Status>,
    /// Whatever else there is.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

impl EthernetInterface {
    /// The address in use, in lower case with colons, of a port that is enabled and healthy.
    pub fn enabled_mac(&self) -> Option<String> {
        let status = self.status.as_ref()?;
        let usable =
            status.state.as_deref() == Some("Enabled") && status.health.as_deref() == Some("OK");
        normalize_mac(self.mac_address.as_deref().filter(|_| usable)?)
    }
}

/// Lower case with colons; `None` for what is not six octets.
fn normalize_mac(text: &str) -> Option<String> {
    let mac = text.to_ascii_lowercase().replace('-', ":");
    let octets: Vec<_> = mac.split(':').collect();
    let valid = octets.len() == 6
        && octets
            .iter()
            .all(|octet| octet.len() == 2 && octet.bytes().all(|b| b.is_ascii_hexdigit()));
    valid.then_some(mac)
}
