//! How long what waits for an agent is waited for.

use std::time::Duration;

use ironic_core::client::Client;
use ironic_core::driver::fake::{Completion, FakeOperation as Op, FakeRule};
use ironic_core::model::Node;
use ironic_core::states::{InterfaceKind as I, ProvisionState as S, Verb};
use ironic_core::steps::UserStep;
use ironic_core::transport::{HeartbeatArgs, ProvisionArgs};
use tokio::time::{Instant, sleep};
use uuid::Uuid;

use crate::hold::reaches;
use crate::house::{House, LONG, ask, available, enrolled, go};

/// A flow that waits for an agent: how a node gets there, where it waits, and where it ends.
struct Flow {
    waits_in: Op,
    waits: S,
    fails: S,
    minutes: u64,
}

const FLOWS: [Flow; 5] = [
    Flow {
        waits_in: Op::Deploy,
        waits: S::DeployWait,
        fails: S::DeployFailed,
        minutes: 11,
    },
    Flow {
        waits_in: Op::PrepareSteps,
        waits: S::CleanWait,
        fails: S::CleanFailed,
        minutes: 12,
    },
    Flow {
        waits_in: Op::InspectHardware,
        waits: S::InspectWait,
        fails: S::InspectFailed,
        minutes: 13,
    },
    Flow {
        waits_in: Op::Rescue,
        waits: S::RescueWait,
        fails: S::RescueFailed,
        minutes: 14,
    },
    Flow {
        waits_in: Op::PrepareSteps,
        waits: S::ServiceWait,
        fails: S::ServiceFailed,
        minutes: 15,
    },
];

fn minutes(minutes: u64) -> Duration {
    Duration::from_secs(60 * minutes)
}

fn patient(by: impl Fn(u64) -> Duration) -> House {
    let mut house = House::new();
    let policy = &mut house.config.policy;
    policy.deploy_callback_timeout = by(11);
    policy.clean_callback_timeout = by(12);
    policy.inspect_wait_timeout = by(13);
    policy.rescue_callback_timeout = by(14);
    policy.service_callback_timeout = by(15);
    house
}

/// A node that waits for its agent in this flow.
async fn waiting(house: &House, client: &Client, flow: &Flow) -> Uuid {
    let node = enrolled(client).await;
    go(client, node, Verb::Manage, S::Manageable).await;
    if !matches!(flow.waits, S::CleanWait | S::InspectWait) {
        go(client, node, Verb::Provide, S::Available).await;
    }
    if matches!(flow.waits, S::RescueWait | S::ServiceWait) {
        go(client, node, Verb::Deploy, S::Active).await;
    }
    let agent = FakeRule::completes(flow.waits_in, Completion::Heartbeat);
    house.fakes.add(agent.on(node));
    let args = ProvisionArgs::default();
    let (verb, args) = match flow.waits {
        S::DeployWait => (Verb::Deploy, args),
        S::CleanWait => (Verb::Provide, args),
        S::InspectWait => (Verb::Inspect, args),
        S::RescueWait => (Verb::Rescue, args.with_rescue_password("let me in")),
        _ => {
            let step = UserStep::new(I::Vendor, "trigger_servicewait");
            (Verb::Service, args.with_steps(vec![step]))
        }
    };
    client.provision(node, verb, args).await.unwrap();
    reaches(client, node, flow.waits).await;
    node
}

async fn state(client: &Client, node: Uuid) -> S {
    client.node(node).await.unwrap().provision_state
}

#[tokio::test(start_paused = true)]
async fn each_flow_gives_an_agent_up_that_never_calls_after_its_own_time() {
    let house = patient(minutes);
    let conductor = house.conductor("cond-a").await;
    let client = house.client(&conductor);
    for flow in &FLOWS {
        let node = waiting(&house, &client, flow).await;
        let why = client.explain(node).await.unwrap().unwrap();
        assert!(why.until.is_some(), "{why}");
        sleep(minutes(flow.minutes) - Duration::from_secs(10)).await;
        assert_eq!(state(&client, node).await, flow.waits);
        sleep(Duration::from_secs(30)).await;
        let failed = client.node(node).await.unwrap();
        assert_eq!(failed.provision_state, flow.fails);
        let text = failed.last_error.unwrap();
        let waited = format!("timed out after {} s", flow.minutes * 60);
        assert!(text.contains(&waited), "{}: {text}", flow.fails);
        let history = client.history(node).await.unwrap();
        assert!(history.iter().any(|event| event.code == "timeout"));
        assert_eq!(client.reservation(node).await.unwrap(), None);
    }
    conductor.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_time_of_zero_is_no_limit() {
    let house = patient(|_| Duration::ZERO);
    let conductor = house.conductor("cond-a").await;
    let client = house.client(&conductor);
    for flow in &FLOWS {
        let node = waiting(&house, &client, flow).await;
        sleep(LONG).await;
        assert_eq!(state(&client, node).await, flow.waits);
        let why = client.explain(node).await.unwrap().unwrap();
        assert_eq!(why.until, None, "{why}");
    }
    conductor.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_step_may_take_longer_than_that_while_its_agent_calls() {
    let house = patient(minutes);
    let conductor = house.conductor("cond-a").await;
    let client = house.client(&conductor);
    let node = available(&client).await;
    let slow = Completion::Polls {
        times: 100_000,
        every: Duration::from_secs(10),
    };
    house.fakes.add(FakeRule::completes(Op::Deploy, slow));
    ask(&client, node, Verb::Deploy).await.unwrap();
    reaches(&client, node, S::DeployWait).await;
    let token = client.lookup(Some(node), &[]).await.unwrap().agent_token;
    for _ in 0..30 {
        sleep(minutes(5)).await;
        let call = HeartbeatArgs::new("http://192.0.2.9:9999", token.clone());
        client.heartbeat(node, call).await.unwrap();
        assert_eq!(state(&client, node).await, S::DeployWait);
    }
    // Then it falls silent.
    let silent = Instant::now();
    let error = client.wait_for(node, S::Active, LONG).await.unwrap_err();
    assert!(error.to_string().contains("timed out"), "{error}");
    let took = silent.elapsed();
    let expected = minutes(11)..minutes(11) + Duration::from_secs(10);
    assert!(expected.contains(&took), "{took:?}");
    conductor.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn time_stands_still_in_maintenance_and_little_is_done_meanwhile() {
    let house = patient(minutes);
    let conductor = house.conductor("cond-a").await;
    let client = house.client(&conductor);
    let repository = house.repository();
    for flow in &FLOWS {
        let node = waiting(&house, &client, flow).await;
        client.set_maintenance(node, true, None).await.unwrap();
        sleep(LONG).await;
        let before = repository.load::<Node>(node).await.unwrap().revision;
        sleep(LONG).await;
        let after = repository.load::<Node>(node).await.unwrap().revision;
        assert_eq!((state(&client, node).await, after), (flow.waits, before));
        let why = client.explain(node).await.unwrap().unwrap();
        assert_eq!(why.until, None, "{why}");
        let locked = repository.load::<ironic_core::model::Lock>(node).await;
        let epoch = locked.unwrap().epoch;
        sleep(LONG).await;
        let locked = repository.load::<ironic_core::model::Lock>(node).await;
        assert_eq!(locked.unwrap().epoch, epoch, "nobody took the node");
        client.set_maintenance(node, false, None).await.unwrap();
        sleep(Duration::from_secs(5)).await;
        assert_eq!(state(&client, node).await, flow.fails);
    }
    conductor.stop().await.unwrap();
}
