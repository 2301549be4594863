//! The steps `hold` and `wait`, and what ends them.

use std::time::Duration;

use ironic_core::client::Client;
use ironic_core::driver::fake::{Completion, FakeOperation as Op, FakeRule};
use ironic_core::flow::BlockedReason;
use ironic_core::states::{InterfaceKind as I, PowerState, ProvisionState as S, Verb};
use ironic_core::steps::UserStep;
use ironic_core::transport::{HeartbeatArgs, ProvisionArgs};
use tokio::time::{Instant, sleep};
use uuid::Uuid;

use crate::house::{House, LONG, ask, available, enrolled, go};

pub(crate) fn steps(names: &[&str]) -> ProvisionArgs {
    let steps = names.iter().map(|name| UserStep::new(I::Power, *name));
    ProvisionArgs::default().with_steps(steps.collect())
}

/// Waits until the node is in `state`, however shortly it rests there.
pub(crate) async fn reaches(client: &Client, node: Uuid, state: S) {
    for _ in 0..40_000 {
        let now = client.node(node).await.unwrap();
        if now.provision_state == state {
            return;
        }
        sleep(Duration::from_millis(100)).await;
    }
    let now = client.node(node).await.unwrap();
    panic!(
        "{} instead of {state}: {:?}",
        now.provision_state, now.last_error
    );
}

pub(crate) async fn agent_calls(client: &Client, node: Uuid) {
    let token = client.lookup(Some(node), &[]).await.unwrap().agent_token;
    let call = HeartbeatArgs::new("http://192.0.2.9:9999", token);
    client.heartbeat(node, call).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn cleaning_stands_still_on_hold_until_somebody_says_unhold() {
    let house = House::new();
    let conductor = house.conductor("cond-a").await;
    let client = house.client(&conductor);
    let node = enrolled(&client).await;
    go(&client, node, Verb::Manage, S::Manageable).await;
    let args = steps(&["power_on", "hold", "power_off"]);
    client.provision(node, Verb::Clean, args).await.unwrap();
    reaches(&client, node, S::CleanHold).await;
    let held = client.node(node).await.unwrap();
    assert_eq!(held.target_provision_state, Some(S::Manageable));
    assert_eq!(client.reservation(node).await.unwrap(), None);
    let why = client.explain(node).await.unwrap().unwrap();
    assert_eq!(why.reason, BlockedReason::Hold);
    assert_eq!(why.until, None, "a hold is not given up");
    sleep(Duration::from_secs(7200)).await;
    assert_eq!(
        client.node(node).await.unwrap().provision_state,
        S::CleanHold
    );
    assert_eq!(house.fakes.power_state(node), Some(PowerState::On));

    let cleaned = go(&client, node, Verb::Unhold, S::Manageable).await;
    assert_eq!(cleaned.power_state, Some(PowerState::Off), "it went on");
    conductor.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_held_deployment_goes_on_at_its_agents_next_call() {
    let house = House::new();
    let conductor = house.conductor("cond-a").await;
    let client = house.client(&conductor);
    let node = available(&client).await;
    let agent = FakeRule::completes(Op::PrepareDeploy, Completion::Heartbeat);
    house.fakes.add(agent);
    let hold = UserStep::new(I::Deploy, "hold").with_priority(150);
    let args = ProvisionArgs::default().with_steps(vec![hold]);
    client.provision(node, Verb::Deploy, args).await.unwrap();
    reaches(&client, node, S::DeployWait).await;
    agent_calls(&client, node).await;
    reaches(&client, node, S::DeployHold).await;
    let call = |client: Client| async move {
        let token = client.node(node).await.unwrap();
        let token = token.internal_str("agent_secret_token").map(str::to_owned);
        let call = HeartbeatArgs::new("http://192.0.2.9:9999", token);
        client.heartbeat(node, call).await.unwrap();
        sleep(Duration::from_secs(1)).await;
    };
    call(client.clone()).await;
    assert_eq!(
        client.node(node).await.unwrap().provision_state,
        S::DeployHold
    );

    ask(&client, node, Verb::Unhold).await.unwrap();
    sleep(Duration::from_secs(60)).await;
    assert_eq!(
        client.node(node).await.unwrap().provision_state,
        S::DeployWait
    );
    call(client.clone()).await;
    client.wait_for(node, S::Active, LONG).await.unwrap();
    conductor.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_hold_is_aborted_into_the_failed_state() {
    let house = House::new();
    let conductor = house.conductor("cond-a").await;
    let client = house.client(&conductor);
    let node = enrolled(&client).await;
    go(&client, node, Verb::Manage, S::Manageable).await;
    client
        .provision(node, Verb::Clean, steps(&["hold"]))
        .await
        .unwrap();
    reaches(&client, node, S::CleanHold).await;
    ask(&client, node, Verb::Abort).await.unwrap();
    reaches(&client, node, S::CleanFailed).await;
    let failed = client.node(node).await.unwrap();
    assert!(failed.last_error.unwrap().contains("power.hold"));
    assert!(!failed.maintenance, "nothing is wrong with the machine");

    go(&client, node, Verb::Manage, S::Manageable).await;
    go(&client, node, Verb::Provide, S::Available).await;
    house.fakes.record();
    let hold = UserStep::new(I::Deploy, "hold").with_priority(150);
    let args = ProvisionArgs::default().with_steps(vec![hold]);
    client.provision(node, Verb::Deploy, args).await.unwrap();
    reaches(&client, node, S::DeployHold).await;
    ask(&client, node, Verb::Abort).await.unwrap();
    reaches(&client, node, S::DeployFailed).await;
    sleep(Duration::from_secs(1)).await;
    assert_eq!(house.fakes.call_count(Op::CleanUpDeploy), 1);
    assert_eq!(house.fakes.call_count(Op::Deploy), 0);
    conductor.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_wait_lasts_its_seconds_and_holds_no_lock() {
    let house = House::new();
    let conductor = house.conductor("cond-a").await;
    let client = house.client(&conductor);
    let node = enrolled(&client).await;
    go(&client, node, Verb::Manage, S::Manageable).await;
    let wait = |seconds: u64| UserStep::new(I::Power, "wait").with_arg("seconds", seconds);
    for (asked, least, most) in [(20, 20, 25), (4000, 4000, 4005)] {
        let asked = vec![wait(asked), UserStep::new(I::Power, "power_on")];
        let args = ProvisionArgs::default().with_steps(asked);
        let begun = Instant::now();
        client.provision(node, Verb::Clean, args).await.unwrap();
        reaches(&client, node, S::CleanWait).await;
        assert_eq!(client.reservation(node).await.unwrap(), None);
        client
            .wait_for(node, S::Manageable, LONG * 2)
            .await
            .unwrap();
        let took = begun.elapsed().as_secs();
        assert!((least..=most).contains(&took), "{took} s");
    }
    conductor.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_wait_without_seconds_lasts_until_the_agent_calls_or_the_time_is_up() {
    let house = House::new();
    let conductor = house.conductor("cond-a").await;
    let client = house.client(&conductor);
    let node = enrolled(&client).await;
    go(&client, node, Verb::Manage, S::Manageable).await;
    client
        .provision(node, Verb::Clean, steps(&["wait", "power_on"]))
        .await
        .unwrap();
    reaches(&client, node, S::CleanWait).await;
    sleep(Duration::from_secs(600)).await;
    assert_eq!(
        client.node(node).await.unwrap().provision_state,
        S::CleanWait
    );
    agent_calls(&client, node).await;
    client.wait_for(node, S::Manageable, LONG).await.unwrap();
    assert_eq!(house.fakes.power_state(node), Some(PowerState::On));

    client
        .provision(node, Verb::Clean, steps(&["wait"]))
        .await
        .unwrap();
    reaches(&client, node, S::CleanFailed).await;
    let error = client.node(node).await.unwrap().last_error.unwrap();
    assert!(
        error.contains("power.wait") && error.contains("1800 s"),
        "{error}"
    );
    conductor.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_plan_leads_through_holds_and_waits_to_the_end() {
    let house = House::new();
    let conductor = house.conductor("cond-a").await;
    let client = house.client(&conductor);
    let node = enrolled(&client).await;
    go(&client, node, Verb::Manage, S::Manageable).await;
    let wait = UserStep::new(I::Power, "wait").with_arg("seconds", 3);
    let mut args = steps(&["hold", "power_on"]);
    args.steps.push(wait);
    let plan = client.plan(node, Verb::Clean, args).await.unwrap();
    let plan = plan.to_string();
    let states: Vec<_> = plan
        .lines()
        .filter_map(|line| line.strip_prefix("→ "))
        .collect();
    assert_eq!(
        states,
        [
            "cleaning",
            "clean hold",
            "clean wait",
            "cleaning",
            "clean wait",
            "cleaning",
            "manageable"
        ]
    );
    conductor.stop().await.unwrap();
}
