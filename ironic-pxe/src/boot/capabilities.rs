//! Capabilities and the boot mode that follows from them.

use ironic_core::model::capabilities;
use serde_json::{Map, Value};

use super::{BootConfig, BootError, BootNode};

/// Reads `instance_info/capabilities`, which is an object or an object's JSON text.
///
/// # Errors
///
/// When it is neither.
pub fn instance_capabilities(node: &BootNode) -> Result<Map<String, Value>, BootError> {
    capabilities::of_instance(&node.instance_info).map_err(refused)
}

/// Returns one of `properties/capabilities`, a text of the form `key:value,key:value`.
///
/// # Errors
///
/// When they are no text. Malformed entries are passed over, as operators' inventories have them.
pub fn node_capability<'a>(node: &'a BootNode, name: &str) -> Result<Option<&'a str>, BootError> {
    capabilities::of_node(&node.properties, name).map_err(refused)
}

/// Checks the capabilities of node and instance of which the values mean something.
///
/// # Errors
///
/// When one has a value that means nothing, or they are malformed.
pub(crate) fn check_capabilities(node: &BootNode) -> Result<(), BootError> {
    capabilities::check(&node.properties, &node.instance_info).map_err(refused)
}

fn refused(error: ironic_core::Error) -> BootError {
    BootError::invalid("capabilities", error.to_string())
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
    let wanted = instance_capabilities(node)?;
    let own = node_capability(node, "boot_mode")?;
    let found = [
        word(wanted.get("boot_mode"))?,
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
