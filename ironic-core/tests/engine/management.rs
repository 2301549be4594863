mod sensors;

use ironic_core::driver::fake::{Completion, FakeOperation, FakeRule};
use ironic_core::driver::{Component, IndicatorState};
use ironic_core::states::{BootMode, ProvisionState, Verb};
use ironic_core::{Client, Error, ErrorKind, Node};
use uuid::Uuid;

use crate::house::{House, LONG, ask, available, enrolled, go};

async fn settled(client: &Client, node: Uuid) -> Node {
    client
        .wait_until(node, LONG, |_| Some(Ok(())))
        .await
        .unwrap()
}

#[tokio::test(start_paused = true)]
async fn boot_mode_and_secure_boot_are_set_seen_and_not_set_twice() {
    let house = House::new();
    house.fakes.record();
    let conductor = house.conductor("cond-a").await;
    let client = house.client(&conductor);
    let node = enrolled(&client).await;
    for _ in 0..2 {
        client.set_boot_mode(node, BootMode::Uefi).await.unwrap();
        settled(&client, node).await;
        client.set_secure_boot(node, true).await.unwrap();
        settled(&client, node).await;
    }
    let record = client.node(node).await.unwrap();
    assert_eq!(record.boot_mode, Some(BootMode::Uefi));
    assert_eq!(record.secure_boot, Some(true));
    assert_eq!(record.last_error, None);
    for operation in [FakeOperation::SetBootMode, FakeOperation::SetSecureBoot] {
        assert_eq!(house.fakes.call_count(operation), 1, "{operation}");
    }
    conductor.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_firmware_that_refuses_is_told_by_the_node_and_its_history() {
    let house = House::new();
    let conductor = house.conductor("cond-a").await;
    let client = house.client(&conductor);
    let node = enrolled(&client).await;
    let refusal = Error::driver("fake", "the firmware is locked");
    house
        .fakes
        .add(FakeRule::fails(FakeOperation::SetBootMode, refusal).nth(1));
    client.set_boot_mode(node, BootMode::Bios).await.unwrap();
    let record = settled(&client, node).await;
    assert_eq!(record.boot_mode, None);
    let text = record.last_error.unwrap();
    assert!(
        text.contains("boot mode to 'bios'") && text.contains("is locked"),
        "{text}"
    );
    let history = client.history(node).await.unwrap();
    assert!(
        history
            .iter()
            .any(|event| event.event == text && event.code == "driver")
    );
    client.set_boot_mode(node, BootMode::Bios).await.unwrap();
    let record = settled(&client, node).await;
    assert_eq!(
        (record.boot_mode, record.last_error),
        (Some(BootMode::Bios), None),
        "what is tried anew begins without the old error"
    );
    conductor.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn firmware_is_left_alone_while_a_node_is_on_its_way() {
    let house = House::new();
    let conductor = house.conductor("cond-a").await;
    let client = house.client(&conductor);
    let node = available(&client).await;
    house.fakes.add(FakeRule::completes(
        FakeOperation::PrepareDeploy,
        Completion::Heartbeat,
    ));
    ask(&client, node, Verb::Deploy).await.unwrap();
    while client.node(node).await.unwrap().provision_state != ProvisionState::DeployWait {
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    for error in [
        client
            .set_boot_mode(node, BootMode::Uefi)
            .await
            .unwrap_err(),
        client.set_secure_boot(node, false).await.unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::StateConflict);
        assert!(error.to_string().contains("wait call-back"), "{error}");
    }
    assert_eq!(client.reservation(node).await.unwrap(), None);
    // What needs no stable node goes on.
    client.inject_nmi(node).await.unwrap();
    conductor.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn lights_are_listed_read_and_set_where_they_can_be() {
    let house = House::new();
    let conductor = house.conductor("cond-a").await;
    let client = house.client(&conductor);
    let node = enrolled(&client).await;
    let all = client.indicators(node, None).await.unwrap();
    assert_eq!(
        all.keys().copied().collect::<Vec<_>>(),
        [Component::Chassis, Component::System]
    );
    let system = client.indicators(node, Some(Component::System)).await;
    assert_eq!(system.unwrap().len(), 1);
    let led = (Component::System, "led");
    assert_eq!(
        client.indicator(node, led.0, led.1).await.unwrap(),
        IndicatorState::On
    );
    let blinking = IndicatorState::Blinking;
    client
        .set_indicator(node, led.0, led.1, blinking)
        .await
        .unwrap();
    assert_eq!(
        client.indicator(node, led.0, led.1).await.unwrap(),
        blinking
    );
    for (component, name, state, word) in [
        (
            Component::Chassis,
            "led-0",
            IndicatorState::Off,
            "only be looked at",
        ),
        (
            led.0,
            led.1,
            IndicatorState::Unknown,
            "it knows blinking, off, on",
        ),
        (led.0, "led-7", IndicatorState::On, "it has led"),
        (Component::Nic, "led", IndicatorState::On, "chassis, system"),
    ] {
        let error = client.set_indicator(node, component, name, state).await;
        let error = error.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidParameter);
        assert!(error.to_string().contains(word), "{error}");
    }
    assert_eq!(client.reservation(node).await.unwrap(), None);
    conductor.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn what_the_management_interface_lacks_is_said() {
    let house = House::new();
    let conductor = house.conductor("cond-a").await;
    let client = house.client(&conductor);
    let mut record = Node::new(Uuid::nil(), "fake-hardware");
    record.interfaces.set(
        ironic_core::states::InterfaceKind::Management,
        Some("noop".to_owned()),
    );
    let node = client.create_node(record).await.unwrap().uuid;
    go(&client, node, Verb::Manage, ProvisionState::Manageable).await;
    for error in [
        client.inject_nmi(node).await.unwrap_err(),
        client.indicators(node, None).await.unwrap_err(),
        client.virtual_media(node).await.unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
    }
    client.set_secure_boot(node, true).await.unwrap();
    let record = settled(&client, node).await;
    assert!(record.last_error.unwrap().contains("set_secure_boot"));
    conductor.stop().await.unwrap();
}
