//! What is asked of either side, word by word.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::NODES;

/// Lists of all nodes, and what to call them.
pub(crate) const LISTS: [(&str, &str); 2] = [
    ("/v1/nodes?limit=1000", "list of 1,000"),
    ("/v1/nodes/detail?limit=1000", "list of 1,000 in detail"),
];

/// A node as operators enrol them.
pub(crate) fn node(number: usize) -> String {
    let (rack, place) = (number / 40, number % 40);
    let node: Value = json!({
        "name": format!("rack-{rack}-node-{place}"),
        "driver": "fake-hardware",
        "resource_class": "baremetal",
        "driver_info": {
            "deploy_kernel": "http://192.0.2.1:8080/ipa.kernel",
            "deploy_ramdisk": "http://192.0.2.1:8080/ipa.initramfs",
        },
        "properties": {
            "cpu_arch": "x86_64", "cpus": 64, "memory_mb": 524_288, "local_gb": 1788,
            "capabilities": "boot_mode:uefi,secure_boot:true",
            "root_device": {"serial": format!("S{number:015}")},
        },
        "extra": {"rack": rack, "place": place},
    });
    node.to_string()
}

/// What matters of a node in an answer.
#[derive(Debug, Deserialize)]
pub(crate) struct Seen {
    pub(crate) uuid: String,
}

/// A list of nodes, as it is answered.
#[derive(Debug, Deserialize)]
pub(crate) struct Nodes {
    pub(crate) nodes: Vec<Seen>,
}

/// Which nodes are in this state.
pub(crate) fn in_state(state: &str) -> String {
    let state = state.replace(' ', "%20");
    format!("/v1/nodes?provision_state={state}&fields=uuid&limit={NODES}")
}
