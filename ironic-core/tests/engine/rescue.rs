//! The rescue ramdisk beside an instance.

mod agent;

use std::time::Duration;

use ironic_core::Error;
use ironic_core::ErrorKind;
use ironic_core::client::Client;
use ironic_core::conductor::Conductor;
use ironic_core::driver::fake::{Completion, FakeOperation as Op, FakeRule};
use ironic_core::states::{ProvisionState as S, Verb};
use ironic_core::transport::ProvisionArgs;
use tokio::time::sleep;
use uuid::Uuid;

use crate::hold::{agent_calls, reaches};
use crate::house::{House, LONG, ask, go};
use crate::service::active;

fn password() -> ProvisionArgs {
    ProvisionArgs::default().with_rescue_password("let me in")
}

/// A machine with an instance.
async fn instance() -> (House, Conductor, Client, Uuid) {
    let house = House::new();
    let conductor = house.conductor("cond-a").await;
    let client = house.client(&conductor);
    let node = active(&client).await;
    (house, conductor, client, node)
}

/// Asks for a rescue.
async fn rescue(client: &Client, node: Uuid) {
    let asked = client.provision(node, Verb::Rescue, password()).await;
    asked.unwrap();
}

/// Asks for a rescue whose ramdisk has not called yet.
async fn begin_rescue(house: &House, client: &Client, node: Uuid) {
    house.fakes.clear(Op::Rescue);
    let agent = FakeRule::completes(Op::Rescue, Completion::Heartbeat);
    house.fakes.add(agent);
    rescue(client, node).await;
    reaches(client, node, S::RescueWait).await;
}

#[tokio::test(start_paused = true)]
async fn a_node_is_rescued_and_its_instance_comes_back() {
    let (house, conductor, client, node) = instance().await;
    house.fakes.record();
    begin_rescue(&house, &client, node).await;
    let waiting = client.node(node).await.unwrap();
    assert_eq!(waiting.target_provision_state, Some(S::Rescue));
    assert_eq!(waiting.instance_info["rescue_password"], "let me in");
    let hashed = waiting.instance_info["hashed_rescue_password"].as_str();
    assert!(hashed.unwrap().starts_with("$5$"), "as a login takes it");
    assert!(!format!("{waiting:?}").contains("let me in"));

    agent_calls(&client, node).await;
    let rescued = client.wait_for(node, S::Rescue, LONG).await.unwrap();
    assert_eq!(rescued.target_provision_state, None);
    assert_eq!(rescued.instance_info["rescue_password"], "let me in");
    assert_eq!(house.fakes.call_count(Op::CleanUpRescue), 1);

    let back = go(&client, node, Verb::Unrescue, S::Active).await;
    assert_eq!(
        (back.target_provision_state, back.last_error.as_ref()),
        (None, None)
    );
    let left: Vec<_> = back.instance_info.keys().collect();
    assert!(left.iter().all(|key| !key.contains("password")), "{left:?}");
    assert_eq!(back.internal_str("agent_secret_token"), None);
    assert_eq!(house.fakes.call_count(Op::Unrescue), 1);
    conductor.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn nothing_begins_without_a_password_or_against_the_interface() {
    let (house, conductor, client, node) = instance().await;
    for empty in [
        ProvisionArgs::default(),
        ProvisionArgs::default().with_rescue_password("  "),
    ] {
        let error = client
            .provision(node, Verb::Rescue, empty)
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::MissingParameter);
    }
    let no = Error::invalid("no rescuing network");
    house
        .fakes
        .add(FakeRule::fails(Op::ValidateRescue, no).nth(1));
    let error = client
        .provision(node, Verb::Rescue, password())
        .await
        .unwrap_err();
    assert!(error.to_string().contains("rescuing network"), "{error}");
    let still = client.node(node).await.unwrap();
    assert_eq!(still.provision_state, S::Active);
    assert!(!still.instance_info.contains_key("rescue_password"));
    conductor.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_rescue_that_fails_forgets_the_password_and_may_be_undone() {
    let (house, conductor, client, node) = instance().await;
    let broken = Error::driver("fake", "no network");
    house
        .fakes
        .add(FakeRule::fails(Op::Rescue, broken.clone()).nth(1));
    rescue(&client, node).await;
    reaches(&client, node, S::RescueFailed).await;
    sleep(Duration::from_secs(1)).await;
    let failed = client.node(node).await.unwrap();
    assert!(failed.last_error.as_ref().unwrap().contains("no network"));
    assert!(!failed.instance_info.contains_key("hashed_rescue_password"));
    assert!(!failed.maintenance);

    house
        .fakes
        .add(FakeRule::fails(Op::Unrescue, broken).nth(1));
    ask(&client, node, Verb::Unrescue).await.unwrap();
    reaches(&client, node, S::UnrescueFailed).await;
    assert_eq!(client.flow(node).await.unwrap(), None);
    go(&client, node, Verb::Unrescue, S::Active).await;
    conductor.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_ramdisk_that_never_calls_is_switched_off_one_that_is_aborted_is_not() {
    let (house, conductor, client, node) = instance().await;
    house.fakes.record();
    begin_rescue(&house, &client, node).await;
    ask(&client, node, Verb::Abort).await.unwrap();
    reaches(&client, node, S::RescueFailed).await;
    sleep(Duration::from_secs(1)).await;
    let aborted = client.node(node).await.unwrap();
    assert!(!aborted.instance_info.contains_key("rescue_password"));
    assert_eq!(house.fakes.call_count(Op::CleanUpRescue), 1);
    assert_eq!(house.fakes.call_count(Op::SetPowerState), 0);

    begin_rescue(&house, &client, node).await;
    sleep(Duration::from_secs(1900)).await;
    let late = client.node(node).await.unwrap();
    assert_eq!(late.provision_state, S::RescueFailed);
    assert!(late.last_error.unwrap().contains("timed out"));
    assert_eq!(house.fakes.call_count(Op::SetPowerState), 1);
    conductor.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_ramdisk_that_keeps_its_power_is_cut_off_all_the_same() {
    let (house, conductor, client, node) = instance().await;
    house.fakes.record();
    begin_rescue(&house, &client, node).await;
    let broken = Error::driver("fake", "a welded relay");
    house.fakes.add(FakeRule::fails(Op::SetPowerState, broken));
    reaches(&client, node, S::RescueFailed).await;
    sleep(Duration::from_secs(1)).await;
    assert_eq!(house.fakes.call_count(Op::CleanUpRescue), 1);
    let left = client.node(node).await.unwrap();
    assert!(left.last_error.unwrap().contains("a welded relay"));
    conductor.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn an_abort_that_cannot_be_cleaned_up_is_a_fault() {
    let (house, conductor, client, node) = instance().await;
    let broken = Error::driver("fake", "switch not reached");
    house
        .fakes
        .add(FakeRule::fails(Op::CleanUpRescue, broken).first(1));
    begin_rescue(&house, &client, node).await;
    ask(&client, node, Verb::Abort).await.unwrap();
    reaches(&client, node, S::RescueFailed).await;
    sleep(Duration::from_secs(1)).await;
    let stuck = client.node(node).await.unwrap();
    assert_eq!(stuck.fault.as_deref(), Some("rescue abort failure"));
    assert!(stuck.maintenance);
    conductor.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn an_instance_is_removed_from_a_machine_in_rescue() {
    let (house, conductor, client, node) = instance().await;
    rescue(&client, node).await;
    client.wait_for(node, S::Rescue, LONG).await.unwrap();
    house.fakes.record();
    go(&client, node, Verb::Undeploy, S::Available).await;
    assert_eq!(house.fakes.call_count(Op::CleanUpRescue), 1);
    conductor.stop().await.unwrap();
}
