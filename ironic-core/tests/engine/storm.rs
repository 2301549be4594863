//! A fleet of which anybody asks anything at any time, on machines that are slow, fail, and have
//! agents that call when they like.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ironic_core::client::Client;
use ironic_core::driver::fake::{Completion, FakeOperation, FakeRule};
use ironic_core::model::{MacAddress, Node, Port};
use ironic_core::notify::{Event, Notification, Notifier};
use ironic_core::runtime::{Entropy, SeededEntropy};
use ironic_core::states::{InterfaceKind, PowerTarget, ProvisionState as S, TRANSITIONS, Verb};
use ironic_core::steps::UserStep;
use ironic_core::store::{Filter, Kind, Query, Scalar};
use ironic_core::transport::{Change, HeartbeatArgs, ProvisionArgs};
use ironic_core::{Error, ErrorKind};
use proptest::prelude::*;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};
use uuid::Uuid;

use crate::house::House;

/// How many nodes there are; `IRONIC_STORM_NODES` asks for more, best with `--release`.
const NODES: usize = 60;
const STORM: Duration = Duration::from_secs(60);
/// Longer than any flow waits for anything.
const CALM: Duration = Duration::from_secs(400);
/// How long a flow waits for its agent.
const PATIENCE: Duration = Duration::from_secs(100);
const MOST_DEPLOYING: u64 = 5;
const AGENT: &str = "http://192.0.2.9:9999";

/// Follows every node through the transition table.
#[derive(Debug, Default)]
struct Followed {
    states: Mutex<BTreeMap<Uuid, S>>,
    wrong: Mutex<Vec<String>>,
    moves: AtomicUsize,
}

impl Notifier for Followed {
    fn notify(&self, notification: &Notification) {
        let Event::ProvisionSet { by, from, to, .. } = &notification.event else {
            return;
        };
        self.moves.fetch_add(1, Ordering::Relaxed);
        let mut states = self.states.lock().unwrap();
        let before = states
            .insert(notification.subject, *to)
            .unwrap_or(S::Enroll);
        if before != *from || !TRANSITIONS.contains(&(*from, *by, *to)) {
            let node = notification.subject;
            let told = format!("{node} was {before} and went from {from} by {by} to {to}");
            self.wrong.lock().unwrap().push(told);
        }
    }
}

/// What one machine is told to do differently from others.
fn moods(house: &House, node: Uuid, entropy: &SeededEntropy) {
    let operations: Vec<_> = InterfaceKind::ALL
        .iter()
        .flat_map(|kind| FakeOperation::of(*kind))
        .collect();
    for _ in 0..12 {
        let operation = operations[pick(entropy, operations.len())];
        let rule = match entropy.below(3) {
            0 | 1 => {
                let most = Duration::from_millis(entropy.below(3000));
                FakeRule::takes_between(operation, Duration::ZERO, most)
            }
            _ => FakeRule::fails(operation, Error::driver("fake", "out of sorts"))
                .nth(1 + entropy.below(6)),
        };
        house.fakes.add(rule.on(node));
    }
    for operation in [
        FakeOperation::PrepareDeploy,
        FakeOperation::Deploy,
        FakeOperation::PrepareSteps,
        FakeOperation::InspectHardware,
        FakeOperation::Rescue,
        FakeOperation::CallVendor,
    ] {
        let completion = match entropy.below(3) {
            0 => continue,
            1 => Completion::Heartbeat,
            _ => Completion::Polls {
                times: 1 + pick(entropy, 3) as u32,
                every: Duration::from_millis(300),
            },
        };
        let rule = FakeRule::completes(operation, completion);
        house.fakes.add(rule.on(node));
    }
}

fn pick(entropy: &SeededEntropy, from: usize) -> usize {
    usize::try_from(entropy.below(from as u64)).unwrap()
}

/// One machine, whoever asks something of it, and the agent that may run on it.
struct Life {
    client: Client,
    node: Uuid,
    mac: MacAddress,
    entropy: Arc<SeededEntropy>,
    token: Option<String>,
    refused: BTreeMap<ErrorKind, usize>,
    asked: usize,
}

impl Life {
    async fn go_on_until(mut self, end: Instant) -> Self {
        while Instant::now() < end {
            let asked = self.ask_something().await;
            self.asked += 1;
            if let Err(error) = asked {
                assert_ne!(error.kind(), ErrorKind::Internal, "{error}");
                *self.refused.entry(error.kind()).or_default() += 1;
            }
            sleep(Duration::from_millis(self.entropy.below(6000))).await;
        }
        self
    }

    async fn ask_something(&mut self) -> Result<(), Error> {
        let (client, node) = (&self.client, self.node);
        match self.entropy.below(100) {
            0..50 => {
                let verb = self.likely_verb().await?;
                client.provision(node, verb, arguments(verb)).await
            }
            50..58 => {
                let target = PowerTarget::ALL[pick(&self.entropy, PowerTarget::ALL.len())];
                client.set_power(node, target, None).await
            }
            58..61 => client.set_maintenance(node, true, None).await,
            61..66 => client.set_maintenance(node, false, None).await,
            66..70 => {
                let note = Change::set("extra/note", self.entropy.below(1000));
                client.update_node(node, vec![note]).await.map(drop)
            }
            70..73 => client.explain(node).await.map(drop),
            _ => self.call().await,
        }
    }

    /// Mostly one that the node's state takes.
    async fn likely_verb(&self) -> Result<Verb, Error> {
        let state = self.client.node(self.node).await?.provision_state;
        let taken: Vec<_> = Verb::ALL
            .iter()
            .copied()
            .filter(|verb| state.on(verb.event()).is_ok())
            .collect();
        let from = match self.entropy.below(10) {
            0 => Verb::ALL,
            _ if taken.is_empty() => Verb::ALL,
            _ => &taken,
        };
        Ok(from[pick(&self.entropy, from.len())])
    }

    /// The agent calls.
    async fn call(&mut self) -> Result<(), Error> {
        let addresses = std::slice::from_ref(&self.mac);
        let found = self.client.lookup(Some(self.node), addresses).await?;
        self.token = found.agent_token.or(self.token.take());
        let call = HeartbeatArgs::new(AGENT, self.token.clone());
        self.client.heartbeat(self.node, call).await
    }
}

fn arguments(verb: Verb) -> ProvisionArgs {
    let steps = |names: &[&str]| {
        let steps = names.iter();
        let steps = steps.map(|name| UserStep::new(InterfaceKind::Vendor, *name));
        ProvisionArgs::default().with_steps(steps.collect())
    };
    match verb {
        Verb::Clean => steps(&["log_passthrough", "log_passthrough"]),
        Verb::Service => steps(&["log_passthrough"]),
        Verb::Rescue => {
            let mut args = ProvisionArgs::default();
            args.rescue_password = Some("pa55word".to_owned());
            args
        }
        _ => ProvisionArgs::default(),
    }
}

/// Looks all the time whether more nodes deploy than may.
async fn watch(house: House, end: Instant) -> u64 {
    let deploying = [S::Deploying, S::DeployWait].map(|state| Scalar::String(state.to_string()));
    let deploying = Filter::In("provision_state".to_owned(), deploying.to_vec());
    let mut most = 0;
    while Instant::now() < end {
        let now = house.store.count(Kind::Node, &deploying).await.unwrap();
        most = most.max(now);
        sleep(Duration::from_secs(1)).await;
    }
    most
}

/// A node rests: nothing but a caller, or its agent, moves it.
fn rests(state: S) -> bool {
    let held = matches!(state, S::CleanHold | S::DeployHold | S::ServiceHold);
    state.is_stable() || state.is_failure() || held
}

fn nodes() -> usize {
    #[allow(
        clippy::disallowed_methods,
        reason = "how much is tried, not what is tested"
    )]
    let asked = std::env::var("IRONIC_STORM_NODES").ok();
    asked.map_or(NODES, |asked| asked.parse().unwrap())
}

async fn storm(seed: u64) {
    let followed = Arc::new(Followed::default());
    let mut house = House::new();
    house.notifier = followed.clone();
    house.config.workers = 100;
    house.config.max_concurrent_deploy = MOST_DEPLOYING;
    house.config.sync_power_state_interval = Duration::from_secs(60);
    let policy = &mut house.config.policy;
    for timeout in [
        &mut policy.deploy_callback_timeout,
        &mut policy.clean_callback_timeout,
        &mut policy.inspect_wait_timeout,
        &mut policy.rescue_callback_timeout,
        &mut policy.service_callback_timeout,
    ] {
        *timeout = PATIENCE;
    }
    let conductor = house.conductor("cond-a").await;
    let client = house.client(&conductor);
    let entropy = Arc::new(SeededEntropy::new(seed));

    let mut lives = JoinSet::new();
    let end = Instant::now() + STORM;
    for number in 0..nodes() {
        let node = Node::new(Uuid::nil(), "fake-hardware");
        let node = client.create_node(node).await.unwrap().uuid;
        let mac = format!("52:54:00:00:{:02x}:{:02x}", number / 256, number % 256);
        let mac: MacAddress = mac.parse().unwrap();
        let port = Port::new(Uuid::nil(), node, mac.clone());
        client.create_port(port).await.unwrap();
        moods(&house, node, &entropy);
        let life = Life {
            client: client.clone(),
            node,
            mac,
            entropy: entropy.clone(),
            token: None,
            refused: BTreeMap::new(),
            asked: 0,
        };
        lives.spawn(life.go_on_until(end));
    }
    let watched = tokio::spawn(watch(house.with_store(house.store.clone()), end));
    let (mut refused, mut asked) = (BTreeMap::new(), 0);
    while let Some(life) = lives.join_next().await {
        let life = life.unwrap();
        asked += life.asked;
        for (kind, times) in life.refused {
            *refused.entry(kind).or_insert(0) += times;
        }
    }
    let most = watched.await.unwrap();
    for kind in InterfaceKind::ALL {
        FakeOperation::of(*kind).for_each(|operation| house.fakes.clear(operation));
    }
    // In maintenance nothing is given up.
    for node in client.nodes(&Query::all(Kind::Node)).await.unwrap() {
        client
            .set_maintenance(node.uuid, false, None)
            .await
            .unwrap();
    }
    sleep(CALM).await;

    println!(
        "seed {seed}: {asked} requests, {} moves, at most {most} deploying; refused {refused:?}",
        followed.moves.load(Ordering::Relaxed)
    );
    assert!(most <= MOST_DEPLOYING, "{most} nodes deployed at once");
    assert_eq!(*followed.wrong.lock().unwrap(), Vec::<String>::new());
    let held: Vec<_> = house.locks().await.into_iter().collect();
    assert!(held.iter().all(|lock| lock.holder.is_none()), "{held:?}");
    assert_eq!(conductor.tasks().busy(), 0);
    let states = followed.states.lock().unwrap().clone();
    for node in client.nodes(&Query::all(Kind::Node)).await.unwrap() {
        let told = states.get(&node.uuid).copied().unwrap_or(S::Enroll);
        assert_eq!(node.provision_state, told, "{}", node.uuid);
        let flow = client.flow(node.uuid).await.unwrap();
        assert!(rests(told), "{} is {told}: {flow:?}", node.uuid);
        assert_eq!(node.target_power_state, None, "{}", node.uuid);
    }
    conductor.stop().await.unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1, max_shrink_iters: 0, ..ProptestConfig::default() })]

    #[test]
    fn a_fleet_comes_to_rest_whatever_was_asked_of_it(seed: u64) {
        let runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = { runtime }.enable_all().start_paused(true).build().unwrap();
        runtime.block_on(storm(seed));
    }
}
