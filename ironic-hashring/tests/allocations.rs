//! A lookup allocates nothing. The counter is the allocator of this test binary alone, and counts
//! what the measuring thread does.
#![allow(clippy::expect_used, reason = "a test fails by panicking")]

use std::hint::black_box;

use allocation_counter::measure;
use ironic_hashring::{Grouping, HashFunction, HashRing, Member, RingHasher, Rings};

const HOSTS: [&str; 4] = ["conductor-1", "conductor-2", "conductor-3", "conductor-4"];

/// What a host's own function may cost is its own; this one adds up.
#[derive(Clone, Default)]
struct Sum(u64);

impl RingHasher for Sum {
    const NAME: &'static str = "sum";

    fn update(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.wrapping_mul(31).wrapping_add(u64::from(*byte));
        }
    }

    fn position(self) -> u128 {
        u128::from(self.0.wrapping_mul(0x9e37_79b9_7f4a_7c15)) << 64
    }
}

fn keys() -> Vec<String> {
    (0..100)
        .map(|n| format!("8f4e2a5c-0000-4000-8000-{n:012}"))
        .collect()
}

fn allocations(run: impl FnOnce()) -> u64 {
    measure(run).count_total
}

#[test]
fn the_counter_counts() {
    let ring = HashRing::new(HOSTS).expect("ring");
    assert!(allocations(|| drop(black_box(ring.clone()))) > 0);
    assert!(allocations(|| drop(black_box(ring.walk("key").collect::<Vec<_>>()))) > 0);
}

#[test]
fn lookups_allocate_nothing_with_any_hash_function() {
    let keys = keys();
    let functions = HashFunction::ALL.iter().copied();
    for hash in functions.chain([HashFunction::custom::<Sum>()]) {
        let ring = HashRing::builder().hosts(HOSTS).hash(hash).build();
        let ring = ring.expect("ring");
        let mut found = 0;
        let count = allocations(|| {
            for key in &keys {
                found += usize::from(ring.owner(key).is_some());
                found += ring.walk(key).count();
                found += ring.owners(key, 2, |host| host == "conductor-2").count();
            }
        });
        assert_eq!(found, keys.len() * (1 + HOSTS.len() + 2), "{hash}");
        assert_eq!(count, 0, "{hash}");
    }
}

#[test]
fn routing_a_node_allocates_nothing() {
    let types = ["ipmi", "redfish"];
    let members = HOSTS.map(|host| Member::new(host, "rack1", &types));
    for grouping in [Grouping::ByGroup, Grouping::Ignored] {
        let rings = Rings::new(grouping, &HashRing::builder(), members).expect("rings");
        let keys = keys();
        let mut found = 0;
        let count = allocations(|| {
            for key in &keys {
                found += usize::from(rings.owner("rack1", "redfish", key).is_ok());
                let ring = rings.ring("rack1", "ipmi");
                found += usize::from(ring.is_ok_and(|ring| ring.owner(key).is_some()));
            }
        });
        assert_eq!((found, count), (2 * keys.len(), 0), "{grouping:?}");
    }
}
