use std::sync::Arc;
use std::time::Duration;

use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use super::agent::{self, Agent};
use super::chance::Marked;
use super::claimant::Claimant;
use super::crew::Post;
use super::host::FleetHost;
use super::log::Reader;
use super::operator::Operator;
use super::report::{FleetProgress, FleetReport};
use super::settings::FleetSettings;
use super::store::Shelf;
use super::wire::{Caller, Wire};
use super::world::{BEGINNING, SETTLES, World};
use crate::client::Client;
use crate::conductor::watched;
use crate::config::Config;
use crate::membership::Membership;
use crate::runtime::ManualClock;
use crate::states::ProvisionState;
use crate::store::{Repository, Store};

/// How often, in simulated time, somebody looks how far it is.
const LOOK: Duration = Duration::from_secs(5);

/// Simulates a fleet from one seed: in one thread, in virtual time, to the last byte the same each
/// time. Must not be called from within a tokio runtime, as it makes one of its own.
///
/// # Errors
/// When the runtime cannot be made.
pub fn run_fleet(
    settings: &FleetSettings,
    progress: &mut dyn FnMut(FleetProgress),
) -> std::io::Result<FleetReport> {
    run_fleet_of(FleetHost::default(), settings, progress)
}

/// The same with the store and the drivers of a host.
///
/// # Errors
/// When the runtime cannot be made.
pub fn run_fleet_of(
    host: FleetHost,
    settings: &FleetSettings,
    progress: &mut dyn FnMut(FleetProgress),
) -> std::io::Result<FleetReport> {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_time().start_paused(true).build()?;
    Ok(runtime.block_on(simulate(host, settings, progress)))
}

/// The settings of the conductors.
fn config() -> Config {
    let mut config = Config::new("somebody");
    config.max_concurrent_deploy = 1000;
    config.max_concurrent_clean = 1000;
    let policy = &mut config.policy;
    for timeout in [
        &mut policy.deploy_callback_timeout,
        &mut policy.clean_callback_timeout,
        &mut policy.inspect_wait_timeout,
        &mut policy.rescue_callback_timeout,
        &mut policy.service_callback_timeout,
    ] {
        *timeout = Duration::from_secs(400);
    }
    config
}

/// A simulation that goes on.
struct Simulation<'a> {
    world: Arc<World>,
    client: Client,
    nodes: Vec<Uuid>,
    operators: Vec<Arc<Operator>>,
    calm: CancellationToken,
    over: CancellationToken,
    /// Conductors and agents.
    lives: TaskTracker,
    progress: &'a mut dyn FnMut(FleetProgress),
}

async fn simulate(
    host: FleetHost,
    settings: &FleetSettings,
    progress: &mut dyn FnMut(FleetProgress),
) -> FleetReport {
    let config = config();
    let world = Arc::new(World::new(settings.clone(), &config));
    let reader = tracing::Dispatch::new(Reader(Arc::clone(&world)));
    let reads = tracing::dispatcher::set_default(&reader);
    let shelf = Arc::new(Shelf::new(Arc::clone(&world), Arc::clone(&host.store)));
    let wire = Arc::new(Wire::new(&world));
    let (calm, over) = (CancellationToken::new(), CancellationToken::new());
    let lives = TaskTracker::new();
    for number in 0..settings.conductors as u64 {
        let post = Post {
            world: Arc::clone(&world),
            shelf: Arc::clone(&shelf),
            wire: Arc::clone(&wire),
            host: host.clone(),
            number,
            config: config.clone(),
            calm: calm.clone(),
            over: over.clone(),
        };
        lives.spawn(watched("a conductor", post.keep()));
    }
    let client = client(&world, shelf, wire, &config);
    let mut simulation = Simulation {
        nodes: Vec::new(),
        operators: Vec::new(),
        world: Arc::clone(&world),
        client,
        calm,
        over,
        lives,
        progress,
    };
    for number in 0..settings.nodes {
        simulation.add(number);
    }
    let report = simulation.run().await;
    drop(reads);
    report
}

/// The client of everybody outside of the conductors.
fn client(world: &Arc<World>, shelf: Arc<Shelf>, wire: Arc<Wire>, config: &Config) -> Client {
    let store: Arc<dyn Store> = shelf;
    let repository = Repository::new(store);
    let refresh = config.hash_ring_reset_interval;
    let membership = Membership::new(repository.clone(), config.take_over_after(), refresh);
    let (exponent, hash) = (config.hash_partition_exponent, config.hash_ring_algorithm);
    let membership = membership.with_ring(exponent, hash);
    let client = Client::new(repository, Arc::new(membership), Arc::new(Caller(wire)));
    let entropy = Marked(world.chance("client", 0));
    client.with_runtime(Arc::new(ManualClock::new(BEGINNING)), Arc::new(entropy))
}

impl Simulation<'_> {
    /// Adds a machine, its agent, and who asks for things to be done to it.
    fn add(&mut self, number: usize) {
        let (world, client) = (&self.world, &self.client);
        let subject = |subject| world.chance(subject, number as u64);
        let node = subject("node").uuid();
        let name = format!("node-{number}");
        world.add_machine(number, node, &name);
        let agent = Agent {
            world: Arc::clone(world),
            client: client.clone(),
            node,
            chance: subject("agent"),
            over: self.over.clone(),
        };
        self.lives.spawn(watched("an agent", agent.live()));
        self.operators.push(Arc::new(Operator {
            world: Arc::clone(world),
            client: client.clone(),
            node,
            name,
            chance: subject("operator"),
        }));
        self.nodes.push(node);
    }

    async fn run(&mut self) -> FleetReport {
        let storm = self.world.settings.storm;
        let glitches = agent::glitches(Arc::clone(&self.world), self.nodes.clone());
        self.lives.spawn(watched("the machines", glitches));
        let asking = TaskTracker::new();
        for operator in &self.operators {
            let operator = Arc::clone(operator);
            let asks = async move {
                operator.enrol().await;
                operator.storm().await;
                operator.calm_down().await;
            };
            asking.spawn(watched("an operator", asks));
        }
        for number in 0..self.nodes.len().div_ceil(20) as u64 {
            let claimant = Claimant {
                world: Arc::clone(&self.world),
                client: self.client.clone(),
                chance: self.world.chance("claimant", number),
                nodes: self.nodes.clone(),
            };
            let claims = async move { claimant.storm().await };
            asking.spawn(watched("a claimant", claims));
        }
        asking.close();
        while self.world.time() < storm && !self.world.is_wrong() {
            sleep(LOOK).await;
            let seconds = |time: Duration| usize::try_from(time.as_secs()).unwrap_or(usize::MAX);
            self.tell(
                "storm",
                seconds(self.world.time().min(storm)),
                seconds(storm),
            );
        }
        self.world.weather.calm_down();
        self.calm.cancel();
        self.world.announce("the storm is over");
        if !self.world.is_wrong() {
            self.wait(asking.wait(), "not everybody is answered").await;
        }
        if !self.world.is_wrong() {
            self.come_to_rest().await;
        }
        if self.world.settings.to_active && !self.world.is_wrong() {
            self.activate().await;
        }
        self.end().await
    }

    /// Waits for what comes to its end by itself, or else for more than anybody's patience.
    async fn wait(&self, ends: impl Future<Output = ()>, otherwise: &str) {
        let longest = 2 * self.world.settings.patience;
        if timeout(longest, ends).await.is_err() {
            self.world.accuse(SETTLES, otherwise.to_owned());
        }
    }

    /// Until every node rests.
    async fn come_to_rest(&mut self) {
        let end = self.world.time() + self.world.settings.patience;
        loop {
            let restless = self.world.unsettled();
            let settled = self.nodes.len() - restless.len();
            self.tell("calm", settled, self.nodes.len());
            let adrift = self.world.adrift();
            if (restless.is_empty() && adrift.is_none()) || self.world.is_wrong() {
                return;
            }
            if self.world.time() >= end {
                for (node, why) in restless {
                    let name = self.world.ledger().books.name(node);
                    let text = format!("{name} does not come to rest: it {why}");
                    self.world.accuse(SETTLES, text);
                }
                if let Some(text) = adrift {
                    self.world.accuse(SETTLES, text);
                }
                return;
            }
            sleep(LOOK).await;
        }
    }

    /// Until every node is active: nothing that happened has spoilt one for good.
    async fn activate(&mut self) {
        let asking = TaskTracker::new();
        let patience = self.world.settings.patience;
        for operator in &self.operators {
            let operator = Arc::clone(operator);
            let activates = async move {
                if !operator.activate(patience).await {
                    let restless = operator.world.unsettled();
                    let why = restless.get(&operator.node);
                    let why = why.map_or("it rests elsewhere", String::as_str);
                    let name = &operator.name;
                    let text = format!("{name} cannot be made active: {why}");
                    operator.world.accuse(SETTLES, text);
                }
            };
            asking.spawn(watched("an operator", activates));
        }
        asking.close();
        let end = self.world.time() + 2 * patience;
        while !asking.is_empty() && !self.world.is_wrong() {
            sleep(LOOK).await;
            if self.world.time() >= end {
                let text = "not everybody is answered".to_owned();
                self.world.accuse(SETTLES, text);
            }
            self.tell("to active", self.active(), self.nodes.len());
        }
        if !self.world.is_wrong() {
            self.come_to_rest().await;
        }
    }

    fn active(&self) -> usize {
        let ledger = self.world.ledger();
        let nodes = ledger.books.nodes.values();
        nodes
            .filter(|node| node.provision_state == ProvisionState::Active)
            .count()
    }

    /// Everybody stops in good order, which can be seen too.
    async fn end(&mut self) -> FleetReport {
        let settled = self.nodes.len() - self.world.unsettled().len();
        let active = self.active();
        if !self.world.is_wrong() {
            self.over.cancel();
            self.lives.close();
            self.wait(self.lives.wait(), "not everybody ends").await;
        }
        let counts = self.world.counts();
        let mut ledger = self.world.ledger();
        let (digest, story) = (ledger.journal.hex(), ledger.journal.story());
        drop(ledger);
        FleetReport {
            nodes: self.nodes.len(),
            settled,
            active,
            violations: self.world.wrong(),
            digest,
            story,
            commits: counts.commits,
            events: counts.events,
            requests: counts.requests,
            commands: counts.commands,
            deaths: counts.deaths,
            time: self.world.time(),
        }
    }

    fn tell(&mut self, phase: &'static str, done: usize, of: usize) {
        let time = self.world.time();
        (self.progress)(FleetProgress {
            phase,
            time,
            done,
            of,
        });
    }
}
