//! `ServiceRoot`.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::{Link, tolerant};

/// Where a service begins (DSP0268 ServiceRoot).
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
#[allow(missing_docs, reason = "members are named as in the schema")]
pub struct ServiceRoot {
    #[serde(default, deserialize_with = "tolerant::text")]
    pub redfish_version: Option<String>,
    #[serde(rename = "UUID", default, deserialize_with = "tolerant::text")]
    pub uuid: Option<String>,
    #[serde(default, deserialize_with = "tolerant::text")]
    pub vendor: Option<String>,
    #[serde(default, deserialize_with = "tolerant::text")]
    pub product: Option<String>,
    #[serde(default, deserialize_with = "tolerant::lenient")]
    pub systems: Option<Link>,
    #[serde(default, deserialize_with = "tolerant::lenient")]
    pub managers: Option<Link>,
    #[serde(default, deserialize_with = "tolerant::lenient")]
    pub chassis: Option<Link>,
    #[serde(default, deserialize_with = "tolerant::lenient")]
    pub session_service: Option<Link>,
    #[serde(default, deserialize_with = "tolerant::lenient")]
    pub links: Option<ServiceRootLinks>,
    /// Whatever else there is.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

/// `ServiceRoot.Links`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
#[allow(missing_docs, reason = "members are named as in the schema")]
pub struct ServiceRootLinks {
    #[serde(default, deserialize_with = "tolerant::lenient")]
    pub sessions: Option<Link>,
}
