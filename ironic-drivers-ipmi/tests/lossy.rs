//! Console and BMC in memory, over a network that loses, doubles, reorders and corrupts.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test that cannot go on stops, and an instant to count from; no time passes but what the test adds"
)]

use std::{
    collections::{BTreeMap, VecDeque},
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use ironic_drivers_ipmi::{
    codec::{CipherSuite, Privilege},
    command::{
        BootDevice, BootFlags, ChassisAction, ChassisControl, ChassisStatus, Command,
        GetChassisStatus, Guid,
    },
    console::{ConsoleConfig, ConsoleSession, IpmiError, Outcome, Request, RequestId},
    server::{BmcConfig, BmcServer, MachineAnswer, MachineRequest, User},
};
use proptest::prelude::*;

/// What the network does to one datagram.
#[derive(Debug, Clone, Copy)]
enum Fate {
    Arrives,
    Lost,
    Twice,
    /// Arrives after the next one.
    Late,
    Corrupted(u16),
    /// Arrives cut short.
    Cut(u16),
}

/// A repeatable source.
struct Numbers(u64);

impl Numbers {
    fn fill(&mut self, out: &mut [u8]) {
        for byte in out {
            self.0 = self
                .0
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            *byte = (self.0 >> 56) as u8;
        }
    }
}

struct World {
    now: Instant,
    numbers: Numbers,
    console: ConsoleSession,
    bmc: BmcServer,
    fates: VecDeque<Fate>,
    console_to_bmc: VecDeque<Vec<u8>>,
    bmc_to_console: VecDeque<Vec<u8>>,
    on: bool,
    /// Every action that the machine was made to do.
    actions: Vec<ChassisAction>,
    outcomes: BTreeMap<RequestId, Result<Vec<u8>, IpmiError>>,
    submitted: usize,
}

impl World {
    fn new(suite: CipherSuite, fates: Vec<Fate>, seed: u64) -> Self {
        let user = User::new("admin", "password", Privilege::Administrator).unwrap();
        let config = ConsoleConfig::new("admin", "password")
            .unwrap()
            .suite(suite);
        Self {
            now: Instant::now(),
            numbers: Numbers(seed),
            console: ConsoleSession::new(Arc::new(config)),
            bmc: BmcServer::new(BmcConfig::new(Guid([7; 16]), vec![user]).unwrap()),
            fates: fates.into(),
            console_to_bmc: VecDeque::new(),
            bmc_to_console: VecDeque::new(),
            on: true,
            actions: Vec::new(),
            outcomes: BTreeMap::new(),
            submitted: 0,
        }
    }

    fn submit(&mut self, request: Request) -> RequestId {
        self.submitted += 1;
        let numbers = &mut self.numbers;
        self.console
            .submit(self.now, request, &mut |out: &mut [u8]| numbers.fill(out))
            .unwrap()
    }

    /// Runs until every request has its outcome.
    fn run(&mut self) {
        for _ in 0..10_000 {
            self.gather();
            if let Some(datagram) = self.console_to_bmc.pop_front() {
                self.deliver_to_bmc(&datagram);
            } else if let Some(datagram) = self.bmc_to_console.pop_front() {
                let numbers = &mut self.numbers;
                let random = &mut |out: &mut [u8]| numbers.fill(out);
                self.console.handle_datagram(self.now, &datagram, random);
            } else if self.outcomes.len() < self.submitted {
                self.now = self
                    .console
                    .poll_timeout()
                    .expect("nothing would happen any more");
                let numbers = &mut self.numbers;
                let random = &mut |out: &mut [u8]| numbers.fill(out);
                self.console.handle_timeout(self.now, random);
            } else {
                return;
            }
        }
        panic!("no end in sight");
    }

    fn gather(&mut self) {
        while let Some(datagram) = self.console.poll_transmit() {
            meet_fate(&mut self.fates, &mut self.console_to_bmc, datagram);
        }
        while let Some(transmit) = self.bmc.poll_transmit() {
            meet_fate(&mut self.fates, &mut self.bmc_to_console, transmit.datagram);
        }
        while let Some(outcome) = self.console.poll_outcome() {
            let Outcome { id, result, .. } = outcome;
            assert!(self.outcomes.insert(id, result).is_none(), "two outcomes");
        }
    }

    fn deliver_to_bmc(&mut self, datagram: &[u8]) {
        let from: SocketAddr = "192.0.2.1:1000".parse().unwrap();
        let numbers = &mut self.numbers;
        let random = &mut |out: &mut [u8]| numbers.fill(out);
        self.bmc.handle_datagram(self.now, from, datagram, random);
        while let Some(operation) = self.bmc.poll_operation() {
            let answer = match operation.request {
                MachineRequest::Status => MachineAnswer::Status(ChassisStatus::powered(self.on)),
                MachineRequest::Control(action) => {
                    self.actions.push(action);
                    self.on = !matches!(
                        action,
                        ChassisAction::PowerDown | ChassisAction::SoftShutdown
                    );
                    MachineAnswer::Done
                }
                MachineRequest::BootFlags => {
                    MachineAnswer::BootFlags(BootFlags::next_boot(BootDevice::Pxe))
                }
                _ => MachineAnswer::Done,
            };
            self.bmc
                .respond(self.now, operation.token, Ok(answer), random);
        }
    }
}

fn meet_fate(fates: &mut VecDeque<Fate>, wire: &mut VecDeque<Vec<u8>>, mut datagram: Vec<u8>) {
    match fates.pop_front().unwrap_or(Fate::Arrives) {
        Fate::Arrives => wire.push_back(datagram),
        Fate::Lost => {}
        Fate::Twice => wire.extend([datagram.clone(), datagram]),
        Fate::Late => {
            let last = wire.pop_back();
            wire.push_back(datagram);
            wire.extend(last);
        }
        Fate::Corrupted(at) => {
            let bit = usize::from(at) % (datagram.len() * 8);
            datagram[bit / 8] ^= 1 << (bit % 8);
            wire.push_back(datagram);
        }
        Fate::Cut(at) => {
            datagram.truncate(usize::from(at) % datagram.len());
            wire.push_back(datagram);
        }
    }
}

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

fn status_of(outcome: &Result<Vec<u8>, IpmiError>) -> bool {
    let data = outcome.as_ref().expect("status");
    GetChassisStatus::decode_response(data)
        .unwrap()
        .is_powered()
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

#[test]
fn a_replayed_conversation_does_nothing() {
    for suite in CipherSuite::PREFERENCE {
        let mut world = World::new(suite, Vec::new(), 1);
        let mut heard = Vec::new();
        world.submit(Request::of(&ChassisControl::new(ChassisAction::HardReset)));
        for _ in 0..50 {
            while let Some(datagram) = world.console.poll_transmit() {
                heard.push(datagram.clone());
                world.deliver_to_bmc(&datagram);
            }
            while let Some(transmit) = world.bmc.poll_transmit() {
                world.bmc_to_console.push_back(transmit.datagram);
            }
            if let Some(datagram) = world.bmc_to_console.pop_front() {
                let numbers = &mut world.numbers;
                let random = &mut |out: &mut [u8]| numbers.fill(out);
                world.console.handle_datagram(world.now, &datagram, random);
            }
        }
        assert_eq!(world.actions, [ChassisAction::HardReset]);
        assert_eq!(heard.len(), 5, "open, rakp 1, rakp 3, privilege, reset");
        for datagram in heard.iter().chain(heard.iter().rev()) {
            world.deliver_to_bmc(datagram);
        }
        assert_eq!(world.actions, [ChassisAction::HardReset]);
    }
}

#[test]
fn sessions_at_a_bmc_are_bounded_and_end() {
    let user = User::new("admin", "password", Privilege::Administrator).unwrap();
    let config = BmcConfig::new(Guid([7; 16]), vec![user])
        .unwrap()
        .max_sessions(3)
        .unwrap();
    let mut world = World::new(CipherSuite::Sha256Aes128, Vec::new(), 1);
    world.bmc = BmcServer::new(config);
    world.submit(Request::of(&GetChassisStatus));
    world.run();
    assert_eq!(world.bmc.session_count(), 1);
    // A flood of half-open sessions takes neither more room nor the open session.
    for seed in 0..100 {
        let mut flood = World::new(CipherSuite::Sha256Aes128, Vec::new(), seed + 2);
        flood.submit(Request::of(&GetChassisStatus));
        let datagram = flood.console.poll_transmit().unwrap();
        world.deliver_to_bmc(&datagram);
        assert!(world.bmc.session_count() <= 3);
    }
    while world.bmc.poll_transmit().is_some() {}
    let status = world.submit(Request::of(&GetChassisStatus));
    world.run();
    assert!(status_of(&world.outcomes[&status]));
    world
        .bmc
        .handle_timeout(world.now + Duration::from_secs(11));
    assert_eq!(world.bmc.session_count(), 1, "half-open sessions end");
    world
        .bmc
        .handle_timeout(world.now + Duration::from_secs(61));
    assert_eq!(world.bmc.session_count(), 0, "idle sessions end");
    // The console finds out by itself.
    world.now += Duration::from_secs(61);
    let status = world.submit(Request::of(&GetChassisStatus));
    world.run();
    assert!(status_of(&world.outcomes[&status]));
}
