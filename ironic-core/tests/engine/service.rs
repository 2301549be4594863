//! Steps on machines that run an instance.

use std::time::Duration;

use ironic_core::client::Client;
use ironic_core::driver::fake::{Completion, FakeOperation as Op, FakeRule};
use ironic_core::states::{InterfaceKind as I, PowerState, ProvisionState as S, Verb};
use ironic_core::steps::UserStep;
use ironic_core::transport::ProvisionArgs;
use ironic_core::{Error, ErrorKind};
use tokio::time::sleep;
use uuid::Uuid;

use crate::hold::{agent_calls, reaches, steps};
use crate::house::{House, LONG, ask, available, go};

pub(crate) async fn active(client: &Client) -> Uuid {
    let node = available(client).await;
    go(client, node, Verb::Deploy, S::Active).await;
    node
}

/// A step that needs the ramdisk and is over after a second.
fn in_ramdisk(house: &House) -> ProvisionArgs {
    let soon = Completion::Polls {
        times: 1,
        every: Duration::from_secs(1),
    };
    house
        .fakes
        .add(FakeRule::completes(Op::TriggerServiceWait, soon));
    let step = UserStep::new(I::Vendor, "trigger_servicewait");
    ProvisionArgs::default().with_steps(vec![step])
}

#[tokio::test(start_paused = true)]
async fn service_steps_run_in_the_ramdisk_and_the_instance_is_kept() {
    let house = House::new();
    let conductor = house.conductor("cond-a").await;
    let client = house.client(&conductor);
    let node = active(&client).await;
    let instance = ironic_core::transport::Change::set("instance_info/image_source", "x");
    client.update_node(node, vec![instance]).await.unwrap();
    house.fakes.record();
    let agent = FakeRule::completes(Op::PrepareSteps, Completion::Heartbeat);
    house.fakes.add(agent);
    client
        .provision(node, Verb::Service, in_ramdisk(&house))
        .await
        .unwrap();
    reaches(&client, node, S::ServiceWait).await;
    assert_eq!(
        client.node(node).await.unwrap().target_provision_state,
        Some(S::Active)
    );
    agent_calls(&client, node).await;
    let serviced = client.wait_for(node, S::Active, LONG).await.unwrap();
    assert_eq!(serviced.instance_info["image_source"], "x");
    assert_eq!(serviced.target_provision_state, None);
    assert_eq!(serviced.internal_str("agent_url"), None);
    let calls = house.fakes.calls(node);
    let of_interest = [Op::PrepareSteps, Op::TriggerServiceWait, Op::TearDownSteps];
    let order: Vec<_> = calls
        .iter()
        .filter(|call| of_interest.contains(&call.operation))
        .map(|call| (call.operation, call.argument.as_str()))
        .collect();
    assert_eq!(
        order,
        [
            (Op::PrepareSteps, "service"),
            (Op::TriggerServiceWait, "vendor.trigger_servicewait"),
            (Op::TearDownSteps, "service"),
        ]
    );
    conductor.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn steps_that_need_no_ramdisk_boot_none_and_none_at_all_are_refused() {
    let house = House::new();
    let conductor = house.conductor("cond-a").await;
    let client = house.client(&conductor);
    let node = active(&client).await;
    house.fakes.record();
    client
        .provision(node, Verb::Service, steps(&["reboot"]))
        .await
        .unwrap();
    client.wait_for(node, S::Active, LONG).await.unwrap();
    assert_eq!(house.fakes.call_count(Op::PrepareSteps), 0);
    assert_eq!(house.fakes.power_state(node), Some(PowerState::On));
    for (args, kind) in [
        (ProvisionArgs::default(), ErrorKind::MissingParameter),
        (
            in_ramdisk(&house).without_ramdisk(),
            ErrorKind::InvalidParameter,
        ),
    ] {
        let error = client
            .provision(node, Verb::Service, args)
            .await
            .unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
    }
    client.set_maintenance(node, true, None).await.unwrap();
    let error = client
        .provision(node, Verb::Service, in_ramdisk(&house))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InMaintenance);
    conductor.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_step_that_fails_leaves_the_node_for_an_operator_who_aborts_back_to_active() {
    let house = House::new();
    let conductor = house.conductor("cond-a").await;
    let client = house.client(&conductor);
    let node = active(&client).await;
    let broken = Error::driver("fake", "the flash is worn out");
    house
        .fakes
        .add(FakeRule::fails(Op::TriggerServiceWait, broken).nth(1));
    client
        .provision(node, Verb::Service, in_ramdisk(&house))
        .await
        .unwrap();
    reaches(&client, node, S::ServiceFailed).await;
    sleep(Duration::from_secs(1)).await;
    let failed = client.node(node).await.unwrap();
    assert!(failed.last_error.as_ref().unwrap().contains("worn out"));
    assert!(failed.maintenance);
    assert_eq!(failed.fault.as_deref(), Some("service failure"));
    let error = ask(&client, node, Verb::Abort).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::StateConflict, "{error}");

    client.set_maintenance(node, false, None).await.unwrap();
    house.fakes.record();
    let back = go(&client, node, Verb::Abort, S::Active).await;
    assert_eq!(back.target_provision_state, None);
    sleep(Duration::from_secs(1)).await;
    assert_eq!(house.fakes.call_count(Op::TearDownSteps), 1);
    assert_eq!(client.flow(node).await.unwrap(), None);
    // And once more, this time without trouble.
    client
        .provision(node, Verb::Service, in_ramdisk(&house))
        .await
        .unwrap();
    client.wait_for(node, S::Active, LONG).await.unwrap();
    conductor.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_waiting_service_is_aborted_back_to_active() {
    let house = House::new();
    let conductor = house.conductor("cond-a").await;
    let client = house.client(&conductor);
    let node = active(&client).await;
    let agent = FakeRule::completes(Op::PrepareSteps, Completion::Heartbeat);
    house.fakes.add(agent.first(2));
    client
        .provision(node, Verb::Service, in_ramdisk(&house))
        .await
        .unwrap();
    reaches(&client, node, S::ServiceWait).await;
    house.fakes.record();
    go(&client, node, Verb::Abort, S::Active).await;
    sleep(Duration::from_secs(1)).await;
    let aborted = client.node(node).await.unwrap();
    assert!(aborted.last_error.unwrap().contains("aborted by request"));
    assert!(!aborted.maintenance);
    assert_eq!(house.fakes.call_count(Op::TearDownSteps), 1);

    // What cannot be undone keeps the node from everybody.
    client
        .provision(node, Verb::Service, in_ramdisk(&house))
        .await
        .unwrap();
    reaches(&client, node, S::ServiceWait).await;
    let broken = Error::driver("fake", "no answer");
    house
        .fakes
        .add(FakeRule::fails(Op::TearDownSteps, broken).first(2));
    ask(&client, node, Verb::Abort).await.unwrap();
    sleep(Duration::from_secs(1)).await;
    let stuck = client.node(node).await.unwrap();
    assert_eq!(stuck.fault.as_deref(), Some("service failure"));
    conductor.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_held_service_goes_on_by_itself_after_unhold() {
    let house = House::new();
    let conductor = house.conductor("cond-a").await;
    let client = house.client(&conductor);
    let node = active(&client).await;
    client
        .provision(node, Verb::Service, steps(&["hold", "power_off"]))
        .await
        .unwrap();
    reaches(&client, node, S::ServiceHold).await;
    let done = go(&client, node, Verb::Unhold, S::Active).await;
    assert_eq!(done.power_state, Some(PowerState::Off));

    client
        .provision(node, Verb::Service, steps(&["hold"]))
        .await
        .unwrap();
    reaches(&client, node, S::ServiceHold).await;
    go(&client, node, Verb::Abort, S::Active).await;
    conductor.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn an_abort_lets_a_step_end_that_must_not_be_interrupted() {
    let house = House::new();
    let conductor = house.conductor("cond-a").await;
    let client = house.client(&conductor);
    let node = active(&client).await;
    let polled = Completion::Polls {
        times: 3,
        every: Duration::from_secs(10),
    };
    house
        .fakes
        .add(FakeRule::completes(Op::TriggerServiceWait, polled));
    house.fakes.record();
    let args = ProvisionArgs::default().with_steps(vec![
        UserStep::new(I::Vendor, "trigger_servicewait"),
        UserStep::new(I::Vendor, "log_passthrough"),
    ]);
    client.provision(node, Verb::Service, args).await.unwrap();
    reaches(&client, node, S::ServiceWait).await;
    ask(&client, node, Verb::Abort).await.unwrap();
    assert_eq!(
        client.node(node).await.unwrap().provision_state,
        S::ServiceWait
    );
    reaches(&client, node, S::ServiceFailed).await;
    assert_eq!(house.fakes.call_count(Op::LogPassthrough), 0);
    conductor.stop().await.unwrap();
}
