//! Instances whose nodes come to another conductor.

use std::time::Duration;

use ironic_core::Error;
use ironic_core::client::Client;
use ironic_core::conductor::Conductor;
use ironic_core::driver::fake::{FakeOperation as Op, FakeRule};
use ironic_core::states::{PowerTarget, ProvisionState as S, Verb};
use tokio::time::sleep;
use uuid::Uuid;

use crate::fast_track;
use crate::house::{House, LONG, available, go, powered};

async fn deployed(client: &Client, count: usize) -> Vec<Uuid> {
    let mut nodes = Vec::new();
    for _ in 0..count {
        let node = available(client).await;
        go(client, node, Verb::Deploy, S::Active).await;
        nodes.push(node);
    }
    nodes
}

/// How often this was asked of the node's machine since the log began.
fn asked(house: &House, node: Uuid, operation: Op) -> usize {
    let calls = house.fakes.calls(node).into_iter();
    calls.filter(|call| call.operation == operation).count()
}

fn taken(house: &House, node: Uuid) -> usize {
    asked(house, node, Op::TakeOver)
}

async fn owner(conductor: &Conductor, client: &Client, node: Uuid) -> String {
    let record = client.node(node).await.unwrap();
    conductor.membership().owner(&record).await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn an_instance_is_set_up_once_where_its_node_has_come_to_and_nowhere_else() {
    let house = House::new();
    let first = house.conductor("cond-a").await;
    let client = house.client(&first);
    let nodes = deployed(&client, 12).await;
    let idle = available(&client).await;
    let on = nodes[0];
    powered(&client, on, PowerTarget::On).await;
    house.fakes.record();
    let second = house.conductor("cond-b").await;
    sleep(Duration::from_secs(600)).await;
    let mut moved = 0;
    for node in &nodes {
        let came = owner(&second, &client, *node).await == "cond-b";
        moved += usize::from(came);
        assert_eq!(taken(&house, *node), usize::from(came));
        assert_eq!(asked(&house, *node, Op::PrepareDeploy), usize::from(came));
        assert_eq!(asked(&house, *node, Op::SetPowerState), 0, "it runs on");
        let by = client.node(*node).await.unwrap().conductor.unwrap();
        assert_eq!(by, if came { "cond-b" } else { "cond-a" });
        assert_eq!(client.reservation(*node).await.unwrap(), None);
    }
    assert!(moved > 0 && moved < nodes.len(), "some of twelve: {moved}");
    assert_eq!(taken(&house, idle), 0, "there is no instance");

    // The others come when the first conductor goes, and nothing comes back to the second as it
    // starts again under its name.
    first.stop().await.unwrap();
    sleep(Duration::from_secs(60)).await;
    second.stop().await.unwrap();
    let second = house.conductor("cond-b").await;
    sleep(Duration::from_secs(600)).await;
    for node in &nodes {
        assert_eq!(taken(&house, *node), 1);
    }
    second.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_conductor_finds_at_its_start_what_became_its_while_nobody_was_there() {
    let house = House::new();
    let first = house.conductor("cond-a").await;
    let nodes = deployed(&house.client(&first), 4).await;
    first.stop().await.unwrap();
    house.fakes.record();
    let second = house.conductor("cond-b").await;
    sleep(Duration::from_secs(30)).await;
    for node in &nodes {
        assert_eq!(taken(&house, *node), 1);
    }
    second.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_taken_over_at_once_is_later() {
    let house = House::new();
    let first = house.conductor("cond-a").await;
    let client = house.client(&first);
    let nodes = deployed(&client, 4).await;
    let [broken, kept, held, cursed] = nodes[..] else {
        unreachable!()
    };
    client.set_maintenance(kept, true, None).await.unwrap();
    first.stop().await.unwrap();
    house.fakes.record();
    let no_volume = Error::driver("fake", "no such volume");
    house
        .fakes
        .add(FakeRule::fails(Op::TakeOver, no_volume).on(broken).nth(1));
    house
        .fakes
        .add(FakeRule::panics(Op::TakeOver, "a defect").on(cursed).nth(1));
    let second = house.conductor("cond-b").await;
    let client = house.client(&second);
    let busy = second.tasks().exclusive(held, "the host's own").await;
    sleep(Duration::from_secs(60)).await;
    assert_eq!((taken(&house, broken), taken(&house, cursed)), (1, 1));
    for node in &nodes {
        let by = client.node(*node).await.unwrap().conductor.unwrap();
        assert_eq!(by, "cond-a", "not yet");
    }
    assert_eq!((taken(&house, kept), taken(&house, held)), (0, 0));
    drop(busy);
    client.set_maintenance(kept, false, None).await.unwrap();
    sleep(house.config.sync_local_state_interval + Duration::from_secs(60)).await;
    for node in &nodes {
        let record = client.node(*node).await.unwrap();
        assert_eq!(record.conductor.as_deref(), Some("cond-b"));
        assert_eq!(record.provision_state, S::Active);
    }
    assert_eq!((taken(&house, kept), taken(&house, held)), (1, 1));
    second.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn only_so_many_instances_are_taken_over_at_a_time() {
    let mut house = House::new();
    house.config.periodic_max_workers = 2;
    let first = house.conductor("cond-a").await;
    let nodes = deployed(&house.client(&first), 6).await;
    first.stop().await.unwrap();
    house.fakes.record();
    let slow = FakeRule::takes(Op::TakeOver, Duration::from_secs(60));
    house.fakes.add(slow);
    let second = house.conductor("cond-b").await;
    for at_most in [2, 4, 6] {
        sleep(Duration::from_secs(55)).await;
        let begun: usize = nodes.iter().map(|node| taken(&house, *node)).sum();
        assert!(begun <= at_most, "{begun} of {at_most}");
    }
    sleep(Duration::from_secs(120)).await;
    assert!(nodes.iter().all(|node| taken(&house, *node) == 1));
    second.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn nothing_is_taken_over_where_the_operator_does_not_want_it() {
    let mut house = House::new();
    house.config.sync_local_state_interval = Duration::ZERO;
    let first = house.conductor("cond-a").await;
    let nodes = deployed(&house.client(&first), 2).await;
    first.stop().await.unwrap();
    house.fakes.record();
    let second = house.conductor("cond-b").await;
    sleep(LONG).await;
    assert!(nodes.iter().all(|node| taken(&house, *node) == 0));
    second.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn what_an_instance_boots_is_set_up_and_the_machine_left_alone() {
    let (house, agent) = fast_track::house();
    let by_agent = || fast_track::by_agent(&agent);
    let first = house.conductor_with("cond-a", by_agent()).await;
    let client = house.client(&first);
    let (node, _) = fast_track::running(&agent, &client).await;
    go(&client, node, Verb::Provide, S::Available).await;
    fast_track::with_image(&client, node).await;
    go(&client, node, Verb::Deploy, S::Active).await;
    first.stop().await.unwrap();
    house.fakes.record();
    let second = house.conductor_with("cond-b", by_agent()).await;
    sleep(Duration::from_secs(60)).await;
    let taken = house.client(&second).node(node).await.unwrap();
    assert_eq!(taken.conductor.as_deref(), Some("cond-b"));
    assert_eq!(asked(&house, node, Op::PrepareInstance), 1);
    assert_eq!(fast_track::switched(&house, node), [""; 0], "it runs on");
    assert_eq!(asked(&house, node, Op::Disconnect), 0, "on its networks");
    second.stop().await.unwrap();
}
