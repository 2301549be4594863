use super::POWER_FAILURE;
use crate::flow::{Blocked, BlockedReason, Flow};
use crate::model::{Lock, Node};
use crate::states::{ProvisionState, Verb};

/// Why a node does not move; `None` when it rests where it should, or is being worked on.
pub fn explain(node: &Node, flow: Option<&Flow>, lock: Option<&Lock>) -> Option<Blocked> {
    let since = node.provision_updated_at.unwrap_or(node.created_at);
    let state = node.provision_state;
    if let Some(blocked) = flow.and_then(|flow| flow.blocked.clone()) {
        if node.maintenance {
            let reason = node.maintenance_reason.clone().unwrap_or_default();
            return Some(Blocked::new(
                BlockedReason::Maintenance { reason },
                blocked.since,
                format!("take the node out of maintenance; then: {blocked}"),
            ));
        }
        return Some(blocked);
    }
    if state.is_failure()
        || state == ProvisionState::Error
        || (state == ProvisionState::Enroll && node.last_error.is_some())
    {
        let error = node
            .last_error
            .clone()
            .unwrap_or_else(|| "no reason was recorded".to_owned());
        let next: Vec<_> = state.verbs().map(Verb::as_str).collect();
        return Some(Blocked::new(
            BlockedReason::Failed { error },
            since,
            format!("mend the cause, then ask for one of: {}", next.join(", ")),
        ));
    }
    if let Some(Lock {
        holder: Some(holder),
        purpose,
        since,
        ..
    }) = lock
    {
        return Some(Blocked::new(
            BlockedReason::Lock {
                holder: holder.clone(),
                purpose: purpose.clone().unwrap_or_default(),
            },
            since.unwrap_or(node.created_at),
            "it is being worked on; wait",
        ));
    }
    if node.maintenance {
        let reason = node.maintenance_reason.clone().unwrap_or_default();
        return Some(Blocked::new(
            BlockedReason::Maintenance { reason },
            node.updated_at.unwrap_or(node.created_at),
            if node.fault.as_deref() == Some(POWER_FAILURE) {
                "let its BMC answer: the conductor asks again from time to time, and then takes the node out of maintenance"
            } else {
                "take the node out of maintenance"
            },
        ));
    }
    if let Some(flow) = flow {
        return Some(Blocked::new(
            BlockedReason::Conductor,
            flow.started,
            "wait: whoever looks after it goes on within seconds, or within the time of a take-over where that conductor has died; a conductor must live that serves the node's group and hardware type",
        ));
    }
    if state.is_waiting() || state.is_in_progress() {
        let error = "nothing is recorded of what is going on".to_owned();
        return Some(Blocked::new(
            BlockedReason::Failed { error },
            since,
            "its conductor recovers it when it starts",
        ));
    }
    None
}
