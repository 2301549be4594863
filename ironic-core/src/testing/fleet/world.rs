use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::Duration;

use tokio::time::Instant;
use uuid::Uuid;

use super::Bug;
use super::books::{Books, Caller};
use super::chance::Chance;
use super::invariants;
use super::journal::Journal;
use super::ledger::Ledger;
use super::machine::{Command, Machine, Running};
use super::report::Violation;
use super::settings::FleetSettings;
use super::weather::Weather;
use crate::Error;
use crate::conductor::PANICKED;
use crate::config::{Config, Defect};
use crate::notify::Notification;
use crate::runtime::Timestamp;
use crate::states::Verb;
use crate::store::{Batch, Revision};

/// When simulated time begins: 15 January 2027, 8:00 UTC.
pub(super) const BEGINNING: Timestamp = Timestamp::from_micros(1_800_000_000_000_000);

/// What must hold at the end.
pub(super) const SETTLES: &str = "every node settles once nothing fails";

/// Everything outside of the conductors, and whoever looks at it.
pub(super) struct World {
    pub(super) settings: FleetSettings,
    pub(super) weather: Weather,
    began: Instant,
    ledger: Mutex<Ledger>,
}

/// How much has happened.
#[derive(Debug, Clone, Copy)]
pub(super) struct Counts {
    pub(super) commits: u64,
    pub(super) events: u64,
    pub(super) commands: u64,
    pub(super) requests: u64,
    pub(super) deaths: u64,
}

impl World {
    pub(super) fn new(settings: FleetSettings, config: &Config) -> Self {
        Self {
            weather: Weather::of(settings.seed, settings.faults),
            settings,
            began: Instant::now(),
            ledger: Mutex::new(Ledger {
                books: Books::new(config),
                journal: Journal::new(),
                invariants: invariants::all(),
                wrong: Vec::new(),
                commands: 0,
                requests: 0,
            }),
        }
    }

    /// A stream of random numbers.
    pub(super) fn chance(&self, subject: &str, number: u64) -> Chance {
        Chance::of(self.settings.seed, subject, number)
    }

    /// Whether this defect has been put back.
    pub(super) fn has(&self, bug: Bug) -> bool {
        self.settings.bug == Some(bug)
    }

    /// The defect that is put back into the engine, if it is one of its own.
    pub(super) fn defect(&self) -> Option<Defect> {
        match self.settings.bug? {
            Bug::StepRepeated => Some(Defect::StepRepeated),
            Bug::StaleOutcome => Some(Defect::StaleOutcome),
            _ => None,
        }
    }

    /// Simulated time since the beginning.
    pub(super) fn time(&self) -> Duration {
        self.began.elapsed()
    }

    pub(super) fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What should not have been, so far.
    pub(super) fn wrong(&self) -> Vec<Violation> {
        self.ledger().wrong.clone()
    }

    pub(super) fn is_wrong(&self) -> bool {
        !self.ledger().wrong.is_empty()
    }

    pub(super) fn counts(&self) -> Counts {
        let ledger = self.ledger();
        Counts {
            commits: ledger.journal.commits,
            events: ledger.journal.events,
            commands: ledger.commands,
            requests: ledger.requests,
            deaths: ledger.books.dead.len() as u64,
        }
    }

    /// A machine is put into its rack.
    pub(super) fn add_machine(&self, number: usize, node: Uuid, name: &str) {
        let mut ledger = self.ledger();
        if self.settings.trace == Some(number) {
            ledger.journal.trace(node, name);
        }
        ledger.books.machines.insert(node, Machine::new(name));
    }

    /// Looks at a machine, or changes it.
    pub(super) fn machine<R>(&self, node: Uuid, with: impl FnOnce(&mut Machine) -> R) -> Option<R> {
        let mut ledger = self.ledger();
        let machine = ledger.books.machines.get_mut(&node)?;
        machine.settle(Instant::now());
        Some(with(machine))
    }

    /// A batch has been applied.
    pub(super) fn committed(&self, by: &Caller, batch: &Batch, revisions: &[Revision]) {
        let at = self.time();
        let mut ledger = self.ledger();
        let commit = ledger.books.apply(by, batch, revisions);
        for text in &commit.unread {
            ledger.accuse(at, "what is written can be read", text.clone());
        }
        ledger.journal.batch(at, by, batch, revisions);
        ledger.journal.tell(at, &commit);
        ledger.judge(at, |invariant, books| invariant.commit(&commit, books));
    }

    /// A conductor tells of an event.
    pub(super) fn told(&self, notification: &Notification) {
        let at = self.time();
        let told = format!("{:?}", notification.event);
        let mut ledger = self.ledger();
        ledger.journal.event(at, notification, &told);
        ledger.judge(at, |invariant, _| invariant.event(notification));
        ledger.judge(at, |invariant, _| invariant.text("an event", &told));
        let payload = &notification.payload;
        let shown = format!("{payload:?}");
        ledger.judge(at, |invariant, _| invariant.text("an event", &shown));
    }

    /// A conductor writes a line to its log.
    pub(super) fn logged(&self, line: &str) {
        let at = self.time();
        // What is logged while the ledger is open is about the simulation, not by a conductor.
        let mut ledger = match self.ledger.try_lock() {
            Ok(ledger) => ledger,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return,
        };
        if line.starts_with(PANICKED) {
            ledger.accuse(at, "nothing panics", line.trim_end().to_owned());
        }
        if let Some(node) = ledger.journal.traced()
            && line.contains(&node.to_string())
        {
            ledger.journal.line(at, &format!("log: {line}"));
        }
        ledger.judge(at, |invariant, _| invariant.text("a log line", line));
    }

    /// Somebody asks for a verb.
    pub(super) fn asks(&self, node: Uuid, verb: Verb) {
        let at = self.time();
        let mut ledger = self.ledger();
        ledger
            .journal
            .note(at, node, || format!("an operator asks to {verb}"));
        for invariant in &mut ledger.invariants {
            invariant.asked(node, verb);
        }
    }

    /// A request sets out.
    pub(super) fn requested(&self) {
        self.ledger().requests += 1;
    }

    /// A conductor has refused what somebody asked for.
    pub(super) fn refuses(&self, node: Uuid, verb: Verb, why: &Error) {
        let at = self.time();
        let mut ledger = self.ledger();
        ledger
            .journal
            .note(at, node, || format!("to {verb} is refused: {why}"));
        for invariant in &mut ledger.invariants {
            invariant.refused(node, verb);
        }
    }

    /// How many calls of a node's agent are on record.
    pub(super) fn calls(&self, node: Uuid) -> u64 {
        self.ledger()
            .books
            .calls
            .get(&node)
            .copied()
            .unwrap_or_default()
    }

    /// An agent has been told that it has been heard; before, so many calls were on record.
    pub(super) fn heard(&self, node: Uuid, before: u64) {
        let at = self.time();
        self.ledger()
            .judge(at, |invariant, books| invariant.heard(node, before, books));
    }

    /// A conductor says that it has given everything back.
    pub(super) fn stopped(&self, host: &str) {
        let at = self.time();
        self.ledger()
            .judge(at, |invariant, books| invariant.stopped(host, books));
    }

    /// A machine gets a command, which its BMC carries out; its number, by which it ends.
    pub(super) fn begin(&self, node: Uuid, command: &Command, obeyed: bool) -> u64 {
        let at = self.time();
        let mut ledger = self.ledger();
        ledger.commands += 1;
        let number = ledger.commands;
        ledger.journal.note(at, node, || {
            let (order, job) = (command.order, command.job);
            let what = order.map_or_else(|| format!("{job:?}"), |order| format!("{order:?}"));
            let fails = if obeyed { "" } else { ", which fails" };
            format!(
                "{} (life {}) commands {what}{fails}",
                command.host, command.life
            )
        });
        let books = &mut ledger.books;
        if let Some(machine) = books.machines.get_mut(&node) {
            // What a process has sent is carried out at once; nobody is there for the answer.
            let dead = &books.dead;
            let is_dead = |it: &Command| dead.contains(&(it.host.clone(), it.life));
            machine.running.retain(|it| !is_dead(&it.command));
            machine.settle(Instant::now());
        }
        ledger.judge(at, |invariant, books| {
            invariant.command(node, command, books)
        });
        let machine = ledger.books.machines.get_mut(&node);
        if let (Some(machine), Some(order)) = (machine, command.order) {
            if obeyed {
                machine.obey(order);
            }
            let command = command.clone();
            machine.running.push(Running { number, command });
        }
        number
    }

    /// A command is over.
    pub(super) fn end(&self, node: Uuid, number: u64) {
        if let Some(machine) = self.ledger().books.machines.get_mut(&node) {
            machine.running.retain(|it| it.number != number);
        }
    }

    /// A conductor has died.
    pub(super) fn died(&self, host: &str, life: u64) {
        let at = self.time();
        let mut ledger = self.ledger();
        if ledger.books.dead.insert((host.to_owned(), life)) && ledger.journal.traced().is_some() {
            ledger
                .journal
                .line(at, &format!("{host} (life {life}) is dead"));
        }
    }

    /// Something that concerns everybody.
    pub(super) fn announce(&self, text: &str) {
        let at = self.time();
        let mut ledger = self.ledger();
        if ledger.journal.traced().is_some() {
            ledger.journal.line(at, text);
        }
    }

    /// Whether somebody holds a node.
    pub(super) fn is_held(&self, node: Uuid) -> bool {
        let ledger = self.ledger();
        let lock = ledger.books.locks.get(&node);
        lock.is_some_and(|lock| lock.holder.is_some())
    }

    /// Whether the time of asking for anything is over.
    pub(super) fn weather_is_over(&self) -> bool {
        self.time() >= self.settings.storm || self.is_wrong()
    }

    /// Why nodes do not rest, by node.
    pub(super) fn unsettled(&self) -> BTreeMap<Uuid, String> {
        let ledger = self.ledger();
        let books = &ledger.books;
        let nodes = books.machines.keys();
        let restless = nodes.filter_map(|id| Some((*id, invariants::restless(books, *id)?)));
        restless.collect()
    }

    /// An allocation that does not rest.
    pub(super) fn adrift(&self) -> Option<String> {
        invariants::adrift(&self.ledger().books)
    }

    /// A conductor makes use of what an agent has found: its machine's name.
    pub(super) fn inspected(&self, node: Uuid, serial: Option<&str>) {
        let name = self.ledger().books.name(node);
        if serial != Some(name.as_str()) {
            let text = format!("an inspection of {name} ends with {serial:?}, which is not it");
            self.accuse("what an agent says is heard", text);
        }
    }

    /// Something is wrong that no commit shows.
    pub(super) fn accuse(&self, what: &'static str, text: String) {
        let at = self.time();
        self.ledger().accuse(at, what, text);
    }
}
