//! The engine's rules against cases computed by running the original.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test harness"
)]

use std::fs;
use std::path::Path;

use ironic_core::states::{Event, ProvisionState};
use serde_json::Value;

/// Reads a vector file: the cases from the folder that `IRONIC_VECTORS` names, else the copy.
#[allow(clippy::disallowed_methods, reason = "the test's own switch")]
fn load(name: &str) -> Value {
    let copy = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/vectors")
        .join(name);
    let mut file: Value = serde_json::from_str(&fs::read_to_string(copy).unwrap()).unwrap();
    if let Ok(folder) = std::env::var("IRONIC_VECTORS") {
        let other: Value =
            serde_json::from_str(&fs::read_to_string(Path::new(&folder).join(name)).unwrap())
                .unwrap();
        for key in [
            "cases",
            "fixtures",
            "base_config",
            "list_block_devices_environment",
        ] {
            if let Some(value) = other.get(key) {
                file[key] = value.clone();
            }
        }
    }
    file
}

/// Runs the cases of the kinds that `run` knows, prints the tally and fails on any miss.
fn check(name: &str, skipped: &[&str], run: impl Fn(&str, &Value) -> Option<Result<(), String>>) {
    let file = load(name);
    let (mut passed, mut misses) = (0, Vec::new());
    for case in file["cases"].as_array().unwrap() {
        let kind = case["kind"].as_str().unwrap();
        match run(kind, case) {
            Some(Ok(())) => passed += 1,
            Some(Err(miss)) => misses.push(format!("{}: {miss}", case["id"])),
            None => assert!(
                skipped.contains(&kind),
                "{name}: kind {kind} is neither run nor listed as skipped"
            ),
        }
    }
    for kind in skipped {
        println!("skipped: {name} {kind}");
    }
    println!("{name}: {passed} of {} cases", passed + misses.len());
    assert!(passed > 0, "{name}: no case was run");
    assert!(
        misses.is_empty(),
        "{name}: {} misses\n{}",
        misses.len(),
        misses.join("\n")
    );
}

fn state(value: &Value) -> Option<ProvisionState> {
    value.as_str().and_then(|name| name.parse().ok())
}

#[test]
fn state_machine() {
    // The kinds that begin with `api_` belong to the host that has the API.
    let skipped = [
        "conductor_action",
        "conductor_destroy_node",
        "api_provision",
        "api_provision_in_maintenance",
        "api_power",
        "api_boot_mode",
        "api_secure_boot",
        "api_patch",
    ];
    check("state_machine.json", &skipped, |kind, case| match kind {
        "fsm_event" | "fsm_event_with_target" => Some(fsm_event(case)),
        "fsm_initialize" => Some(fsm_initialize(case)),
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
