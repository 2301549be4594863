//! Nodes whose driver was enabled once, and is no longer.

use std::sync::Arc;

use ironic_core::client::Client;
use ironic_core::conductor::Conductor;
use ironic_core::driver::fake::FakePower;
use ironic_core::driver::{HardwareType, RegistryBuilder};
use ironic_core::model::{MacAddress, Node, Port};
use ironic_core::states::{InterfaceKind, ProvisionState, Verb};
use ironic_core::transport::Change;
use ironic_core::{Error, ErrorKind};
use uuid::Uuid;

use crate::house::{House, ask, go};

/// A hardware type that goes out of fashion, with a power interface of its own.
struct Legacy;

impl HardwareType for Legacy {
    fn name(&self) -> &str {
        "legacy"
    }

    fn supported(&self, kind: InterfaceKind) -> &[&str] {
        match kind {
            InterfaceKind::Power => &["legacy-power", "fake"],
            InterfaceKind::Network | InterfaceKind::Storage => &["noop"],
            _ => &["fake"],
        }
    }
}

fn legacy(house: &House) -> impl FnOnce(RegistryBuilder) -> RegistryBuilder + use<> {
    let power = FakePower::new(&house.fakes);
    move |builder| {
        builder
            .hardware(Arc::new(Legacy))
            .power("legacy-power", Arc::new(power))
            .enable(InterfaceKind::Power, ["legacy-power", "fake"])
            .enable_hardware_types(["legacy"])
    }
}

/// A house whose conductor has been started again without the hardware type of its node.
async fn outdated() -> (House, Conductor, Client, Uuid) {
    let house = House::new();
    let before = house.conductor_with("cond-a", legacy(&house)).await;
    let client = house.client(&before);
    let node = client
        .create_node(Node::new(Uuid::nil(), "legacy"))
        .await
        .unwrap()
        .uuid;
    go(&client, node, Verb::Manage, ProvisionState::Manageable).await;
    before.stop().await.unwrap();
    let conductor = house.conductor("cond-a").await;
    let client = house.client(&conductor);
    (house, conductor, client, node)
}

fn says(error: &Error, words: &[&str]) {
    let text = error.to_string();
    assert!(words.iter().all(|word| text.contains(word)), "{text}");
}

#[tokio::test(start_paused = true)]
async fn a_node_without_its_hardware_type_can_be_read_patched_and_deleted() {
    let (house, conductor, client, node) = outdated().await;
    let record = client.node(node).await.unwrap();
    assert_eq!(
        record.interfaces.get(InterfaceKind::Power),
        Some("legacy-power")
    );

    let noted = vec![Change::set("extra/rack", "r1")];
    let record = client.update_node(node, noted).await.unwrap();
    assert_eq!(record.extra["rack"], "r1");
    let mac: MacAddress = "52:54:00:00:00:09".parse().unwrap();
    let port = client
        .create_port(Port::new(Uuid::nil(), node, mac))
        .await
        .unwrap_err();
    says(&port, &["legacy", "enabled_hardware_types"]);

    // What it would need a driver for says which is missing, what there is, and what to set.
    let words = [
        "\"legacy\"",
        "fake-hardware",
        "enabled_hardware_types",
        "the node's driver",
    ];
    for refused in [
        ask(&client, node, Verb::Provide).await.unwrap_err(),
        client.validate(node).await.map(drop).unwrap_err(),
        client
            .set_power(node, ironic_core::PowerTarget::On, None)
            .await
            .unwrap_err(),
    ] {
        assert_eq!(refused.kind(), ErrorKind::NoValidHost, "{refused}");
        says(&refused, &words);
    }

    client.delete_node(node).await.unwrap();
    assert_eq!(
        client.node(node).await.unwrap_err().kind(),
        ErrorKind::NotFound
    );
    assert_eq!(house.locks().await, [], "its lock goes with it");
    conductor.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn it_gets_another_driver_and_lives_on() {
    let (_house, conductor, client, node) = outdated().await;
    // The interface that it was recorded with does not fit, and the refusal says so.
    let alone = vec![Change::set("driver", "fake-hardware")];
    let refused = client.update_node(node, alone).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::InvalidParameter);
    says(
        &refused,
        &[
            "legacy-power",
            "enabled_power_interfaces",
            "power_interface",
        ],
    );
    assert_eq!(client.reservation(node).await.unwrap(), None);

    let both = vec![
        Change::set("driver", "fake-hardware"),
        Change::remove("interfaces/power"),
    ];
    let record = client.update_node(node, both).await.unwrap();
    assert_eq!(record.interfaces.get(InterfaceKind::Power), Some("fake"));
    go(&client, node, Verb::Provide, ProvisionState::Available).await;
    conductor.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn an_interface_that_is_not_enabled_any_more_is_named() {
    let house = House::new();
    let builder = |builder: RegistryBuilder| legacy(&house)(builder);
    let before = house.conductor_with("cond-a", builder).await;
    let client = house.client(&before);
    let node = client
        .create_node(Node::new(Uuid::nil(), "legacy"))
        .await
        .unwrap()
        .uuid;
    before.stop().await.unwrap();
    // The hardware type is still there, its power interface is not.
    let without = |builder: RegistryBuilder| {
        builder
            .hardware(Arc::new(Legacy))
            .enable_hardware_types(["legacy"])
    };
    let conductor = house.conductor_with("cond-a", without).await;
    let client = house.client(&conductor);
    let refused = ask(&client, node, Verb::Manage).await.unwrap_err();
    says(
        &refused,
        &["legacy-power", "fake", "enabled_power_interfaces"],
    );
    assert_eq!(client.reservation(node).await.unwrap(), None);
    let mac: MacAddress = "52:54:00:00:00:09".parse().unwrap();
    client
        .create_port(Port::new(Uuid::nil(), node, mac))
        .await
        .unwrap();
    let mended = vec![Change::set("interfaces/power", "fake")];
    client.update_node(node, mended).await.unwrap();
    go(&client, node, Verb::Manage, ProvisionState::Manageable).await;
    client.delete_node(node).await.unwrap();
    conductor.stop().await.unwrap();
}
