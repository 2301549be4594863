//! Which disk the instance goes to.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::fault::{Fault, FaultKind};
use crate::hardware::BlockDevice;
use crate::hints::{self, HintError};
use crate::node::Node;

/// Smallest disk that is chosen without hints, in bytes (4 GiB).
pub const MIN_ROOT_DISK: u64 = 4 << 30;

/// The smallest disk of at least `min_size` bytes; of equals the one whose name sorts first,
/// which firmware that tries a single disk most likely tries.
///
/// # Errors
/// `DeviceNotFound` when every disk is smaller.
pub fn guess_root_disk(disks: &[BlockDevice], min_size: u64) -> Result<&BlockDevice, Fault> {
    disks
        .iter()
        .filter(|disk| disk.size >= min_size)
        .min_by_key(|disk| (disk.size, &disk.name))
        .ok_or_else(|| {
            Fault::new(
                FaultKind::DeviceNotFound,
                format!("no disk of at least {min_size} bytes, and no root device hints"),
            )
        })
}

/// The disk that `node` is deployed to: its hints decide, else the default rule.
pub(crate) fn install_device<'a>(
    disks: &'a [BlockDevice],
    node: Option<&Node>,
) -> Result<&'a BlockDevice, Fault> {
    let Some(hints) = node.and_then(Node::root_device_hints) else {
        return guess_root_disk(disks, MIN_ROOT_DISK);
    };
    let not_found = |details: String| Fault::new(FaultKind::DeviceNotFound, details);
    let objects = objects(disks);
    let name = hints::first(&objects, hints)
        .map_err(|error| not_found(format!("the root device hints are not usable: {error}")))?
        .and_then(|device| device.get("name").and_then(Value::as_str))
        .ok_or_else(|| not_found(format!("no disk matches the root device hints {hints:?}")))?;
    disks
        .iter()
        .find(|disk| disk.name == name)
        .ok_or_else(|| not_found(format!("disk {name} is gone")))
}

/// The disks that the node's `skip_block_devices` leave to the agent.
///
/// # Errors
/// A skip hint that cannot be understood: nothing may be erased then.
pub(crate) fn without_skipped(
    disks: Vec<BlockDevice>,
    node: Option<&Node>,
) -> Result<Vec<BlockDevice>, HintError> {
    let Some(list) = node.and_then(Node::skip_block_devices) else {
        return Ok(disks);
    };
    let objects = objects(&disks);
    let mut skipped = BTreeSet::new();
    for entry in list {
        let Some(entry) = entry.as_object() else {
            return Err(HintError::Invalid {
                name: "skip_block_devices".to_owned(),
                reason: "not a list of hints",
            });
        };
        // Volume names are those of software RAID, which the agent does not build.
        if entry.contains_key("volume_name") {
            continue;
        }
        for device in hints::find(&objects, entry)? {
            if let Some(name) = device.get("name").and_then(Value::as_str) {
                skipped.insert(name.to_owned());
            }
        }
    }
    Ok(disks
        .into_iter()
        .filter(|disk| !skipped.contains(&disk.name))
        .collect())
}

fn objects(disks: &[BlockDevice]) -> Vec<Map<String, Value>> {
    disks
        .iter()
        .filter_map(|disk| match serde_json::to_value(disk) {
            Ok(Value::Object(map)) => Some(map),
            _ => None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{install_device, without_skipped};
    use crate::hardware::BlockDevice;
    use crate::node::Node;

    fn disks() -> Vec<BlockDevice> {
        vec![
            BlockDevice::new("/dev/sda", 10 << 30),
            BlockDevice::new("/dev/sdb", 5 << 30),
        ]
    }

    fn node(value: serde_json::Value) -> Node {
        Node::new(value.as_object().unwrap().clone()).unwrap()
    }

    #[test]
    fn hints_beat_the_default_and_the_instance_beats_the_node() {
        let disks = disks();
        let pick = |node: &Node| {
            install_device(&disks, Some(node))
                .map(|disk| disk.name.clone())
                .ok()
        };
        let uuid = "27946b59-9e44-4fa7-8e91-000000000001";
        assert_eq!(
            pick(&node(json!({"uuid": uuid}))).as_deref(),
            Some("/dev/sdb")
        );
        let hinted = json!({"uuid": uuid, "properties": {"root_device": {"name": "/dev/sda"}}});
        assert_eq!(pick(&node(hinted)).as_deref(), Some("/dev/sda"));
        let both = json!({"uuid": uuid, "properties": {"root_device": {"name": "/dev/sda"}},
            "instance_info": {"root_device": {"size": 5}}});
        assert_eq!(pick(&node(both)).as_deref(), Some("/dev/sdb"));
        let none = json!({"uuid": uuid, "properties": {"root_device": {"size": 7}}});
        assert_eq!(pick(&node(none)), None);
    }

    #[test]
    fn skipped_disks_are_left_alone_and_unclear_hints_stop_everything() {
        let uuid = "27946b59-9e44-4fa7-8e91-000000000001";
        let with = |list| node(json!({"uuid": uuid, "properties": {"skip_block_devices": list}}));
        let left = without_skipped(disks(), Some(&with(json!([{"name": "/dev/sda"}])))).unwrap();
        assert_eq!(left.len(), 1);
        assert_eq!(left[0].name, "/dev/sdb");
        assert!(without_skipped(disks(), Some(&with(json!([{"colour": "red"}])))).is_err());
        assert!(without_skipped(disks(), Some(&with(json!(["sda"])))).is_err());
    }
}
