//! Using a ramdisk that runs already instead of booting another.

use serde_json::Value;

use crate::Error;
use crate::config::Policy;
use crate::model::{Node, lenient};
use crate::runtime::Timestamp;
use crate::states::{PowerState, ProvisionState as S};

/// Where a node remembers firmware updates that are under way: what they have plugged in is only
/// cleaned up with the ramdisk.
const UPDATES: [&str; 2] = ["redfish_fw_updates", "firmware_updates"];

/// Whether a ramdisk that runs may be used for this node: as its `driver_info` says, else as the
/// policy does.
///
/// # Errors
/// [`Error::InvalidParameter`] when `driver_info` says neither yes nor no.
pub(crate) fn enabled(node: &Node, policy: &Policy) -> Result<bool, Error> {
    match node.driver_info.get("fast_track") {
        None | Some(Value::Null) => Ok(policy.fast_track),
        Some(said) => lenient::truth(said)
            .ok_or_else(|| Error::invalid("driver_info/fast_track must be true or false")),
    }
}

/// Whether it may be now: after a failure, and beside an instance, a ramdisk is booted anew.
pub(crate) fn able(node: &Node, policy: &Policy) -> bool {
    let servicing = matches!(
        node.provision_state,
        S::Servicing | S::ServiceWait | S::ServiceHold | S::ServiceFailed
    );
    let is_set = |key: &str| {
        let value = node.driver_internal_info.get(key);
        value.is_some_and(lenient::is_truthy)
    };
    matches!(enabled(node, policy), Ok(true))
        && node.last_error.is_none()
        && !servicing
        && !UPDATES.iter().any(|key| is_set(key))
}

/// Whether the node's agent takes commands: where it does is known, and it has called lately.
pub(crate) fn agent_answers(node: &Node, policy: &Policy, now: Timestamp) -> bool {
    node.internal_str("agent_url").is_some() && called_lately(node, policy, now)
}

/// Whether the node's ramdisk is likely to run: one that has just inspected it may not have
/// called yet.
pub(crate) fn agent_lives(node: &Node, policy: &Policy, now: Timestamp) -> bool {
    let lately = |at| now.since(at) <= policy.fast_track_timeout;
    let inspected =
        node.power_state == Some(PowerState::On) && node.inspection_finished_at.is_some_and(lately);
    let inspecting = matches!(node.provision_state, S::Inspecting | S::InspectWait);
    inspected
        || agent_answers(node, policy, now)
        || (inspecting && called_lately(node, policy, now))
}

/// Whether the ramdisk that runs on the machine would be used, by what the node says alone.
pub(crate) fn expected(node: &Node, policy: &Policy, now: Timestamp) -> bool {
    let on = node.power_state == Some(PowerState::On);
    on && able(node, policy) && agent_lives(node, policy, now)
}

fn called_lately(node: &Node, policy: &Policy, now: Timestamp) -> bool {
    last_call(node).is_some_and(|at| now.since(at) <= policy.fast_track_timeout)
}

/// When the node's agent last called.
pub(super) fn last_call(node: &Node) -> Option<Timestamp> {
    let last = node.driver_internal_info.get("agent_last_heartbeat")?;
    serde_json::from_value(last.clone()).ok()
}
