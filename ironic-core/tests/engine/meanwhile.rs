//! What somebody else says about a node while the engine works on it.

use std::time::Duration;

use ironic_core::driver::fake::{Completion, FakeOperation, FakeRule};
use ironic_core::model::{MacAddress, Node, Port};
use ironic_core::states::{PowerState, PowerTarget, ProvisionState, Verb};
use ironic_core::transport::HeartbeatArgs;
use serde_json::json;
use tokio::time::sleep;
use uuid::Uuid;

use crate::house::{House, LONG, ask, available, enrolled, go};

const AGENT: &str = "http://192.0.2.9:9999";

/// Writes facts into the node's `driver_internal_info`, as whoever holds no lock does.
async fn told(house: &House, node: Uuid, facts: &[(&str, &str)]) {
    let change = |node: &mut Node| {
        for (key, value) in facts {
            node.set_internal(key, json!(value));
        }
        Ok(())
    };
    let repository = house.repository();
    let update = repository.update::<Node, ()>(node, None, change);
    update.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn what_a_driver_found_and_what_somebody_wrote_are_both_kept() {
    let house = House::new();
    let conductor = house.conductor("cond-a").await;
    let client = house.client(&conductor);
    let node = enrolled(&client).await;
    house.fakes.set_power_state(node, PowerState::On);
    let slow = FakeRule::takes(FakeOperation::GetPowerState, Duration::from_secs(10));
    house.fakes.add(slow.on(node));
    ask(&client, node, Verb::Manage).await.unwrap();
    sleep(Duration::from_secs(5)).await;
    told(&house, node, &[("rack", "7")]).await;
    let verified = client
        .wait_for(node, ProvisionState::Manageable, LONG)
        .await
        .unwrap();
    assert_eq!(verified.power_state, Some(PowerState::On));
    assert_eq!(verified.internal_str("rack"), Some("7"));
    conductor.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn an_agent_that_calls_while_its_node_is_worked_on_is_heard_afterwards() {
    let house = House::new();
    let conductor = house.conductor("cond-a").await;
    let client = house.client(&conductor);
    let node = available(&client).await;
    let mac: MacAddress = "52:54:00:00:00:01".parse().unwrap();
    let port = Port::new(Uuid::nil(), node, mac.clone());
    client.create_port(port).await.unwrap();
    house.fakes.add(FakeRule::completes(
        FakeOperation::Deploy,
        Completion::Heartbeat,
    ));
    ask(&client, node, Verb::Deploy).await.unwrap();
    sleep(Duration::from_secs(1)).await;
    let found = client.lookup(None, &[mac]).await.unwrap();
    told(&house, node, &[("agent_url", AGENT)]).await;

    let slow = FakeRule::takes(FakeOperation::SetPowerState, Duration::from_secs(10));
    house.fakes.add(slow.on(node));
    client.set_power(node, PowerTarget::On, None).await.unwrap();
    sleep(Duration::from_secs(5)).await;
    let call = HeartbeatArgs::new(AGENT, found.agent_token);
    client.heartbeat(node, call).await.unwrap();
    sleep(Duration::from_secs(1)).await;
    let worked_on = client.node(node).await.unwrap();
    assert_eq!(worked_on.provision_state, ProvisionState::DeployWait);
    sleep(Duration::from_secs(5)).await;
    let active = client.node(node).await.unwrap();
    assert_eq!(active.provision_state, ProvisionState::Active);
    conductor.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn an_agent_does_not_outlive_the_power_of_its_machine() {
    let house = House::new();
    let conductor = house.conductor("cond-a").await;
    let client = house.client(&conductor);
    let node = enrolled(&client).await;
    go(&client, node, Verb::Manage, ProvisionState::Manageable).await;
    let agent = [("agent_url", AGENT), ("agent_secret_token", "t")];
    for (target, outlives) in [
        (PowerTarget::On, true),
        (PowerTarget::Reboot, false),
        (PowerTarget::Off, false),
    ] {
        told(&house, node, &agent).await;
        client.set_power(node, target, None).await.unwrap();
        let switched = client
            .wait_until(node, LONG, |node| {
                node.target_power_state.is_none().then_some(Ok(()))
            })
            .await
            .unwrap();
        for (key, _) in agent {
            let there = switched.driver_internal_info.contains_key(key);
            assert_eq!(there, outlives, "{key} after {target}");
        }
    }
    conductor.stop().await.unwrap();
}
