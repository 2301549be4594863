//! A whole fleet from enrolment to active, in virtual time, with failures on the way.

mod agent;
mod board;
mod contended;
mod fate;
mod operator;

pub use board::BANDS;

use std::sync::Arc;
use std::time::Duration;

use ironic_core::driver::fake::{self, Completion, FakeBehaviour, FakeOperation, FakeRule};
use ironic_core::driver::noop;
use ironic_core::runtime::{ManualClock, SeededEntropy};
use ironic_core::states::InterfaceKind;
use ironic_core::steps::{PriorityOverrides, StepName};
use ironic_core::store::{Filter, Kind};
use ironic_core::{
    Client, Conductor, Config, Entropy, Error, MemoryStore, Registry, Store, Timestamp, Uuid,
};
use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use crate::CountingStore;
use agent::Agent;
use board::Board;
use contended::ContendedStore;
use fate::{BLOCK, Chance, fates};
use operator::{Crews, Operator};

/// When virtual time begins: 15 January 2027, 8:00 UTC.
const BEGINNING: Timestamp = Timestamp::from_micros(1_800_000_000_000_000);
/// How long between two nodes that are enrolled.
const PACE: Duration = Duration::from_millis(100);
/// How many nodes are cleaned at a time.
const CLEANED: usize = 1500;
/// How many nodes are deployed at a time.
const DEPLOYED: usize = 600;
/// How often it is noted where the nodes are.
const SAMPLE: Duration = Duration::from_secs(60);
/// How long, in virtual time, it may take before something is wrong.
const PATIENCE: Duration = Duration::from_secs(6 * 3600);

/// A fleet that is brought up: enrolled, verified, cleaned by itself, deployed.
///
/// One conductor, one thread, virtual time, fake machines that take as long as real ones do. Of
/// every fifty nodes one has a record that others edit all the time, one a BMC that does not answer
/// at first, one a disk that cannot be written at first, and two lose an agent; an operator
/// notices some minutes later, and asks again. Which ones, and all times, follow from the seed.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Rollout {
    /// How many nodes: fifty, or several times as many.
    pub nodes: usize,
    /// Where chance begins.
    pub seed: u64,
}

/// What came of a [`Rollout`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RolloutReport {
    /// How many nodes there are.
    pub nodes: u64,
    /// How many of them are active in the end.
    pub active: u64,
    /// How often an operator had to put something right.
    pub failures: u64,
    /// How often a record was edited just as the engine wrote it; none of the edits was lost.
    pub edits: u64,
    /// How many batches about nodes were committed or refused.
    pub commits: u64,
    /// How long it took, in virtual seconds.
    pub seconds: u64,
    /// How many nodes were in each of [`BANDS`], minute by minute.
    pub minutes: Vec<[u32; BANDS.len()]>,
}

impl RolloutReport {
    /// How many batches each node took.
    pub fn commits_per_node(&self) -> f64 {
        self.commits as f64 / self.nodes as f64
    }
}

impl Rollout {
    /// A fleet of so many nodes, rounded up to fifties.
    pub fn new(nodes: usize, seed: u64) -> Self {
        let nodes = nodes.next_multiple_of(BLOCK);
        Self { nodes, seed }
    }

    /// How often an operator will have to put something right.
    pub fn expected_failures(&self) -> u64 {
        let block: u64 = fates(self.seed).iter().map(|fate| fate.failures()).sum();
        block * (self.nodes / BLOCK) as u64
    }

    /// Brings the fleet up. Must not be called from within a tokio runtime, as it makes one of its
    /// own.
    ///
    /// # Errors
    /// The first error that an operator cannot do anything about; when nodes do not get there, and
    /// where they are; when an edit of somebody else was lost; when the runtime cannot be made.
    pub fn run(&self) -> Result<RolloutReport, Error> {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = runtime.enable_time().start_paused(true).build();
        let runtime = runtime.map_err(|error| Error::internal(error.to_string()))?;
        runtime.block_on(self.simulate())
    }

    async fn simulate(&self) -> Result<RolloutReport, Error> {
        let contended = Arc::new(ContendedStore::new(Arc::new(MemoryStore::new())));
        let store = Arc::new(CountingStore::new(contended.clone()));
        let (board, machines) = (Board::default(), machines());
        let conductor = conductor(store.clone(), &machines, &board, self.seed).await?;
        let client = Client::local(&conductor);
        let crews = Arc::new(Crews {
            cleaning: Semaphore::new(CLEANED),
            deployment: Semaphore::new(DEPLOYED),
        });
        let (began, before) = (Instant::now(), store.counts());
        let minutes = tokio::spawn(sample(board.clone(), self.nodes));
        let (mut operators, mut agents) = (JoinSet::new(), JoinSet::new());
        for (number, fate) in fates(self.seed).iter().cycle().take(self.nodes).enumerate() {
            let node = Uuid::from_u128(number as u128 + 1);
            let place = board.watch(node);
            let chance = |subject| Chance::new(self.seed, number % BLOCK, subject);
            fate.prepare(&machines, node);
            if *fate == fate::Fate::Edited {
                contended.contend(node);
            }
            agents.spawn(
                Agent {
                    client: client.clone(),
                    node,
                    place: place.clone(),
                    fate: *fate,
                    chance: chance(1),
                }
                .live(),
            );
            let operator = Operator {
                client: client.clone(),
                node,
                name: format!("rack-{}-node-{}", number / 40, number % 40),
                board: board.clone(),
                place,
                crews: Arc::clone(&crews),
                chance: chance(2),
            };
            let wait = PACE.saturating_mul(u32::try_from(number).unwrap_or(u32::MAX));
            operators.spawn(async move {
                sleep(wait).await;
                operator.bring_up().await
            });
        }
        let failures = async {
            let mut failures = 0;
            while let Some(ended) = operators.join_next().await {
                failures += ended.map_err(|error| Error::internal(error.to_string()))??;
            }
            Ok::<_, Error>(failures)
        };
        let failures = tokio::time::timeout(PATIENCE, failures).await;
        let failures = failures.map_err(|_| {
            let counts = BANDS.iter().zip(board.counts());
            let counts = counts.map(|(band, count)| format!("{}: {count}", band.name));
            let counts: Vec<_> = counts.collect();
            Error::internal(format!("the fleet does not come up: {}", counts.join(", ")))
        })??;
        let seconds = began.elapsed().as_secs();
        let minutes = minutes.await;
        agents.shutdown().await;
        conductor.stop().await?;
        let active = Filter::text("provision_state", "active");
        Ok(RolloutReport {
            nodes: self.nodes as u64,
            active: store.count(Kind::Node, &active).await?,
            failures,
            edits: contended.edits().await?,
            commits: store.counts().node_commits() - before.node_commits(),
            seconds,
            minutes: minutes.map_err(|error| Error::internal(error.to_string()))?,
        })
    }
}

/// Where the nodes are, until all are active.
async fn sample(board: Board, nodes: usize) -> Vec<board::Counts> {
    let mut samples = Vec::new();
    loop {
        let counts = board.counts();
        samples.push(counts);
        if counts
            .first()
            .is_some_and(|active| *active as usize == nodes)
        {
            return samples;
        }
        sleep(SAMPLE).await;
    }
}

/// Machines that take their time.
fn machines() -> FakeBehaviour {
    use FakeOperation as Op;
    let seconds = Duration::from_secs;
    let (ms, machines) = (Duration::from_millis, FakeBehaviour::new());
    let asked = |times, every| Completion::Polls { times, every };
    for rule in [
        FakeRule::takes(Op::GetPowerState, ms(300)),
        FakeRule::takes(Op::SetPowerState, seconds(8)),
        FakeRule::completes(Op::PrepareSteps, Completion::Heartbeat),
        FakeRule::completes(Op::FactoryReset, asked(10, seconds(60))),
        FakeRule::completes(Op::PrepareDeploy, Completion::Heartbeat),
        FakeRule::completes(Op::Deploy, asked(6, seconds(40))),
    ] {
        machines.add(rule);
    }
    machines
}

async fn conductor(
    store: Arc<dyn Store>,
    machines: &FakeBehaviour,
    board: &Board,
    seed: u64,
) -> Result<Conductor, Error> {
    let mut config = Config::default();
    config.max_concurrent_deploy = 2 * DEPLOYED as u64;
    config.max_concurrent_clean = 2 * CLEANED as u64;
    // How idle nodes are looked after is measured by itself.
    config.sync_power_state_interval = Duration::ZERO;
    let reset = StepName::new(InterfaceKind::Bios, "factory_reset");
    config.policy.clean_step_priority_override = PriorityOverrides::default().with(reset, 10);
    let drivers = fake::register(noop::register(Registry::builder()), machines);
    let entropy: Arc<dyn Entropy> = Arc::new(SeededEntropy::new(seed));
    Conductor::builder()
        .store(store)
        .registry(Arc::new(drivers.build()?))
        .config(config)
        .notifier(Arc::new(board.clone()))
        .clock(Arc::new(ManualClock::new(BEGINNING)))
        .entropy(entropy)
        .start()
        .await
}

#[cfg(test)]
mod tests {
    use super::{BANDS, Rollout};

    #[test]
    fn every_node_gets_there_and_costs_the_same_in_a_small_fleet_as_in_a_large_one() {
        let [small, again, large] = [50, 50, 500].map(|nodes| {
            let rollout = Rollout::new(nodes, 1);
            let report = rollout.run().unwrap();
            assert_eq!(report.active, nodes as u64);
            assert_eq!(report.failures, rollout.expected_failures());
            report
        });
        assert_eq!(small, again, "one seed, one story");
        assert!(small.edits > 3, "{small:?}");
        assert_eq!(
            (large.commits, large.edits, large.failures),
            (small.commits * 10, small.edits * 10, small.failures * 10),
        );
        let failed = |counts: &[u32; BANDS.len()]| counts[BANDS.len() - 1];
        assert!(large.minutes.iter().map(failed).max() > Some(0));
        let end = large.minutes.last().unwrap();
        assert_eq!((end[0], end.iter().sum()), (500, 500));
    }
}
