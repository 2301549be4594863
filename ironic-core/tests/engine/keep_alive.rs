//! Conductors that others have forgotten.

use std::time::Duration;

use ironic_core::model::ConductorRecord;
use ironic_core::states::{ProvisionState, Verb};
use ironic_core::store::{Batch, Expect, Kind, Op};
use tokio::time::sleep;

use crate::house::{House, available, go};

/// Removes a conductor's record, as another conductor's clean-up does.
async fn forgotten(house: &House, host: &str) {
    let op = Op::Delete {
        kind: Kind::Conductor,
        id: ConductorRecord::id(host),
        expect: Expect::Any,
    };
    let batch = Batch {
        fence: None,
        ops: vec![op],
    };
    house.repository().commit(batch).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_conductor_whose_record_was_removed_registers_anew_and_goes_on() {
    let house = House::new();
    let conductor = house.conductor("cond-a").await;
    let client = house.client(&conductor);
    let node = available(&client).await;
    forgotten(&house, "cond-a").await;
    // Longer than its lease: without its record it could not send a command to any BMC by now.
    sleep(Duration::from_secs(120)).await;
    let id = ConductorRecord::id("cond-a");
    let load = async || house.repository().load::<ConductorRecord>(id).await;
    let record = load().await.unwrap().value;
    assert!(record.online);
    assert!(record.drivers.contains(&"fake-hardware".to_owned()));
    go(&client, node, Verb::Deploy, ProvisionState::Active).await;
    sleep(Duration::from_secs(60)).await;
    let later = load().await.unwrap().value;
    assert!(
        later.beat > record.beat,
        "{} then {}",
        record.beat,
        later.beat
    );

    // One that is forgotten as it stops does not come back.
    forgotten(&house, "cond-a").await;
    conductor.stop().await.unwrap();
    sleep(Duration::from_secs(120)).await;
    assert!(load().await.is_err());
}

#[tokio::test(start_paused = true)]
async fn a_forgotten_conductor_gives_up_when_its_name_was_taken_meanwhile() {
    let house = House::new();
    let forgotten_one = house.conductor("cond-a").await;
    forgotten(&house, "cond-a").await;
    let second = house.conductor("cond-a").await;
    let node = available(&house.client(&second)).await;
    sleep(Duration::from_secs(60)).await;
    let refused = forgotten_one.tasks().try_exclusive(node, "test").await;
    assert!(refused.is_err(), "it hands out no node any more");
    second
        .tasks()
        .try_exclusive(node, "test")
        .await
        .map(drop)
        .unwrap();
    second.stop().await.unwrap();
    forgotten_one.stop().await.unwrap();
}
