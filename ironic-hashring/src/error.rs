use std::error::Error;
use std::fmt;

use crate::RingKey;

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
    /// The partitions of all hosts together exceed [`HashRing::MAX_PARTITIONS`](crate::HashRing::MAX_PARTITIONS).
    TooManyPartitions,
}

impl fmt::Display for RingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownHash { name } => write!(f, "unknown hash function {name:?}"),
            Self::ZeroWeight { host } => write!(f, "host {host:?} has a weight of zero"),
            Self::TooManyPartitions => f.write_str("the ring would have too many partitions"),
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
