use std::time::Duration;

use ironic_core::driver::fake::{FakeOperation, FakeRule};
use ironic_core::model::{ConductorRecord, Lock};
use ironic_core::states::{ProvisionState, Verb};
use ironic_core::store::{Kind, Query};

use crate::house::{House, LONG, ask, available};

#[tokio::test(start_paused = true)]
async fn a_stop_waits_for_what_runs_and_gives_every_node_back() {
    let house = House::new();
    let conductor = house.conductor("cond-a").await;
    let client = house.client(&conductor);
    let node = available(&client).await;
    house.fakes.add(FakeRule::takes(
        FakeOperation::PrepareDeploy,
        Duration::from_secs(20),
    ));
    ask(&client, node, Verb::Deploy).await.unwrap();
    conductor.stop().await.unwrap();
    assert_eq!(
        client.node(node).await.unwrap().provision_state,
        ProvisionState::Active
    );
    let record = house
        .repository()
        .load::<ConductorRecord>(ConductorRecord::id("cond-a"))
        .await
        .unwrap();
    assert!(!record.online);
    assert!(
        ask(&client, node, Verb::Undeploy).await.is_err(),
        "nobody takes work any more"
    );
}

#[tokio::test(start_paused = true)]
async fn what_takes_too_long_is_left_and_gone_on_with_after_the_restart() {
    let mut house = House::new();
    house.config.graceful_shutdown_timeout = Duration::from_secs(5);
    let conductor = house.conductor("cond-a").await;
    let client = house.client(&conductor);
    let node = available(&client).await;
    house
        .fakes
        .add(FakeRule::hangs(FakeOperation::PrepareDeploy).nth(1));
    ask(&client, node, Verb::Deploy).await.unwrap();
    conductor.stop().await.unwrap();
    let held = house
        .repository()
        .list::<Lock>(&Query::all(Kind::Lock))
        .await
        .unwrap();
    assert!(
        held.iter().all(|lock| lock.holder.is_none()),
        "every node is given back"
    );
    assert_eq!(
        client.node(node).await.unwrap().provision_state,
        ProvisionState::Deploying
    );

    let again = house.conductor("cond-a").await;
    let client = house.client(&again);
    client
        .wait_for(node, ProvisionState::Active, LONG)
        .await
        .unwrap();
    let history = client.history(node).await.unwrap();
    assert!(
        history.iter().any(|event| event.code == "resumed"),
        "{history:?}"
    );
    again.stop().await.unwrap();
}
