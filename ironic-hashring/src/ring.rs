use std::fmt;

use crate::{HashFunction, HashRingBuilder, RingError, Walk};

/// Maps keys to hosts so that few keys move when hosts come and go.
///
/// A ring does not change; [`to_builder`](Self::to_builder) starts the next one. Looking a key up
/// allocates nothing and costs one hash and one binary search. Keys and names are hashed as UTF-8.
#[derive(Clone, PartialEq, Eq)]
pub struct HashRing {
    /// Names and weights, sorted by name.
    hosts: Vec<(String, u32)>,
    /// Positions on the circle, ascending.
    positions: Vec<u128>,
    /// What stands at each position.
    points: Vec<Point>,
    partition_exponent: u8,
    hash: HashFunction,
}

/// One partition of one host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Point {
    /// Index into the hosts.
    pub(crate) host: u32,
    /// Steps back to the host's previous point; the ring's length where it has no other. A walk meets
    /// the host for the first time exactly if it has taken fewer steps than this.
    pub(crate) gap: u32,
}

impl HashRing {
    /// The partition exponent of a ring that names none: 32 partitions for each host.
    pub const DEFAULT_PARTITION_EXPONENT: u8 = 5;

    /// The most partitions that all hosts of a ring may have together.
    pub const MAX_PARTITIONS: u64 = 1 << 22;

    /// Builds a ring of equally weighted hosts with the default settings.
    ///
    /// # Errors
    ///
    /// [`RingError::TooManyPartitions`] with more than 131,072 hosts.
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
            hosts: self.hosts.iter().cloned().collect(),
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
        let hosts: Vec<(String, u32)> = hosts.into_iter().collect();
        let counts = partition_counts(&hosts, partition_exponent)?;

        let mut points: Vec<(u128, u32)> = Vec::new();
        for ((host, count), (name, _)) in (0u32..).zip(counts).zip(&hosts) {
            hash.host_positions(name.as_bytes(), count, |position| {
                points.push((position, host))
            });
        }
        // Names that repeat one another ("a", "aa") share points; the one that sorts first keeps them.
        points.sort_unstable();
        points.dedup_by_key(|(position, _)| *position);
        Ok(Self {
            points: link(points.iter().map(|(_, host)| *host), hosts.len()),
            positions: points.into_iter().map(|(position, _)| position).collect(),
            hosts,
            partition_exponent,
            hash,
        })
    }

    /// The host that a key belongs to; `None` only in a ring without hosts.
    pub fn owner(&self, key: &str) -> Option<&str> {
        self.walk(key).next()
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
        let position = self.hash.key_position(key.as_bytes());
        Walk::new(
            self,
            self.positions.partition_point(|point| *point <= position),
        )
    }

    /// Names of the hosts, sorted.
    pub fn hosts(&self) -> impl ExactSizeIterator<Item = &str> {
        self.hosts.iter().map(|(name, _)| name.as_str())
    }

    /// A host's weight, or `None` if it is not a member.
    pub fn weight(&self, host: &str) -> Option<u32> {
        let index = self
            .hosts
            .binary_search_by(|(name, _)| name.as_str().cmp(host))
            .ok()?;
        self.hosts.get(index).map(|(_, weight)| *weight)
    }

    /// Every partition as its position and host, clockwise from position 0.
    pub fn partitions(&self) -> impl ExactSizeIterator<Item = (u128, &str)> {
        self.positions
            .iter()
            .zip(&self.points)
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

    pub(crate) fn points(&self) -> &[Point] {
        &self.points
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

/// Number of partitions of each host, all checked before the first is computed.
fn partition_counts(hosts: &[(String, u32)], exponent: u8) -> Result<Vec<u64>, RingError> {
    let base = 1u64
        .checked_shl(exponent.into())
        .ok_or(RingError::TooManyPartitions)?;
    let mut total = 0u64;
    let mut counts = Vec::with_capacity(hosts.len());
    for (name, weight) in hosts {
        if *weight == 0 {
            return Err(RingError::ZeroWeight { host: name.clone() });
        }
        let count = base.saturating_mul(u64::from(*weight));
        total = total.saturating_add(count);
        if total > HashRing::MAX_PARTITIONS {
            return Err(RingError::TooManyPartitions);
        }
        counts.push(count);
    }
    Ok(counts)
}

/// Turns the hosts along the circle into points that know how far back their host stood last.
fn link(hosts: impl ExactSizeIterator<Item = u32> + Clone, host_count: usize) -> Vec<Point> {
    // The limit on partitions keeps both counts far below u32::MAX.
    let length = u32::try_from(hosts.len()).unwrap_or(u32::MAX);
    let mut last_seen: Vec<Option<u32>> = vec![None; host_count];
    let mut note = |host: u32, index: u32| {
        last_seen
            .get_mut(host as usize)
            .and_then(|seen| seen.replace(index))
    };
    // The first lap finds where each host stands last, which is what precedes its first point.
    for (index, host) in (0..length).zip(hosts.clone()) {
        note(host, index);
    }
    (0..length)
        .zip(hosts)
        .map(|(index, host)| {
            let gap = match note(host, index) {
                Some(before) if before < index => index - before,
                Some(before) => index + length - before,
                None => length,
            };
            Point { host, gap }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_count_steps_back_around_the_circle() {
        let gaps: Vec<u32> = link([0, 1, 0, 2, 0].into_iter(), 3)
            .iter()
            .map(|point| point.gap)
            .collect();
        assert_eq!(gaps, [1, 5, 2, 5, 2]);
    }

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
        let one = [("a".to_owned(), 1)];
        assert_eq!(
            partition_counts(&one, 22),
            Ok(vec![HashRing::MAX_PARTITIONS])
        );
        for exponent in [23, 63, 64, 255] {
            let build = HashRing::builder()
                .partition_exponent(exponent)
                .host("a")
                .build();
            assert_eq!(build, Err(RingError::TooManyPartitions));
        }
        assert_eq!(
            HashRing::builder()
                .weighted_host("a", u32::MAX)
                .weighted_host("b", u32::MAX)
                .build(),
            Err(RingError::TooManyPartitions)
        );
        assert_eq!(
            HashRing::builder().weighted_host("a", 0).build(),
            Err(RingError::ZeroWeight {
                host: "a".to_owned()
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
