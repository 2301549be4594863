use std::error::Error;
use std::fmt;

use crate::{HashRing, RingKey};

/// Why a ring could not be built.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum RingError {
    /// No hash function of this name is compiled in.
    UnknownHash {
        /// The name that was asked for.
        name: String,
    },
    /// A host's weight is zero: it would be a member that owns nothing.
    ZeroWeight {
        /// The host concerned.
        host: String,
    },
    /// The partitions of all hosts together exceed [`HashRing::MAX_PARTITIONS`].
    TooManyPartitions {
        /// How many they would be; 2<sup>64</sup> − 1 for more than can be counted.
        partitions: u64,
    },
    /// A host's name is longer than [`HashRing::MAX_NAME_BYTES`].
    NameTooLong {
        /// Its length in bytes.
        bytes: usize,
    },
}

impl fmt::Display for RingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownHash { name } => write!(f, "unknown hash function {name:?}"),
            Self::ZeroWeight { host } => write!(f, "host {host:?} has a weight of zero"),
            Self::TooManyPartitions { partitions } => write!(
                f,
                "the ring would have {partitions} partitions, which is more than {}",
                HashRing::MAX_PARTITIONS
            ),
            Self::NameTooLong { bytes } => write!(
                f,
                "a host's name of {bytes} bytes is longer than {}",
                HashRing::MAX_NAME_BYTES
            ),
        }
    }
}

impl Error for RingError {}

/// Why a key has no owner in a set of rings.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum RouteError {
    /// No conductor is a member of any ring; one may come back.
    NoConductors,
    /// Conductors are there, but none serves this group and hardware type.
    NoRing {
        /// The ring that was looked for.
        key: RingKey,
    },
}

impl RouteError {
    /// Whether the same question may find an owner later without a change of the question.
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::NoConductors)
    }
}

impl fmt::Display for RouteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoConductors => f.write_str("no conductor is online"),
            Self::NoRing { key } => match key.group() {
                Some(group) => write!(
                    f,
                    "no conductor of group {group:?} supports hardware type {:?}",
                    key.hardware_type()
                ),
                None => write!(
                    f,
                    "no conductor supports hardware type {:?}",
                    key.hardware_type()
                ),
            },
        }
    }
}

impl Error for RouteError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_say_what_is_wrong_and_by_how_much() {
        for (error, text) in [
            (
                HashRing::builder().partition_exponent(23).build(),
                "the ring would have 8388608 partitions, which is more than 4194304",
            ),
            (
                HashRing::new(["n".repeat(2000)]),
                "a host's name of 2000 bytes is longer than 1020",
            ),
            (
                HashRing::builder().weighted_host("c1", 0).build(),
                "host \"c1\" has a weight of zero",
            ),
        ] {
            assert_eq!(
                error.map_err(|error| error.to_string()),
                Err(text.to_owned())
            );
        }
        assert_eq!(
            "crc32"
                .parse::<crate::HashFunction>()
                .map_err(|error| error.to_string()),
            Err("unknown hash function \"crc32\"".to_owned())
        );
    }
}
