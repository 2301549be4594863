//! The values of settings, in a file and in the environment.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, SocketAddrV4};
use std::ops::Deref;
use std::time::Duration;

use ironic_core::Secret;
use serde::Deserialize;
use serde::de::{Deserializer, Error as _, Visitor};

/// A setting that an environment variable can hold.
pub(super) trait FromVariable: Sized {
    /// Reads the variable's text; what is wrong with it otherwise.
    fn from_variable(text: &str) -> Result<Self, String>;
}

impl FromVariable for String {
    fn from_variable(text: &str) -> Result<Self, String> {
        Ok(text.to_owned())
    }
}

impl FromVariable for Secret<String> {
    fn from_variable(text: &str) -> Result<Self, String> {
        Ok(Self::new(text.to_owned()))
    }
}

impl FromVariable for bool {
    fn from_variable(text: &str) -> Result<Self, String> {
        match text.to_ascii_lowercase().as_str() {
            "true" | "1" | "yes" | "on" => Ok(true),
            "false" | "0" | "no" | "off" => Ok(false),
            _ => Err(format!("{text:?} is neither true nor false")),
        }
    }
}

macro_rules! parsed {
    ($($type:ty: $what:literal,)+) => {
        $(impl FromVariable for $type {
            fn from_variable(text: &str) -> Result<Self, String> {
                text.trim().parse().map_err(|_| format!("{text:?} is not {}", $what))
            }
        })+
    };
}

parsed! {
    IpAddr: "an IP address",
    u8: "a whole number from 0 to 255",
    u32: "a whole number from 0",
    u64: "a whole number from 0",
    usize: "a whole number from 0",
    SocketAddr: "an address with a port, such as 127.0.0.1:6385",
    SocketAddrV4: "an IPv4 address with a port, such as 0.0.0.0:67",
    Ipv4Addr: "an IPv4 address, such as 192.0.2.1",
}

/// Texts by name; in a variable `name:text` with commas.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Pairs(BTreeMap<String, String>);

impl Deref for Pairs {
    type Target = BTreeMap<String, String>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl<K: Into<String>, V: Into<String>> FromIterator<(K, V)> for Pairs {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(pairs: I) -> Self {
        let pairs = pairs.into_iter();
        Self(
            pairs
                .map(|(key, value)| (key.into(), value.into()))
                .collect(),
        )
    }
}

impl FromVariable for Pairs {
    fn from_variable(text: &str) -> Result<Self, String> {
        let pairs = text
            .split(',')
            .map(str::trim)
            .filter(|pair| !pair.is_empty());
        pairs
            .map(|pair| {
                let (name, value) = pair
                    .split_once(':')
                    .ok_or_else(|| format!("{pair:?} has no colon between name and text"))?;
                Ok((name.trim(), value.trim()))
            })
            .collect()
    }
}

/// IPv4 addresses; in a variable with commas.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Addresses(Vec<Ipv4Addr>);

impl Deref for Addresses {
    type Target = [Ipv4Addr];

    fn deref(&self) -> &[Ipv4Addr] {
        &self.0
    }
}

impl FromVariable for Addresses {
    fn from_variable(text: &str) -> Result<Self, String> {
        let names = Names::from_variable(text)?;
        let addresses = names.iter().map(|name| Ipv4Addr::from_variable(name));
        addresses.collect::<Result<_, _>>().map(Self)
    }
}

/// A list of names; in a variable with commas.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Names(Vec<String>);

impl Deref for Names {
    type Target = [String];

    fn deref(&self) -> &[String] {
        &self.0
    }
}

impl<S: Into<String>> FromIterator<S> for Names {
    fn from_iter<I: IntoIterator<Item = S>>(names: I) -> Self {
        Self(names.into_iter().map(Into::into).collect())
    }
}

impl FromVariable for Names {
    fn from_variable(text: &str) -> Result<Self, String> {
        let names = text
            .split(',')
            .map(str::trim)
            .filter(|name| !name.is_empty());
        Ok(names.collect())
    }
}

/// A duration in seconds, with or without a fraction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seconds(pub Duration);

impl Seconds {
    fn new(seconds: f64) -> Result<Self, String> {
        Duration::try_from_secs_f64(seconds)
            .map(Self)
            .map_err(|_| format!("{seconds} is no number of seconds from 0"))
    }
}

impl FromVariable for Seconds {
    fn from_variable(text: &str) -> Result<Self, String> {
        let seconds = text.trim().parse();
        Self::new(seconds.map_err(|_| format!("{text:?} is no number of seconds"))?)
    }
}

impl<'de> Deserialize<'de> for Seconds {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Number;
        impl Visitor<'_> for Number {
            type Value = f64;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a number of seconds")
            }

            #[allow(clippy::cast_precision_loss, reason = "exact for 285 million years")]
            fn visit_i64<E>(self, seconds: i64) -> Result<f64, E> {
                Ok(seconds as f64)
            }

            fn visit_f64<E>(self, seconds: f64) -> Result<f64, E> {
                Ok(seconds)
            }
        }
        Self::new(deserializer.deserialize_any(Number)?).map_err(D::Error::custom)
    }
}

/// How long something takes: a number of seconds, or `least,most` of which each time another
/// is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delay {
    /// At least this long.
    pub least: Duration,
    /// At most this long.
    pub most: Duration,
}

impl FromVariable for Delay {
    fn from_variable(text: &str) -> Result<Self, String> {
        let (least, most) = text.split_once(',').unwrap_or((text, text));
        let (least, most) = (
            Seconds::from_variable(least)?,
            Seconds::from_variable(most)?,
        );
        if most.0 < least.0 {
            return Err(format!("{text:?} has the shorter time second"));
        }
        Ok(Self {
            least: least.0,
            most: most.0,
        })
    }
}

impl<'de> Deserialize<'de> for Delay {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl Visitor<'_> for Text {
            type Value = String;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a number of seconds, or \"least,most\"")
            }

            fn visit_i64<E>(self, seconds: i64) -> Result<String, E> {
                Ok(seconds.to_string())
            }

            fn visit_f64<E>(self, seconds: f64) -> Result<String, E> {
                Ok(seconds.to_string())
            }

            fn visit_str<E>(self, text: &str) -> Result<String, E> {
                Ok(text.to_owned())
            }
        }
        Self::from_variable(&deserializer.deserialize_any(Text)?).map_err(D::Error::custom)
    }
}
