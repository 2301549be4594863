use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use ironic_core::driver::fake::{FakeBehaviour, FakePower};
use ironic_core::driver::{Interface, Power, SharedTask, Task};
use ironic_core::{Error, PowerState, PowerTarget, Uuid};
use tokio::time::Instant;

/// Into how many parts an interval is divided to see how reads spread over it.
pub(super) const PARTS: usize = 120;

/// A power interface that notes when each machine's power is read.
#[derive(Debug)]
pub(super) struct WatchedPower {
    pub(super) power: FakePower,
    pub(super) book: Arc<Book>,
}

impl WatchedPower {
    pub(super) fn new(machines: &FakeBehaviour, book: &Arc<Book>) -> Self {
        Self {
            power: FakePower::new(machines),
            book: Arc::clone(book),
        }
    }
}

/// When which machine's power was read.
#[derive(Debug)]
pub(super) struct Book {
    began: Instant,
    interval: Duration,
    pages: Mutex<Pages>,
}

#[derive(Debug, Default)]
pub(super) struct Pages {
    /// When each machine was first read, and how often so far.
    machines: BTreeMap<Uuid, (Instant, u64)>,
    /// How often all machines were read.
    pub(super) reads: u64,
    /// How many reads came in another interval of their machine's than the one that follows.
    pub(super) irregular: u64,
    /// How many reads there were in each part of the interval.
    pub(super) spread: Vec<u64>,
}

impl Pages {
    /// How often the machine was read that was read least, and most, before it was to be read the
    /// `most`-th time again.
    pub(super) fn extremes(&self, nodes: usize, most: u64) -> (u64, u64) {
        let times = || self.machines.values().map(|(_, times)| (*times).min(most));
        let unread = self.machines.len() < nodes;
        let fewest = if unread { None } else { times().min() };
        (fewest.unwrap_or(0), times().max().unwrap_or(0))
    }
}

impl Book {
    /// Begins now.
    pub(super) fn new(interval: Duration) -> Self {
        Self {
            began: Instant::now(),
            interval,
            pages: Mutex::new(Pages {
                machines: BTreeMap::new(),
                reads: 0,
                irregular: 0,
                spread: vec![0; PARTS],
            }),
        }
    }

    /// What has been noted; the book is empty then.
    pub(super) fn take(&self) -> Pages {
        std::mem::take(&mut *self.pages())
    }

    fn pages(&self) -> MutexGuard<'_, Pages> {
        self.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, node: Uuid) {
        let now = Instant::now();
        let interval = self.interval.as_secs_f64();
        let pages = &mut *self.pages();
        pages.reads += 1;
        let (first, times) = pages.machines.entry(node).or_insert((now, 0));
        let intervals = (now - *first).as_secs_f64() / interval;
        // A whole number of them, but for what a read takes and waits.
        if (intervals - *times as f64).abs() > 0.01 {
            pages.irregular += 1;
        }
        *times += 1;
        let into = ((now - self.began).as_secs_f64() / interval).fract();
        if let Some(part) = pages.spread.get_mut((into * PARTS as f64) as usize) {
            *part += 1;
        }
    }
}

#[async_trait]
impl Interface for WatchedPower {
    async fn validate(&self, task: &SharedTask) -> Result<(), Error> {
        self.power.validate(task).await
    }
}

#[async_trait]
impl Power for WatchedPower {
    async fn get_power_state(&self, task: &SharedTask) -> Result<Option<PowerState>, Error> {
        self.book.note(task.node().uuid);
        self.power.get_power_state(task).await
    }

    async fn set_power_state(
        &self,
        task: &mut Task,
        target: PowerTarget,
        timeout: Option<Duration>,
    ) -> Result<(), Error> {
        self.power.set_power_state(task, target, timeout).await
    }
}
