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
    /// When the last whole interval ends.
    ends: Instant,
    pages: Mutex<Pages>,
}

/// What is noted of a machine.
#[derive(Debug)]
struct Machine {
    /// When it was first read.
    first: Instant,
    /// How often it was read.
    times: u64,
    /// How often of these before the last whole interval had ended.
    in_time: u64,
}

#[derive(Debug, Default)]
pub(super) struct Pages {
    machines: BTreeMap<Uuid, Machine>,
    /// How often all machines were read.
    pub(super) reads: u64,
    /// How many reads came in another interval of their machine's than the one that follows.
    pub(super) irregular: u64,
    /// How many reads there were in each part of the interval.
    pub(super) spread: Vec<u64>,
}

impl Pages {
    /// How often the machine was read that was read least, late reads included, and the one that
    /// was read most within the whole intervals.
    pub(super) fn extremes(&self, nodes: usize) -> (u64, u64) {
        let machines = || self.machines.values();
        let unread = self.machines.len() < nodes;
        let fewest = machines().map(|machine| machine.times).min();
        let most = machines().map(|machine| machine.in_time).max();
        (fewest.filter(|_| !unread).unwrap_or(0), most.unwrap_or(0))
    }
}

impl Book {
    /// Begins now, for so many intervals.
    pub(super) fn new(interval: Duration, intervals: u32) -> Self {
        let began = Instant::now();
        Self {
            began,
            interval,
            ends: began + interval * intervals,
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
        let machine = pages.machines.entry(node).or_insert(Machine {
            first: now,
            times: 0,
            in_time: 0,
        });
        let intervals = (now - machine.first).as_secs_f64() / interval;
        // A whole number of them, but for what a read takes and waits.
        if (intervals - machine.times as f64).abs() > 0.01 {
            pages.irregular += 1;
        }
        machine.times += 1;
        machine.in_time += u64::from(now < self.ends);
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use ironic_core::Uuid;
    use tokio::time::advance;

    use super::Book;

    #[tokio::test(start_paused = true)]
    async fn a_machine_that_is_read_too_often_is_seen() {
        let interval = Duration::from_secs(120);
        let book = Book::new(interval, 2);
        let (often, seldom) = (Uuid::from_u128(1), Uuid::from_u128(2));
        for reads in [vec![often, seldom], vec![often], vec![often, seldom]] {
            advance(interval / 2 - Duration::from_secs(1)).await;
            reads.into_iter().for_each(|node| book.note(node));
        }
        advance(interval).await;
        book.note(often);
        let pages = book.take();
        assert_eq!(
            pages.extremes(2),
            (2, 3),
            "the last one comes too late to count"
        );
        assert_eq!(pages.extremes(3).0, 0, "one was never read");
    }
}
