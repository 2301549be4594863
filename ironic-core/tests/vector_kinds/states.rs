//! The table of states.

use ironic_core::states::{Event, ProvisionState};
use serde_json::Value;

use crate::conductor::Conducted;
use crate::harness::check;

pub(crate) fn state(value: &Value) -> Option<ProvisionState> {
    value.as_str().and_then(|name| name.parse().ok())
}

#[test]
fn state_machine() {
    let conductor = Conducted::new();
    // The kinds that begin with `api_` belong to the host that has the API.
    let host = [
        "api_provision",
        "api_provision_in_maintenance",
        "api_power",
        "api_boot_mode",
        "api_secure_boot",
        "api_patch",
    ];
    check("state_machine.json", &[], &host, |kind, case| match kind {
        "fsm_event" | "fsm_event_with_target" => Some(fsm_event(case)),
        "fsm_initialize" => Some(fsm_initialize(case)),
        "conductor_action" => Some(conductor.action(case)),
        "conductor_destroy_node" => Some(conductor.destroy_node(case)),
        _ => None,
    });
}

fn fsm_event(case: &Value) -> Result<(), String> {
    let from = state(&case["state"]).ok_or("unknown state")?;
    let event: Result<Event, _> = case["event"].as_str().unwrap_or_default().parse();
    let requested = match &case["target"] {
        Value::Null => None,
        name => Some(state(name).ok_or("unknown target")?),
    };
    let initial = state(&case["initial_target"]).or(from.default_target());
    let got = event.map_err(|e| e.to_string()).and_then(|event| {
        if let Some(actionable) = case["expect"].get("actionable") {
            assert_eq!(
                Value::from(from.on(event).is_ok()),
                *actionable,
                "{}",
                case["id"]
            );
        }
        from.advance(event, initial, requested)
            .map_err(|e| e.to_string())
    });
    match (got, case["expect"].get("ok")) {
        (Ok((to, target)), Some(want))
            if state(&want["state"]) == Some(to) && state(&want["target"]) == target =>
        {
            Ok(())
        }
        (Err(_), None) => Ok(()),
        (got, want) => Err(format!("{got:?}, expected {want:?}")),
    }
}

fn fsm_initialize(case: &Value) -> Result<(), String> {
    let start = state(&case["state"]).ok_or("unknown state")?;
    let got = match &case["target"] {
        Value::Null => Ok(start.default_target()),
        name => match state(name).map(ProvisionState::checked_target) {
            Some(Ok(target)) => Ok(Some(target)),
            _ => Err(()),
        },
    };
    match (got, case["expect"].get("init_ok")) {
        (Ok(got), Some(want)) if got == state(want) => Ok(()),
        (Err(()), None) => Ok(()),
        (got, want) => Err(format!("{got:?}, expected {want:?}")),
    }
}
