//! Rings as data: hosts, weights and settings, from which the points are computed again.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt;

use serde::de::{DeserializeSeed, Error, MapAccess, Visitor};
use serde::ser::SerializeStruct;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{HashFunction, HashRing, HashRingBuilder, RingError};

/// As its [name](HashFunction::name).
impl Serialize for HashFunction {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// From its [name](HashFunction::name); a [custom](HashFunction::custom) one is not found by it.
impl<'de> Deserialize<'de> for HashFunction {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Named;

        impl Visitor<'_> for Named {
            type Value = HashFunction;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the name of a hash function")
            }

            fn visit_str<E: Error>(self, name: &str) -> Result<HashFunction, E> {
                name.parse().map_err(E::custom)
            }
        }

        deserializer.deserialize_str(Named)
    }
}

/// As its settings, hosts and weights, without the points: they follow from these.
impl Serialize for HashRing {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        struct Hosts<'a>(&'a HashRing);

        impl Serialize for Hosts<'_> {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_map(self.0.hosts_and_weights())
            }
        }

        let mut form = serializer.serialize_struct("HashRing", 3)?;
        form.serialize_field("partition_exponent", &self.partition_exponent())?;
        form.serialize_field("hash", &self.hash())?;
        form.serialize_field("hosts", &Hosts(self))?;
        form.end()
    }
}

/// Checks what it reads as [`HashRingBuilder::build`] does, and before it computes a point. No
/// setting may be missing, for another default would be another placement; none may be unknown,
/// and no host named twice. [`RingSeed`] reads rings with custom hash functions.
impl<'de> Deserialize<'de> for HashRing {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        RingSeed::new(&[]).deserialize(deserializer)
    }
}

/// Reads a [`HashRing`] whose hash function may be a [custom](HashFunction::custom) one.
///
/// ```
/// # use ironic_hashring::RingHasher;
/// use ironic_hashring::{HashFunction, HashRing, RingSeed};
/// use serde::de::DeserializeSeed;
///
/// # #[derive(Clone, Default)]
/// # struct Fnv(u64);
/// # impl RingHasher for Fnv {
/// #     const NAME: &'static str = "fnv1a";
/// #     fn update(&mut self, bytes: &[u8]) {
/// #         for byte in bytes {
/// #             self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
/// #         }
/// #     }
/// #     fn position(self) -> u128 { u128::from(self.0) << 64 }
/// # }
/// let known = [HashFunction::custom::<Fnv>()];
/// let mut text = serde_json::Deserializer::from_str(
///     r#"{"partition_exponent": 5, "hash": "fnv1a", "hosts": {"conductor-1": 1}}"#,
/// );
/// let ring = RingSeed::new(&known).deserialize(&mut text)?;
/// assert_eq!(ring.hash(), known[0]);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct RingSeed<'a> {
    custom: &'a [HashFunction],
}

impl<'a> RingSeed<'a> {
    /// Knows these functions by their names, beside those of [`HashFunction::ALL`].
    pub fn new(custom: &'a [HashFunction]) -> Self {
        Self { custom }
    }
}

impl<'de> DeserializeSeed<'de> for RingSeed<'_> {
    type Value = HashRing;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<HashRing, D::Error> {
        let form = Form::deserialize(deserializer)?;
        let mut custom = self.custom.iter().copied();
        let hash = match custom.find(|function| function.name() == form.hash) {
            Some(function) => function,
            None => form.hash.parse().map_err(D::Error::custom)?,
        };
        HashRingBuilder {
            hosts: form.hosts.0,
            partition_exponent: form.partition_exponent,
            hash,
        }
        .build()
        .map_err(D::Error::custom)
    }
}

#[derive(Deserialize)]
#[serde(rename = "HashRing", deny_unknown_fields)]
struct Form {
    partition_exponent: u8,
    hash: String,
    hosts: Hosts,
}

/// Hosts that could be those of a ring with a partition exponent of 0.
struct Hosts(BTreeMap<String, u32>);

impl<'de> Deserialize<'de> for Hosts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(HostsVisitor)
    }
}

struct HostsVisitor;

impl<'de> Visitor<'de> for HostsVisitor {
    type Value = Hosts;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("hosts with their weights")
    }

    /// Stops at the first host that no ring can have, whatever the input says is still to come.
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Hosts, A::Error> {
        let mut hosts = BTreeMap::new();
        let mut partitions = 0u64;
        while let Some((HostName(name), weight)) = map.next_entry::<_, u32>()? {
            if weight == 0 {
                return Err(A::Error::custom(RingError::ZeroWeight { host: name }));
            }
            partitions += u64::from(weight);
            if partitions > HashRing::MAX_PARTITIONS {
                return Err(A::Error::custom(RingError::TooManyPartitions {
                    partitions,
                }));
            }
            match hosts.entry(name) {
                Entry::Vacant(place) => place.insert(weight),
                Entry::Occupied(place) => {
                    let twice = format_args!("host {:?} is named twice", place.key());
                    return Err(A::Error::custom(twice));
                }
            };
        }
        Ok(Hosts(hosts))
    }
}

/// A name that is looked at before it is copied.
struct HostName(String);

impl<'de> Deserialize<'de> for HostName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Named;

        impl Visitor<'_> for Named {
            type Value = HostName;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the name of a host")
            }

            fn visit_str<E: Error>(self, name: &str) -> Result<HostName, E> {
                if name.len() > HashRing::MAX_NAME_BYTES {
                    return Err(E::custom(RingError::NameTooLong { bytes: name.len() }));
                }
                Ok(HostName(name.to_owned()))
            }
        }

        deserializer.deserialize_str(Named)
    }
}
