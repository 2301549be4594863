//! The original's behaviour, case by case.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that meets the unexpected is to stop there"
)]
#![allow(
    clippy::disallowed_methods,
    reason = "IRONIC_VECTORS names other cases to run"
)]

use std::path::PathBuf;

use ironic_drivers_redfish::{
    DriverInfoDefaults, DriverInfoError, FirmwareComponentType, RedfishDriverInfo,
};
use serde_json::{Map, Value, json};

const KINDS: [&str; 2] = ["redfish_driver_info", "redfish_component_type"];

/// The node of every case.
const NODE: &str = "11111111-2222-4333-8444-555555555555";

fn cases(name: &str) -> Vec<Value> {
    let copies = PathBuf::from(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../ironic-core/tests/vectors/"
    ));
    let folder = std::env::var_os("IRONIC_VECTORS").map_or(copies, PathBuf::from);
    let path = folder.join(name);
    let text = std::fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let file: Value = serde_json::from_str(&text).unwrap();
    file["cases"].as_array().unwrap().clone()
}

fn defaults(config: &Value) -> DriverInfoDefaults {
    let mut defaults = DriverInfoDefaults::default();
    let text = |value: &Value| value.as_str().map(str::to_owned);
    for (option, value) in config.as_object().into_iter().flatten() {
        match option.as_str() {
            "redfish.verify_ca" => defaults.verify_ca = text(value),
            "redfish.tls_minimum_version" => defaults.tls_minimum_version = text(value),
            "redfish.tls_ciphers" => defaults.tls_ciphers = text(value),
            other => panic!("a case sets {other}, which this test does not know"),
        }
    }
    defaults
}

fn driver_info(case: &Value) -> Result<Value, &'static str> {
    let info = case["input"].as_object().cloned().unwrap_or_default();
    let defaults = defaults(case.get("config").unwrap_or(&Value::Null));
    match RedfishDriverInfo::parse(&info, &defaults, |path| PathBuf::from(path).exists()) {
        Ok(parsed) => {
            let mut parsed: Map<String, Value> = parsed.to_json();
            parsed.insert("node_uuid".to_owned(), json!(NODE));
            Ok(Value::Object(parsed))
        }
        Err(DriverInfoError::Missing { .. }) => Err("MissingParameterValue"),
        Err(_) => Err("InvalidParameterValue"),
    }
}

fn run(case: &Value) -> Result<Value, &'static str> {
    match case["kind"].as_str().unwrap() {
        "redfish_driver_info" => driver_info(case),
        _ => match case["input"].as_str() {
            Some(component) => Ok(json!(
                FirmwareComponentType::of(component).map(FirmwareComponentType::as_str)
            )),
            None => Err("AttributeError"),
        },
    }
}

/// An error by the name of a Python built-in is a crash of the original: any error is right there.
fn agrees(expected: &Value, got: &Result<Value, &'static str>) -> bool {
    match (expected.get("error").and_then(Value::as_str), got) {
        (Some(name), Err(got)) => {
            name == *got || !["InvalidParameterValue", "MissingParameterValue"].contains(&name)
        }
        (None, Ok(got)) => expected["ok"] == *got,
        _ => false,
    }
}

#[test]
fn validation() {
    let cases: Vec<_> = cases("validation.json")
        .into_iter()
        .filter(|case| KINDS.contains(&case["kind"].as_str().unwrap()))
        .collect();
    let mut missed = Vec::new();
    for case in &cases {
        let got = run(case);
        if !agrees(&case["expect"], &got) {
            missed.push(format!(
                "{}: {} gave {got:?}, expected {}",
                case["id"], case["input"], case["expect"]
            ));
        }
    }
    println!(
        "validation.json: {} of {} cases",
        cases.len() - missed.len(),
        cases.len()
    );
    assert!(!cases.is_empty());
    assert!(missed.is_empty(), "{}", missed.join("\n"));
}
