//! What moves when a cluster changes: only what must.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::collections::{BTreeMap, BTreeSet};

use ironic_hashring::HashRing;
use proptest::prelude::*;

const KEYS: usize = 400;

fn keys() -> impl Iterator<Item = String> {
    (0..KEYS).map(|n| format!("8f4e2a5c-0000-4000-8000-{n:012}"))
}

fn ring(hosts: &BTreeSet<String>, exponent: u8) -> HashRing {
    HashRing::builder()
        .hosts(hosts)
        .partition_exponent(exponent)
        .build()
        .expect("small ring")
}

/// The share of the circle that each host owns, by the arcs that end at its points.
fn shares(ring: &HashRing) -> BTreeMap<String, f64> {
    let circle = 2f64.powi(128);
    let points: Vec<(u128, &str)> = ring.partitions().collect();
    let mut shares = BTreeMap::new();
    let mut before = points.last().expect("hosts").0;
    for (position, host) in points {
        // The first arc passes position 0; wrapping arithmetic is the circle's own.
        *shares.entry(host.to_owned()).or_insert(0.0) +=
            position.wrapping_sub(before) as f64 / circle;
        before = position;
    }
    shares
}

fn hosts() -> impl Strategy<Value = BTreeSet<String>> {
    // Names of one length cannot repeat one another, so no two share a point.
    proptest::collection::btree_set("[a-z0-9.-]{6}", 2..12)
}

proptest! {
    #[test]
    fn a_host_that_joins_takes_keys_only_for_itself(hosts in hosts(), exponent in 0u8..8) {
        let mut fewer = hosts.clone();
        let joining = fewer.pop_last().expect("two hosts or more");
        let (before, after) = (ring(&fewer, exponent), ring(&hosts, exponent));
        for key in keys() {
            let (old, new) = (before.owner(&key), after.owner(&key));
            prop_assert!(new == old || new == Some(joining.as_str()), "{key} went from {old:?} to {new:?}");
        }
    }

    #[test]
    fn a_host_that_leaves_gives_its_keys_to_whom_ignoring_it_names(hosts in hosts(), exponent in 0u8..8) {
        let before = ring(&hosts, exponent);
        for leaving in &hosts {
            let after = before.to_builder().remove_host(leaving).build().expect("smaller ring");
            for key in keys().take(50) {
                let spared: Vec<&str> = before.owners(&key, hosts.len(), |host| host == leaving).collect();
                prop_assert_eq!(&spared, &after.walk(&key).collect::<Vec<_>>());
                if before.owner(&key) != Some(leaving) {
                    prop_assert_eq!(after.owner(&key), before.owner(&key));
                }
            }
        }
    }

    #[test]
    fn the_share_that_moves_is_the_arc_of_the_host_that_joins(hosts in hosts(), exponent in 3u8..8) {
        let mut fewer = hosts.clone();
        let joining = fewer.pop_last().expect("two hosts or more");
        let (before, after) = (ring(&fewer, exponent), ring(&hosts, exponent));
        let moved = keys().filter(|key| before.owner(key) != after.owner(key)).count() as f64;
        let share = shares(&after)[&joining];
        // Keys fall like coins: six standard deviations and a key.
        let spread = 6.0 * (KEYS as f64 * share * (1.0 - share)).sqrt() + 1.0;
        prop_assert!((moved - KEYS as f64 * share).abs() <= spread, "{moved} of {KEYS} keys moved, share {share}");
    }

    #[test]
    fn a_walk_names_every_host_once(hosts in hosts(), exponent in 0u8..8, key in ".*") {
        let ring = ring(&hosts, exponent);
        let walk: Vec<&str> = ring.walk(&key).collect();
        prop_assert_eq!(walk.len(), hosts.len());
        prop_assert_eq!(walk.into_iter().map(str::to_owned).collect::<BTreeSet<_>>(), hosts);
    }

    #[test]
    fn any_names_make_a_ring(hosts in proptest::collection::vec(".*", 0..6), key in ".*") {
        let ring = HashRing::new(&hosts).expect("small ring");
        match ring.owner(&key) {
            Some(owner) => prop_assert!(hosts.iter().any(|host| host == owner)),
            None => prop_assert!(hosts.is_empty()),
        }
    }
}

#[test]
fn shares_grow_even_with_the_exponent() {
    let names: BTreeSet<String> = (0..10).map(|n| format!("conductor-{n}")).collect();
    let spread = |exponent| {
        let shares = shares(&ring(&names, exponent));
        assert!((shares.values().sum::<f64>() - 1.0).abs() < 1e-9);
        shares.values().copied().fold(0.0, f64::max)
    };
    // Ten hosts would each own a tenth.
    assert!(spread(0) > 0.2, "one point each is uneven: {}", spread(0));
    assert!(spread(5) < 0.15, "{}", spread(5));
    assert!(spread(10) < 0.11, "{}", spread(10));
}

#[test]
fn weight_is_a_multiple_of_the_share() {
    let ring = HashRing::builder()
        .partition_exponent(10)
        .host("a")
        .weighted_host("b", 2)
        .weighted_host("c", 3)
        .build()
        .expect("ring");
    let shares = shares(&ring);
    for (host, sixths) in [("a", 1.0), ("b", 2.0), ("c", 3.0)] {
        assert!(
            (shares[host] - sixths / 6.0).abs() < 0.02,
            "{host}: {}",
            shares[host]
        );
    }
}
