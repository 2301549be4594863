//! A fleet that has nothing to do, in virtual time, and what that costs.

mod looked;
mod power;

use std::sync::Arc;
use std::time::Duration;

use ironic_core::driver::fake::{self, FakeBehaviour, FakeOperation, FakeRule};
use ironic_core::driver::noop;
use ironic_core::runtime::{ManualClock, SeededEntropy};
use ironic_core::store::Repository;
use ironic_core::{
    Conductor, Config, Entropy, Error, MemoryStore, Node, PowerState, ProvisionState, Registry,
    Timestamp, Uuid,
};
use serde::{Deserialize, Serialize};
use tokio::runtime::Handle;
use tokio::time::{Instant, sleep_until};

use crate::{CountingStore, fill};
use looked::LookedStore;
use power::{Book, WatchedPower};

const BEGINNING: Timestamp = Timestamp::from_micros(1_800_000_000_000_000);
/// How long a BMC takes to say whether its machine has power.
const READ: Duration = Duration::from_millis(5);
/// How long after an interval's end a read still belongs to it: it may wait for others.
const SLACK: Duration = Duration::from_millis(500);

/// A fleet of active nodes for which nothing is asked.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Idle {
    /// How many nodes.
    pub nodes: usize,
    /// How often each node's power is read; zero for never.
    pub power_sync: Duration,
    /// How long it is watched.
    pub time: Duration,
}

/// What an idle fleet has cost.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct IdleReport {
    /// How many nodes there were.
    pub nodes: u64,
    /// How often the engine looked at a node.
    pub looks: u64,
    /// How often a machine's power was read.
    pub reads: u64,
    /// How often the machine was read that was read least, reads that came a little late included.
    pub fewest: u64,
    /// How often within the whole intervals the one was read that was read most.
    pub most: u64,
    /// How many reads did not come an interval after the one before.
    pub irregular: u64,
    /// How many reads there were in each 120th of the interval.
    pub spread: Vec<u64>,
    /// Calls that read the store, those that look at a node included.
    pub store_reads: u64,
    /// Batches that were written.
    pub commits: u64,
    /// How often the conductor's thread woke up.
    pub thread_wakes: u64,
    /// For how many real microseconds it was busy.
    pub busy_micros: u64,
}

impl Idle {
    /// So many nodes for an hour, whose power is not read.
    pub fn new(nodes: usize) -> Self {
        Self {
            nodes,
            power_sync: Duration::ZERO,
            time: Duration::from_secs(3600),
        }
    }

    /// The same, reading power at this interval, for so many of them.
    #[must_use]
    pub fn power_sync(mut self, interval: Duration, intervals: u32) -> Self {
        self.power_sync = interval;
        self.time = interval * intervals + SLACK;
        self
    }

    /// Watches the fleet. Must not be called from within a tokio runtime, as it makes one of its
    /// own.
    ///
    /// # Errors
    /// What a conductor that cannot be started says; when the runtime cannot be made.
    pub fn run(&self) -> Result<IdleReport, Error> {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = runtime.enable_time().start_paused(true).build();
        let runtime = runtime.map_err(|error| Error::internal(error.to_string()))?;
        runtime.block_on(self.watch())
    }

    async fn watch(&self) -> Result<IdleReport, Error> {
        let store = Arc::new(LookedStore::new(Arc::new(MemoryStore::new())));
        let store = (store.clone(), Arc::new(CountingStore::new(store)));
        let (looked, counted) = store;
        let mut config = Config::default();
        config.sync_power_state_interval = self.power_sync;
        let host = config.host.clone();
        let nodes = (0..self.nodes).map(|number| node(number, &host));
        fill(&Repository::new(counted.clone()), nodes).await?;

        let intervals = self
            .time
            .as_micros()
            .checked_div(self.power_sync.as_micros());
        let intervals = u32::try_from(intervals.unwrap_or(0)).unwrap_or(u32::MAX);
        let book = Arc::new(Book::new(self.power_sync.max(READ), intervals));
        let conductor = conductor(counted.clone(), config, &book).await?;
        let (began, looks, before) = (Instant::now(), looked.looks(), counted.counts());
        let metrics = Handle::current().metrics();
        let (wakes, busy) = (
            metrics.worker_park_count(0),
            metrics.worker_total_busy_duration(0),
        );
        sleep_until(began + self.time).await;
        let (after, wakes) = (counted.counts(), metrics.worker_park_count(0) - wakes);
        let busy = metrics.worker_total_busy_duration(0) - busy;
        let looks = looked.looks() - looks;
        conductor.stop().await?;
        let pages = book.take();
        let (fewest, most) = pages.extremes(self.nodes);
        Ok(IdleReport {
            nodes: self.nodes as u64,
            looks,
            reads: pages.reads,
            fewest,
            most,
            irregular: pages.irregular,
            spread: pages.spread,
            store_reads: after.reads - before.reads,
            commits: after.commits - before.commits,
            thread_wakes: wakes,
            busy_micros: u64::try_from(busy.as_micros()).unwrap_or(u64::MAX),
        })
    }
}

/// A node with an instance that this conductor looks after already.
fn node(number: usize, host: &str) -> Node {
    let mut node = Node::new(Uuid::from_u128(number as u128 + 1), "fake-hardware");
    node.name = Some(format!("rack-{}-node-{}", number / 40, number % 40));
    node.provision_state = ProvisionState::Active;
    node.power_state = Some(PowerState::On);
    node.conductor = Some(host.to_owned());
    node
}

async fn conductor(
    store: Arc<CountingStore>,
    config: Config,
    book: &Arc<Book>,
) -> Result<Conductor, Error> {
    let machines = FakeBehaviour::new();
    machines.add(FakeRule::takes(FakeOperation::GetPowerState, READ));
    let drivers = fake::register(noop::register(Registry::builder()), &machines)
        .power("fake", Arc::new(WatchedPower::new(&machines, book)));
    let entropy: Arc<dyn Entropy> = Arc::new(SeededEntropy::new(1));
    Conductor::builder()
        .store(store)
        .registry(Arc::new(drivers.build()?))
        .config(config)
        .clock(Arc::new(ManualClock::new(BEGINNING)))
        .entropy(entropy)
        .start()
        .await
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Idle, IdleReport};

    #[test]
    fn nobody_is_woken_for_a_node_whose_power_is_not_read() {
        let [few, many] = [20, 2000].map(|nodes| Idle::new(nodes).run().unwrap());
        assert_eq!((many.looks, many.reads), (0, 0));
        assert!(many.commits > 300, "an hour of keep-alives: {many:?}");
        let same = IdleReport {
            nodes: few.nodes,
            busy_micros: few.busy_micros,
            ..many
        };
        assert_eq!(same, few, "whatever their number");
    }

    #[test]
    fn each_node_is_looked_at_once_in_an_interval_and_all_are_spread_over_it() {
        let intervals = 5;
        let idle = Idle::new(2000).power_sync(Duration::from_secs(120), intervals);
        let report = idle.run().unwrap();
        let intervals = u64::from(intervals);
        assert_eq!((report.fewest, report.most), (intervals, intervals));
        assert_eq!(report.irregular, 0);
        assert_eq!(report.looks, report.reads, "one look for each read");
        // Those of the next interval's first half second are few.
        assert!(report.reads < 2000 * intervals + 50, "{}", report.reads);
        let quarters = report.spread.chunks(report.spread.len() / 4);
        for quarter in quarters {
            let part = quarter.iter().sum::<u64>() as f64 / report.reads as f64;
            assert!((0.2..0.3).contains(&part), "{part}");
        }
    }
}
