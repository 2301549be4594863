//! What moves when a cluster changes: only what must.
#![allow(clippy::expect_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;

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
            let mut after = before.clone();
            after.remove_host(leaving);
            for key in keys().take(20) {
                let spared: Vec<&str> = before.owners(&key, hosts.len(), |host| host == leaving).collect();
                prop_assert_eq!(&spared, &after.walk(&key).collect::<Vec<_>>());
                if before.owner(&key) != Some(leaving) {
                    prop_assert_eq!(after.owner(&key), before.owner(&key));
                }
            }
        }
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
