//! No more keys move than the size of the host that joins or leaves explains, and each host has the
//! share that its weight gives it.
//!
//! What "no more" is: points fall on the circle as if at random, so the arcs of a host with m of all
//! M points are together distributed as Beta(m, M − m), of mean m/M; and of K keys, each falls into
//! them with that chance. Both tails have exact exponential bounds (Chernoff's, through the identity
//! P(Beta(m, M − m) > x) = P(Binomial(M − 1, x) < m)), so the tests may take any names at random: one
//! in 10<sup>12</sup> honest rings would fail. Averages over fixed names then show that the bounds are
//! not merely generous: the mean and the variance are those of the distribution.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use std::collections::BTreeMap;

use ironic_hashring::HashRing;
use proptest::prelude::*;

const KEYS: usize = 400;

/// ln 10<sup>12</sup>: how improbable a ring is that is called wrong.
const IMPROBABLE: f64 = 27.7;

fn keys() -> impl Iterator<Item = String> {
    (0..KEYS).map(|n| format!("8f4e2a5c-0000-4000-8000-{n:012}"))
}

/// Relative entropy of two coins, of which one shows heads with chance `q`, the other with `p`.
fn divergence(q: f64, p: f64) -> f64 {
    let term = |a: f64, b: f64| if a == 0.0 { 0.0 } else { a * (a / b).ln() };
    term(q, p) + term(1.0 - q, 1.0 - p)
}

/// The value between `near` and `far` at which `far_enough` begins to hold.
fn edge(near: f64, far: f64, far_enough: impl Fn(f64) -> bool) -> f64 {
    let halve = |(near, far): (f64, f64), _| {
        let middle = (near + far) / 2.0;
        if far_enough(middle) {
            (near, middle)
        } else {
            (middle, far)
        }
    };
    (0..60).fold((near, far), halve).1
}

/// The largest share that a host with `own` of `all` points may have.
fn largest_share(own: f64, all: f64) -> f64 {
    if own >= all {
        return 1.0;
    }
    let q = (own - 1.0) / (all - 1.0);
    edge(q, 1.0, |x| (all - 1.0) * divergence(q, x) > IMPROBABLE)
}

/// The least one.
fn least_share(own: f64, all: f64) -> f64 {
    if own >= all {
        return 1.0;
    }
    let q = own / (all - 1.0);
    edge(q, 0.0, |x| (all - 1.0) * divergence(q, x) > IMPROBABLE)
}

/// The most of all keys that may be in a share of the circle.
fn most_keys(share: f64) -> usize {
    let far = |part| KEYS as f64 * divergence(part, share) > IMPROBABLE;
    (KEYS as f64 * edge(share, 1.0, far)).ceil() as usize
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

fn ring(hosts: &BTreeMap<String, u32>, exponent: u8) -> HashRing {
    let mut builder = HashRing::builder().partition_exponent(exponent);
    for (name, weight) in hosts {
        builder = builder.weighted_host(name, *weight);
    }
    builder.build().expect("small ring")
}

fn hosts() -> impl Strategy<Value = BTreeMap<String, u32>> {
    // Names of one length cannot repeat one another, so no two share a point.
    proptest::collection::btree_map("[a-z0-9.-]{6}", 1u32..4, 2..12)
}

fn points(hosts: &BTreeMap<String, u32>, host: &str, exponent: u8) -> (f64, f64) {
    let scale = f64::from(1u32 << exponent);
    let all = hosts.values().sum::<u32>();
    (f64::from(hosts[host]) * scale, f64::from(all) * scale)
}

proptest! {
    #[test]
    fn a_join_or_leave_moves_no_more_keys_than_the_share_of_the_host(
        hosts in hosts(),
        which in any::<prop::sample::Index>(),
        exponent in 0u8..7,
    ) {
        let host = which.get(&hosts.keys().collect::<Vec<_>>()).to_string();
        let with = ring(&hosts, exponent);
        let mut without = with.clone();
        without.remove_host(&host);
        let mut moved = 0;
        for key in keys() {
            let (here, there) = (with.owner(&key), without.owner(&key));
            if here != there {
                moved += 1;
                // Joining, a key moves only to the host; leaving, only from it, to whom ignoring it names.
                prop_assert_eq!(here, Some(host.as_str()));
                prop_assert_eq!(there, with.owners(&key, 1, |other| other == host).next());
            }
        }
        // Keys fall like coins: six standard deviations and a key.
        let share = shares(&with)[&host];
        let spread = 6.0 * (KEYS as f64 * share * (1.0 - share)).sqrt() + 1.0;
        prop_assert!(
            (moved as f64 - KEYS as f64 * share).abs() <= spread,
            "{moved} of {KEYS} keys moved, the host's arcs are {share}"
        );
        let (own, all) = points(&hosts, &host, exponent);
        let most = most_keys(largest_share(own, all));
        prop_assert!(moved <= most, "{moved} of {KEYS} keys moved, {most} may");
    }

    #[test]
    fn each_host_has_the_share_that_its_weight_gives_it(hosts in hosts(), exponent in 0u8..10) {
        for (host, share) in shares(&ring(&hosts, exponent)) {
            let (own, all) = points(&hosts, &host, exponent);
            let (least, largest) = (least_share(own, all), largest_share(own, all));
            prop_assert!((least..=largest).contains(&share), "{share} is not in {least}..={largest}");
        }
    }
}

#[test]
fn the_bounds_are_close_where_points_are_many() {
    // One of 20 hosts, as finely spread as clusters are by default, and finer.
    for (exponent, least, largest) in [(5, 0.0095, 0.1381), (10, 0.0395, 0.0621)] {
        let own = f64::from(1u32 << exponent);
        assert!((least_share(own, 20.0 * own) - least).abs() < 0.0001);
        assert!((largest_share(own, 20.0 * own) - largest).abs() < 0.0001);
    }
    assert_eq!(most_keys(1.0), KEYS);
    assert_eq!(most_keys(0.05), 60);
}

#[test]
fn over_many_rings_the_share_that_moves_is_the_expected_one() {
    const RINGS: usize = 300;
    for (hosts, exponent, weight) in [(2, 5, 1), (10, 5, 1), (20, 3, 1), (10, 5, 3)] {
        let moved: Vec<f64> = (0..RINGS)
            .map(|number| {
                let names = (1..hosts).map(|host| format!("c-{number}-{host}"));
                let mut ring = HashRing::builder()
                    .hosts(names)
                    .partition_exponent(exponent)
                    .build()
                    .expect("small ring");
                let joining = format!("j-{number}");
                ring.add_host(&joining, weight).expect("small ring");
                shares(&ring)[&joining]
            })
            .collect();
        let scale = f64::from(1u32 << exponent);
        let expected = f64::from(weight) / f64::from(hosts - 1 + weight);
        let all = f64::from(hosts - 1 + weight) * scale;
        let variance = expected * (1.0 - expected) / (all + 1.0);

        let count = RINGS as f64;
        let mean = moved.iter().sum::<f64>() / count;
        let spread = moved
            .iter()
            .map(|share| (share - mean).powi(2))
            .sum::<f64>()
            / (count - 1.0);
        assert!(
            (mean - expected).abs() < 4.0 * (variance / count).sqrt(),
            "{hosts} hosts, weight {weight}: mean {mean}, expected {expected}"
        );
        assert!(
            (0.5..1.5).contains(&(spread / variance)),
            "{hosts} hosts, weight {weight}: variance {spread}, expected {variance}"
        );
    }
}

#[test]
fn shares_grow_even_with_the_exponent() {
    let names = (0..10).map(|n| (format!("conductor-{n}"), 1));
    let names: BTreeMap<String, u32> = names.collect();
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
