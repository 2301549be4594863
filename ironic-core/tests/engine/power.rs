use std::time::Duration;

use ironic_core::driver::fake::{FakeOperation, FakeRule};
use ironic_core::states::{PowerState, PowerTarget, ProvisionState, Verb};
use ironic_core::{Error, ErrorKind};
use tokio::time::advance;

use crate::house::{House, LONG, enrolled, go};

#[tokio::test(start_paused = true)]
async fn power_is_switched_and_what_goes_wrong_is_said() {
    let house = House::new();
    let conductor = house.conductor("cond-a").await;
    let client = house.client(&conductor);
    let node = enrolled(&client).await;
    go(&client, node, Verb::Manage, ProvisionState::Manageable).await;
    for (target, state) in [
        (PowerTarget::On, PowerState::On),
        (PowerTarget::Reboot, PowerState::On),
        (PowerTarget::Off, PowerState::Off),
    ] {
        client.set_power(node, target, None).await.unwrap();
        let record = client
            .wait_until(node, LONG, |node| {
                node.target_power_state.is_none().then_some(Ok(()))
            })
            .await
            .unwrap();
        assert_eq!(record.power_state, Some(state));
        assert_eq!(house.fakes.power_state(node), Some(state));
    }
    house.fakes.add(
        FakeRule::fails(
            FakeOperation::SetPowerState,
            Error::driver("fake", "stuck relay"),
        )
        .nth(1),
    );
    client.set_power(node, PowerTarget::On, None).await.unwrap();
    let record = client
        .wait_until(node, LONG, |node| {
            node.target_power_state.is_none().then_some(Ok(()))
        })
        .await
        .unwrap();
    assert_eq!(record.power_state, Some(PowerState::Off));
    assert!(record.last_error.unwrap().contains("stuck relay"));
    conductor.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn power_that_changed_behind_the_back_is_put_back_or_taken_over() {
    for force in [true, false] {
        let mut house = House::new();
        house.config.sync_power_state_interval = Duration::from_secs(60);
        house.config.force_power_state_during_sync = force;
        let conductor = house.conductor("cond-a").await;
        let client = house.client(&conductor);
        let node = enrolled(&client).await;
        house.fakes.set_power_state(node, PowerState::Off);
        go(&client, node, Verb::Manage, ProvisionState::Manageable).await;
        house.fakes.set_power_state(node, PowerState::On);
        tokio::time::sleep(Duration::from_secs(130)).await;
        let recorded = client.node(node).await.unwrap().power_state;
        let expected = if force {
            PowerState::Off
        } else {
            PowerState::On
        };
        assert_eq!(
            (recorded, house.fakes.power_state(node)),
            (Some(expected), Some(expected)),
            "force: {force}"
        );
        conductor.stop().await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_bmc_that_does_not_answer_puts_the_node_into_maintenance_until_it_does() {
    let mut house = House::new();
    house.config.sync_power_state_interval = Duration::from_secs(10);
    house.config.power_failure_recovery_interval = Duration::from_secs(100);
    let conductor = house.conductor("cond-a").await;
    let client = house.client(&conductor);
    let node = enrolled(&client).await;
    go(&client, node, Verb::Manage, ProvisionState::Manageable).await;
    house.fakes.add(FakeRule::fails(
        FakeOperation::GetPowerState,
        Error::driver("fake", "no answer"),
    ));
    tokio::time::sleep(Duration::from_secs(25)).await;
    assert!(
        !client.node(node).await.unwrap().maintenance,
        "a few failures are no fault"
    );
    tokio::time::sleep(Duration::from_secs(40)).await;
    let record = client.node(node).await.unwrap();
    assert!(record.maintenance);
    assert_eq!(record.fault.as_deref(), Some("power failure"));
    assert!(record.maintenance_reason.unwrap().contains("no answer"));
    house.fakes.record();
    tokio::time::sleep(Duration::from_secs(90)).await;
    let tries = house.fakes.call_count(FakeOperation::GetPowerState);
    assert!(tries <= 1, "tried {tries} times within its interval");
    house.fakes.clear(FakeOperation::GetPowerState);
    advance(Duration::from_secs(1)).await;
    tokio::time::sleep(Duration::from_secs(110)).await;
    let record = client.node(node).await.unwrap();
    assert!(!record.maintenance && record.fault.is_none());
    conductor.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_machine_that_must_not_be_switched_off_is_not() {
    let house = House::new();
    let conductor = house.conductor("cond-a").await;
    let client = house.client(&conductor);
    let node = enrolled(&client).await;
    client
        .update_node(
            node,
            vec![ironic_core::transport::Change::set(
                "disable_power_off",
                true,
            )],
        )
        .await
        .unwrap();
    let error = client
        .set_power(node, PowerTarget::Off, None)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidParameter);
    assert_eq!(client.reservation(node).await.unwrap(), None);
    conductor.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_machine_has_its_time_to_shut_down_by_itself_unless_the_caller_gives_it_another() {
    let mut house = House::new();
    house.config.soft_power_off_timeout = Duration::from_secs(200);
    let conductor = house.conductor("cond-a").await;
    let client = house.client(&conductor);
    let node = enrolled(&client).await;
    go(&client, node, Verb::Manage, ProvisionState::Manageable).await;
    house
        .fakes
        .add(FakeRule::hangs(FakeOperation::SetPowerState));
    for (target, given, expected) in [
        (PowerTarget::SoftOff, None, 200),
        (PowerTarget::SoftReboot, Some(0), 200),
        (PowerTarget::SoftOff, Some(30), 30),
        (PowerTarget::Off, Some(7), 7),
    ] {
        let began = tokio::time::Instant::now();
        client.set_power(node, target, given).await.unwrap();
        let record = client
            .wait_until(node, LONG, |node| {
                node.target_power_state.is_none().then_some(Ok(()))
            })
            .await
            .unwrap();
        let took = began.elapsed().as_secs();
        assert!(
            (expected..=expected + 1).contains(&took),
            "{target}: {took} s"
        );
        let text = record.last_error.unwrap();
        assert!(
            text.contains(&format!("timed out after {expected}s")),
            "{text}"
        );
    }
    conductor.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn so_many_machines_power_is_read_at_a_time_and_the_others_wait_their_turn() {
    for (workers, most) in [(1, 4), (4, 40)] {
        let mut house = House::new();
        house.config.sync_power_state_interval = Duration::from_secs(1);
        house.config.sync_power_state_workers = workers;
        let conductor = house.conductor("cond-a").await;
        let client = house.client(&conductor);
        for _ in 0..8 {
            let node = enrolled(&client).await;
            go(&client, node, Verb::Manage, ProvisionState::Manageable).await;
        }
        house.fakes.add(FakeRule::takes(
            FakeOperation::GetPowerState,
            Duration::from_secs(10),
        ));
        tokio::time::sleep(Duration::from_secs(15)).await;
        house.fakes.record();
        tokio::time::sleep(Duration::from_secs(35)).await;
        let reads = house.fakes.call_count(FakeOperation::GetPowerState);
        assert!(
            reads > 0 && reads <= most,
            "{workers} workers: {reads} in 35 s"
        );
        assert!(
            workers == 1 || reads > 8,
            "{workers} workers: {reads} in 35 s"
        );
        conductor.stop().await.unwrap();
    }
}
