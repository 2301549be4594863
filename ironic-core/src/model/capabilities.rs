//! Capabilities: `properties/capabilities` of a node, a text such as `boot_mode:uefi,gpu:2`, and
//! `instance_info/capabilities`, an object of what an instance wants.

use std::collections::BTreeMap;

use serde_json::Value;

use super::JsonMap;
use super::lenient::{is_truthy, stripped, text};
use crate::Error;

/// The capabilities of which the values mean something to a deployment, and what they may be.
const CHECKED: [(&str, &[&str]); 3] = [
    ("boot_mode", &["bios", "uefi"]),
    ("secure_boot", &["true", "false"]),
    ("disk_label", &["msdos", "gpt"]),
];

/// The text of a node's capabilities; none where there is none, or nothing in it.
fn written(value: &Value) -> Result<Option<&str>, Error> {
    match value {
        Value::String(text) => Ok(Some(text.as_str()).filter(|text| !text.is_empty())),
        other if is_truthy(other) => Err(Error::invalid(
            "properties/capabilities must be a text such as \"boot_mode:uefi,gpu:2\"",
        )),
        _ => Ok(None),
    }
}

fn malformed(entry: &str) -> Error {
    let shown: String = entry.chars().take(80).collect();
    Error::invalid(format!(
        "properties/capabilities has the entry {shown:?}, which is not of the form name:value"
    ))
}

/// All of a node's capabilities, of which each must be well formed.
///
/// # Errors
/// [`Error::InvalidParameter`] when the value is no text, or an entry has not exactly one colon.
pub fn parse(value: &Value) -> Result<BTreeMap<String, String>, Error> {
    let Some(text) = written(value)? else {
        return Ok(BTreeMap::new());
    };
    let pair = |entry: &str| match entry.split_once(':') {
        Some((name, value)) if !value.contains(':') => Ok((name.to_owned(), value.to_owned())),
        _ => Err(malformed(entry)),
    };
    text.split(',').map(pair).collect()
}

/// One of a node's capabilities, the first of this name. Malformed entries are passed over, as
/// operators' inventories have them.
///
/// # Errors
/// [`Error::InvalidParameter`] when `properties/capabilities` is no text.
pub fn of_node<'a>(properties: &'a JsonMap, name: &str) -> Result<Option<&'a str>, Error> {
    let value = properties.get("capabilities").unwrap_or(&Value::Null);
    let entries = written(value)?.unwrap_or_default().split(',');
    let mut found = entries.filter_map(|entry| {
        let (key, value) = entry.split_once(':')?;
        let well_formed = !key.is_empty() && !value.is_empty() && !value.contains(':');
        (well_formed && stripped(key) == name).then(|| stripped(value))
    });
    Ok(found.next())
}

/// The text of a node's capabilities with others added to it, or put in the place of those of the
/// same name.
///
/// # Errors
/// [`Error::InvalidParameter`] when `current` is no text, or has an entry without a colon.
pub fn updated(current: &Value, new: &JsonMap) -> Result<String, Error> {
    let mut all: Vec<(String, String)> = Vec::new();
    let mut put = |name: &str, value: String| match all.iter_mut().find(|(n, _)| n == name) {
        Some((_, old)) => *old = value,
        None => all.push((name.to_owned(), value)),
    };
    if let Some(current) = written(current)? {
        for entry in current.split(',') {
            let (name, value) = entry.split_once(':').ok_or_else(|| malformed(entry))?;
            put(name, value.to_owned());
        }
    }
    for (name, value) in new {
        put(name, text(value));
    }
    let entries: Vec<_> = all
        .iter()
        .map(|(n, value)| format!("{n}:{value}"))
        .collect();
    Ok(entries.join(","))
}

/// What an instance wants: an object, or the JSON text of one.
///
/// # Errors
/// [`Error::InvalidParameter`] for anything else.
pub fn of_instance(instance_info: &JsonMap) -> Result<JsonMap, Error> {
    let object = match instance_info.get("capabilities") {
        None => return Ok(JsonMap::new()),
        Some(Value::String(text)) => serde_json::from_str(text).ok(),
        Some(Value::Object(wanted)) => Some(wanted.clone()),
        Some(_) => None,
    };
    object.ok_or_else(|| {
        Error::invalid("instance_info/capabilities is neither an object nor the JSON text of one")
    })
}

/// Checks the capabilities that mean something to a deployment, on both sides.
///
/// # Errors
/// [`Error::InvalidParameter`] that names the capability, where it stands and what it may be.
pub fn check(properties: &JsonMap, instance_info: &JsonMap) -> Result<(), Error> {
    let wanted = of_instance(instance_info)?;
    for (name, allowed) in CHECKED {
        let offered = of_node(properties, name)?.map(Value::from);
        for (place, value) in [
            ("properties/capabilities", offered.as_ref()),
            ("instance_info/capabilities", wanted.get(name)),
        ] {
            let wrong = value.filter(|value| {
                let fits = value.as_str().is_some_and(|value| allowed.contains(&value));
                is_truthy(value) && !fits
            });
            if let Some(value) = wrong {
                let shown: String = value.to_string().chars().take(80).collect();
                return Err(Error::invalid(format!(
                    "{place} has {name} {shown}: it must be {}",
                    allowed.join(" or ")
                )));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{check, of_instance, of_node, parse, updated};
    use crate::model::JsonMap;

    fn map(value: &Value) -> JsonMap {
        value.as_object().cloned().unwrap_or_default()
    }

    #[test]
    fn a_text_is_read_entry_by_entry() {
        let properties = map(&json!({"capabilities": "x,: ,gpu : 2 ,a:b:c,gpu:3,a:1"}));
        assert_eq!(of_node(&properties, "gpu").unwrap(), Some("2"));
        assert_eq!(of_node(&properties, "a").unwrap(), Some("1"));
        assert_eq!(of_node(&properties, "x").unwrap(), None);
        assert_eq!(of_node(&JsonMap::new(), "x").unwrap(), None);
        assert!(of_node(&map(&json!({"capabilities": ["a:b"]})), "a").is_err());

        let all = parse(&json!("a:1,b:,a:2")).unwrap();
        assert_eq!(
            all.into_iter().collect::<Vec<_>>(),
            [
                ("a".to_owned(), "2".to_owned()),
                ("b".to_owned(), String::new())
            ]
        );
        for bad in [
            json!("a"),
            json!("a:b:c"),
            json!("a:b,"),
            json!(1),
            json!([1]),
        ] {
            assert!(parse(&bad).is_err(), "{bad}");
        }
        for nothing in [json!(null), json!(""), json!(0), json!([]), json!(false)] {
            assert!(parse(&nothing).unwrap().is_empty(), "{nothing}");
        }
    }

    #[test]
    fn an_update_keeps_places() {
        let new = map(&json!({"b": 5, "z": true}));
        let got = updated(&json!("b:1,a:x:y,b:2"), &new).unwrap();
        assert_eq!(got, "b:5,a:x:y,z:True");
        assert_eq!(updated(&Value::Null, &new).unwrap(), "b:5,z:True");
        assert!(updated(&json!("a,b:1"), &new).is_err());
        assert!(updated(&json!({"a": "b"}), &new).is_err());
    }

    #[test]
    fn both_sides_are_checked_and_the_wrong_one_named() {
        let info = |text: &str| map(&json!({"capabilities": text}));
        let none = JsonMap::new();
        assert!(
            check(
                &info("boot_mode:uefi,other:x"),
                &info("{\"secure_boot\": \"\"}")
            )
            .is_ok()
        );
        let error = check(&info("boot_mode:efi"), &none)
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("properties/capabilities has boot_mode \"efi\""),
            "{error}"
        );
        assert!(error.contains("bios or uefi"), "{error}");
        let error = check(&none, &info("{\"disk_label\": 5}"))
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("instance_info/capabilities has disk_label 5"),
            "{error}"
        );
        assert!(of_instance(&info("[]")).is_err());
        assert!(of_instance(&map(&json!({"capabilities": null}))).is_err());
    }
}
