use std::collections::BTreeMap;
use std::fmt;

use crate::circle::{Circle, Point, merge};
use crate::{HashFunction, HashRingBuilder, RingError, Walk};

/// Maps keys to hosts so that few keys move when hosts come and go.
///
/// Looking a key up allocates nothing and costs one hash and a glance at a table. Keys and names are
/// hashed as UTF-8.
///
/// A ring is the same whichever way its hosts came into it: built at once, or one after the other
/// with [`add_host`](Self::add_host) and [`remove_host`](Self::remove_host).
#[derive(Clone, PartialEq, Eq)]
pub struct HashRing {
    /// Names and weights, sorted by name.
    hosts: Vec<(String, u32)>,
    circle: Circle,
    partition_exponent: u8,
    hash: HashFunction,
}

impl HashRing {
    /// The partition exponent of a ring that names none: 32 partitions for each host.
    pub const DEFAULT_PARTITION_EXPONENT: u8 = 5;

    /// The most partitions that all hosts of a ring may have together.
    pub const MAX_PARTITIONS: u64 = 1 << 22;

    /// The longest name of a host, in bytes: the 255 characters that the original stores, in UTF-8.
    pub const MAX_NAME_BYTES: usize = 1020;

    /// Builds a ring of equally weighted hosts with the default settings.
    ///
    /// # Errors
    ///
    /// [`RingError::TooManyPartitions`] with more than 131,072 hosts, [`RingError::NameTooLong`] past
    /// [`MAX_NAME_BYTES`](Self::MAX_NAME_BYTES).
    pub fn new<I>(hosts: I) -> Result<Self, RingError>
    where
        I: IntoIterator,
        I::Item: Into<String>,
    {
        Self::builder().hosts(hosts).build()
    }

    /// Starts a ring with the default settings.
    pub fn builder() -> HashRingBuilder {
        HashRingBuilder::default()
    }

    /// Starts a ring with this one's hosts, weights and settings.
    pub fn to_builder(&self) -> HashRingBuilder {
        HashRingBuilder {
            hosts: self.weights(),
            partition_exponent: self.partition_exponent,
            hash: self.hash,
        }
    }

    pub(crate) fn from_builder(builder: HashRingBuilder) -> Result<Self, RingError> {
        let HashRingBuilder {
            hosts,
            partition_exponent,
            hash,
        } = builder;
        let empty = Self {
            hosts: Vec::new(),
            circle: Circle::new(std::iter::empty(), 0, 0),
            partition_exponent,
            hash,
        };
        empty.with_hosts(hosts)
    }

    /// The ring of exactly these hosts; only those that this ring does not have are hashed.
    pub(crate) fn with_hosts(&self, hosts: BTreeMap<String, u32>) -> Result<Self, RingError> {
        let hosts: Vec<(String, u32)> = hosts.into_iter().collect();
        let expected = check(&hosts, self.partition_exponent)?;
        Ok(self.changed(hosts, expected))
    }

    /// The ring of these hosts, which are sorted and together have about `expected` points.
    fn changed(&self, hosts: Vec<(String, u32)>, expected: usize) -> Self {
        // Both lists of hosts are sorted, so those that stay keep their order, and their points too.
        let mut places = vec![None; self.hosts.len()];
        let mut joining: Vec<(u128, u32)> = Vec::new();
        for (place, host) in (0u32..).zip(&hosts) {
            let (name, weight) = host;
            let before = self
                .index_of(name)
                .filter(|index| self.hosts.get(*index) == Some(host));
            match before.and_then(|index| places.get_mut(index)) {
                Some(kept) => *kept = Some(place),
                None => {
                    let count = partitions(self.partition_exponent, *weight);
                    self.hash
                        .host_positions(name.as_bytes(), count, |position| {
                            joining.push((position, place));
                        });
                }
            }
        }
        joining.sort_unstable();
        joining.dedup();
        let staying = self.circle.pairs().filter_map(|(position, host)| {
            let place = places.get(host as usize).copied().flatten()?;
            Some((position, place))
        });
        Self {
            circle: Circle::new(merge(staying, joining.into_iter()), expected, hosts.len()),
            hosts,
            partition_exponent: self.partition_exponent,
            hash: self.hash,
        }
    }

    /// Adds a host, or changes the weight of one that is there.
    ///
    /// Hashes the partitions of this host alone. Keys move only to it; or from it, if its weight
    /// falls.
    ///
    /// # Errors
    ///
    /// Those of [`HashRingBuilder::build`]; the ring is then as it was.
    pub fn add_host(&mut self, name: impl Into<String>, weight: u32) -> Result<(), RingError> {
        let mut hosts = self.weights();
        hosts.insert(name.into(), weight);
        *self = self.with_hosts(hosts)?;
        Ok(())
    }

    /// Takes a host out; says whether it was there.
    ///
    /// Hashes nothing. Its keys go where ignoring it would send them; no others move.
    pub fn remove_host(&mut self, name: &str) -> bool {
        let Some(index) = self.index_of(name) else {
            return false;
        };
        let mut hosts = self.hosts.clone();
        hosts.remove(index);
        *self = self.changed(hosts, self.circle.positions().len());
        true
    }

    /// The host that a key belongs to; `None` only in a ring without hosts.
    pub fn owner(&self, key: &str) -> Option<&str> {
        let point = self.circle.points().get(self.start(key))?;
        Some(self.host_name(point))
    }

    /// The first `replicas` hosts for a key, owner first, without those that `ignore` picks.
    ///
    /// Fewer come out where fewer hosts are left.
    pub fn owners<'a, F>(
        &'a self,
        key: &str,
        replicas: usize,
        ignore: F,
    ) -> impl Iterator<Item = &'a str> + use<'a, F>
    where
        F: Fn(&str) -> bool + 'a,
    {
        self.walk(key)
            .filter(move |host| !ignore(host))
            .take(replicas)
    }

    /// All hosts in the order in which a walk from the key meets them first.
    pub fn walk(&self, key: &str) -> Walk<'_> {
        Walk::new(self, self.start(key))
    }

    /// Where a key is on the circle; its walk begins at the first of the
    /// [`partitions`](Self::partitions) after this.
    pub fn position(&self, key: &str) -> u128 {
        self.hash.key_position(key.as_bytes())
    }

    /// Index of the point at which the walk from a key begins.
    fn start(&self, key: &str) -> usize {
        self.circle.after(self.position(key))
    }

    /// Names of the hosts, sorted.
    pub fn hosts(&self) -> impl ExactSizeIterator<Item = &str> {
        self.hosts.iter().map(|(name, _)| name.as_str())
    }

    /// A host's weight, or `None` if it is not a member.
    pub fn weight(&self, host: &str) -> Option<u32> {
        let index = self.index_of(host)?;
        self.hosts.get(index).map(|(_, weight)| *weight)
    }

    fn index_of(&self, host: &str) -> Option<usize> {
        self.hosts
            .binary_search_by(|(name, _)| name.as_str().cmp(host))
            .ok()
    }

    /// Every partition as its position and host, clockwise from position 0.
    pub fn partitions(&self) -> impl ExactSizeIterator<Item = (u128, &str)> {
        let positions = self.circle.positions().iter();
        positions
            .zip(self.circle.points())
            .map(|(position, point)| (*position, self.host_name(point)))
    }

    /// The exponent of the number of partitions of a host of weight 1.
    pub fn partition_exponent(&self) -> u8 {
        self.partition_exponent
    }

    /// The hash function in use.
    pub fn hash(&self) -> HashFunction {
        self.hash
    }

    pub(crate) fn weights(&self) -> BTreeMap<String, u32> {
        self.hosts.iter().cloned().collect()
    }

    /// Whether these, and no others, are the hosts and their weights.
    pub(crate) fn is_of(&self, hosts: &BTreeMap<String, u32>) -> bool {
        let ours = self.hosts.iter().map(|(name, weight)| (name, weight));
        ours.eq(hosts)
    }

    #[cfg(feature = "serde")]
    pub(crate) fn hosts_and_weights(&self) -> impl ExactSizeIterator<Item = (&str, u32)> {
        self.hosts
            .iter()
            .map(|(name, weight)| (name.as_str(), *weight))
    }

    pub(crate) fn points(&self) -> &[Point] {
        self.circle.points()
    }

    pub(crate) fn host_name(&self, point: &Point) -> &str {
        // Points are made from the hosts' own indices.
        self.hosts
            .get(point.host as usize)
            .map_or("", |(name, _)| name.as_str())
    }
}

/// Hosts and settings; the partitions would fill the screen.
impl fmt::Debug for HashRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HashRing")
            .field("hosts", &self.hosts)
            .field("partition_exponent", &self.partition_exponent)
            .field("hash", &self.hash)
            .finish_non_exhaustive()
    }
}

fn partitions(exponent: u8, weight: u32) -> u64 {
    let base = 1u64.checked_shl(exponent.into()).unwrap_or(u64::MAX);
    base.saturating_mul(weight.into())
}

/// The number of partitions of these hosts, if nothing speaks against a ring of them.
fn check(hosts: &[(String, u32)], exponent: u8) -> Result<usize, RingError> {
    // No host at all is fine, but not where none could ever join.
    let mut most = partitions(exponent, 1);
    let mut total = 0u64;
    for (name, weight) in hosts {
        if name.len() > HashRing::MAX_NAME_BYTES {
            return Err(RingError::NameTooLong { bytes: name.len() });
        }
        if *weight == 0 {
            return Err(RingError::ZeroWeight { host: name.clone() });
        }
        total = total.saturating_add(partitions(exponent, *weight));
        most = most.max(total);
    }
    match usize::try_from(total) {
        Ok(total) if most <= HashRing::MAX_PARTITIONS => Ok(total),
        _ => Err(RingError::TooManyPartitions { partitions: most }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_ring_owns_nothing() {
        let ring = HashRing::new(Vec::<String>::new()).expect("no hosts is a ring");
        assert_eq!(ring.owner("key"), None);
        assert_eq!(ring.owners("key", 3, |_| false).count(), 0);
    }

    #[test]
    fn names_that_repeat_one_another_share_points_without_losing_a_host() {
        // Every point of "aa" but those of odd repetitions is a point of "a" too.
        for hosts in [["a", "aa", "b"], ["aa", "b", "a"]] {
            let ring = HashRing::new(hosts).expect("ring");
            let mut seen: Vec<&str> = ring.walk("key").collect();
            seen.sort_unstable();
            assert_eq!(seen, ["a", "aa", "b"]);
        }
    }

    #[test]
    fn a_host_whose_points_are_all_taken_ends_the_walk() {
        let ring = HashRing::builder()
            .partition_exponent(0)
            .hosts(["a", "aa"])
            .weighted_host("a", 3)
            .build();
        let ring = ring.expect("ring");
        // "aa" has one point, "aaaa", which is the third of "a".
        assert_eq!(ring.walk("key").collect::<Vec<_>>(), ["a"]);
    }

    #[test]
    fn sizes_and_weights_are_checked_before_hashing() {
        let build = |exponent, hosts: &[(&str, u32)]| {
            let mut builder = HashRing::builder().partition_exponent(exponent);
            for (name, weight) in hosts {
                builder = builder.weighted_host(*name, *weight);
            }
            builder.build()
        };
        let too_many = |partitions| Err(RingError::TooManyPartitions { partitions });
        let most = HashRing::MAX_PARTITIONS;
        let hosts = |weight| [("a".to_owned(), weight)];
        assert_eq!(check(&hosts(1), 22), Ok(most as usize));
        assert_eq!(check(&hosts(1 << 22), 0), Ok(most as usize));
        assert_eq!(build(0, &[("a", 1 << 22), ("b", 1)]), too_many(most + 1));
        for hosts in [&[][..], &[("a", 1)]] {
            assert_eq!(build(23, hosts), too_many(1 << 23));
            assert_eq!(build(63, hosts), too_many(1 << 63));
            assert_eq!(build(64, hosts), too_many(u64::MAX));
            assert_eq!(build(255, hosts), too_many(u64::MAX));
        }
        assert_eq!(
            build(62, &[("a", u32::MAX), ("b", u32::MAX)]),
            too_many(u64::MAX)
        );
        assert_eq!(
            build(5, &[("a", 0)]),
            Err(RingError::ZeroWeight {
                host: "a".to_owned()
            })
        );
        let longest = "n".repeat(HashRing::MAX_NAME_BYTES);
        assert!(build(0, &[(&longest, 1)]).is_ok());
        assert_eq!(
            build(0, &[(&format!("{longest}n"), 1)]),
            Err(RingError::NameTooLong {
                bytes: longest.len() + 1
            })
        );
    }

    #[test]
    fn builder_of_a_ring_builds_it_again() {
        let ring = HashRing::builder()
            .host("a")
            .weighted_host("b", 3)
            .partition_exponent(2)
            .build()
            .expect("ring");
        assert_eq!(ring.to_builder().build().as_ref(), Ok(&ring));
        assert_eq!(ring.weight("b"), Some(3));
        assert_eq!(ring.weight("c"), None);
        assert_eq!(ring.hosts().collect::<Vec<_>>(), ["a", "b"]);
    }
}
