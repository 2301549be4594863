//! Nodes in maintenance: whether what is going on with them waits until it is over, or ends.

use std::time::Duration;

use ironic_core::ErrorKind;
use ironic_core::client::Client;
use ironic_core::driver::fake::{Completion, FakeOperation as Op, FakeRule};
use ironic_core::states::{ProvisionState as S, Verb};
use ironic_core::transport::{HeartbeatArgs, ProvisionArgs};
use tokio::time::sleep;
use uuid::Uuid;

use crate::hold::{agent_calls, reaches};
use crate::house::{House, LONG, ask, available, enrolled, go};

/// A house in which a deployment waits for its agent.
fn waits(house: &House) {
    house
        .fakes
        .add(FakeRule::completes(Op::Deploy, Completion::Heartbeat));
}

async fn deploying(client: &Client) -> Uuid {
    let node = available(client).await;
    ask(client, node, Verb::Deploy).await.unwrap();
    reaches(client, node, S::DeployWait).await;
    client.set_maintenance(node, true, None).await.unwrap();
    node
}

#[tokio::test(start_paused = true)]
async fn what_is_going_on_waits_for_the_end_of_maintenance() {
    let house = House::new();
    waits(&house);
    let conductor = house.conductor("cond-a").await;
    let client = house.client(&conductor);
    let node = deploying(&client).await;
    let token = client.lookup(Some(node), &[]).await.unwrap().agent_token;
    let call = || HeartbeatArgs::new("http://192.0.2.9:9999", token.clone());
    client.heartbeat(node, call()).await.unwrap();
    sleep(Duration::from_secs(60)).await;
    let held = client.node(node).await.unwrap();
    assert_eq!(held.provision_state, S::DeployWait);
    client.set_maintenance(node, false, None).await.unwrap();
    client.heartbeat(node, call()).await.unwrap();
    client.wait_for(node, S::Active, LONG).await.unwrap();

    // The instance is taken off in maintenance too, and the machine made available.
    client.set_maintenance(node, true, None).await.unwrap();
    go(&client, node, Verb::Undeploy, S::Available).await;
    conductor.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn it_is_aborted_by_the_agents_call_where_the_operator_wants_that() {
    let mut house = House::new();
    house.config.policy.allow_provisioning_in_maintenance = false;
    waits(&house);
    let conductor = house.conductor("cond-a").await;
    let client = house.client(&conductor);
    let node = deploying(&client).await;
    agent_calls(&client, node).await;
    reaches(&client, node, S::DeployFailed).await;
    let failed = client.node(node).await.unwrap();
    let text = failed.last_error.unwrap();
    assert!(
        text.contains("aborted: the node is in maintenance"),
        "{text}"
    );

    // The same where the agent runs a step that is asked how far it is.
    let polls = Completion::Polls {
        times: 1000,
        every: Duration::from_secs(10),
    };
    house.fakes.clear(Op::Deploy);
    house.fakes.add(FakeRule::completes(Op::Deploy, polls));
    let node = deploying(&client).await;
    agent_calls(&client, node).await;
    reaches(&client, node, S::DeployFailed).await;
    conductor.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn every_flow_that_an_agent_takes_part_in_is() {
    let mut house = House::new();
    house.config.policy.allow_provisioning_in_maintenance = false;
    let conductor = house.conductor("cond-a").await;
    let client = house.client(&conductor);
    let node = available(&client).await;
    go(&client, node, Verb::Deploy, S::Active).await;
    house
        .fakes
        .add(FakeRule::completes(Op::Rescue, Completion::Heartbeat));
    let args = ProvisionArgs::default().with_rescue_password("let me in");
    client.provision(node, Verb::Rescue, args).await.unwrap();
    reaches(&client, node, S::RescueWait).await;
    client.set_maintenance(node, true, None).await.unwrap();
    agent_calls(&client, node).await;
    reaches(&client, node, S::RescueFailed).await;
    let left = client.node(node).await.unwrap().instance_info;
    assert!(!left.contains_key("rescue_password"));

    house
        .fakes
        .add(FakeRule::completes(Op::PrepareSteps, Completion::Heartbeat).nth(1));
    let node = enrolled(&client).await;
    go(&client, node, Verb::Manage, S::Manageable).await;
    ask(&client, node, Verb::Provide).await.unwrap();
    reaches(&client, node, S::CleanWait).await;
    client.set_maintenance(node, true, None).await.unwrap();
    agent_calls(&client, node).await;
    reaches(&client, node, S::CleanFailed).await;
    conductor.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn no_node_becomes_available_in_maintenance_where_the_operator_does_not_want_that() {
    let mut house = House::new();
    house.config.policy.allow_provisioning_in_maintenance = false;
    let conductor = house.conductor("cond-a").await;
    let client = house.client(&conductor);
    let node = enrolled(&client).await;
    go(&client, node, Verb::Manage, S::Manageable).await;
    client.set_maintenance(node, true, None).await.unwrap();
    let error = ask(&client, node, Verb::Provide).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InMaintenance, "{error}");
    client.set_maintenance(node, false, None).await.unwrap();
    go(&client, node, Verb::Provide, S::Available).await;
    go(&client, node, Verb::Deploy, S::Active).await;

    house.fakes.record();
    client.set_maintenance(node, true, None).await.unwrap();
    ask(&client, node, Verb::Undeploy).await.unwrap();
    reaches(&client, node, S::CleanFailed).await;
    sleep(Duration::from_secs(5)).await;
    let calls = house.fakes.calls(node);
    let touched = calls
        .iter()
        .any(|call| matches!(call.operation, Op::PrepareSteps | Op::TearDownSteps));
    assert!(!touched, "{calls:?}");
    assert_eq!(client.flow(node).await.unwrap(), None);
    conductor.stop().await.unwrap();
}
