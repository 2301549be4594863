//! The two ways to write, under every order in which a flow, a heartbeat, an abort and others can
//! meet: each store call of each of them waits until the schedule lets it through.
//!
//! A schedule says after how many calls each party begins. Whoever began last goes first, so the
//! call of a party runs as a whole between two store calls of another, and a third one's within
//! that; the random schedules mix calls one by one. What is checked after each: no fact is lost, no
//! stale decision applied, nothing of a former holder merged back, and the node rests, unlocked,
//! where the answers that the callers got say that it does.

mod gate;
mod watched;

use std::sync::Arc;
use std::time::Duration;

use ironic_core::Error;
use ironic_core::client::Client;
use ironic_core::driver::fake::{Completion, FakeOperation, FakeRule};
use ironic_core::flow::Flow;
use ironic_core::model::{Lock, Node};
use ironic_core::runtime::{Entropy, SeededEntropy};
use ironic_core::states::{ProvisionState, Verb};
use ironic_core::store::{Batch, Expect, Kind, MemoryStore, Op, Query, Store};
use ironic_core::transport::{Change, HeartbeatArgs};
use serde_json::{Value, json};
use tokio::task::JoinHandle;
use tokio::time::sleep;
use uuid::Uuid;

use self::gate::Gate;
use self::watched::{Flaw, Watched};
use crate::hooked::Hooked;
use crate::house::{House, LONG, ask, available};

const AGENT: &str = "http://192.0.2.9:9999";
const TOKEN: &str = "the-token";

/// Who meets the flow.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Party {
    Heartbeat,
    Abort,
    /// A change of `extra`, under the lock.
    Patch,
    /// A fact that comes without a lock.
    Fact,
}

/// After how many calls each party begins, in the order of beginning; and who goes first.
#[derive(Debug, Clone)]
struct Schedule {
    begins: Vec<(u64, Party)>,
    /// Mixes the calls by this seed, rather than letting whoever began last go first.
    seed: Option<u64>,
}

/// The records of a node that is ready to be deployed, whose agent knows its token.
struct Scene {
    node: Uuid,
    records: Vec<Op>,
}

impl Scene {
    async fn make() -> Self {
        let house = House::new();
        let conductor = house.conductor("cond-a").await;
        let node = available(&house.client(&conductor)).await;
        conductor.stop().await.unwrap();
        let token = |node: &mut Node| {
            node.set_internal("agent_secret_token", json!(TOKEN));
            Ok(())
        };
        house
            .repository()
            .update::<Node, ()>(node, None, token)
            .await
            .unwrap();
        let mut records = Vec::new();
        for kind in [Kind::Node, Kind::Lock] {
            for record in house.store.list(&Query::all(kind)).await.unwrap() {
                records.push(Op::Put {
                    record,
                    expect: Expect::Absent,
                });
            }
        }
        Self { node, records }
    }

    /// A house of its own in this scene.
    async fn set(&self, flaw: Flaw) -> (House, Arc<Hooked<Watched>>) {
        let memory = Hooked::new(Arc::new(MemoryStore::new()), flaw);
        let watched = Hooked::new(memory, Watched::default());
        let (fence, ops) = (None, self.records.clone());
        watched.commit(Batch { fence, ops }).await.unwrap();
        let mut house = House::over(watched.clone());
        let rule = FakeRule::completes(FakeOperation::Deploy, Completion::Heartbeat);
        house.fakes.record();
        house.fakes.add(rule);
        house.config.policy.deploy_callback_timeout = Duration::from_secs(100_000);
        (house, watched)
    }
}

fn party(client: &Client, node: Uuid, party: Party) -> JoinHandle<Result<(), Error>> {
    let client = client.clone();
    tokio::spawn(async move {
        match party {
            Party::Heartbeat => {
                let args = HeartbeatArgs::new(AGENT, Some(TOKEN.into()));
                client.heartbeat(node, args).await
            }
            Party::Abort => ask(&client, node, Verb::Abort).await,
            Party::Patch => {
                let changes = vec![Change::set("extra/patched", true)];
                client.update_node(node, changes).await.map(drop)
            }
            Party::Fact => {
                let fact = |node: &mut Node| {
                    node.extra.insert("fact".to_owned(), Value::Bool(true));
                    Ok(())
                };
                let repository = client.repository();
                repository
                    .update::<Node, ()>(node, None, fact)
                    .await
                    .map(drop)
            }
        }
    })
}

/// How a schedule went: after how many calls nobody had anything to do, and what was wrong.
struct Went {
    calls: u64,
    wrong: Vec<String>,
}

/// A deployment that waits for its agent, met by others as the schedule says.
async fn run(scene: &Scene, schedule: &Schedule, flaw: Flaw) -> Went {
    let (mut house, watched) = scene.set(flaw).await;
    house.config.heartbeat_interval = Duration::from_secs(500_000);
    house.config.heartbeat_timeout = Duration::from_secs(1_500_000);
    house.config.conductor_cleanup_interval = Duration::ZERO;
    let gate = Arc::new(Gate::new(watched.clone()));
    let gated = house.with_store(gate.clone());
    let conductor = gated.conductor("cond-a").await;
    let client = gated.client(&conductor);
    let chance = schedule.seed.map(SeededEntropy::new);
    let node = scene.node;

    gate.close();
    gate.begin(0);
    let deploy = {
        let client = client.clone();
        tokio::spawn(async move { ask(&client, node, Verb::Deploy).await })
    };
    let mut begun = Vec::new();
    let mut idle = 0;
    while idle < 3 {
        let waiting = gate.quiet().await;
        let next = schedule.begins.get(begun.len());
        // A party that was to begin after more calls than there are begins when all is quiet.
        if let Some((_, who)) = next.filter(|(at, _)| *at <= gate.passed() || waiting.is_empty()) {
            gate.begin(begun.len() + 1);
            begun.push((*who, party(&client, node, *who)));
            continue;
        }
        if waiting.is_empty() {
            // Longer than anybody waits before trying again.
            idle += 1;
            sleep(Duration::from_secs(2)).await;
            continue;
        }
        idle = 0;
        let at = match &chance {
            Some(chance) => chance.below(waiting.len() as u64) as usize,
            None => {
                let last = waiting.iter().max();
                waiting
                    .iter()
                    .position(|party| Some(party) == last)
                    .unwrap()
            }
        };
        gate.pass(at);
    }
    let calls = gate.passed();
    gate.open();
    deploy.await.unwrap().unwrap();
    let mut wrong = Vec::new();
    let mut answers = Vec::new();
    for (who, task) in begun {
        let answer = if task.is_finished() {
            task.await.unwrap()
        } else {
            wrong.push(format!("{who:?} got no answer"));
            continue;
        };
        answers.push((who, answer));
    }
    wrong.extend(outcome(&house, node, &answers).await);
    if conductor.tasks().busy() != 0 {
        wrong.push("a task is left".to_owned());
    }
    conductor.stop().await.unwrap();
    wrong.extend(
        watched
            .hook
            .wrong()
            .into_iter()
            .map(|wrong| format!("applied: {wrong}")),
    );
    Went { calls, wrong }
}

/// What does not fit the answers that the parties got.
async fn outcome(house: &House, node: Uuid, answers: &[(Party, Result<(), Error>)]) -> Vec<String> {
    let repository = house.repository();
    let record = repository.load::<Node>(node).await.unwrap().value;
    let flow = repository.get::<Flow>(node).await.unwrap();
    let lock = repository.get::<Lock>(node).await.unwrap();
    let accepted = |who: Party| {
        answers
            .iter()
            .any(|(party, answer)| *party == who && answer.is_ok())
    };
    let mut wrong = Vec::new();
    let mut check = |fits: bool, what: &str| {
        if !fits {
            let answers = format!("{answers:?}");
            wrong.push(format!(
                "{what}: {} {:?}; {answers}",
                record.provision_state, record.last_error
            ));
        }
    };
    let internal = &record.driver_internal_info;
    check(
        !accepted(Party::Heartbeat) || internal.contains_key("agent_last_heartbeat"),
        "a heartbeat is lost",
    );
    check(
        !accepted(Party::Patch) || record.extra.contains_key("patched"),
        "a patch is lost",
    );
    check(
        !accepted(Party::Fact) || record.extra.contains_key("fact"),
        "a fact is lost",
    );
    check(
        lock.is_none_or(|lock| lock.holder.is_none()),
        "a lock is left",
    );
    // The agent called again when all was quiet, so a node that waits for it has gone on.
    let rests = match record.provision_state {
        ProvisionState::DeployFailed => accepted(Party::Abort),
        ProvisionState::Active => accepted(Party::Heartbeat) && !accepted(Party::Abort),
        _ => false,
    };
    check(rests && flow.is_none(), "it does not rest where it should");
    let ran = house.fakes.call_count(FakeOperation::Deploy);
    check(ran == 1, &format!("the step ran {ran} times"));
    wrong
}

/// Runs the schedules; how many there were, and those after which something was wrong.
async fn explore(schedules: impl Iterator<Item = Schedule>, flaw: Flaw) -> (usize, Vec<String>) {
    let scene = Scene::make().await;
    let (mut number, mut wrong) = (0, Vec::new());
    for schedule in schedules {
        number += 1;
        let went = run(&scene, &schedule, flaw).await;
        wrong.extend(
            went.wrong
                .iter()
                .map(|wrong| format!("{schedule:?}: {wrong}")),
        );
    }
    (number, wrong)
}

/// How many calls a deployment makes that only its agent meets.
async fn calls() -> u64 {
    let scene = Scene::make().await;
    let went = run(&scene, &Schedule::of(&[]), Flaw::None).await;
    assert_eq!(went.wrong, Vec::<String>::new());
    assert!(went.calls > 20, "{} calls", went.calls);
    went.calls
}

impl Schedule {
    fn of(begins: &[(u64, Party)]) -> Self {
        let mut begins = begins.to_vec();
        begins.push((u64::MAX, Party::Heartbeat));
        Self { begins, seed: None }
    }

    /// Everybody at some time, and their calls in any order.
    fn random(seed: u64, calls: u64) -> Self {
        let chance = SeededEntropy::new(seed);
        let mut begins: Vec<_> = ALL.iter().map(|who| (chance.below(calls), *who)).collect();
        begins.sort_by_key(|(at, _)| *at);
        Self {
            seed: Some(seed),
            ..Self::of(&begins)
        }
    }
}

const ALL: [Party; 4] = [Party::Heartbeat, Party::Abort, Party::Patch, Party::Fact];

fn none_wrong((number, wrong): &(usize, Vec<String>)) {
    println!("{number} schedules");
    let shown = wrong.iter().take(10).cloned().collect::<Vec<_>>();
    assert!(
        wrong.is_empty(),
        "{} of {number}:\n{}",
        wrong.len(),
        shown.join("\n")
    );
}

#[tokio::test(start_paused = true)]
async fn anybody_between_any_two_calls_of_a_flow() {
    let calls = calls().await;
    let schedules = (0..=calls).flat_map(|at| ALL.map(|who| Schedule::of(&[(at, who)])));
    none_wrong(&explore(schedules, Flaw::None).await);
}

/// Two parties, the second at each of the calls from the first one's beginning on: within it, and
/// at every third call after it.
fn pairs(calls: u64, first: Party, second: Party) -> impl Iterator<Item = Schedule> {
    (0..=calls).flat_map(move |at| {
        let within = (at..at + 12).chain((at + 12..=calls).step_by(3));
        within.map(move |then| Schedule::of(&[(at, first), (then, second)]))
    })
}

#[tokio::test(start_paused = true)]
async fn an_abort_at_every_call_of_a_heartbeat_and_a_flow() {
    let calls = calls().await;
    none_wrong(&explore(pairs(calls, Party::Heartbeat, Party::Abort), Flaw::None).await);
}

#[tokio::test(start_paused = true)]
async fn a_heartbeat_at_every_call_of_an_abort_and_a_flow() {
    let calls = calls().await;
    none_wrong(&explore(pairs(calls, Party::Abort, Party::Heartbeat), Flaw::None).await);
}

#[tokio::test(start_paused = true)]
async fn a_heartbeat_at_every_call_of_a_patch_and_a_flow() {
    let calls = calls().await;
    none_wrong(&explore(pairs(calls, Party::Patch, Party::Heartbeat), Flaw::None).await);
}

#[tokio::test(start_paused = true)]
async fn everybody_in_any_order() {
    let calls = calls().await;
    let seeds = 0..400;
    println!("seeds {seeds:?}");
    let schedules = seeds.map(|seed| Schedule::random(seed, calls));
    none_wrong(&explore(schedules, Flaw::None).await);
}

#[tokio::test(start_paused = true)]
async fn a_store_that_ignores_revisions_is_found_out() {
    let calls = calls().await;
    let schedules = (0..=calls).flat_map(|at| ALL.map(|who| Schedule::of(&[(at, who)])));
    let (_, wrong) = explore(schedules, Flaw::IgnoresRevisions).await;
    let lost = |what: &str| wrong.iter().any(|wrong| wrong.contains(what));
    assert!(lost("a fact is lost"), "{wrong:#?}");
    assert!(
        lost("applied: a write landed on a node that it had not read"),
        "{wrong:#?}"
    );
}

/// A conductor falls asleep after so many calls of its flow, another takes its node over and
/// deploys it, and then the first one goes on as if nothing had been.
async fn asleep(scene: &Scene, calls: u64, flaw: Flaw) -> Vec<String> {
    let (house, watched) = scene.set(flaw).await;
    house.fakes.clear(FakeOperation::Deploy);
    let gate = Arc::new(Gate::new(watched.clone()));
    let gated = house.with_store(gate.clone());
    let first = gated.conductor("cond-a").await;
    let client = gated.client(&first);
    let node = scene.node;
    gate.close();
    let deploy = tokio::spawn(async move { ask(&client, node, Verb::Deploy).await });
    while gate.passed() < calls {
        if gate.quiet().await.is_empty() {
            break;
        }
        gate.pass(0);
    }
    let second = house.conductor("cond-b").await;
    sleep(Duration::from_secs(200)).await;
    let client = house.client(&second);
    let rests = |node: &Node| {
        let state = node.provision_state;
        matches!(state, ProvisionState::Active | ProvisionState::Available).then_some(Ok(()))
    };
    let settled = client.wait_until(node, LONG, rests).await.unwrap();
    // What the second one's callers do is not undone either.
    let changes = vec![Change::set("extra/patched", true)];
    client.update_node(node, changes).await.unwrap();
    gate.open();
    sleep(Duration::from_secs(300)).await;
    let asked = deploy.await.unwrap();
    let record = client.node(node).await.unwrap();
    let mut wrong = watched.hook.wrong();
    // A request that had not begun is free to begin now, or to be refused.
    let expected = match (settled.provision_state, asked) {
        (ProvisionState::Available, Err(_)) => ProvisionState::Available,
        _ => ProvisionState::Active,
    };
    if record.provision_state != expected || record.last_error.is_some() {
        wrong.push(format!(
            "outcome: {} {:?}",
            record.provision_state, record.last_error
        ));
    }
    if !record.extra.contains_key("patched") {
        wrong.push("outcome: a patch is lost".to_owned());
    }
    if house.locks().await.iter().any(|lock| lock.holder.is_some()) {
        wrong.push("outcome: a lock is left".to_owned());
    }
    first.stop().await.unwrap();
    second.stop().await.unwrap();
    wrong
}

#[tokio::test(start_paused = true)]
async fn nothing_of_a_former_holder_lands_whenever_it_fell_asleep() {
    let scene = Scene::make().await;
    for calls in 0..40 {
        let wrong = asleep(&scene, calls, Flaw::None).await;
        assert!(wrong.is_empty(), "asleep after {calls} calls: {wrong:#?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_store_that_ignores_fences_is_found_out() {
    let scene = Scene::make().await;
    let mut found = Vec::new();
    for calls in 0..40 {
        found.extend(asleep(&scene, calls, Flaw::IgnoresFences).await);
    }
    assert!(
        found.iter().any(|wrong| wrong.contains("fenced by epoch")),
        "{found:#?}"
    );
}
