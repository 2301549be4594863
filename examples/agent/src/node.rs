//! The node as the conductor describes it.

use serde_json::{Map, Value};

/// A node's record, of which the agent reads a handful of members.
#[derive(Debug, Clone, PartialEq)]
pub struct Node(Map<String, Value>);

impl Node {
    /// Takes a record that has a `uuid`; `None` for any other.
    #[must_use]
    pub fn new(record: Map<String, Value>) -> Option<Self> {
        // The uuid becomes part of a URL path.
        let uuid = record.get("uuid")?.as_str()?;
        let clean = uuid.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        (clean && !uuid.is_empty()).then_some(Self(record))
    }

    /// The node's identity.
    #[must_use]
    pub fn uuid(&self) -> &str {
        self.0.get("uuid").and_then(Value::as_str).unwrap_or("")
    }

    fn member(&self, map: &str, key: &str) -> Option<&Value> {
        self.0.get(map)?.as_object()?.get(key)
    }

    /// Root device hints: the instance's, else the node's; empty ones count as none.
    pub(crate) fn root_device_hints(&self) -> Option<&Map<String, Value>> {
        ["instance_info", "properties"]
            .into_iter()
            .filter_map(|map| self.member(map, "root_device")?.as_object())
            .find(|hints| !hints.is_empty())
    }

    /// Hints for disks that must not be touched.
    pub(crate) fn skip_block_devices(&self) -> Option<&Vec<Value>> {
        self.member("properties", "skip_block_devices")?.as_array()
    }

    /// A switch that the conductor sends in `driver_internal_info`.
    pub(crate) fn internal_flag(&self, key: &str) -> Option<bool> {
        self.member("driver_internal_info", key)?.as_bool()
    }

    /// A count that the conductor sends in `driver_internal_info`.
    pub(crate) fn internal_count(&self, key: &str) -> Option<u64> {
        self.member("driver_internal_info", key)?.as_u64()
    }
}
