//! Conductors that are killed in the middle of the flows around an instance.

use std::time::Duration;

use ironic_core::driver::fake::{Completion, FakeOperation as Op, FakeRule};
use ironic_core::model::Node;
use ironic_core::states::{InterfaceKind as I, PowerState, ProvisionState as S, Verb};
use ironic_core::steps::UserStep;
use ironic_core::transport::ProvisionArgs;
use tokio::time::sleep;
use uuid::Uuid;

use super::{killed_with, settle};
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

/// Kills a conductor after every commit of a verb; its successor brings the node to `to`, or it
/// rests in `from` because the request was not accepted. Returns how many were resumed.
async fn killed_everywhere(
    before: &[(Verb, S)],
    (verb, args): (Verb, ProvisionArgs),
    from: S,
    to: S,
    check: impl Fn(&House, &Node),
) -> u32 {
    let mut resumed = 0;
    for commits in 0..12 {
        let prepare = async |house: &House| brought_to(house, before).await;
        let (house, node, _) = killed_with(commits, verb, args.clone(), prepare).await;
        let repository = house.repository();
        let going = repository
            .get::<ironic_core::flow::Flow>(node)
            .await
            .unwrap();
        let state = repository.load::<Node>(node).await.unwrap().provision_state;
        resumed += u32::from(going.is_some());
        let settled = settle(
            &house,
            node,
            &[if state == from && going.is_none() {
                from
            } else {
                to
            }],
        )
        .await;
        assert!(!settled.maintenance, "after {commits}: {settled:?}");
        if going.is_some() {
            check(&house, &settled);
        }
    }
    resumed
}

#[tokio::test(start_paused = true)]
async fn an_adoption_killed_after_any_commit_is_gone_on_with() {
    let manage = [(Verb::Manage, S::Manageable)];
    let adopt = (Verb::Adopt, ProvisionArgs::default());
    let resumed = killed_everywhere(&manage, adopt, S::Manageable, S::Active, |_, _| {}).await;
    assert!(resumed >= 1, "{resumed}");
}

#[tokio::test(start_paused = true)]
async fn a_rescue_killed_after_any_commit_is_gone_on_with_and_knows_its_password() {
    let deploy = [(Verb::Deploy, S::Active)];
    let args = ProvisionArgs::default().with_rescue_password("let me in");
    let resumed = killed_everywhere(
        &deploy,
        (Verb::Rescue, args),
        S::Active,
        S::Rescue,
        |_, node| {
            assert_eq!(node.instance_info["rescue_password"], "let me in");
        },
    );
    let resumed = resumed.await;
    assert!(resumed >= 1, "{resumed}");
}

#[tokio::test(start_paused = true)]
async fn an_unrescue_killed_after_any_commit_ends_in_active() {
    let rescued = [(Verb::Deploy, S::Active), (Verb::Rescue, S::Rescue)];
    let unrescue = (Verb::Unrescue, ProvisionArgs::default());
    let resumed = killed_everywhere(&rescued, unrescue, S::Rescue, S::Active, |_, _| {}).await;
    assert!(resumed >= 1, "{resumed}");
}

#[tokio::test(start_paused = true)]
async fn a_servicing_killed_after_any_commit_runs_its_steps_to_the_end() {
    let deploy = [(Verb::Deploy, S::Active)];
    let wait = UserStep::new(I::Power, "wait").with_arg("seconds", 2);
    let mut args = steps(&["power_on"]);
    args.steps.push(wait);
    args.steps.push(UserStep::new(I::Power, "power_off"));
    let off = |_: &House, node: &Node| assert_eq!(node.power_state, Some(PowerState::Off));
    let service = (Verb::Service, args);
    let resumed = killed_everywhere(&deploy, service, S::Active, S::Active, off).await;
    assert!(resumed >= 3, "{resumed}");
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
