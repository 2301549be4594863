//! Console and BMC over a network that loses, doubles, reorders and corrupts.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test that cannot go on stops, and an instant to count from; no time passes but what the test adds"
)]

mod world;

use ironic_drivers_ipmi::{
    codec::CipherSuite,
    command::{ChassisAction, ChassisControl, GetChassisStatus},
    console::{IpmiError, Request},
};
use proptest::prelude::*;
use world::{Fate, World, status_of};

fn suites() -> impl Strategy<Value = CipherSuite> {
    prop::sample::select(CipherSuite::PREFERENCE.to_vec())
}

/// A network that delivers sooner or later.
fn rough() -> impl Strategy<Value = Vec<Fate>> {
    let fate = prop_oneof![
        4 => Just(Fate::Arrives),
        2 => Just(Fate::Twice),
        2 => Just(Fate::Late),
    ];
    // Four losses in all, of five attempts that each exchange has.
    let losses = prop::collection::vec(any::<prop::sample::Index>(), 0..=4);
    (prop::collection::vec(fate, 0..40), losses).prop_map(|(mut fates, losses)| {
        for loss in losses {
            let at = loss.index(fates.len() + 1);
            fates.insert(at, Fate::Lost);
        }
        fates
    })
}

fn hostile() -> impl Strategy<Value = Vec<Fate>> {
    prop::collection::vec(
        prop_oneof![
            3 => Just(Fate::Arrives),
            1 => Just(Fate::Lost),
            1 => Just(Fate::Twice),
            1 => Just(Fate::Late),
            2 => any::<u16>().prop_map(Fate::Corrupted),
            1 => any::<u16>().prop_map(Fate::Cut),
        ],
        0..60,
    )
}

fn actions() -> impl Strategy<Value = Vec<ChassisAction>> {
    prop::collection::vec(prop::sample::select(ChassisAction::ALL.to_vec()), 1..6)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn every_action_runs_once_and_in_order_however_rough_the_network(
        suite in suites(), fates in rough(), actions in actions(), seed: u64,
    ) {
        let mut world = World::new(suite, fates, seed);
        let ids: Vec<_> = actions.iter().map(|action| world.submit(Request::of(&ChassisControl::new(*action)))).collect();
        let last = world.submit(Request::of(&GetChassisStatus));
        world.run();
        for id in ids {
            prop_assert_eq!(&world.outcomes[&id], &Ok(Vec::new()));
        }
        prop_assert_eq!(&world.actions, &actions);
        prop_assert_eq!(status_of(&world.outcomes[&last]), world.on);
    }

    #[test]
    fn a_hostile_network_brings_failure_at_worst_and_never_a_second_run(
        suite in suites(), fates in hostile(), actions in actions(), seed: u64,
    ) {
        let mut world = World::new(suite, fates, seed);
        let ids: Vec<_> = actions.iter().map(|action| world.submit(Request::of(&ChassisControl::new(*action)))).collect();
        world.run();
        let mut ran = world.actions.iter();
        for (id, action) in ids.iter().zip(&actions) {
            match &world.outcomes[id] {
                Ok(data) => {
                    prop_assert!(data.is_empty());
                    prop_assert!(ran.any(|other| other == action), "an answer to what never ran");
                }
                Err(error) => prop_assert!(!matches!(error, IpmiError::Completion { .. }), "{}", error),
            }
        }
        for action in ChassisAction::ALL.into_iter().filter(|action| !action.is_repeatable()) {
            let times = |list: &[ChassisAction]| list.iter().filter(|other| **other == action).count();
            prop_assert!(times(&world.actions) <= times(&actions), "{} ran twice", action);
        }
    }

    #[test]
    fn random_datagrams_hurt_neither_end(datagrams in prop::collection::vec(any::<Vec<u8>>(), 0..20), seed: u64) {
        let mut world = World::new(CipherSuite::Sha1Aes128, Vec::new(), seed);
        world.submit(Request::of(&GetChassisStatus));
        for datagram in datagrams {
            for prefix in [&[][..], &[6, 0, 0xff, 7], &[6, 0, 0xff, 7, 6], &[6, 0, 0xff, 6, 0, 0, 0x11, 0xbe]] {
                let datagram = [prefix, &datagram].concat();
                world.deliver_to_bmc(&datagram);
                world.bmc_to_console.push_back(datagram);
            }
        }
        world.run();
        prop_assert!(world.outcomes.values().all(Result::is_ok));
        prop_assert!(world.actions.is_empty());
    }
}
