use std::sync::Arc;

use tokio::sync::Notify;
use tokio::time::Instant;

use crate::flow::StepProgress;
use crate::states::{PowerState, PowerTarget};
use crate::store::Fence;

/// What a machine boots next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Boots {
    /// What is on its disk.
    Disk,
    /// The ramdisk.
    Ramdisk,
    /// The ramdisk, which reports what it finds.
    Inspection,
}

/// What is on a machine's disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Disk {
    /// Nothing.
    Blank,
    /// A part of something.
    Torn,
    /// What the flow of this generation wrote.
    Image(u64),
}

/// What a BMC is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    /// To say whether the machine has power.
    Read,
    /// To switch power.
    Power(PowerTarget),
    /// To boot this from now on.
    Boot(Boots),
}

/// What an agent does to its machine's disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Job {
    /// Writes the image of this flow.
    Write,
    /// Erases it.
    Erase,
    /// Looks at it.
    Check,
}

/// A command to a machine.
#[derive(Debug, Clone)]
pub(super) struct Command {
    /// By which conductor.
    pub(super) host: String,
    /// In which of its lives.
    pub(super) life: u64,
    /// Under which lock; none for what only reads.
    pub(super) fence: Option<Fence>,
    /// Until when it may go on.
    pub(super) deadline: Instant,
    /// What the BMC is told; none where the agent is.
    pub(super) order: Option<Order>,
    /// What the agent is told.
    pub(super) job: Option<Job>,
    /// For which flow, and which step of it; none where the BMC is told.
    pub(super) step: Option<(u64, String)>,
}

/// A command that is not over.
#[derive(Debug)]
pub(super) struct Running {
    pub(super) number: u64,
    pub(super) command: Command,
}

/// Something that an agent works at.
#[derive(Debug, Clone)]
struct Work {
    generation: u64,
    step: String,
    job: Job,
    ends: Instant,
    fails: bool,
}

/// A machine as it is, whatever anybody has recorded of it.
#[derive(Debug)]
pub(super) struct Machine {
    /// Its node's name.
    pub(super) name: String,
    pub(super) on: bool,
    pub(super) boots: Boots,
    /// How often it has booted.
    pub(super) boot: u64,
    /// Whether what it has booted is the ramdisk.
    pub(super) in_ramdisk: bool,
    /// Whether its agent reports what it finds.
    pub(super) reports: bool,
    /// Whether the ramdisk's agent has begun to listen.
    pub(super) agent_listens: bool,
    pub(super) disk: Disk,
    work: Option<Work>,
    /// Commands of its BMC.
    pub(super) running: Vec<Running>,
    /// Told whenever it boots.
    pub(super) booted: Arc<Notify>,
}

impl Machine {
    pub(super) fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            on: false,
            boots: Boots::Disk,
            boot: 0,
            in_ramdisk: false,
            reports: false,
            agent_listens: false,
            disk: Disk::Blank,
            work: None,
            running: Vec::new(),
            booted: Arc::default(),
        }
    }

    pub(super) fn power(&self) -> PowerState {
        if self.on {
            PowerState::On
        } else {
            PowerState::Off
        }
    }

    /// The BMC does what it was told.
    pub(super) fn obey(&mut self, order: Order) {
        match order {
            Order::Read => {}
            Order::Boot(boots) => self.boots = boots,
            Order::Power(target) => match (target.result(), self.on) {
                (PowerState::On, true)
                    if !matches!(target, PowerTarget::Reboot | PowerTarget::SoftReboot) => {}
                (PowerState::On, _) => self.start(),
                _ => self.lose_power(),
            },
        }
    }

    /// It starts, or restarts.
    pub(super) fn start(&mut self) {
        self.lose_power();
        self.on = true;
        self.boot += 1;
        self.in_ramdisk = self.boots != Boots::Disk;
        self.reports = self.boots == Boots::Inspection;
        self.booted.notify_waiters();
    }

    pub(super) fn lose_power(&mut self) {
        self.on = false;
        self.in_ramdisk = false;
        self.agent_listens = false;
        self.work = None;
        self.booted.notify_waiters();
    }

    /// Its node is gone: whoever enrols it next knows nothing of what it was.
    pub(super) fn forget(&mut self) {
        self.lose_power();
        self.boots = Boots::Disk;
        if self.disk != Disk::Blank {
            self.disk = Disk::Torn;
        }
    }

    /// Whether the agent works, or has worked, at a step of this flow.
    pub(super) fn has_begun(&self, generation: u64, step: &str) -> bool {
        let of_this = |work: &Work| work.step == step && work.generation == generation;
        self.work.as_ref().is_some_and(of_this)
    }

    /// The agent begins to work.
    pub(super) fn work(
        &mut self,
        generation: u64,
        step: &str,
        job: Job,
        ends: Instant,
        fails: bool,
    ) {
        if job != Job::Check {
            self.disk = Disk::Torn;
        }
        self.work = Some(Work {
            generation,
            step: step.to_owned(),
            job,
            ends,
            fails,
        });
    }

    /// What has come to its end by now.
    pub(super) fn settle(&mut self, now: Instant) {
        let Some(work) = self
            .work
            .as_ref()
            .filter(|work| work.ends <= now && !work.fails)
        else {
            return;
        };
        match work.job {
            Job::Write => self.disk = Disk::Image(work.generation),
            Job::Erase => self.disk = Disk::Blank,
            Job::Check => {}
        }
    }

    /// How far the agent is with a step.
    pub(super) fn progress(&mut self, generation: u64, step: &str, now: Instant) -> StepProgress {
        self.settle(now);
        let of_this = |work: &&Work| work.step == step && work.generation == generation;
        match self.work.as_ref().filter(of_this) {
            None => StepProgress::NotStarted,
            Some(work) if now < work.ends => StepProgress::Running {
                detail: String::new(),
            },
            Some(work) if work.fails => StepProgress::Failed {
                message: "the disk is broken".to_owned(),
            },
            Some(_) => StepProgress::Done,
        }
    }
}
