//! Hosts that come and go one by one leave the ring that is built of those who stayed.
#![allow(clippy::expect_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;

use ironic_hashring::{
    Grouping, HashFunction, HashRing, HashRingBuilder, Member, RingError, RingHasher, Rings,
};
use md5::{Digest, Md5};
use proptest::prelude::*;

/// 128 positions for all hosts: most points meet another, of the same host or of others.
#[derive(Clone, Default)]
struct Crowded(u64);

impl RingHasher for Crowded {
    const NAME: &'static str = "crowded";

    fn update(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    fn position(self) -> u128 {
        u128::from((self.0 ^ (self.0 >> 32)) % 128) << 121
    }
}

#[derive(Debug, Clone)]
enum Change {
    Add(String, u32),
    Remove(String),
}

/// Names that repeat one another, and some that do not.
fn names() -> impl Strategy<Value = String> {
    const NAMES: &[&str] = &[
        "", "a", "aa", "aaa", "aaaa", "ab", "abab", "b", "c-1", "c-2",
    ];
    proptest::sample::select(NAMES).prop_map(str::to_owned)
}

fn changes() -> impl Strategy<Value = Vec<Change>> {
    let change = prop_oneof![
        3 => (names(), 1u32..4).prop_map(|(name, weight)| Change::Add(name, weight)),
        2 => names().prop_map(Change::Remove),
    ];
    proptest::collection::vec(change, 1..20)
}

fn functions() -> impl Strategy<Value = HashFunction> {
    let mut all = HashFunction::ALL.to_vec();
    all.push(HashFunction::custom::<Crowded>());
    proptest::sample::select(all)
}

fn built(settings: &HashRingBuilder, hosts: &BTreeMap<String, u32>) -> HashRing {
    let mut builder = settings.clone();
    for (name, weight) in hosts {
        builder = builder.weighted_host(name, *weight);
    }
    builder.build().expect("small ring")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn hosts_that_come_and_go_leave_the_ring_that_is_built_of_the_rest(
        changes in changes(),
        exponent in 0u8..4,
        hash in functions(),
    ) {
        let settings = HashRing::builder().partition_exponent(exponent).hash(hash);
        let mut ring = settings.clone().build().expect("no hosts is a ring");
        let mut hosts = BTreeMap::new();
        for change in changes {
            match &change {
                Change::Add(name, weight) => {
                    ring.add_host(name, *weight).expect("small ring");
                    hosts.insert(name.clone(), *weight);
                }
                Change::Remove(name) => {
                    prop_assert_eq!(ring.remove_host(name), hosts.remove(name).is_some());
                }
            }
            prop_assert_eq!(&ring, &built(&settings, &hosts), "after {:?}", change);
            prop_assert_eq!(ring.to_builder().build(), Ok(ring.clone()));
        }
    }

    #[test]
    fn the_points_are_those_that_the_rule_names(
        hosts in proptest::collection::btree_map(names(), 1u32..4, 0..8),
        exponent in 0u8..5,
    ) {
        let ring = built(&HashRing::builder().partition_exponent(exponent), &hosts);
        let mut points = BTreeMap::new();
        for (name, weight) in hosts.iter().rev() {
            for number in 0..(weight << exponent) as usize {
                let digest = Md5::digest(name.repeat(number + 2));
                // In reverse, so that the name that sorts first is the last to be written.
                points.insert(u128::from_be_bytes(digest.into()), name.as_str());
            }
        }
        prop_assert!(ring.partitions().eq(points));
    }

    #[test]
    fn rings_that_are_updated_are_those_that_are_built(
        updates in proptest::collection::vec(
            proptest::collection::btree_map(names(), (0usize..3, 0usize..4), 0..6),
            1..6,
        ),
        by_group in any::<bool>(),
    ) {
        let groups = ["", "x", "y"];
        let types = ["ipmi", "redfish", "fake"];
        let grouping = if by_group { Grouping::ByGroup } else { Grouping::Ignored };
        let template = HashRing::builder().partition_exponent(2);
        let none: [Member<'_, &str>; 0] = [];
        let mut rings = Rings::new(grouping, &template, none).expect("no rings");
        for update in updates {
            let members = || update.iter().map(|(host, (group, count))| {
                Member::new(host, groups[*group], &types[..*count])
            });
            let before = rings.clone();
            let changed = rings.update(members()).expect("small rings");
            prop_assert_eq!(&rings, &Rings::new(grouping, &template, members()).expect("small rings"));
            prop_assert_eq!(changed, rings != before);
        }
    }
}

#[test]
fn a_point_that_two_hosts_share_comes_back_when_one_of_them_leaves() {
    // "aa" with one point has "aaaa", which is the third of "a".
    let settings = HashRing::builder().partition_exponent(0);
    let mut ring = settings.weighted_host("a", 3).build().expect("ring");
    let before = ring.clone();
    ring.add_host("aa", 1).expect("small ring");
    assert_eq!(ring.partitions().len(), 3);
    assert_eq!(ring.owner("key"), Some("a"));
    assert!(ring.remove_host("a"));
    assert_eq!(ring.owner("key"), Some("aa"));
    ring.add_host("a", 3).expect("small ring");
    assert!(ring.remove_host("aa"));
    assert_eq!(ring, before);
}

#[test]
fn a_change_that_fails_changes_nothing() {
    let mut ring = HashRing::new(["c-1", "c-2"]).expect("ring");
    let before = ring.clone();
    let none = RingError::ZeroWeight {
        host: "c-1".to_owned(),
    };
    assert_eq!(ring.add_host("c-1", 0), Err(none));
    assert_eq!(
        ring.add_host("c-3", 1 << 20),
        Err(RingError::TooManyPartitions {
            partitions: 64 + (1 << 25)
        })
    );
    let long = "n".repeat(HashRing::MAX_NAME_BYTES + 1);
    assert_eq!(
        ring.add_host(&long, 1),
        Err(RingError::NameTooLong { bytes: long.len() })
    );
    assert!(!ring.remove_host("c-3"));
    assert_eq!(ring, before);
    // A weight that is given again is no second host.
    ring.add_host("c-1", 1).expect("small ring");
    assert_eq!(ring, before);
}

/// Counts what it is asked, on the thread of the test.
#[derive(Clone, Default)]
struct Counting(Md5);

thread_local! {
    static COUNT: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

impl RingHasher for Counting {
    const NAME: &'static str = "counting";

    fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn position(self) -> u128 {
        COUNT.set(COUNT.get() + 1);
        u128::from_be_bytes(self.0.finalize().into())
    }
}

#[test]
fn only_the_host_concerned_is_hashed() {
    let settings = HashRing::builder().hash(HashFunction::custom::<Counting>());
    let mut ring = settings
        .clone()
        .hosts(["c-1", "c-2", "c-3"])
        .build()
        .expect("ring");
    assert_eq!(COUNT.take(), 3 * 32);
    ring.add_host("c-4", 2).expect("small ring");
    assert_eq!(COUNT.take(), 2 * 32);
    ring.remove_host("c-2");
    assert_eq!(COUNT.take(), 0);

    let types = ["ipmi", "redfish"];
    let [c1, c2] = ["c-1", "c-2"].map(|host| Member::new(host, "", &types));
    let mut rings = Rings::new(Grouping::ByGroup, &settings, [c1]).expect("rings");
    COUNT.take();
    rings.update([c1, c2]).expect("rings");
    assert_eq!(COUNT.take(), 2 * 32, "c-2 in two rings");
    rings.update([c2]).expect("rings");
    rings.update([c2]).expect("rings");
    assert_eq!(COUNT.take(), 0);
}
