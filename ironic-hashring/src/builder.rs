use std::collections::BTreeMap;

use crate::{HashFunction, HashRing, RingError};

/// Collects the hosts and settings of a [`HashRing`].
///
/// A name counts once however often it is added; the weight given last is the one that holds.
#[derive(Debug, Clone)]
#[must_use = "a builder does nothing until build() is called"]
pub struct HashRingBuilder {
    pub(crate) hosts: BTreeMap<String, u32>,
    pub(crate) partition_exponent: u8,
    pub(crate) hash: HashFunction,
}

impl Default for HashRingBuilder {
    fn default() -> Self {
        Self {
            hosts: BTreeMap::new(),
            partition_exponent: HashRing::DEFAULT_PARTITION_EXPONENT,
            hash: HashFunction::default(),
        }
    }
}

impl HashRingBuilder {
    /// Adds a host of weight 1.
    pub fn host(self, name: impl Into<String>) -> Self {
        self.weighted_host(name, 1)
    }

    /// Adds hosts of weight 1.
    pub fn hosts<I>(mut self, names: I) -> Self
    where
        I: IntoIterator,
        I::Item: Into<String>,
    {
        self.hosts
            .extend(names.into_iter().map(|name| (name.into(), 1)));
        self
    }

    /// Adds a host that takes `weight` times the partitions, and so about `weight` times the keys, of
    /// a host of weight 1.
    pub fn weighted_host(mut self, name: impl Into<String>, weight: u32) -> Self {
        self.hosts.insert(name.into(), weight);
        self
    }

    /// Takes a host out again; a name that is not there is no error.
    pub fn remove_host(mut self, name: &str) -> Self {
        self.hosts.remove(name);
        self
    }

    /// Sets how finely keys are spread: each host of weight 1 has 2<sup>`exponent`</sup> partitions.
    ///
    /// The default is 5. Every member of a cluster must use the same value. Together the partitions
    /// of all hosts are limited to [`HashRing::MAX_PARTITIONS`].
    pub fn partition_exponent(mut self, exponent: u8) -> Self {
        self.partition_exponent = exponent;
        self
    }

    /// Sets the hash function; the default is MD5.
    pub fn hash(mut self, hash: HashFunction) -> Self {
        self.hash = hash;
        self
    }

    /// Builds the ring.
    ///
    /// # Errors
    ///
    /// [`RingError::ZeroWeight`] for a host of weight 0, [`RingError::TooManyPartitions`] past
    /// [`HashRing::MAX_PARTITIONS`], [`RingError::NameTooLong`] past [`HashRing::MAX_NAME_BYTES`].
    /// A ring without hosts is no error: it owns nothing.
    pub fn build(self) -> Result<HashRing, RingError> {
        HashRing::from_builder(self)
    }
}
