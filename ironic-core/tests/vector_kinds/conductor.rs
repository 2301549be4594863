//! What a conductor answers to a request in each state: a real one, over fake machines that never
//! get anything done, so that the state in which a request leaves the node can be seen.

use std::sync::Arc;
use std::time::Duration;

use ironic_core::client::Client;
use ironic_core::conductor::Conductor;
use ironic_core::config::Config;
use ironic_core::driver::Registry;
use ironic_core::driver::fake::{self, FakeBehaviour, FakeOperation, FakeRule};
use ironic_core::flow::{Effect, Flow, Wait, Waiting};
use ironic_core::model::Node;
use ironic_core::runtime::{ManualClock, SeededEntropy};
use ironic_core::states::{FlowKind, InterfaceKind, ProvisionState as S, Verb};
use ironic_core::steps::{Impact, Replay, StepCatalog, StepDef, StepPlan, UserStep};
use ironic_core::store::{MemoryStore, Repository};
use ironic_core::transport::{LocalTransport, ProvisionArgs};
use ironic_core::{Error, ErrorKind, Timestamp};
use serde_json::Value;
use tokio::runtime::Runtime;
use uuid::Uuid;

use crate::states::state;

/// Two conductors, of which one lets nobody remove available nodes.
pub(crate) struct Conducted {
    runtime: Runtime,
    lenient: House,
    strict: House,
}

struct House {
    client: Client,
    repository: Repository,
    _conductor: Conductor,
}

impl House {
    async fn new(allow_deleting_available_nodes: bool) -> Self {
        let repository = Repository::new(Arc::new(MemoryStore::new()));
        let stuck = FakeBehaviour::new();
        for kind in InterfaceKind::ALL {
            for operation in FakeOperation::of(*kind) {
                stuck.add(FakeRule::hangs(operation));
            }
        }
        let mut config = Config::new("cond");
        config.sync_power_state_interval = Duration::ZERO;
        config.workers = 100_000;
        (config.max_concurrent_deploy, config.max_concurrent_clean) = (100_000, 100_000);
        config.policy.allow_deleting_available_nodes = allow_deleting_available_nodes;
        let registry = fake::register(Registry::builder(), &stuck).build().unwrap();
        let conductor = Conductor::builder()
            .store(Arc::clone(repository.store()))
            .registry(Arc::new(registry))
            .config(config)
            .clock(Arc::new(ManualClock::new(Timestamp::EPOCH)))
            .entropy(Arc::new(SeededEntropy::new(1)))
            .start()
            .await
            .unwrap();
        let transport = Arc::new(LocalTransport::new());
        transport.register("cond", conductor.handler());
        let membership = Arc::clone(conductor.membership());
        Self {
            client: Client::new(repository.clone(), membership, transport),
            repository,
            _conductor: conductor,
        }
    }

    /// Records a node as the case has it.
    async fn node(&self, case: &Value) -> Node {
        let number = case["id"].as_str().and_then(|id| id.rsplit('-').next());
        let number: u128 = number.unwrap().parse().unwrap();
        let mut node = Node::new(Uuid::from_u128(number), "fake-hardware");
        node.provision_state = state(&case["state"]).unwrap();
        node.target_provision_state = state(&case["target_before"]);
        node.maintenance = case["maintenance"] == true;
        node.protected = case["protected"] == true;
        if case["instance_uuid_set"] == true {
            node.instance_uuid = Some(Uuid::from_u128(number + (1 << 64)));
        }
        if node.provision_state == S::InspectWait {
            // The original's fake cannot stop an inspection; of ours, only `no-inspect` cannot.
            node.interfaces
                .set(InterfaceKind::Inspect, Some("no-inspect".to_owned()));
        }
        self.repository.create(&node).await.unwrap();
        if let Some(flow) = flow(&node, case) {
            self.repository.create(&flow).await.unwrap();
        }
        node
    }
}

/// What goes on with a node in a state where something does: its first step of two runs or waits
/// where the case has a current step, else what comes before the steps.
fn flow(node: &Node, case: &Value) -> Option<Flow> {
    let kind = match node.provision_state {
        S::CleanWait | S::CleanHold => FlowKind::Clean,
        S::Deploying | S::DeployWait | S::DeployHold => FlowKind::Deploy,
        S::ServiceWait | S::ServiceHold => FlowKind::Service,
        S::RescueWait => FlowKind::Rescue,
        S::InspectWait => FlowKind::Inspect,
        _ => return None,
    };
    let abortable = case.get("current_step_abortable").map(|is| is == true);
    let mut step = StepDef::new(
        InterfaceKind::Deploy,
        "deploy",
        10,
        Replay::Idempotent,
        Impact::NONE,
    );
    if abortable != Some(false) {
        step = step.abortable();
    }
    let catalog = StepCatalog::new(kind, vec![step]);
    let mut flow = Flow::new(node.uuid, kind, node.generation, Timestamp::EPOCH);
    let effect = match abortable {
        Some(_) => Effect::RunStep { index: 0 },
        None => Effect::Prepare,
    };
    if abortable.is_some() {
        flow.plan = StepPlan::automated(&catalog);
    }
    flow.begin(effect, Replay::Idempotent, Timestamp::EPOCH);
    if node.provision_state != S::Deploying {
        let wait = Wait::for_agent("the next step");
        flow.pending[0].waiting = Some(Waiting::new(&wait, Timestamp::EPOCH));
    }
    Some(flow)
}

impl Conducted {
    pub(crate) fn new() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .start_paused(true)
            .build()
            .unwrap();
        let lenient = runtime.block_on(House::new(true));
        let strict = runtime.block_on(House::new(false));
        Self {
            runtime,
            lenient,
            strict,
        }
    }

    /// A request: its answer, the state that it leaves the node in, and whether something begins.
    pub(crate) fn action(&self, case: &Value) -> Result<(), String> {
        self.runtime.block_on(async {
            let house = &self.lenient;
            let node = house.node(case).await;
            let answer = ask(&house.client, node.uuid, case["action"].as_str().unwrap()).await;
            let after = house.client.node(node.uuid).await.unwrap();
            let expect = &case["expect"];
            judge(&answer, expect)?;
            let got = (after.provision_state, after.target_provision_state);
            let wanted = (
                state(&expect["provision_state"]).unwrap(),
                state(&expect["target_provision_state"]),
            );
            if got != wanted {
                return Err(format!("{got:?}"));
            }
            let works = house.client.reservation(node.uuid).await.unwrap().is_some();
            let due = house.client.flow(node.uuid).await.unwrap();
            let due = due.and_then(|flow| flow.due());
            let begins = works || due.is_some_and(|due| due <= Timestamp::EPOCH);
            let begun = expect["worker"].as_array().is_some_and(|w| !w.is_empty());
            // What nobody works on in the original may go on by itself here, but not the reverse.
            if works && !begun || begun && !begins {
                return Err(format!("works: {works}, begins: {begins}"));
            }
            Ok(())
        })
    }

    /// Removing a node.
    pub(crate) fn destroy_node(&self, case: &Value) -> Result<(), String> {
        self.runtime.block_on(async {
            let allowed = case["allow_deleting_available_nodes"] == true;
            let house = if allowed { &self.lenient } else { &self.strict };
            let node = house.node(case).await.uuid;
            let answer = house.client.delete_node(node).await;
            judge(&answer, &case["expect"])?;
            let gone = house.client.node(node).await.is_err();
            if gone == answer.is_ok() {
                Ok(())
            } else {
                Err(format!("gone: {gone}"))
            }
        })
    }
}

async fn ask(client: &Client, node: Uuid, action: &str) -> Result<(), Error> {
    let kind = match action {
        "continue_clean" => Some(FlowKind::Clean),
        "continue_deploy" => Some(FlowKind::Deploy),
        "continue_service" => Some(FlowKind::Service),
        _ => None,
    };
    if let Some(kind) = kind {
        return client.continue_flow(node, kind).await;
    }
    let step =
        |kind, name: &str| ProvisionArgs::default().with_steps(vec![UserStep::new(kind, name)]);
    let (verb, args) = match action {
        "deploy" => (Verb::Deploy, ProvisionArgs::default()),
        "rebuild" => (Verb::Rebuild, ProvisionArgs::default()),
        "tear_down" => (Verb::Undeploy, ProvisionArgs::default()),
        "inspect" => (Verb::Inspect, ProvisionArgs::default()),
        "rescue" => (
            Verb::Rescue,
            ProvisionArgs::default().with_rescue_password("password"),
        ),
        "unrescue" => (Verb::Unrescue, ProvisionArgs::default()),
        "clean" => (Verb::Clean, step(InterfaceKind::Bios, "factory_reset")),
        "service" => (
            Verb::Service,
            step(InterfaceKind::Vendor, "trigger_servicewait"),
        ),
        other => {
            let name = other.strip_prefix("action:").unwrap_or(other);
            (name.parse().unwrap(), ProvisionArgs::default())
        }
    };
    client.provision(node, verb, args).await
}

/// Whether the answer is the one that the original gave.
fn judge(answer: &Result<(), Error>, expect: &Value) -> Result<(), String> {
    let wanted = match expect["error"].as_str() {
        None => None,
        Some("InvalidStateRequested") => Some(ErrorKind::InvalidState),
        Some("InvalidState") => Some(ErrorKind::StateConflict),
        Some("NodeInMaintenance") => Some(ErrorKind::InMaintenance),
        Some("NodeProtected") => Some(ErrorKind::Protected),
        Some("NodeAssociated") => Some(ErrorKind::Associated),
        Some("UnsupportedDriverExtension") => Some(ErrorKind::Unsupported),
        Some(other) => return Err(format!("the test does not know the error {other}")),
    };
    match answer {
        Ok(()) if wanted.is_none() => Ok(()),
        Err(error) if Some(error.kind()) == wanted => Ok(()),
        other => Err(format!("{other:?}")),
    }
}
