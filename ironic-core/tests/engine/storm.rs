//! A fleet of which anybody asks anything at any time, on machines that are slow, fail, and have
//! agents that call when they like.

mod books;
mod life;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ironic_core::client::Client;
use ironic_core::config::Config;
use ironic_core::driver::fake::FakeOperation;
use ironic_core::model::{MacAddress, Node, Port};
use ironic_core::notify::{Event, Notification, Notifier};
use ironic_core::runtime::SeededEntropy;
use ironic_core::states::{InterfaceKind, ProvisionState as S, TRANSITIONS};
use ironic_core::store::{Kind, MemoryStore, Query};
use ironic_core::testing::FaultyStore;
use proptest::prelude::*;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until};
use uuid::Uuid;

use books::{Books, Holdings};
use life::{Life, moods};

use crate::house::House;

/// How many nodes there are; `IRONIC_STORM_NODES` asks for more, best with `--release`.
const NODES: usize = 500;
const STORM: Duration = Duration::from_secs(60);
/// Longer than any flow waits for anything.
const CALM: Duration = Duration::from_secs(400);
/// How long a flow waits for its agent.
const PATIENCE: Duration = Duration::from_secs(100);
/// How many events of a node are kept, and how often they are pruned.
const HISTORY: usize = 1;
const PRUNING: Duration = Duration::from_secs(19);

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

/// Limits that a fleet of that size runs into.
fn configure(house: &mut House, nodes: usize) {
    let config = &mut house.config;
    config.workers = nodes / 25;
    config.reserved_workers_percentage = 10;
    config.max_concurrent_deploy = nodes as u64 / 50;
    config.max_concurrent_clean = nodes as u64 / 25;
    config.sync_power_state_interval = Duration::from_secs(60);
    config.node_history_max_entries = HISTORY;
    config.node_history_cleanup_interval = PRUNING;
    config.node_history_cleanup_batch_count = usize::MAX;
    let policy = &mut config.policy;
    for timeout in [
        &mut policy.deploy_callback_timeout,
        &mut policy.clean_callback_timeout,
        &mut policy.inspect_wait_timeout,
        &mut policy.rescue_callback_timeout,
        &mut policy.service_callback_timeout,
    ] {
        *timeout = PATIENCE;
    }
}

/// Creates the nodes, each with a port and a mood, and lets everything be asked of them.
async fn let_loose(house: &House, client: &Client, seed: u64, end: Instant) -> JoinSet<Life> {
    let entropy = Arc::new(SeededEntropy::new(seed));
    let mut lives = JoinSet::new();
    for number in 0..nodes() {
        let node = Node::new(Uuid::nil(), "fake-hardware");
        let node = client.create_node(node).await.unwrap().uuid;
        let mac = format!("52:54:00:00:{:02x}:{:02x}", number / 256, number % 256);
        let mac: MacAddress = mac.parse().unwrap();
        let port = Port::new(Uuid::nil(), node, mac.clone());
        client.create_port(port).await.unwrap();
        moods(house, node, &entropy);
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
    lives
}

async fn storm(seed: u64) {
    let followed = Arc::new(Followed::default());
    let store = Arc::new(FaultyStore::new(Arc::new(MemoryStore::new())));
    let books = Books::over(&store);
    let mut house = House::over(store);
    house.notifier = followed.clone();
    configure(&mut house, nodes());
    let conductor = house.conductor("cond-a").await;
    let client = house.client(&conductor);
    sleep(Duration::from_secs(1)).await;
    let before = Holdings::of(&*house.store).await;

    let end = Instant::now() + STORM;
    let mut lives = let_loose(&house, &client, seed, end).await;
    sleep(STORM / 3).await;
    let early = Holdings::of(&*house.store).await;
    sleep_until(end).await;
    let late = Holdings::of(&*house.store).await;
    let (mut refused, mut asked) = (BTreeMap::new(), 0);
    while let Some(life) = lives.join_next().await {
        let life = life.unwrap();
        asked += life.asked;
        for (why, times) in life.refused {
            *refused.entry(why).or_insert(0) += times;
        }
    }
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
    let after = Holdings::of(&*house.store).await;

    let moves = followed.moves.load(Ordering::Relaxed);
    println!("seed {seed}: {asked} requests, {moves} moves; refused {refused:?}");
    for (when, held) in [("early", &early), ("late", &late), ("after", &after)] {
        let Holdings {
            bytes,
            tasks,
            resident,
            ..
        } = held;
        println!("{when}: {bytes} bytes of nodes, {tasks} tasks, {resident:?} KiB in memory");
    }
    assert_eq!(*followed.wrong.lock().unwrap(), Vec::<String>::new());
    limits_hold(&house.config, &books.lock().unwrap(), &refused);
    nothing_grows(&before, &early, &late, &after);
    all_rest(&house, &client, &followed).await;
    assert_eq!(conductor.tasks().busy(), 0);
    conductor.stop().await.unwrap();
}

/// Every limit is run into, and none is passed at any commit.
fn limits_hold(config: &Config, books: &Books, refused: &BTreeMap<String, usize>) {
    let deploying = (config.max_concurrent_deploy, books.most_deploying);
    let cleaning = (config.max_concurrent_clean, books.most_cleaning);
    for (limit, most) in [deploying, cleaning] {
        assert!(most as u64 <= limit, "{deploying:?}, {cleaning:?}");
    }
    assert_eq!(deploying.0, deploying.1 as u64, "it is not reached");
    for limit in [
        "max_concurrent_deploy",
        "max_concurrent_clean",
        "no_free_worker",
    ] {
        assert!(refused.contains_key(limit), "{limit} is not reached");
    }
}

/// What an engine holds depends on how many nodes there are, not on what they have been through.
fn nothing_grows(before: &Holdings, early: &Holdings, late: &Holdings, after: &Holdings) {
    let nodes = nodes() as u64;
    for held in [early, late, after] {
        for (kind, count) in &held.records {
            let most = match kind {
                Kind::Node | Kind::Port | Kind::Lock | Kind::Flow => nodes,
                // Between two prunings a node gets a few more.
                Kind::History => nodes * (HISTORY as u64 + 3),
                Kind::Conductor => 1,
                _ => 0,
            };
            assert!(*count <= most, "{count} records of kind {kind}: {held:?}");
        }
    }
    assert!(
        late.bytes * 4 <= early.bytes * 5,
        "{early:?}, then {late:?}"
    );
    assert!(
        late.tasks * 4 <= early.tasks * 5,
        "{early:?}, then {late:?}"
    );
    assert_eq!(after.tasks, before.tasks, "work that has not ended");
    if let (Some(early), Some(late)) = (early.resident, late.resident) {
        assert!(
            late * 10 <= early * 11,
            "{early} KiB in memory, then {late}"
        );
    }
}

/// No node is held, or on its way to anywhere, and each is where its moves have led it.
async fn all_rest(house: &House, client: &Client, followed: &Followed) {
    let held: Vec<_> = house.locks().await.into_iter().collect();
    assert!(held.iter().all(|lock| lock.holder.is_none()), "{held:?}");
    let states = followed.states.lock().unwrap().clone();
    for node in client.nodes(&Query::all(Kind::Node)).await.unwrap() {
        let told = states.get(&node.uuid).copied().unwrap_or(S::Enroll);
        assert_eq!(node.provision_state, told, "{}", node.uuid);
        let flow = client.flow(node.uuid).await.unwrap();
        assert!(rests(told), "{} is {told}: {flow:?}", node.uuid);
        assert_eq!(node.target_power_state, None, "{}", node.uuid);
    }
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
