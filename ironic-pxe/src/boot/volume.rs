//! Remote volumes, as iPXE attaches them.

use std::fmt;

use serde::Serialize;
use serde_json::{Map, Value};

use super::node::{VolumeTarget, truthy};
use super::{BootError, BootNode};

/// What iPXE needs to attach a node's iSCSI volumes.
#[derive(Clone, Serialize)]
#[non_exhaustive]
pub struct VolumeOptions {
    /// Always true; templates ask for it.
    pub boot_from_volume: bool,
    /// User name at the boot volume's target.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// Password at the boot volume's target.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password: Option<String>,
    /// Boot volume, as one RFC 4173 address per portal, joined by spaces.
    pub iscsi_boot_url: String,
    /// The machine's own name at targets.
    pub iscsi_initiator_iqn: Option<String>,
    /// The other volumes, in the order of the node's targets.
    pub iscsi_volumes: Vec<ExtraVolume>,
}

/// An iSCSI volume that is attached but not booted from.
#[derive(Clone, Serialize)]
#[non_exhaustive]
pub struct ExtraVolume {
    /// RFC 4173 address.
    pub url: String,
    /// User name at the target.
    pub username: String,
    /// Password at the target.
    pub password: String,
}

impl fmt::Debug for VolumeOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VolumeOptions")
            .field("iscsi_boot_url", &self.iscsi_boot_url)
            .field("iscsi_initiator_iqn", &self.iscsi_initiator_iqn)
            .field("iscsi_volumes", &self.iscsi_volumes)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for ExtraVolume {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExtraVolume")
            .field("url", &self.url)
            .finish_non_exhaustive()
    }
}

/// Describes the volumes of a node that boots from one; none unless the boot volume is iSCSI.
///
/// # Errors
///
/// When the boot volume is unknown, a volume lacks what its address is made of, or another volume
/// lacks credentials.
pub fn volume_options(node: &BootNode) -> Result<Option<VolumeOptions>, BootError> {
    let boot = node
        .boot_volume()
        .ok_or_else(|| BootError::missing("boot volume", "no volume target has its uuid"))?;
    if !boot.volume_type.contains("iscsi") {
        return Ok(None);
    }
    let initiator = node
        .volume_connectors
        .iter()
        .rfind(|connector| connector.kind == "iqn");
    let mut volumes = Vec::new();
    for target in &node.volume_targets {
        if target.boot_index != 0 && target.volume_type.contains("iscsi") {
            volumes.push(extra_volume(target)?);
        }
    }
    Ok(Some(VolumeOptions {
        boot_from_volume: true,
        username: credential(&boot.properties, "auth_username")?,
        password: credential(&boot.properties, "auth_password")?,
        iscsi_boot_url: iscsi_url(&boot.properties)?,
        iscsi_initiator_iqn: match initiator {
            Some(connector) => Some(one_line("initiator name", &connector.connector_id)?),
            None => None,
        },
        iscsi_volumes: volumes,
    }))
}

fn extra_volume(target: &VolumeTarget) -> Result<ExtraVolume, BootError> {
    let required = |name: &'static str| {
        credential(&target.properties, name)?
            .ok_or_else(|| BootError::missing(name, "every further volume needs credentials"))
    };
    Ok(ExtraVolume {
        url: iscsi_url(&target.properties)?,
        username: required("auth_username")?,
        password: required("auth_password")?,
    })
}

fn credential(
    properties: &Map<String, Value>,
    name: &'static str,
) -> Result<Option<String>, BootError> {
    match properties.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => one_line(name, text).map(Some),
        Some(other) => Ok(Some(other.to_string())),
    }
}

/// Makes the address of an iSCSI volume from a volume target's properties (RFC 4173 §5).
///
/// Several portals give several addresses of the same volume, joined by spaces.
///
/// # Errors
///
/// When a property is missing or has the wrong type.
pub fn iscsi_url(properties: &Map<String, Value>) -> Result<String, BootError> {
    let invalid = |name| BootError::invalid(name, "missing or of the wrong type");
    let iqn = match property(properties, "target_iqn", "target_iqns") {
        None => "",
        Some(Value::String(text)) => text,
        Some(_) => return Err(invalid("target_iqn")),
    };
    let lun = property(properties, "target_lun", "target_luns")
        .and_then(Value::as_i64)
        .ok_or_else(|| invalid("target_lun"))?;
    let address = |portal: &Value| {
        let portal = portal.as_str().ok_or_else(|| invalid("target_portal"))?;
        let (host, port) = host_and_port(portal).ok_or_else(|| invalid("target_portal"))?;
        let port = port.map(|port| port.to_string()).unwrap_or_default();
        let sign = if lun < 0 { "-" } else { "" };
        let lun = lun.unsigned_abs();
        one_line(
            "target",
            &format!("iscsi:{host}::{port}:{sign}{lun:x}:{iqn}"),
        )
    };
    if let Some(portals) = properties.get("target_portals") {
        let portals = portals
            .as_array()
            .ok_or_else(|| invalid("target_portals"))?;
        let urls: Result<Vec<_>, _> = portals.iter().map(address).collect();
        return Ok(urls?.join(" "));
    }
    let portal = property(properties, "target_portal", "target_portals");
    address(portal.ok_or_else(|| invalid("target_portal"))?)
}

// A property may stand in the singular or the plural, alone or as the first of a list.
fn property<'a>(
    properties: &'a Map<String, Value>,
    singular: &str,
    plural: &str,
) -> Option<&'a Value> {
    let first = |name: &str| match properties.get(name) {
        Some(Value::Array(list)) => list.first(),
        other => other,
    };
    let is_set = |value: &&Value| value.is_number() || truthy(Some(value));
    first(singular)
        .filter(is_set)
        .or_else(|| first(plural).filter(is_set))
}

// `host`, `host:port`, `[v6]`, `[v6]:port` or a bare IPv6 address.
fn host_and_port(portal: &str) -> Option<(&str, Option<i64>)> {
    if portal.is_empty() {
        return None;
    }
    let (host, port) = match portal.strip_prefix('[') {
        Some(bracketed) => {
            let (host, rest) = bracketed.split_once(']')?;
            (host, rest.split(':').nth(1))
        }
        None if portal.matches(':').count() == 1 => {
            let (host, port) = portal.split_once(':')?;
            (host, Some(port))
        }
        None => (portal, None),
    };
    match port {
        None => Some((host, None)),
        Some(port) => Some((host, Some(port.trim().parse().ok()?))),
    }
}

// These texts become part of a script: a line break in one would be a command of its own.
fn one_line(name: &'static str, text: &str) -> Result<String, BootError> {
    if text.chars().any(char::is_control) {
        return Err(BootError::invalid(name, "has a control character"));
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn portals_of_every_form() {
        for (portal, expected) in [
            ("10.0.0.1", Some(("10.0.0.1", None))),
            ("10.0.0.1:3260", Some(("10.0.0.1", Some(3260)))),
            ("[fd00::1]", Some(("fd00::1", None))),
            ("[fd00::1]:9", Some(("fd00::1", Some(9)))),
            ("fd00::1", Some(("fd00::1", None))),
            ("host:x", None),
            ("[fd00::1", None),
            ("", None),
        ] {
            assert_eq!(host_and_port(portal), expected, "{portal}");
        }
    }

    #[test]
    fn a_line_break_in_a_password_is_refused() {
        let properties = serde_json::json!({
            "target_iqn": "iqn.a", "target_lun": 1, "target_portal": "h:1",
            "auth_password": "x\nchain http://evil",
        });
        let mut node = BootNode::new("n");
        node.driver_internal_info
            .insert("boot_from_volume".into(), "v".into());
        let Value::Object(properties) = properties else {
            panic!("an object")
        };
        node.volume_targets
            .push(VolumeTarget::new("v", "iscsi", 0, properties));
        let error = volume_options(&node).unwrap_err().to_string();
        assert!(
            error.contains("auth_password") && !error.contains("evil"),
            "{error}"
        );
    }
}
