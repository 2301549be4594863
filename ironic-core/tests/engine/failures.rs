//! Whether machines keep their power when something has failed on them.

use std::time::Duration;

use ironic_core::Error;
use ironic_core::client::Client;
use ironic_core::conductor::Conductor;
use ironic_core::driver::fake::{Completion, FakeOperation as Op, FakeRule};
use ironic_core::states::{PowerState, PowerTarget, ProvisionState as S, Verb};
use ironic_core::transport::ProvisionArgs;
use tokio::time::sleep;
use uuid::Uuid;

use crate::hold::{reaches, steps};
use crate::house::{House, ask, available, enrolled, go, powered};

/// What fails on a machine.
#[derive(Clone, Copy, PartialEq)]
enum What {
    CleanStep,
    CleanPreparation,
    Service,
}

/// Lets it fail on a machine that has power; how the machine is left.
async fn failed(house: &House, client: &Client, what: What) -> Uuid {
    let node = enrolled(client).await;
    go(client, node, Verb::Manage, S::Manageable).await;
    let broken = Error::driver("fake", "smoke");
    let mut args = ProvisionArgs::default();
    if what != What::CleanPreparation {
        args = steps(&["power_on", "reboot"]);
    }
    let (operation, verb, state) = match what {
        What::CleanPreparation => (Op::PrepareSteps, Verb::Provide, S::CleanFailed),
        What::CleanStep => (Op::SetPowerState, Verb::Clean, S::CleanFailed),
        What::Service => (Op::SetPowerState, Verb::Service, S::ServiceFailed),
    };
    if what == What::Service {
        go(client, node, Verb::Provide, S::Available).await;
        go(client, node, Verb::Deploy, S::Active).await;
    }
    powered(client, node, PowerTarget::On).await;
    // The second of the two steps, not what comes after it.
    let nth = if operation == Op::SetPowerState { 2 } else { 1 };
    house
        .fakes
        .add(FakeRule::fails(operation, broken).on(node).nth(nth));
    client.provision(node, verb, args).await.unwrap();
    reaches(client, node, state).await;
    sleep(Duration::from_secs(5)).await;
    node
}

async fn power_after(house: &House, what: What) -> Option<PowerState> {
    let conductor = house.conductor("cond-a").await;
    let client = house.client(&conductor);
    let node = failed(house, &client, what).await;
    let recorded = client.node(node).await.unwrap();
    assert!(recorded.last_error.unwrap().contains("smoke"));
    let power = house.fakes.power_state(node);
    assert_eq!(recorded.power_state, power);
    conductor.stop().await.unwrap();
    power
}

#[tokio::test(start_paused = true)]
async fn machines_keep_their_power_unless_the_operator_wants_them_off() {
    for what in [What::CleanStep, What::CleanPreparation, What::Service] {
        let house = House::new();
        assert_eq!(power_after(&house, what).await, Some(PowerState::On));
        let mut house = House::new();
        house.config.policy.poweroff_in_cleanfail = what != What::Service;
        house.config.policy.poweroff_in_servicefail = what == What::Service;
        assert_eq!(power_after(&house, what).await, Some(PowerState::Off));
        // Each setting is of its own flow.
        let mut house = House::new();
        house.config.policy.poweroff_in_cleanfail = what == What::Service;
        house.config.policy.poweroff_in_servicefail = what != What::Service;
        assert_eq!(power_after(&house, what).await, Some(PowerState::On));
    }
}

/// A conductor that switches off what it could not clean, and a machine that has power.
async fn off_after_failure() -> (House, Conductor, Client, Uuid) {
    let mut house = House::new();
    house.config.policy.poweroff_in_cleanfail = true;
    let conductor = house.conductor("cond-a").await;
    let client = house.client(&conductor);
    let node = available(&client).await;
    go(&client, node, Verb::Manage, S::Manageable).await;
    powered(&client, node, PowerTarget::On).await;
    (house, conductor, client, node)
}

/// Its cleaning fails, and what there is to clean up is.
async fn clean_fails(client: &Client, node: Uuid) {
    ask(client, node, Verb::Provide).await.unwrap();
    reaches(client, node, S::CleanFailed).await;
    sleep(Duration::from_secs(5)).await;
}

#[tokio::test(start_paused = true)]
async fn what_was_aborted_has_not_failed() {
    let (house, conductor, client, node) = off_after_failure().await;
    let waits = FakeRule::completes(Op::PrepareSteps, Completion::Heartbeat);
    house.fakes.add(waits);
    ask(&client, node, Verb::Provide).await.unwrap();
    reaches(&client, node, S::CleanWait).await;
    ask(&client, node, Verb::Abort).await.unwrap();
    reaches(&client, node, S::CleanFailed).await;
    sleep(Duration::from_secs(5)).await;
    assert_eq!(house.fakes.power_state(node), Some(PowerState::On));
    conductor.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_machine_that_is_never_switched_off_is_not_for_a_failure() {
    let (house, conductor, client, node) = off_after_failure().await;
    let never = ironic_core::transport::Change::set("disable_power_off", true);
    client.update_node(node, vec![never]).await.unwrap();
    let broken = Error::driver("fake", "smoke");
    house.fakes.add(FakeRule::fails(Op::PrepareSteps, broken));
    clean_fails(&client, node).await;
    assert_eq!(house.fakes.power_state(node), Some(PowerState::On));
    conductor.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn whatever_goes_wrong_afterwards_is_said_too() {
    let (house, conductor, client, node) = off_after_failure().await;
    for (operation, said) in [
        (Op::PrepareSteps, "smoke"),
        (Op::TearDownSteps, "a stuck port"),
        (Op::SetPowerState, "a welded relay"),
    ] {
        let broken = Error::driver("fake", said);
        house.fakes.add(FakeRule::fails(operation, broken));
    }
    clean_fails(&client, node).await;
    let error = client.node(node).await.unwrap().last_error.unwrap();
    for said in ["smoke", "a stuck port", "a welded relay"] {
        assert!(error.contains(said), "{said} in {error}");
    }
    conductor.stop().await.unwrap();
}
