//! Runs a flow to its end, and runs it with a conductor that dies on the way.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use ironic_core::client::Client;
use ironic_core::conductor::Conductor;
use ironic_core::driver::RegistryBuilder;
use ironic_core::driver::fake::{FakeCall, FakeOperation, FakeRule};
use ironic_core::flow::Flow;
use ironic_core::model::{HistoryEvent, JsonMap, Lock, Node};
use ironic_core::states::{InterfaceKind as I, ProvisionState};
use ironic_core::store::{Filter, Kind, MemoryStore, Query, Repository, Store};
use ironic_core::testing::FaultyStore;
use ironic_core::transport::{HeartbeatArgs, InspectionArgs};
use serde_json::Value;
use tokio::time::{sleep, timeout};
use uuid::Uuid;

use super::cases::Case;
use super::contracts::Contracts;
use crate::house::House;

/// Longer than any request takes, and than any flow needs to get stuck.
const WHILE: Duration = Duration::from_secs(30);

/// When the conductor dies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Death {
    /// With a commit: what was to be done next is not begun.
    AfterCommit,
    /// Before the next commit: what was done between is not recorded.
    BeforeCommit,
    /// In the middle of an effect, which has no answer.
    InEffect,
}

/// Who goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Heir {
    /// The same conductor, started anew.
    Same,
    /// Another one, that finds it dead.
    Other,
}

impl Heir {
    fn host(self) -> &'static str {
        match self {
            Self::Same => "cond-a",
            Self::Other => "cond-b",
        }
    }
}

/// What a flow is like that nobody disturbs.
#[derive(Debug)]
pub(crate) struct Whole {
    pub(crate) commits: u64,
    pub(crate) effects: Vec<Effect>,
    /// The node before and after it, without what is different each time.
    start: Value,
    pub(crate) end: Value,
}

/// Something asked of the machine, and the how-manieth of its sort.
#[derive(Debug)]
pub(crate) struct Effect {
    call: FakeCall,
    nth: u64,
}

impl Effect {
    pub(crate) fn operation(&self) -> FakeOperation {
        self.call.operation
    }
}

impl fmt::Display for Effect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { call, nth } = self;
        write!(f, "{} {} ({nth}.)", call.operation, call.argument)
    }
}

/// A node at the beginning of its flow, and its conductor, whose store can die.
struct Run {
    house: House,
    faulty: Arc<FaultyStore>,
    contracts: Contracts,
    conductor: Conductor,
    client: Client,
    node: Uuid,
}

fn registered(builder: RegistryBuilder, contracts: &Contracts) -> RegistryBuilder {
    builder
        .vendor("contracts", Arc::new(contracts.clone()))
        .enable(I::Vendor, ["contracts", "fake", "no-vendor"])
}

impl Run {
    async fn begin(case: &Case) -> Self {
        let inner: Arc<dyn Store> = Arc::new(MemoryStore::new());
        let faulty = Arc::new(FaultyStore::new(Arc::clone(&inner)));
        let house = House::over(inner);
        let contracts = Contracts::default();
        let doomed = house.with_store(faulty.clone());
        let with = |builder| registered(builder, &contracts);
        let conductor = doomed.conductor_with("cond-a", with).await;
        let client = doomed.client(&conductor);
        let node = case.begin(&client).await;
        Self {
            house,
            faulty,
            contracts,
            conductor,
            client,
            node,
        }
    }

    fn repository(&self) -> Repository {
        self.house.repository()
    }

    async fn node(&self) -> Node {
        self.repository()
            .load::<Node>(self.node)
            .await
            .unwrap()
            .value
    }

    async fn flow(&self) -> Option<Flow> {
        let flow = self.repository().get::<Flow>(self.node).await.unwrap();
        flow.map(|flow| flow.value)
    }

    async fn locked(&self) -> bool {
        let lock = self.repository().get::<Lock>(self.node).await.unwrap();
        lock.is_some_and(|lock| lock.holder.is_some())
    }

    async fn history(&self) -> Vec<HistoryEvent> {
        let of_node = Filter::text("node_uuid", self.node.to_string());
        let query = Query::all(Kind::History).filter(of_node);
        let events = self.repository().list::<HistoryEvent>(&query).await;
        events
            .unwrap()
            .into_iter()
            .map(|event| event.value)
            .collect()
    }

    async fn agent_calls(&self, client: &Client) {
        if self.node().await.provision_state == ProvisionState::InspectWait {
            let inventory = serde_json::json!({"memory": {"physical_mb": 1024}});
            let inventory = inventory.as_object().cloned().unwrap();
            let found = InspectionArgs::new(inventory, JsonMap::new());
            let _ = client
                .continue_inspection(Some(self.node), &[], found)
                .await;
            return;
        }
        let token = match self.node().await.internal_str("agent_secret_token") {
            Some(token) => Some(token.to_owned()),
            None => match client.lookup(Some(self.node), &[]).await {
                Ok(found) => found.agent_token,
                Err(_) => return,
            },
        };
        let call = HeartbeatArgs::new("http://192.0.2.9:9999", token);
        let _ = client.heartbeat(self.node, call).await;
    }

    fn never_twice(&self, what: &str) {
        for step in ["probe", "never"] {
            let most = self.contracts.most(step);
            assert!(most <= 1, "{what}: step {step} ran {most} times");
        }
    }

    /// Waits until nothing goes on with the node, by its records. Its agent calls meanwhile.
    async fn rests(&self, client: &Client, what: &str) -> Node {
        for _ in 0..7200 {
            let node = self.node().await;
            let state = node.provision_state;
            if state.is_waiting() {
                // A conductor that is dead, and not known to be, gives no answer.
                let _ = timeout(WHILE, self.agent_calls(client)).await;
            }
            let rests = state.is_stable() || state.is_failure();
            if rests && self.flow().await.is_none() && !self.locked().await {
                return node;
            }
            sleep(Duration::from_secs(1)).await;
        }
        let (node, flow, locked) = (self.node().await, self.flow().await, self.locked().await);
        panic!("{what}: it does not come to rest: {node:?}, {flow:?}, locked: {locked}");
    }
}

/// Runs a flow to its end while its machine does this.
pub(crate) async fn whole(case: &Case, rules: &[FakeRule]) -> Whole {
    let run = Run::begin(case).await;
    let start = comparable(&run.node().await);
    for rule in rules {
        run.house.fakes.add(rule.clone());
    }
    run.house.fakes.record();
    let before = run.faulty.commits();
    case.ask(&run.client, run.node).await.unwrap();
    let end = run.rests(&run.client, case.name).await;
    let commits = run.faulty.commits() - before;
    let calls = run.house.fakes.calls(run.node);
    run.conductor.stop().await.unwrap();
    if rules.is_empty() {
        assert_eq!(
            end.provision_state, case.to,
            "{}: {:?}",
            case.name, end.last_error
        );
    }
    Whole {
        commits,
        effects: effects(calls),
        start,
        end: comparable(&end),
    }
}

/// What changes the machine, or asks it.
fn effects(calls: Vec<FakeCall>) -> Vec<Effect> {
    let mut effects: Vec<Effect> = Vec::new();
    for call in calls {
        let same = |effect: &&Effect| effect.call.operation == call.operation;
        let nth = effects.iter().filter(same).count() as u64 + 1;
        effects.push(Effect { call, nth });
    }
    let checks = |effect: &Effect| effect.call.operation.as_str().ends_with(".validate");
    effects.retain(|effect| !checks(effect));
    effects
}

/// The rule by which the effect of this number never answers.
pub(crate) fn hang(whole: &Whole, at: u64) -> FakeRule {
    let effect = &whole.effects[usize::try_from(at).unwrap()];
    FakeRule::hangs(effect.call.operation).nth(effect.nth)
}

/// The node without what is different each time.
fn comparable(node: &Node) -> Value {
    let mut node = serde_json::to_value(node).unwrap();
    let fields = node.as_object_mut().unwrap();
    let varies = |name: &str| name.ends_with("_at") || matches!(name, "generation" | "conductor");
    fields.retain(|name, _| !varies(name));
    if let Some(Value::Object(internal)) = fields.get_mut("driver_internal_info") {
        internal.retain(|name, _| !name.ends_with("_change") && !name.ends_with("_refreshed"));
    }
    node
}

/// Kills the flow's conductor there, lets the heir go on, and checks that all is as if nothing
/// had been. Returns whether there was a flow to go on with.
pub(crate) async fn killed(
    case: &Case,
    rules: &[FakeRule],
    death: Death,
    at: u64,
    heir: Heir,
    whole: &Whole,
) -> bool {
    let what = format!("{} killed {death:?} {at}, then {heir:?}", case.name);
    let (run, left) = kill(case, rules, death, at, heir, &what).await;
    check(case, &run, &what, left.begun, &left.settled, whole);
    left.flow.is_some()
}

/// The same on a machine that fails: what becomes of the node depends on when its conductor died,
/// and it is checked that it comes to rest and is explained.
pub(crate) async fn survives(
    case: &Case,
    rules: &[FakeRule],
    death: Death,
    at: u64,
    heir: Heir,
    what: &str,
) -> bool {
    let what = format!(
        "{}, {what}, killed {death:?} {at}, then {heir:?}",
        case.name
    );
    let (run, left) = kill(case, rules, death, at, heir, &what).await;
    run.never_twice(&what);
    let (state, error) = (left.settled.provision_state, &left.settled.last_error);
    assert!(
        !state.is_failure() || error.is_some(),
        "{what}: {state} without a reason"
    );
    left.flow.is_some()
}

/// What a death left behind, and what became of it.
struct Left {
    /// Whether the request was committed.
    begun: bool,
    flow: Option<Flow>,
    settled: Node,
}

async fn kill(
    case: &Case,
    rules: &[FakeRule],
    death: Death,
    at: u64,
    heir: Heir,
    what: &str,
) -> (Run, Left) {
    let run = Run::begin(case).await;
    for rule in rules {
        run.house.fakes.add(rule.clone());
    }
    let generation = run.node().await.generation;
    match death {
        Death::AfterCommit => run.faulty.die_after(at),
        Death::BeforeCommit => run.faulty.fail_after(at),
        Death::InEffect => {}
    }
    let asked = timeout(WHILE, case.ask(&run.client, run.node)).await;
    let accepted = matches!(asked, Ok(Ok(())));
    sleep(WHILE).await;
    run.faulty.die_after(0);

    let (found, flow) = (run.node().await, run.flow().await);
    let begun = found.generation > generation;
    assert!(begun || !accepted, "{what}: accepted, and not recorded");
    let with = |builder| registered(builder, &run.contracts);
    let heir = run.house.conductor_with(heir.host(), with).await;
    let client = run.house.client(&heir);
    let settled = run.rests(&client, what).await;
    let running = flow.as_ref().is_some_and(|flow| !flow.is_waiting());
    if running {
        let told = run.history().await;
        let told = told
            .iter()
            .any(|event| matches!(event.code.as_str(), "resumed" | "interrupted"));
        assert!(
            told,
            "{what}: its history does not say that it was interrupted"
        );
    }
    heir.stop().await.unwrap();
    let left = Left {
        begun,
        flow,
        settled,
    };
    (run, left)
}

fn check(case: &Case, run: &Run, what: &str, begun: bool, settled: &Node, whole: &Whole) {
    run.never_twice(what);
    let state = settled.provision_state;
    if !begun {
        assert_eq!(comparable(settled), whole.start, "{what}: it never began");
        return;
    }
    if state.is_failure() && case.may_be_given_up() {
        let error = settled.last_error.as_deref().unwrap_or_default();
        let said = "must not be carried out twice";
        assert!(error.contains(said), "{what}: {state}: {error}");
        return;
    }
    assert_eq!(comparable(settled), whole.end, "{what}");
}
