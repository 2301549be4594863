use ironic_core::Secret;
use ironic_core::model::{
    lenient::{integer, is_truthy, text},
    network_port,
};
use serde_json::{Map, Value};
use thiserror::Error;

use crate::codec::Privilege;

/// What a node's `driver_info` says of its BMC.
///
/// Members that are only handed on are kept as they were written.
#[derive(Debug)]
#[non_exhaustive]
pub struct DriverInfo {
    /// `ipmi_address`: host name or IP address.
    pub address: Value,
    /// `ipmi_port`; none for the standard one.
    pub port: Option<u16>,
    /// `ipmi_username`; none or empty for the null user.
    pub username: Option<Value>,
    /// `ipmi_password`; empty for none.
    pub password: Secret<String>,
    /// `ipmi_hex_kg_key`: the BMC's key in hexadecimal digits, not yet decoded.
    pub hex_bmc_key: Option<Secret<Value>>,
    /// `ipmi_terminal_port`, or else the port that was allocated for the console.
    pub terminal_port: Option<u16>,
    /// `ipmi_priv_level`; administrator by default.
    pub privilege: Privilege,
    /// `ipmi_bridging` and what belongs to it; none by default.
    pub bridging: Option<Bridging>,
    /// `ipmi_protocol_version`; 2.0 by default.
    pub protocol: ProtocolVersion,
    /// `ipmi_force_boot_device`; false by default.
    pub force_boot_device: Value,
    /// `ipmi_cipher_suite`, a number or a text of one.
    pub cipher_suite: Option<Value>,
}

/// A version of IPMI.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProtocolVersion {
    /// 1.5
    V1_5,
    /// 2.0
    V2_0,
}

/// The way to a management controller behind the BMC.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Bridging {
    /// `ipmi_local_address`.
    pub local_address: Option<Value>,
    /// `ipmi_target_channel` and `ipmi_target_address`.
    pub target: (Value, Value),
    /// `ipmi_transit_channel` and `ipmi_transit_address`, where there are two bridges to cross.
    pub transit: Option<(Value, Value)>,
}

/// Why `driver_info` does not describe a BMC.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum DriverInfoError {
    /// Members are missing.
    #[error("driver_info lacks {}", fields.join(", "))]
    Missing {
        /// Which.
        fields: Vec<&'static str>,
    },
    /// A member is not what it should be.
    #[error("driver_info has an {field} that is not {expected}")]
    Invalid {
        /// Which.
        field: &'static str,
        /// What it should be.
        expected: &'static str,
    },
}

impl DriverInfo {
    /// Reads a node's `driver_info`. `allocated_port` is the console's port in `driver_internal_info`; `can_bridge`
    /// says whether whatever is to talk to the BMC can bridge.
    ///
    /// # Errors
    /// A member is missing or makes no sense.
    pub fn parse(
        info: &Map<String, Value>,
        allocated_port: Option<&Value>,
        can_bridge: bool,
    ) -> Result<Self, DriverInfoError> {
        let members = Members(info);
        let address = members
            .get("ipmi_address")
            .filter(|address| is_truthy(address))
            .cloned()
            .ok_or_else(|| DriverInfoError::Missing {
                fields: vec!["ipmi_address"],
            })?;
        let protocol = members.protocol()?;
        let terminal_port = members
            .get("ipmi_terminal_port")
            .filter(|port| is_truthy(port))
            .or(allocated_port)
            .map_or(Ok(None), |value| port("ipmi_terminal_port", value))?;
        let dest_port = members
            .get("ipmi_port")
            .map_or(Ok(None), |value| port("ipmi_port", value))?;
        let bridging = members.bridging(can_bridge)?;
        let privilege = members.privilege()?;
        let hex_bmc_key = members.hex_bmc_key()?;
        let cipher_suite = members.cipher_suite(protocol)?;
        Ok(Self {
            address,
            port: dest_port,
            username: members.get("ipmi_username").cloned(),
            password: Secret::new(members.get("ipmi_password").map_or_else(String::new, text)),
            hex_bmc_key,
            terminal_port,
            privilege,
            bridging,
            protocol,
            force_boot_device: members
                .get("ipmi_force_boot_device")
                .cloned()
                .unwrap_or(Value::Bool(false)),
            cipher_suite,
        })
    }
}

struct Members<'a>(&'a Map<String, Value>);

impl Members<'_> {
    fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    /// A member that is there and not null.
    fn given(&self, name: &str) -> Option<Value> {
        self.get(name).filter(|value| !value.is_null()).cloned()
    }

    fn protocol(&self) -> Result<ProtocolVersion, DriverInfoError> {
        match self.get("ipmi_protocol_version").map(text).as_deref() {
            None | Some("2.0") => Ok(ProtocolVersion::V2_0),
            Some("1.5") => Ok(ProtocolVersion::V1_5),
            Some(_) => Err(DriverInfoError::Invalid {
                field: "ipmi_protocol_version",
                expected: "1.5 or 2.0",
            }),
        }
    }

    fn bridging(&self, can_bridge: bool) -> Result<Option<Bridging>, DriverInfoError> {
        let invalid = |expected| DriverInfoError::Invalid {
            field: "ipmi_bridging",
            expected,
        };
        let dual = match self.get("ipmi_bridging") {
            None => return Ok(None),
            Some(Value::String(kind)) => match kind.as_str() {
                "no" => return Ok(None),
                "single" => false,
                "dual" => true,
                _ => return Err(invalid("no, single or dual")),
            },
            Some(_) => return Err(invalid("no, single or dual")),
        };
        if !can_bridge {
            return Err(invalid("possible here"));
        }
        let mut fields = Vec::new();
        let mut pair = |channel, address| match (self.given(channel), self.given(address)) {
            (Some(channel), Some(address)) => Some((channel, address)),
            (has_channel, has_address) => {
                fields.extend(has_channel.is_none().then_some(channel));
                fields.extend(has_address.is_none().then_some(address));
                None
            }
        };
        let target = pair("ipmi_target_channel", "ipmi_target_address");
        let transit = if dual {
            pair("ipmi_transit_channel", "ipmi_transit_address")
        } else {
            None
        };
        match target {
            Some(target) if fields.is_empty() => Ok(Some(Bridging {
                local_address: self.given("ipmi_local_address"),
                target,
                transit,
            })),
            _ => Err(DriverInfoError::Missing { fields }),
        }
    }

    fn privilege(&self) -> Result<Privilege, DriverInfoError> {
        match self.get("ipmi_priv_level").map(Value::as_str) {
            None | Some(Some("ADMINISTRATOR")) => Ok(Privilege::Administrator),
            Some(Some("OPERATOR")) => Ok(Privilege::Operator),
            Some(Some("USER")) => Ok(Privilege::User),
            Some(Some("CALLBACK")) => Ok(Privilege::Callback),
            Some(_) => Err(DriverInfoError::Invalid {
                field: "ipmi_priv_level",
                expected: "ADMINISTRATOR, OPERATOR, USER or CALLBACK",
            }),
        }
    }

    fn hex_bmc_key(&self) -> Result<Option<Secret<Value>>, DriverInfoError> {
        let Some(key) = self.get("ipmi_hex_kg_key") else {
            return Ok(None);
        };
        let len = match key {
            Value::String(digits) => digits.chars().count(),
            Value::Array(items) => items.len(),
            Value::Object(members) => members.len(),
            // Of neither digits nor length; odd, then.
            other => usize::from(is_truthy(other)),
        };
        if len % 2 != 0 {
            return Err(DriverInfoError::Invalid {
                field: "ipmi_hex_kg_key",
                expected: "of an even number of digits",
            });
        }
        Ok(Some(Secret::new(key.clone())))
    }

    fn cipher_suite(&self, protocol: ProtocolVersion) -> Result<Option<Value>, DriverInfoError> {
        let Some(suite) = self.given("ipmi_cipher_suite") else {
            return Ok(None);
        };
        let invalid = |expected| DriverInfoError::Invalid {
            field: "ipmi_cipher_suite",
            expected,
        };
        if integer(&suite).is_none() {
            return Err(invalid("a number"));
        }
        if protocol == ProtocolVersion::V1_5 {
            return Err(invalid("left out, as IPMI 1.5 has none"));
        }
        Ok(Some(suite))
    }
}

/// A port; none for null.
fn port(field: &'static str, value: &Value) -> Result<Option<u16>, DriverInfoError> {
    if value.is_null() {
        return Ok(None);
    }
    network_port(field, value)
        .map(Some)
        .map_err(|_| DriverInfoError::Invalid {
            field,
            expected: "a port number",
        })
}
