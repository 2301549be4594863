//! Conductors that join, leave and are forgotten.

use std::time::Duration;

use ironic_core::driver::fake::{FakeOperation, FakeRule};
use ironic_core::model::ConductorRecord;
use ironic_core::states::{InterfaceKind, ProvisionState, Verb};
use ironic_core::store::{Kind, Query};
use ironic_core::{Error, ErrorKind};
use tokio::time::{Instant, sleep};

use crate::house::{House, ask, available, go};

const PERIOD: Duration = Duration::from_secs(100);

async fn registered(house: &House) -> Vec<ConductorRecord> {
    let all = Query::all(Kind::Conductor);
    let records = house.repository().list::<ConductorRecord>(&all).await;
    records.unwrap().into_iter().map(|it| it.value).collect()
}

async fn hosts(house: &House) -> Vec<String> {
    let mut hosts: Vec<_> = registered(house).await;
    hosts.sort_by(|a, b| a.hostname.cmp(&b.hostname));
    hosts.into_iter().map(|record| record.hostname).collect()
}

#[tokio::test(start_paused = true)]
async fn a_conductor_registers_what_nodes_may_have_with_it() {
    let mut house = House::new();
    house.config.conductor_group = "rack-7".to_owned();
    let conductor = house.conductor("cond-a").await;
    let record = registered(&house).await.remove(0);
    assert_eq!(record.conductor_group, "rack-7");
    assert!(record.drivers.contains(&"fake-hardware".to_owned()));
    let power = &record.interfaces["fake-hardware"][&InterfaceKind::Power];
    assert!(power.enabled.contains(&"fake".to_owned()), "{power:?}");
    assert_eq!(power.default, "fake");
    conductor.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn conductors_that_are_long_gone_are_forgotten_and_others_are_not() {
    let mut house = House::new();
    house.config.conductor_cleanup_timeout = 3 * PERIOD;
    house.config.conductor_cleanup_interval = PERIOD;
    house.config.conductor_cleanup_batch_size = 1;
    for host in ["gone-1", "gone-2"] {
        house.conductor(host).await.stop().await.unwrap();
    }
    let stays = house.conductor("stays").await;
    sleep(2 * PERIOD + PERIOD / 2).await;
    assert_eq!(hosts(&house).await, ["gone-1", "gone-2", "stays"]);
    sleep(PERIOD).await;
    assert_eq!(hosts(&house).await.len(), 2, "one at a time");
    sleep(PERIOD).await;
    assert_eq!(hosts(&house).await, ["stays"]);
    stays.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_drain_waits_for_what_a_stop_would_drop_while_others_take_the_requests() {
    let mut house = House::new();
    house.config.graceful_shutdown_timeout = Duration::from_secs(5);
    house.config.drain_shutdown_timeout = Duration::from_secs(600);
    let first = house.conductor("cond-a").await;
    let client = house.client(&first);
    let (busy, idle) = (available(&client).await, available(&client).await);
    house
        .fakes
        .add(FakeRule::takes(FakeOperation::PrepareDeploy, Duration::from_secs(300)).on(busy));
    ask(&client, busy, Verb::Deploy).await.unwrap();
    let second = house.conductor("cond-b").await;
    let began = Instant::now();
    let draining = tokio::spawn({
        let first = first.clone();
        async move { first.drain().await }
    });
    sleep(Duration::from_secs(30)).await;
    // The one that drains still has its node; all the rest is with the other.
    let others = house.client(&second);
    let held = others.reservation(busy).await.unwrap();
    assert_eq!(held.as_deref(), Some("cond-a"));
    go(&others, idle, Verb::Deploy, ProvisionState::Active).await;
    draining.await.unwrap().unwrap();
    let state = others.node(busy).await.unwrap().provision_state;
    assert_eq!(state, ProvisionState::Active, "it was not dropped");
    assert!(began.elapsed() < Duration::from_secs(600));
    second.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn what_goes_on_for_longer_than_a_drain_waits_is_left_to_others() {
    let mut house = House::new();
    house.config.drain_shutdown_timeout = Duration::from_secs(60);
    let conductor = house.conductor("cond-a").await;
    let client = house.client(&conductor);
    let node = available(&client).await;
    house
        .fakes
        .add(FakeRule::hangs(FakeOperation::PrepareDeploy));
    ask(&client, node, Verb::Deploy).await.unwrap();
    let began = Instant::now();
    conductor.drain().await.unwrap();
    let waited = began.elapsed();
    assert!(waited >= Duration::from_secs(60) && waited < Duration::from_secs(65));
    assert_eq!(client.reservation(node).await.unwrap(), None);
}

#[tokio::test(start_paused = true)]
async fn a_locked_node_is_tried_again_as_often_as_configured() {
    for (attempts, interval) in [(0, 1), (3, 1), (2, 10)] {
        let mut house = House::new();
        house.config.node_locked_retry_attempts = attempts;
        house.config.node_locked_retry_interval = Duration::from_secs(interval);
        let conductor = house.conductor("cond-a").await;
        let client = house.client(&conductor);
        let node = available(&client).await;
        house
            .fakes
            .add(FakeRule::hangs(FakeOperation::PrepareDeploy));
        ask(&client, node, Verb::Deploy).await.unwrap();
        let began = Instant::now();
        let refused: Error = ask(&client, node, Verb::Undeploy).await.unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::NodeLocked);
        let waited = began.elapsed().as_secs();
        assert_eq!(waited, u64::from(attempts) * interval, "{attempts} times");
        house.fakes.clear(FakeOperation::PrepareDeploy);
        conductor.stop().await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_conductor_that_joins_is_seen_after_hash_ring_reset_interval_at_the_latest() {
    let mut house = House::new();
    house.config.heartbeat_interval = Duration::from_secs(100);
    house.config.heartbeat_timeout = Duration::from_secs(300);
    house.config.hash_ring_reset_interval = Duration::from_secs(20);
    let first = house.conductor("cond-a").await;
    let client = house.client(&first);
    available(&client).await;
    sleep(Duration::from_secs(1)).await;
    let second = house.conductor("cond-b").await;
    let moved = async || {
        let keys = (0..64).map(uuid::Uuid::from_u128);
        for key in keys {
            let owner = client.membership().owner_of("", "fake-hardware", key).await;
            if owner.unwrap() == "cond-b" {
                return true;
            }
        }
        false
    };
    assert!(!moved().await, "what was seen a second ago is good enough");
    sleep(Duration::from_secs(20)).await;
    assert!(moved().await);
    first.stop().await.unwrap();
    second.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn the_ring_is_as_fine_as_the_settings_say() {
    let mut placements = Vec::new();
    for exponent in [5, 8] {
        let mut house = House::new();
        house.config.hash_partition_exponent = exponent;
        let first = house.conductor("cond-a").await;
        let second = house.conductor("cond-b").await;
        let membership = second.membership();
        let mut owners = Vec::new();
        for key in (0..64).map(uuid::Uuid::from_u128) {
            let owner = membership.owner_of("", "fake-hardware", key).await;
            owners.push(owner.unwrap());
        }
        let ring = ironic_hashring::HashRing::builder()
            .hosts(["cond-a", "cond-b"])
            .partition_exponent(exponent)
            .build()
            .unwrap();
        let keys = (0..64).map(|key| uuid::Uuid::from_u128(key).to_string());
        let expected: Vec<_> = keys
            .map(|key| ring.owner(&key).unwrap().to_owned())
            .collect();
        assert_eq!(owners, expected);
        placements.push(owners);
        first.stop().await.unwrap();
        second.stop().await.unwrap();
    }
    assert_ne!(placements[0], placements[1]);
}
