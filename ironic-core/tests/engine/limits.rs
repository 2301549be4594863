//! How much a conductor, and a fleet, does at a time.

mod fleet;

use std::time::Duration;

use futures::future::join_all;
use ironic_core::ErrorKind;
use ironic_core::client::Client;
use ironic_core::driver::fake::{Completion, FakeOperation, FakeRule};
use ironic_core::states::{BootMode, PowerTarget, ProvisionState, Verb};
use ironic_core::transport::{Change, HeartbeatArgs, ProvisionArgs};
use tokio::time::{sleep, timeout};
use uuid::Uuid;

use crate::house::{House, ask, available, enrolled, go};

/// Deployments and cleanings wait for an agent that never calls.
fn nothing_ends(house: &House) {
    for operation in [FakeOperation::PrepareDeploy, FakeOperation::PrepareSteps] {
        house
            .fakes
            .add(FakeRule::completes(operation, Completion::Heartbeat));
    }
}

async fn some_available(client: &Client, count: usize) -> Vec<Uuid> {
    let mut nodes = Vec::new();
    for _ in 0..count {
        nodes.push(available(client).await);
    }
    nodes
}

/// A house whose conductors have four workers, two of which are kept for requests.
fn few_workers() -> House {
    let mut house = House::new();
    house.config.workers = 4;
    house.config.reserved_workers_percentage = 50;
    house
}

fn power_takes_half_a_minute(house: &House) {
    house.fakes.add(FakeRule::takes(
        FakeOperation::SetPowerState,
        Duration::from_secs(30),
    ));
}

/// Asks for a verb and waits until the node waits in `state`.
async fn wait_in(client: &Client, node: Uuid, verb: Verb, state: ProvisionState) {
    ask(client, node, verb).await.unwrap();
    let waits = async {
        while client.node(node).await.unwrap().provision_state != state {
            sleep(Duration::from_millis(1)).await;
        }
    };
    timeout(Duration::from_secs(5), waits).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn no_more_nodes_deploy_at_a_time_than_may() {
    let mut house = House::new();
    house.config.max_concurrent_deploy = 3;
    let conductor = house.conductor("cond-a").await;
    let client = house.client(&conductor);
    let nodes = some_available(&client, 8).await;
    nothing_ends(&house);
    let asked = join_all(nodes.iter().map(|node| ask(&client, *node, Verb::Deploy))).await;
    let refused: Vec<_> = asked.iter().filter_map(|it| it.as_ref().err()).collect();
    assert_eq!(refused.len(), 5, "asked at the same time, and yet three");
    for error in refused {
        assert_eq!(error.kind(), ErrorKind::NoFreeWorker);
        assert_eq!(error.code(), "concurrent_limit");
        assert!(error.is_retryable());
        let text = error.to_string();
        assert!(text.contains("max_concurrent_deploy"), "{text}");
    }
    // Those refused are as they were, and nobody's.
    let still = asked.iter().zip(&nodes).find(|(asked, _)| asked.is_err());
    let (_, still) = still.unwrap();
    let record = client.node(*still).await.unwrap();
    assert_eq!(record.provision_state, ProvisionState::Available);
    assert_eq!(client.reservation(*still).await.unwrap(), None);
    // One that leaves makes room for one.
    let (_, gone) = asked
        .iter()
        .zip(&nodes)
        .find(|(asked, _)| asked.is_ok())
        .unwrap();
    sleep(Duration::from_secs(1)).await;
    wait_in(&client, *gone, Verb::Undeploy, ProvisionState::CleanWait).await;
    ask(&client, *still, Verb::Deploy).await.unwrap();
    conductor.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn removals_and_cleanings_share_a_limit_that_automated_cleaning_does_not_have() {
    let mut house = House::new();
    house.config.max_concurrent_clean = 1;
    let conductor = house.conductor("cond-a").await;
    let client = house.client(&conductor);
    let deployed = available(&client).await;
    go(&client, deployed, Verb::Deploy, ProvisionState::Active).await;
    let mut managed = Vec::new();
    for _ in 0..2 {
        let node = enrolled(&client).await;
        go(&client, node, Verb::Manage, ProvisionState::Manageable).await;
        managed.push(node);
    }
    nothing_ends(&house);
    let [first, second] = managed[..] else {
        panic!("two nodes")
    };
    wait_in(&client, first, Verb::Provide, ProvisionState::CleanWait).await;
    let steps = ProvisionArgs::default().with_steps(
        serde_json::from_value(serde_json::json!([
            {"interface": "power", "step": "reboot"}
        ]))
        .unwrap(),
    );
    let cleaning = client.provision(second, Verb::Clean, steps).await;
    let removal = ask(&client, deployed, Verb::Undeploy).await;
    for (refused, word) in [(cleaning, "cleaning"), (removal, "unprovisioning")] {
        let error = refused.unwrap_err();
        assert_eq!(error.code(), "concurrent_limit");
        assert!(error.to_string().contains(word), "{error}");
        assert!(error.to_string().contains("max_concurrent_clean"));
    }
    ask(&client, second, Verb::Provide).await.unwrap();
    conductor.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn limits_count_the_fleet_or_the_conductors_own_group() {
    for own in [false, true] {
        let mut house = House::new();
        house.config.max_concurrent_deploy = 1;
        house.config.max_concurrent_per_conductor_group = own;
        let north = house.conductor("north").await;
        house.config.conductor_group = "south".to_owned();
        let south = house.conductor("south").await;
        let client = house.client(&north);
        let here = available(&client).await;
        let mut there = ironic_core::Node::new(Uuid::nil(), "fake-hardware");
        there.conductor_group = "south".to_owned();
        let there = client.create_node(there).await.unwrap().uuid;
        go(&client, there, Verb::Manage, ProvisionState::Manageable).await;
        go(&client, there, Verb::Provide, ProvisionState::Available).await;
        nothing_ends(&house);
        wait_in(&client, here, Verb::Deploy, ProvisionState::DeployWait).await;
        let asked = ask(&client, there, Verb::Deploy).await;
        assert_eq!(asked.is_ok(), own, "own group only: {own}: {asked:?}");
        north.stop().await.unwrap();
        south.stop().await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_request_finds_no_worker_when_all_are_busy_and_one_when_one_is_done() {
    let house = few_workers();
    let conductor = house.conductor("cond-a").await;
    let client = house.client(&conductor);
    let nodes = some_available(&client, 5).await;
    power_takes_half_a_minute(&house);
    let (last, others) = nodes.split_last().unwrap();
    for node in others {
        client
            .set_power(*node, PowerTarget::On, None)
            .await
            .unwrap();
    }
    let busy = client.set_power(*last, PowerTarget::On, None).await;
    let busy = busy.unwrap_err();
    assert_eq!(busy.kind(), ErrorKind::NoFreeWorker);
    assert!(busy.to_string().contains("cond-a"), "{busy}");
    // What only changes a record needs none.
    let described = Change::set("description", "busy");
    client.update_node(*last, vec![described]).await.unwrap();
    sleep(Duration::from_secs(31)).await;
    client
        .set_power(*last, PowerTarget::On, None)
        .await
        .unwrap();
    conductor.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn heartbeats_leave_the_reserved_workers_to_requests() {
    let house = few_workers();
    let conductor = house.conductor("cond-a").await;
    let client = house.client(&conductor);
    let nodes = some_available(&client, 4).await;
    let [first, second, third, called] = nodes[..] else {
        panic!("four nodes")
    };
    nothing_ends(&house);
    wait_in(&client, called, Verb::Deploy, ProvisionState::DeployWait).await;
    let token = client.lookup(Some(called), &[]).await.unwrap().agent_token;
    power_takes_half_a_minute(&house);
    for node in [first, second] {
        client.set_power(node, PowerTarget::On, None).await.unwrap();
    }
    let calls = HeartbeatArgs::new("http://192.0.2.9:9999", token);
    client.heartbeat(called, calls).await.unwrap();
    sleep(Duration::from_secs(5)).await;
    let state = client.node(called).await.unwrap().provision_state;
    assert_eq!(state, ProvisionState::DeployWait, "nobody is free for it");
    client
        .set_power(third, PowerTarget::On, None)
        .await
        .unwrap();
    // Two are done after 30 s, and the call has not been forgotten.
    sleep(Duration::from_secs(27)).await;
    client
        .wait_for(called, ProvisionState::Active, Duration::from_secs(60))
        .await
        .unwrap();
    conductor.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn what_went_wrong_is_kept_no_longer_than_log_in_db_max_size() {
    let mut house = House::new();
    house.config.log_in_db_max_size = 40;
    let conductor = house.conductor("cond-a").await;
    let client = house.client(&conductor);
    let node = available(&client).await;
    let long = ironic_core::Error::driver("fake", "ä".repeat(5000));
    house
        .fakes
        .add(FakeRule::fails(FakeOperation::PrepareDeploy, long));
    wait_in(&client, node, Verb::Deploy, ProvisionState::DeployFailed).await;
    let error = client.node(node).await.unwrap().last_error.unwrap();
    assert_eq!(error.chars().count(), 40, "{error}");
    conductor.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn nothing_is_deployed_in_a_boot_mode_that_is_disallowed() {
    let mut house = House::new();
    house.config.disallowed_deployment_boot_modes = [BootMode::Bios].into();
    let conductor = house.conductor("cond-a").await;
    let client = house.client(&conductor);
    let node = available(&client).await;
    let mode = |mode: &str| vec![Change::set("properties/boot_mode", mode)];
    client.update_node(node, mode(" BIOS")).await.unwrap();
    let refused = ask(&client, node, Verb::Deploy).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::InvalidParameter);
    assert!(
        refused
            .to_string()
            .contains("disallowed_deployment_boot_modes")
    );
    client.update_node(node, mode("uefi")).await.unwrap();
    go(&client, node, Verb::Deploy, ProvisionState::Active).await;
    conductor.stop().await.unwrap();
}
