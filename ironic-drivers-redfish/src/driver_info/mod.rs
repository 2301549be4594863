//! `driver_info` of a node: what an operator writes, checked.

mod address;
mod component;
mod error;
mod verify_ca;

use std::time::Duration;

use ironic_core::Secret;
use ironic_core::model::lenient::is_truthy;
use serde_json::{Map, Value, json};

use crate::connection::{AuthMethod, Connection};
use crate::error::RedfishError;
use crate::http::{TlsSettings, TlsVersion};

pub use component::FirmwareComponentType;
pub use error::DriverInfoError;
pub use verify_ca::VerifyCa;

/// What holds for nodes that do not say themselves (the options of the original's `[redfish]`).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct DriverInfoDefaults {
    /// `verify_ca`: used where a node says nothing or `true`. A path or a Boolean word.
    pub verify_ca: Option<String>,
    /// `auth_type`.
    pub auth: AuthMethod,
    /// `tls_minimum_version`: "1.1", "1.2" or "1.3".
    pub tls_minimum_version: Option<String>,
    /// `tls_ciphers`: an OpenSSL cipher list.
    pub tls_ciphers: Option<String>,
}

/// A node's Redfish `driver_info`, checked.
///
/// User name, password, cipher list and wait are kept as the operator wrote them, since nothing
/// about them is checked; [`connection`](Self::connection) is where they are used.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct RedfishDriverInfo {
    /// `scheme://authority`; may hold user information, so it prints as nothing.
    pub address: Secret<String>,
    /// Path of the address, the place of the service root where there is one.
    pub root_prefix: Option<String>,
    /// `redfish_system_id`, percent-encoded.
    pub system_id: Option<String>,
    /// How far the BMC's certificate is trusted.
    pub verify_ca: VerifyCa,
    /// `redfish_auth_type`.
    pub auth: AuthMethod,
    /// `redfish_tls_minimum_version`.
    pub tls_minimum_version: Option<TlsVersion>,
    username: Value,
    password: Secret<Value>,
    tls_ciphers: Value,
    unresponsive_bmc_wait: Value,
}

impl RedfishDriverInfo {
    /// Checks `info`. `is_path` says whether a file or folder of that name exists.
    ///
    /// # Errors
    ///
    /// [`DriverInfoError`] names the property that is missing or invalid.
    pub fn parse(
        info: &Map<String, Value>,
        defaults: &DriverInfoDefaults,
        is_path: impl Fn(&str) -> bool,
    ) -> Result<Self, DriverInfoError> {
        let member = |name: &str| info.get(name).cloned().unwrap_or_default();
        let address = info.get("redfish_address").filter(|value| is_truthy(value));
        let address = address.ok_or(DriverInfoError::Missing {
            property: "redfish_address",
        })?;
        let (address, root_prefix) = address::parse(address)?;
        Ok(Self {
            address: Secret::new(address),
            root_prefix,
            system_id: system_id(info.get("redfish_system_id"))?,
            verify_ca: VerifyCa::parse(
                info.get("redfish_verify_ca"),
                defaults.verify_ca.as_deref(),
                is_path,
            )?,
            auth: auth(info.get("redfish_auth_type"), defaults.auth)?,
            tls_minimum_version: tls_minimum_version(
                info.get("redfish_tls_minimum_version"),
                defaults.tls_minimum_version.as_deref(),
            )?,
            username: member("redfish_username"),
            password: Secret::new(member("redfish_password")),
            tls_ciphers: match info.get("redfish_tls_ciphers") {
                Some(ciphers) => ciphers.clone(),
                None => defaults
                    .tls_ciphers
                    .clone()
                    .map_or(Value::Null, Value::from),
            },
            unresponsive_bmc_wait: member("firmware_update_unresponsive_bmc_wait"),
        })
    }

    /// The BMC and the account, ready to be called.
    ///
    /// # Errors
    ///
    /// [`RedfishError::InvalidSettings`] when the address is not an `http` or `https` one, or user
    /// name or password are neither text nor numbers.
    pub fn connection(&self) -> Result<Connection, RedfishError> {
        let unusable = |property: &str| RedfishError::InvalidSettings {
            reason: format!("{property} is neither text nor a number"),
        };
        let by_name = |error| match error {
            RedfishError::InvalidSettings { reason } => RedfishError::InvalidSettings {
                reason: format!("redfish_address: {reason}"),
            },
            other => other,
        };
        let connection = Connection::new(self.address.expose()).map_err(by_name)?;
        let mut connection = connection.auth(self.auth);
        if let Some(root) = &self.root_prefix {
            connection = connection.root(root);
        }
        let username = scalar(&self.username).map_err(|()| unusable("redfish_username"))?;
        let password = scalar(self.password.expose()).map_err(|()| unusable("redfish_password"))?;
        if let Some(username) = username.filter(|username| !username.is_empty()) {
            connection = connection.credentials(username, password.unwrap_or_default());
        }
        let ciphers = scalar(&self.tls_ciphers).map_err(|()| unusable("redfish_tls_ciphers"))?;
        let tls = TlsSettings::new()
            .trust(self.verify_ca.trust())
            .minimum_version(self.tls_minimum_version)
            .ciphers(ciphers.filter(|ciphers| !ciphers.is_empty()));
        Ok(connection.tls(tls))
    }

    /// `firmware_update_unresponsive_bmc_wait`, in seconds there.
    pub fn unresponsive_bmc_wait(&self) -> Option<Duration> {
        let seconds = match &self.unresponsive_bmc_wait {
            Value::Number(number) => number.as_u64(),
            Value::String(text) => text.trim().parse().ok(),
            _ => None,
        };
        seconds.map(Duration::from_secs)
    }

    /// The whole as the original's parser returns it, less its `node_uuid`. With the password.
    pub fn to_json(&self) -> Map<String, Value> {
        let mut all = Map::new();
        let mut put = |name: &str, value: Value| all.insert(name.to_owned(), value);
        put("address", json!(self.address.expose()));
        put("system_id", json!(self.system_id));
        put("username", self.username.clone());
        put("password", self.password.expose().clone());
        put("verify_ca", self.verify_ca.to_json());
        put("auth_type", json!(self.auth.as_str()));
        if let Some(prefix) = &self.root_prefix {
            put("root_prefix", json!(prefix));
        }
        if let Some(version) = self.tls_minimum_version {
            put("tls_min_version", json!(version.as_str()));
        }
        if is_truthy(&self.tls_ciphers) {
            put("tls_ciphers", self.tls_ciphers.clone());
        }
        if is_truthy(&self.unresponsive_bmc_wait) {
            put(
                "firmware_update_unresponsive_bmc_wait",
                self.unresponsive_bmc_wait.clone(),
            );
        }
        all
    }
}

/// Text, or a number that somebody forgot to quote.
fn scalar(value: &Value) -> Result<Option<String>, ()> {
    match value {
        Value::Null => Ok(None),
        Value::String(text) => Ok(Some(text.clone())),
        Value::Number(number) => Ok(Some(number.to_string())),
        _ => Err(()),
    }
}

fn system_id(value: Option<&Value>) -> Result<Option<String>, DriverInfoError> {
    match value {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(path)) => Ok(Some(quoted(path))),
        Some(_) => Err(DriverInfoError::Invalid {
            property: "redfish_system_id",
            reason: "not a path",
        }),
    }
}

/// Percent-encodes all but unreserved characters (RFC 3986 §2.3) and slashes.
fn quoted(path: &str) -> String {
    path.bytes()
        .map(|byte| match byte {
            b if b.is_ascii_alphanumeric() || b"-._~/".contains(&b) => char::from(b).to_string(),
            b => format!("%{b:02X}"),
        })
        .collect()
}

fn auth(value: Option<&Value>, default: AuthMethod) -> Result<AuthMethod, DriverInfoError> {
    let Some(value) = value else {
        return Ok(default);
    };
    [AuthMethod::Basic, AuthMethod::Session, AuthMethod::Auto]
        .into_iter()
        .find(|method| value.as_str() == Some(method.as_str()))
        .ok_or(DriverInfoError::Invalid {
            property: "redfish_auth_type",
            reason: "not one of basic, session, auto",
        })
}

fn tls_minimum_version(
    value: Option<&Value>,
    default: Option<&str>,
) -> Result<Option<TlsVersion>, DriverInfoError> {
    let default = default.map(Value::from);
    match value.or(default.as_ref()) {
        Some(value) if is_truthy(value) => match value.as_str().and_then(TlsVersion::from_number) {
            Some(version) => Ok(Some(version)),
            None => Err(DriverInfoError::Invalid {
                property: "redfish_tls_minimum_version",
                reason: "not one of 1.1, 1.2, 1.3",
            }),
        },
        _ => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;
    use std::time::Duration;

    use serde_json::{Value, json};

    use super::{DriverInfoDefaults, RedfishDriverInfo};
    use crate::connection::AuthMethod;
    use crate::http::{TlsVersion, TrustAnchor};

    fn parsed(info: Value) -> RedfishDriverInfo {
        let info = info.as_object().cloned().unwrap_or_default();
        RedfishDriverInfo::parse(&info, &DriverInfoDefaults::default(), |path| path == "/ca")
            .unwrap()
    }

    #[test]
    fn what_was_written_is_what_is_called() {
        let info = parsed(json!({
            "redfish_address": "https://x:hidden@bmc.example.org:8443/rest/v1", "redfish_username": "u", "redfish_password": 1234,
            "redfish_verify_ca": "/ca", "redfish_auth_type": "session", "redfish_tls_minimum_version": "1.3",
            "redfish_tls_ciphers": "ALL", "firmware_update_unresponsive_bmc_wait": "30",
        }));
        let connection = info.connection().unwrap();
        assert_eq!(connection.base.to_string(), "https://bmc.example.org:8443");
        assert_eq!(connection.root, "/rest/v1/");
        assert_eq!(connection.username.as_deref(), Some("u"));
        assert_eq!(connection.password.expose(), "1234");
        assert_eq!(connection.auth, AuthMethod::Session);
        assert_eq!(
            connection.tls.trust,
            TrustAnchor::Path(PathBuf::from("/ca"))
        );
        assert_eq!(connection.tls.minimum_version, Some(TlsVersion::Tls13));
        assert_eq!(connection.tls.ciphers.as_deref(), Some("ALL"));
        assert_eq!(info.unresponsive_bmc_wait(), Some(Duration::from_secs(30)));
        let shown = format!("{info:?} {connection:?}");
        assert!(
            !shown.contains("1234") && !shown.contains("hidden"),
            "{shown}"
        );
    }

    #[test]
    fn little_is_enough() {
        for address in ["bmc", "bmc/", "https://bmc//"] {
            let connection =
                parsed(json!({"redfish_address": address, "redfish_verify_ca": false}))
                    .connection()
                    .unwrap();
            assert_eq!(connection.root, "/redfish/v1/");
            assert_eq!(
                (connection.username, connection.tls.trust),
                (None, TrustAnchor::AcceptAny)
            );
        }
    }

    #[test]
    fn what_passes_the_check_may_still_not_be_callable() {
        for (info, said) in [
            (
                json!({"redfish_address": "http+unix://x"}),
                "neither http nor https",
            ),
            (json!({"redfish_address": "https://h:99999"}), "address: "),
            (
                json!({"redfish_address": "h", "redfish_username": ["u"]}),
                "redfish_username is neither",
            ),
            (
                json!({"redfish_address": "h", "redfish_username": "u", "redfish_password": true}),
                "redfish_password is neither",
            ),
        ] {
            let error = parsed(info).connection().unwrap_err();
            assert!(error.to_string().contains(said), "{error}");
        }
    }
}
