//! Values that never print.

use std::fmt;

use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

/// What stands wherever a secret would.
pub const MASK: &str = "***";

/// A value that prints as `***` and has to be asked for by name.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Secret<T>(T);

impl<T> Secret<T> {
    /// Wraps `value`.
    pub const fn new(value: T) -> Self {
        Self(value)
    }

    /// The value itself; every use of this is a place to look at.
    pub const fn expose(&self) -> &T {
        &self.0
    }
}

impl<T> fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(MASK)
    }
}

impl<T> fmt::Display for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(MASK)
    }
}

impl<T> From<T> for Secret<T> {
    fn from(value: T) -> Self {
        Self(value)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Secret<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::deserialize(deserializer).map(Self)
    }
}

/// Parts of key names whose values are secret, in lower case (the list of oslo.utils'
/// `strutils`, which the original masks by, less those that its shorter ones cover).
const SECRET_KEYS: &[&str] = &[
    "admin_pass",
    "adminpass",
    "auth_pass",
    "fernetkey",
    "password",
    "passwd",
    "private_key",
    "secret",
    "sslkey",
    "sys_pswd",
    "token",
    "configdrive",
];

/// Whether a value under this key is not to be shown.
pub fn is_secret_key(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    SECRET_KEYS.iter().any(|part| key.contains(part))
}

/// A copy of `map` in which every value under a secret key, however deep, reads `mask`.
#[must_use]
pub fn masked(map: &Map<String, Value>, mask: &str) -> Map<String, Value> {
    map.iter()
        .map(|(key, value)| {
            let value = if is_secret_key(key) && !value.is_null() {
                Value::from(mask)
            } else {
                masked_value(value, mask)
            };
            (key.clone(), value)
        })
        .collect()
}

fn masked_value(value: &Value, mask: &str) -> Value {
    match value {
        Value::Object(map) => Value::Object(masked(map, mask)),
        Value::Array(items) => items.iter().map(|item| masked_value(item, mask)).collect(),
        other => other.clone(),
    }
}

/// Prints a record as JSON, with every secret masked.
pub(crate) fn fmt_masked(
    name: &str,
    record: &impl serde::Serialize,
    f: &mut fmt::Formatter<'_>,
) -> fmt::Result {
    match serde_json::to_value(record) {
        Ok(Value::Object(map)) => write!(f, "{name} {}", Value::Object(masked(&map, MASK))),
        _ => f.write_str(name),
    }
}

/// Compares two secrets in a time that depends on their lengths only.
#[must_use]
pub fn constant_time_eq(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len()
        && a.iter()
            .zip(b)
            .fold(0, |seen, (x, y)| std::hint::black_box(seen | (x ^ y)))
            == 0
}

#[cfg(test)]
mod tests {
    use super::{Secret, constant_time_eq, masked};

    #[test]
    fn a_secret_never_prints() {
        let secret = Secret::new("hunter2");
        assert_eq!(format!("{secret} {secret:?}"), "*** ***");
        assert_eq!(*secret.expose(), "hunter2");
    }

    #[test]
    fn masking_goes_by_key_at_every_depth() {
        let map = serde_json::json!({
            "ipmi_address": "192.0.2.1", "ipmi_password": "p", "agent_secret_token": "t",
            "list": [{"Redfish_Password": "q", "n": 1}], "password": null,
        });
        let shown = masked(map.as_object().unwrap(), "***");
        assert_eq!(
            serde_json::Value::from(shown),
            serde_json::json!({
                "ipmi_address": "192.0.2.1", "ipmi_password": "***", "agent_secret_token": "***",
                "list": [{"Redfish_Password": "***", "n": 1}], "password": null,
            })
        );
    }

    #[test]
    fn comparison_is_exact() {
        assert!(constant_time_eq(b"abc", b"abc"));
        assert!(!constant_time_eq(b"abc", b"abd"));
        assert!(!constant_time_eq(b"abc", b"abcd"));
    }
}
