//! Capabilities and the boot mode that follows from them.

use serde_json::{Map, Value};

use super::{BootConfig, BootError, BootNode};

/// Reads `instance_info/capabilities`, which is an object or an object's JSON text.
///
/// # Errors
///
/// When it is neither.
pub fn instance_capabilities(node: &BootNode) -> Result<Map<String, Value>, BootError> {
    let malformed = || {
        BootError::invalid(
            "instance_info/capabilities",
            "neither an object nor its JSON text",
        )
    };
    match node.instance_info.get("capabilities") {
        None => Ok(Map::new()),
        Some(Value::Object(map)) => Ok(map.clone()),
        Some(Value::String(text)) => match serde_json::from_str(text) {
            Ok(Value::Object(map)) => Ok(map),
            _ => Err(malformed()),
        },
        Some(_) => Err(malformed()),
    }
}

/// Returns one of `properties/capabilities`, a text of the form `key:value,key:value`.
///
/// Malformed entries are passed over, as operators' inventories have them.
pub fn node_capability<'a>(node: &'a BootNode, name: &str) -> Option<&'a str> {
    let text = node.properties.get("capabilities")?.as_str()?;
    text.split(',').find_map(|entry| {
        let (key, value) = entry.split_once(':')?;
        let well_formed = !key.is_empty() && !value.is_empty() && !value.contains(':');
        (well_formed && key.trim() == name).then(|| value.trim())
    })
}

/// Tells whether the instance asked for secure boot.
///
/// # Errors
///
/// When the instance's capabilities are malformed.
pub fn is_secure_boot_requested(node: &BootNode) -> Result<bool, BootError> {
    match instance_capabilities(node)?.get("secure_boot") {
        None => Ok(false),
        Some(Value::String(text)) => Ok(text.eq_ignore_ascii_case("true")),
        Some(_) => Err(BootError::invalid(
            "instance_info/capabilities",
            "secure_boot is no text",
        )),
    }
}

/// Returns the boot mode that the node's fields ask for, if any does.
///
/// Secure boot means `uefi`. Otherwise the first of these wins: the instance's capability, the
/// instance's `deploy_boot_mode`, the node's capability, the mode found on the machine before.
/// A mode in the node's capabilities is binding.
///
/// # Errors
///
/// When capabilities are malformed, or the mode found is not the node's own.
pub fn requested_boot_mode(node: &BootNode) -> Result<Option<String>, BootError> {
    if is_secure_boot_requested(node)? {
        return Ok(Some("uefi".into()));
    }
    let capabilities = instance_capabilities(node)?;
    let own = node_capability(node, "boot_mode");
    let found = [
        word(capabilities.get("boot_mode"))?,
        word(node.instance_info.get("deploy_boot_mode"))?,
        own,
        word(node.driver_internal_info.get("deploy_boot_mode"))?,
    ]
    .into_iter()
    .flatten()
    .next()
    .map(str::to_lowercase);
    if let (Some(found), Some(own)) = (&found, own)
        && *found != own.to_lowercase()
    {
        return Err(BootError::invalid(
            "boot_mode",
            format!("{found} is not the {own} of the node's capabilities"),
        ));
    }
    Ok(found)
}

/// Returns the boot mode of a node: the one its fields ask for, else the configured default.
///
/// It is `bios` or `uefi` where operators made no mistake; other words pass and count as BIOS.
///
/// # Errors
///
/// As [`requested_boot_mode`].
pub fn boot_mode(config: &BootConfig, node: &BootNode) -> Result<String, BootError> {
    Ok(requested_boot_mode(node)?.unwrap_or_else(|| config.default_boot_mode.clone()))
}

fn word(value: Option<&Value>) -> Result<Option<&str>, BootError> {
    match value {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.as_str()).filter(|text| !text.is_empty())),
        Some(_) => Err(BootError::invalid("boot_mode", "no text")),
    }
}
