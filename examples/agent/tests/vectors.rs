//! Cases computed by running the original.
#![allow(
    clippy::disallowed_methods,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test that cannot go on fails, and may be told where its cases are"
)]

use std::io::Write as _;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use flate2::Compression;
use flate2::write::GzEncoder;
use ironic_agent::{BlockDevice, ConfigDrive, guess_root_disk, hints};
use serde_json::{Map, Value, json};

/// The file's content, with cases and fixtures from the folder that `IRONIC_VECTORS` names.
fn load(name: &str) -> Value {
    let read = |folder: &str| -> Value {
        let path = format!("{folder}/{name}.json");
        let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{path}: {e}"));
        serde_json::from_str(&text).unwrap()
    };
    let mut vectors = read(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../ironic-core/tests/vectors"
    ));
    if let Ok(folder) = std::env::var("IRONIC_VECTORS") {
        let other = read(&folder);
        for key in ["cases", "fixtures"] {
            if let Some(value) = other.get(key) {
                vectors[key] = value.clone();
            }
        }
    }
    vectors
}

/// Runs the cases of the named kinds; a case gives what happened as `{"ok": …}` or `{"error": …}`.
fn run(name: &str, kinds: &[&str], others: &[&str], case: impl Fn(&Value, &Value) -> Value) {
    let vectors = load(name);
    let (mut right, mut all, mut wrong) = (0, 0, Vec::new());
    for each in vectors["cases"].as_array().unwrap() {
        let kind = each["kind"].as_str().unwrap();
        if !kinds.contains(&kind) {
            assert!(others.contains(&kind), "{name}: unknown kind {kind}");
            continue;
        }
        all += 1;
        let expect = each["expect"].get("ipa").unwrap_or(&each["expect"]);
        let found = case(each, &vectors["fixtures"]);
        // Errors are told apart by class where the original raises one of its own.
        let same = match expect.get("error").and_then(Value::as_str) {
            Some("DeviceNotFound" | "DeploymentError") => found == *expect,
            Some(_) => found.get("error").is_some(),
            None => found == *expect,
        };
        if same {
            right += 1;
        } else {
            wrong.push(format!("{} expects {expect}, found {found}", each["id"]));
        }
    }
    for kind in others {
        println!("skipped: {name}.json {kind}");
    }
    println!("{name}.json: {right} of {all} cases");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(all > 0, "{name}: no cases");
}

fn outcome<E: std::fmt::Display>(result: Result<Value, E>) -> Value {
    result.map_or_else(
        |error| json!({"error": error.to_string()}),
        |ok| json!({"ok": ok}),
    )
}

#[test]
fn device_hints() {
    run(
        "device_hints",
        &["guess_root_disk", "parse", "find", "match"],
        // The conductor's, not the agent's.
        &["root_device_hook"],
        |case, fixtures| match case["kind"].as_str().unwrap() {
            "guess_root_disk" => guess(case),
            kind => hint_case(kind, case, fixtures),
        },
    );
}

fn guess(case: &Value) -> Value {
    let disks: Vec<_> = case["devices"]
        .as_array()
        .unwrap()
        .iter()
        .map(|pair| BlockDevice::new(pair[0].as_str().unwrap(), pair[1].as_u64().unwrap()))
        .collect();
    let least = case["min_size_bytes"].as_u64().unwrap();
    match guess_root_disk(&disks, least) {
        Ok(disk) => json!({"ok": disk.name}),
        Err(fault) => json!({"error": fault.kind.name()}),
    }
}

fn hint_case(kind: &str, case: &Value, fixtures: &Value) -> Value {
    let empty = Map::new();
    let hints = case["hints"].as_object().unwrap_or(&empty);
    if kind == "parse" {
        return outcome(hints::parse(hints).map(|parsed| {
            if hints.is_empty() {
                Value::Null
            } else {
                Value::Object(parsed)
            }
        }));
    }
    let all: Vec<Map<String, Value>> = fixtures["DEVICES"]
        .as_array()
        .unwrap()
        .iter()
        .map(|device| device.as_object().unwrap().clone())
        .collect();
    let devices: Vec<_> = match &case["devices"] {
        Value::String(name) if name == "DEVICES" => all,
        Value::String(name) => {
            let end = name
                .strip_prefix("DEVICES[:")
                .and_then(|rest| rest.strip_suffix(']'))
                .unwrap_or_else(|| panic!("devices {name}"));
            all.into_iter().take(end.parse().unwrap()).collect()
        }
        names => names
            .as_array()
            .unwrap()
            .iter()
            .map(|name| all.iter().find(|d| d["name"] == *name).unwrap().clone())
            .collect(),
    };
    let name = |device: &Map<String, Value>| device["name"].clone();
    outcome(if kind == "find" {
        hints::find(&devices, hints).map(|found| found.into_iter().map(name).collect())
    } else {
        hints::first(&devices, hints).map(|found| found.map_or(Value::Null, name))
    })
}

#[test]
fn configdrive() {
    run(
        "configdrive",
        &["agent_decode"],
        // The conductor's, not the agent's.
        &["build", "is_invalid_network_metadata", "get_image"],
        |case, _| {
            let text = match case["configdrive"].as_str() {
                Some(text) => text.to_owned(),
                None => spelled_out(case["configdrive_spec"].as_str().unwrap()),
            };
            match ConfigDrive::decode(&text, 1 << 30) {
                Ok(drive) => {
                    json!({"ok": {"size_mb": drive.size_mib(), "bytes": drive.len()}})
                }
                Err(fault) => json!({"error": fault.kind.name()}),
            }
        },
    );
}

/// Makes what `64 MiB + 1 of zero bytes, gzip then base64` describes.
fn spelled_out(spec: &str) -> String {
    let numbers: Vec<usize> = spec
        .split_whitespace()
        .filter_map(|word| word.trim_end_matches(',').parse().ok())
        .collect();
    assert!(
        spec.contains("MiB") && spec.contains("zero bytes"),
        "{spec}"
    );
    let len = (numbers[0] << 20) + numbers.get(1).copied().unwrap_or(0);
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(&vec![0; len]).unwrap();
    BASE64_STANDARD.encode(gzip.finish().unwrap())
}
