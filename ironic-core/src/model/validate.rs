use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::Error;

/// A hardware address: six octets, in lower case with colons.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MacAddress(Box<str>);

impl MacAddress {
    /// The text form.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The address of these octets.
    pub fn from_octets(octets: [u8; 6]) -> Self {
        Self(octets.map(|octet| format!("{octet:02x}")).join(":").into())
    }
}

impl FromStr for MacAddress {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let octets = text.split(':').collect::<Vec<_>>();
        let right = octets.len() == 6
            && octets
                .iter()
                .all(|octet| octet.len() == 2 && octet.bytes().all(|b| b.is_ascii_hexdigit()));
        if !right {
            let shown: String = text.chars().take(64).collect();
            return Err(Error::invalid(format!(
                "{shown:?} is not a MAC address such as 52:54:00:12:34:56"
            )));
        }
        Ok(Self(text.to_ascii_lowercase().into()))
    }
}

impl fmt::Display for MacAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for MacAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for MacAddress {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for MacAddress {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// Whether every label of the name is one of a host name (RFC 1123 §2.1): letters, digits and
/// inner hyphens, 63 at most, 255 in all.
pub fn is_hostname_safe(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= 255
        && name.split('.').all(|label| {
            (1..=63).contains(&label.len())
                && label
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b == b'-')
                && !label.starts_with('-')
                && !label.ends_with('-')
        })
}

/// Whether a node may have this name: unreserved characters of a URL (RFC 3986 §2.3), and no
/// uuid, so that a path with either is never in doubt.
pub fn is_valid_node_name(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= 255
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"-._~".contains(&b))
        && uuid::Uuid::parse_str(name).is_err()
}

/// Whether a group of conductors may have this name: letters, digits and `-._`; the empty name is
/// that of the default group. As in the original, one line feed at the end passes.
pub fn is_valid_conductor_group(name: &str) -> bool {
    name.strip_suffix('\n')
        .unwrap_or(name)
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || b"-._".contains(&b))
}

#[cfg(test)]
mod tests {
    use super::{MacAddress, is_hostname_safe, is_valid_conductor_group, is_valid_node_name};

    #[test]
    fn macs_are_normalised_or_refused() {
        let mac: MacAddress = "52:54:00:AB:cd:EF".parse().unwrap();
        assert_eq!(mac.as_str(), "52:54:00:ab:cd:ef");
        assert_eq!(
            MacAddress::from_octets([0x52, 0x54, 0, 0xab, 0xcd, 0xef]),
            mac
        );
        for bad in [
            "",
            "52:54:00:ab:cd",
            "52-54-00-ab-cd-ef",
            "52:54:00:ab:cd:eg",
            "525400abcdef",
        ] {
            assert!(bad.parse::<MacAddress>().is_err(), "{bad}");
        }
    }

    #[test]
    fn names() {
        assert!(
            is_hostname_safe("rack-1.example.org")
                && !is_hostname_safe("-a")
                && !is_hostname_safe("a..b")
        );
        assert!(is_valid_node_name("node_1~x.y-z"));
        assert!(!is_valid_node_name("a/b") && !is_valid_node_name("") && !is_valid_node_name("ä"));
        assert!(!is_valid_node_name("1be26c0b-03f2-4d2e-ae87-c02d7f33c123"));
        assert!(is_valid_conductor_group("") && is_valid_conductor_group("rack-1.a_b"));
        assert!(
            !is_valid_conductor_group("a\n\n")
                && !is_valid_conductor_group("a b")
                && !is_valid_conductor_group("é")
        );
    }
}
