//! Compares config drives with cases that the original computed.

use ironic_core::Timestamp;
use ironic_core::image::configdrive::{
    MAX_SIZE, MtuCheck, NetworkDataFault, Source, decode, network_data_fault,
};
use ironic_core::image::iso9660::{Naming, Reader};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::harness::check;

/// The node for which the original's side of `get_image` builds a drive.
const NODE: &str = "21f1e5ca-8a90-4b6e-bdf0-722ee02b4539";
const NODE_NAME: &str = "n";

/// What is on an encoded drive, as the cases have it.
fn contents(text: &str) -> Value {
    let image = decode(text, MAX_SIZE).expect("a drive of our own decodes");
    let volume = Reader::new()
        .naming(Naming::RockRidge)
        .read(&image)
        .expect("a drive of our own reads");
    let files: Map<String, Value> = volume
        .tree()
        .files()
        .map(|(path, content)| (format!("/{path}"), String::from_utf8_lossy(content).into()))
        .collect();
    json!({
        "files": files,
        "volume_label": volume.label(),
        "has_joliet": volume.has_joliet(),
        "has_rock_ridge": volume.rock_ridge().map(|version| version.to_string()),
        "publisher": volume.publisher(),
    })
}

/// Whether two files are the same but for the order of members of JSON objects, which means nothing and
/// which this crate's maps do not keep. Members may change places, so each byte occurs as often as before.
fn same_file(ours: &str, theirs: &str) -> bool {
    let bytes = |text: &str| {
        let mut bytes = text.as_bytes().to_vec();
        bytes.sort_unstable();
        bytes
    };
    let value = |text: &str| serde_json::from_str::<Value>(text).ok();
    ours == theirs
        || (value(ours).is_some() && value(ours) == value(theirs) && bytes(ours) == bytes(theirs))
}

fn same_drive(ours: &Value, theirs: &Value) -> bool {
    let without_files = |drive: &Value| {
        let mut drive = drive.clone();
        drive["files"].take();
        drive
    };
    let files = |drive: &Value| drive["files"].as_object().cloned().unwrap_or_default();
    let (our_files, their_files) = (files(ours), files(theirs));
    let same = |(path, theirs): (&String, &Value)| {
        let ours = our_files.get(path).and_then(Value::as_str);
        ours.zip(theirs.as_str())
            .is_some_and(|(ours, theirs)| same_file(ours, theirs))
    };
    without_files(ours) == without_files(theirs)
        && our_files.len() == their_files.len()
        && their_files.iter().all(same)
}

/// What the agent would be given; `None` without a config drive.
fn text(value: &Value, uuid: &str, name: Option<&str>) -> Result<Option<String>, String> {
    let node: Uuid = uuid.parse().expect("a node's uuid");
    let source = Source::from_value(value).map_err(|error| error.to_string())?;
    let text = source
        .map(|source| source.into_text(node, name, Timestamp::EPOCH))
        .transpose();
    text.map_err(|error| error.to_string())
}

/// Whether a drive built from the case's contents is the one expected.
fn build(case: &Value) -> Result<(), String> {
    let node = &case["node"];
    let uuid = node["uuid"].as_str().expect("uuid");
    let built = text(&case["configdrive"], uuid, node["name"].as_str());
    match (built, case["expect"].get("error")) {
        (Err(_), Some(_)) => Ok(()),
        (Ok(Some(text)), None) => {
            let drive = contents(&text);
            if same_drive(&drive, &case["expect"]) {
                Ok(())
            } else {
                Err(drive.to_string())
            }
        }
        (built, _) => Err(format!("{built:?}")),
    }
}

fn get_image(case: &Value) -> Result<(), String> {
    let value = case["instance_info"]
        .get("configdrive")
        .unwrap_or(&Value::Null);
    let got = text(value, NODE, Some(NODE_NAME));
    let expected = &case["expect"];
    let fits = match (&got, expected.get("ok"), expected.get("ok_iso")) {
        (Ok(got), Some(ok), _) => json!(got) == *ok,
        (Ok(Some(text)), None, Some(drive)) => same_drive(&contents(text), drive),
        (Err(_), None, None) => expected.get("error").is_some(),
        _ => false,
    };
    if fits {
        Ok(())
    } else {
        Err(format!("{got:?}"))
    }
}

fn is_invalid_network_metadata(case: &Value) -> Result<(), String> {
    let disabled = case["disable_metadata_mtu_check"] == true;
    let mtu = if disabled {
        MtuCheck::Disabled
    } else {
        MtuCheck::Required
    };
    let got = match network_data_fault(&case["network_data"], mtu) {
        // The original fails on these instead of making them anew.
        Some(NetworkDataFault::LinksNotAList) => None,
        fault => Some(fault.is_some()),
    };
    let expected = case["expect"]["ok"].as_bool();
    if got == expected {
        Ok(())
    } else {
        Err(format!("{got:?}"))
    }
}

#[test]
fn configdrive() {
    // The agent's side of the text is the agent's.
    check(
        "configdrive.json",
        &[],
        &["agent_decode"],
        |kind, case| match kind {
            "build" => Some(build(case)),
            "get_image" => Some(get_image(case)),
            "is_invalid_network_metadata" => Some(is_invalid_network_metadata(case)),
            _ => None,
        },
    );
}
