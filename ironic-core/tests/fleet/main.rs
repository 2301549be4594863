//! The simulated fleet: that one seed gives one story, that it ends well, and that what is broken
//! on purpose is found. `make fleet-search` looks at more of it, faster.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "tests"
)]

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use ironic_core::Error;
use ironic_core::driver::{Interface, Network, NetworkRole, SharedTask, Task};
use ironic_core::states::InterfaceKind;
use ironic_core::testing::{Bug, FleetHost, FleetReport, FleetSettings, run_fleet, run_fleet_of};

/// Few, as this is not optimised; `make fleet-search` has more.
const NODES: usize = 12;

fn run(settings: &FleetSettings) -> FleetReport {
    run_fleet(settings, &mut |_| {}).unwrap()
}

fn small(seed: u64) -> FleetSettings {
    FleetSettings::new(seed).nodes(NODES).conductors(3)
}

#[test]
fn one_seed_gives_one_fleet_to_the_last_byte() {
    let (one, again) = (run(&small(7)), run(&small(7).trace(Some(3))));
    assert_eq!(one.digest, again.digest, "to watch changes nothing");
    assert_eq!((one.commits, one.time), (again.commits, again.time));
    assert!(
        one.story.is_empty() && again.story.len() > 20,
        "{:#?}",
        again.story
    );
    assert_ne!(one.digest, run(&small(8)).digest);
}

#[test]
fn whatever_fails_every_node_settles_and_can_be_made_active() {
    let mut deaths = 0;
    for seed in 1..=8 {
        let mut settings = small(seed);
        settings.to_active = true;
        let report = run(&settings);
        deaths += report.deaths;
        assert!(
            report.violations.is_empty(),
            "{:#?} again: make fleet SEED={seed} NODES={NODES} CONDUCTORS=3",
            report.violations
        );
        let all = (report.settled, report.active);
        assert_eq!(all, (NODES, NODES), "seed {seed}");
    }
    assert!(deaths > 8, "only {deaths} conductors died");
}

#[test]
fn without_failures_nobody_dies_and_all_goes_well() {
    let mut settings = small(3);
    settings.faults = false;
    let report = run(&settings);
    assert!(report.is_well(), "{:?}", report.violations);
    // At the end each is stopped once.
    assert_eq!(report.deaths, 3);
}

/// A network whose driver is no good.
#[derive(Debug)]
struct Panics;

#[async_trait]
impl Interface for Panics {
    async fn validate(&self, _: &SharedTask) -> Result<(), Error> {
        Ok(())
    }
}

#[async_trait]
impl Network for Panics {
    async fn connect(&self, _: &mut Task, _: NetworkRole) -> Result<(), Error> {
        panic!("no such VLAN")
    }

    async fn disconnect(&self, _: &mut Task, _: NetworkRole) -> Result<(), Error> {
        Ok(())
    }
}

/// What comes of a small fleet of this host, in which nothing fails by chance.
fn of_host(host: FleetHost) -> FleetReport {
    let mut settings = FleetSettings::new(4).nodes(3).conductors(2);
    settings.faults = false;
    settings.storm = Duration::from_secs(200);
    settings.patience = Duration::from_secs(600);
    run_fleet_of(host, &settings, &mut |_| {}).unwrap()
}

#[test]
fn a_driver_that_panics_is_found() {
    let report = of_host(FleetHost::default().drivers(|builder| {
        builder
            .network("mine", Arc::new(Panics))
            .enable(InterfaceKind::Network, ["mine"])
            .default_interface(InterfaceKind::Network, "mine")
    }));
    let wrong = report.violations.first().unwrap();
    assert_eq!(wrong.invariant, "nothing panics", "{wrong}");
}

#[test]
fn conductors_that_never_start_end_the_simulation() {
    let report = of_host(
        FleetHost::default()
            .drivers(|builder| builder.default_interface(InterfaceKind::Network, "there is none")),
    );
    let wrong: Vec<_> = report.violations.iter().map(ToString::to_string).collect();
    let starts =
        |text: &String| text.contains("does not start") || text.contains("cannot be enrolled");
    assert!(wrong.iter().any(starts), "{wrong:?}");
}

/// The violation by which a defect is found.
fn found(bug: Bug) -> String {
    for seed in 1..=200 {
        let mut settings = small(seed).nodes(30).bug(Some(bug));
        settings.to_active = false;
        let report = run(&settings);
        if let Some(wrong) = report.violations.first() {
            println!("{bug}: by seed {seed}: {wrong}");
            assert!(bug.found_by().contains(&wrong.invariant), "{wrong}");
            return wrong.to_string();
        }
    }
    panic!("{bug} is not found within 200 seeds");
}

macro_rules! finds {
    ($($name:ident: $bug:ident by $what:literal;)*) => {
        $(#[test]
        fn $name() {
            let wrong = found(Bug::$bug);
            assert!(wrong.contains($what), "{wrong}");
        })*
    };
}

// Three that are found soon; `make fleet-bugs` puts back all of them.
finds! {
    fences_that_are_ignored: FencesIgnored by "holder";
    a_heartbeat_that_is_lost: HeartbeatLost by "was told that it was heard";
    a_secret_in_an_error: SecretInError by "shows a secret";
}
