use serde_json::Value;

use super::Properties;
use crate::Error;
use crate::model::JsonMap;

/// The RAID levels that a logical disk may have.
const LEVELS: &[&str] = &["JBOD", "0", "1", "2", "5", "6", "1+0", "5+0", "6+0"];
const DISK_TYPES: &[&str] = &["hdd", "ssd"];
const BUSES: &[&str] = &["sata", "scsi", "sas"];

/// A property of a logical disk: its name, whether a value fits, what fits, what it means.
type Property = (&'static str, fn(&Value) -> bool, &'static str, &'static str);

const PROPERTIES: &[Property] = &[
    (
        "raid_level",
        |v| one_of(v, LEVELS),
        "one of JBOD, 0, 1, 2, 5, 6, 1+0, 5+0, 6+0",
        "How the disks are combined: JBOD, 0, 1, 2, 5, 6, 1+0, 5+0 or 6+0. Required.",
    ),
    (
        "size_gb",
        |v| v.is_u64() || v == "MAX",
        "a whole number of GiB, or MAX",
        "How large it is to be, in GiB, or MAX for all that is left. Required.",
    ),
    (
        "volume_name",
        Value::is_string,
        "a string",
        "What it is to be called; a name is made up otherwise.",
    ),
    (
        "is_root_volume",
        Value::is_boolean,
        "true or false",
        "Whether the instance is put on it. Default: false.",
    ),
    (
        "share_physical_disks",
        Value::is_boolean,
        "true or false",
        "Whether its physical disks may hold others too. Default: false.",
    ),
    (
        "disk_type",
        |v| one_of(v, DISK_TYPES),
        "hdd or ssd",
        "Which sort of disks it is made of: hdd or ssd. Default: any.",
    ),
    (
        "interface_type",
        |v| one_of(v, BUSES),
        "one of sata, scsi, sas",
        "How its disks are attached: sata, scsi or sas. Default: any.",
    ),
    (
        "number_of_physical_disks",
        |v| v.as_u64().is_some_and(|n| n > 0),
        "a whole number above 0",
        "Of how many disks it is made. Default: as few as the level allows.",
    ),
    (
        "controller",
        Value::is_string,
        "a string",
        "Which controller makes it; \"software\" for none. Default: the interface's choice.",
    ),
    (
        "physical_disks",
        physical_disks,
        "a list of names, or of two or more objects that describe disks",
        "Which disks it is made of; needs controller. Default: the interface's choice.",
    ),
];

fn one_of(value: &Value, names: &[&str]) -> bool {
    value.as_str().is_some_and(|name| names.contains(&name))
}

fn physical_disks(value: &Value) -> bool {
    let Some(disks) = value.as_array() else {
        return false;
    };
    disks.iter().all(Value::is_string) || (disks.len() >= 2 && disks.iter().all(Value::is_object))
}

/// Whether a target RAID configuration makes sense, as every RAID interface sees it: the rules of
/// the original's `raid_config_schema.json`, and at most one root volume.
///
/// # Errors
/// [`Error::InvalidParameter`] that names everything that is wrong.
pub fn validate_raid_config(config: &JsonMap) -> Result<(), Error> {
    let mut wrong = Vec::new();
    for key in config.keys().filter(|key| *key != "logical_disks") {
        wrong.push(format!("{key:?} is not known, only logical_disks is"));
    }
    match config.get("logical_disks").and_then(Value::as_array) {
        Some(disks) if !disks.is_empty() => {
            for (at, disk) in disks.iter().enumerate() {
                check_disk(at, disk, &mut wrong);
            }
            let is_root = |disk: &&Value| disk.get("is_root_volume") == Some(&Value::Bool(true));
            let roots = disks.iter().filter(is_root).count();
            if roots > 1 {
                wrong.push(format!(
                    "{roots} logical disks say is_root_volume, at most one may"
                ));
            }
        }
        _ => wrong.push("logical_disks must be a list of at least one logical disk".to_owned()),
    }
    if wrong.is_empty() {
        return Ok(());
    }
    Err(Error::invalid(format!(
        "invalid RAID configuration: {}",
        wrong.join("; ")
    )))
}

fn check_disk(at: usize, disk: &Value, wrong: &mut Vec<String>) {
    let Some(disk) = disk.as_object() else {
        wrong.push(format!("logical disk {at} must be an object"));
        return;
    };
    for (key, value) in disk {
        match PROPERTIES.iter().find(|(name, ..)| name == key) {
            Some((_, fits, ..)) if fits(value) => {}
            Some((_, _, what, _)) => wrong.push(format!("logical disk {at}: {key} must be {what}")),
            None => wrong.push(format!("logical disk {at}: {key:?} is not known")),
        }
    }
    for key in ["raid_level", "size_gb"] {
        if !disk.contains_key(key) {
            wrong.push(format!("logical disk {at}: {key} is required"));
        }
    }
    if disk.contains_key("physical_disks") && !disk.contains_key("controller") {
        wrong.push(format!(
            "logical disk {at}: physical_disks requires controller"
        ));
    }
}

/// What the properties of a logical disk mean.
pub fn raid_disk_properties() -> Properties {
    PROPERTIES
        .iter()
        .map(|(name, _, _, meaning)| ((*name).to_owned(), (*meaning).to_owned()))
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{raid_disk_properties, validate_raid_config};

    fn fits(config: &Value) -> bool {
        let config = config.as_object();
        config.is_some_and(|config| validate_raid_config(config).is_ok())
    }

    #[test]
    fn what_no_recorded_case_has_is_judged_by_the_schema_too() {
        let disk = |more: Value| {
            let mut disk = json!({"size_gb": 1, "raid_level": "1"});
            let object = disk.as_object_mut().unwrap();
            object.extend(more.as_object().unwrap().clone());
            disk
        };
        let config = |disks: Vec<Value>| json!({"logical_disks": disks});
        let root = || disk(json!({"is_root_volume": true}));
        assert!(fits(&config(vec![root(), disk(json!({}))])));
        assert!(!fits(&config(vec![root(), root()])));
        assert!(!fits(&config(vec![disk(json!({"size_gb": -1}))])));
        assert!(!fits(&config(vec![disk(json!({"size_gb": 1.0}))])));
        let disks = json!(["sda"]);
        assert!(!fits(&config(vec![disk(json!({"physical_disks": disks}))])));
        let both = json!({"physical_disks": disks, "controller": "c"});
        assert!(fits(&config(vec![disk(both)])));
    }

    #[test]
    fn every_fault_is_named() {
        let config = json!({"logical_disks": [{"raid_level": "9", "x": 1}], "y": 1});
        let error = validate_raid_config(config.as_object().unwrap()).unwrap_err();
        for word in ["raid_level", "\"x\"", "size_gb is required", "\"y\""] {
            assert!(error.to_string().contains(word), "{error}: no {word}");
        }
        assert_eq!(raid_disk_properties().len(), 10);
    }
}
