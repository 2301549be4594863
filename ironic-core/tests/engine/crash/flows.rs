//! Conductors that are killed in the middle of the flows around an instance.

use std::time::Duration;

use ironic_core::driver::fake::{Completion, FakeOperation as Op, FakeRule};
use ironic_core::states::{PowerState, ProvisionState as S, Verb};
use ironic_core::transport::ProvisionArgs;
use tokio::time::sleep;
use uuid::Uuid;

use super::settle;
use crate::hold::{agent_calls, reaches, steps};
use crate::house::{House, available, enrolled, go};

async fn brought_to(house: &House, verbs: &[(Verb, S)]) -> Uuid {
    let conductor = house.conductor("cond-a").await;
    let client = house.client(&conductor);
    let node = match verbs.first() {
        Some((Verb::Manage, _)) => enrolled(&client).await,
        _ => available(&client).await,
    };
    for (verb, state) in verbs {
        let args = ProvisionArgs::default().with_rescue_password("password");
        client.provision(node, *verb, args).await.unwrap();
        client
            .wait_for(node, *state, crate::house::LONG)
            .await
            .unwrap();
    }
    conductor.stop().await.unwrap();
    node
}

#[tokio::test(start_paused = true)]
async fn a_hold_outlives_its_conductor() {
    let house = House::new();
    let node = brought_to(&house, &[(Verb::Manage, S::Manageable)]).await;
    let conductor = house.conductor("cond-a").await;
    let client = house.client(&conductor);
    client
        .provision(node, Verb::Clean, steps(&["hold", "power_on"]))
        .await
        .unwrap();
    reaches(&client, node, S::CleanHold).await;
    conductor.stop().await.unwrap();

    let again = house.conductor("cond-a").await;
    let client = house.client(&again);
    sleep(Duration::from_secs(7200)).await;
    assert_eq!(
        client.node(node).await.unwrap().provision_state,
        S::CleanHold
    );
    let cleaned = go(&client, node, Verb::Unhold, S::Manageable).await;
    assert_eq!(cleaned.power_state, Some(PowerState::On));
    again.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_rescue_whose_conductor_dies_as_the_ramdisk_calls_is_finished_by_the_next() {
    let house = House::new();
    let node = brought_to(&house, &[(Verb::Deploy, S::Active)]).await;
    let agent = FakeRule::completes(Op::Rescue, Completion::Heartbeat);
    house.fakes.add(agent);
    house.fakes.add(FakeRule::hangs(Op::CleanUpRescue).nth(1));
    house.fakes.record();
    let conductor = house.conductor("cond-a").await;
    let client = house.client(&conductor);
    let args = ProvisionArgs::default().with_rescue_password("let me in");
    client.provision(node, Verb::Rescue, args).await.unwrap();
    reaches(&client, node, S::RescueWait).await;
    agent_calls(&client, node).await;
    reaches(&client, node, S::Rescuing).await;
    drop(conductor);
    let rescued = settle(&house, node, &[S::Rescue]).await;
    assert_eq!(rescued.instance_info["rescue_password"], "let me in");
    assert_eq!(house.fakes.call_count(Op::Rescue), 1, "booted once");
    assert_eq!(house.fakes.call_count(Op::CleanUpRescue), 2);
}
