//! A console, a BMC and the network between them, in memory; time passes only when the world says so.
#![allow(dead_code, reason = "no test uses all of it")]

use std::{
    collections::{BTreeMap, VecDeque},
    net::SocketAddr,
    sync::Arc,
    time::Instant,
};

use ironic_drivers_ipmi::{
    codec::{CipherSuite, Privilege},
    command::{
        BootDevice, BootFlags, ChassisAction, ChassisStatus, Command, GetChassisStatus, Guid,
    },
    console::{ConsoleConfig, ConsoleSession, IpmiError, Outcome, Request, RequestId},
    server::{BmcConfig, BmcServer, MachineAnswer, MachineRequest, User},
};

/// What the network does to one datagram.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Fate {
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
pub(crate) struct Numbers(u64);

impl Numbers {
    pub(crate) fn fill(&mut self, out: &mut [u8]) {
        for byte in out {
            self.0 = self
                .0
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            *byte = (self.0 >> 56) as u8;
        }
    }
}

pub(crate) struct World {
    pub(crate) now: Instant,
    pub(crate) numbers: Numbers,
    pub(crate) console: ConsoleSession,
    pub(crate) bmc: BmcServer,
    pub(crate) fates: VecDeque<Fate>,
    pub(crate) console_to_bmc: VecDeque<Vec<u8>>,
    pub(crate) bmc_to_console: VecDeque<Vec<u8>>,
    pub(crate) on: bool,
    /// Every action that the machine was made to do.
    pub(crate) actions: Vec<ChassisAction>,
    pub(crate) outcomes: BTreeMap<RequestId, Result<Vec<u8>, IpmiError>>,
    pub(crate) submitted: usize,
}

impl World {
    pub(crate) fn new(suite: CipherSuite, fates: Vec<Fate>, seed: u64) -> Self {
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

    pub(crate) fn submit(&mut self, request: Request) -> RequestId {
        self.submitted += 1;
        let numbers = &mut self.numbers;
        self.console
            .submit(self.now, request, &mut |out: &mut [u8]| numbers.fill(out))
            .unwrap()
    }

    /// Runs until every request has its outcome and the wires are empty.
    pub(crate) fn run(&mut self) {
        self.run_with(|world, datagram| world.deliver_to_bmc(&datagram));
    }

    /// The same, with each datagram of the console given to somebody on the way.
    pub(crate) fn run_with(&mut self, mut middleman: impl FnMut(&mut Self, Vec<u8>)) {
        for _ in 0..10_000 {
            self.gather();
            if let Some(datagram) = self.console_to_bmc.pop_front() {
                middleman(self, datagram);
            } else if let Some(datagram) = self.bmc_to_console.pop_front() {
                let numbers = &mut self.numbers;
                let random = &mut |out: &mut [u8]| numbers.fill(out);
                self.console.handle_datagram(self.now, &datagram, random);
            } else if self.outcomes.len() < self.submitted {
                self.now = self
                    .console
                    .poll_timeout()
                    .expect("nothing would happen any more");
                self.wake_console();
            } else {
                return;
            }
        }
        panic!("no end in sight");
    }

    pub(crate) fn wake_console(&mut self) {
        let numbers = &mut self.numbers;
        let random = &mut |out: &mut [u8]| numbers.fill(out);
        self.console.handle_timeout(self.now, random);
    }

    pub(crate) fn gather(&mut self) {
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

    pub(crate) fn deliver_to_bmc(&mut self, datagram: &[u8]) {
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

pub(crate) fn status_of(outcome: &Result<Vec<u8>, IpmiError>) -> bool {
    let data = outcome.as_ref().expect("status");
    GetChassisStatus::decode_response(data)
        .unwrap()
        .is_powered()
}
