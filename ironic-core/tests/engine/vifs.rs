use ironic_core::client::Client;
use ironic_core::driver::fake::{FakeOperation, FakeRule};
use ironic_core::model::{JsonMap, Node, Port};
use ironic_core::states::InterfaceKind;
use ironic_core::{Conductor, Error, ErrorKind};
use serde_json::json;
use uuid::Uuid;

use crate::house::House;

async fn conductor(house: &House) -> Conductor {
    house
        .conductor_with("cond-a", |builder| {
            builder.enable(InterfaceKind::Network, ["fake", "flat", "noop"])
        })
        .await
}

/// A node with this network interface and two ports, of which the newer may boot from the network.
async fn node(client: &Client, network: &str) -> (Uuid, Vec<Uuid>) {
    let mut record = Node::new(Uuid::nil(), "fake-hardware");
    record
        .interfaces
        .set(InterfaceKind::Network, Some(network.to_owned()));
    let node = client.create_node(record).await.unwrap().uuid;
    let mut ports = Vec::new();
    for (address, pxe_enabled) in [("52:54:00:00:00:01", false), ("52:54:00:00:00:02", true)] {
        let mut port = Port::new(Uuid::nil(), node, address.parse().unwrap());
        port.pxe_enabled = pxe_enabled;
        ports.push(client.create_port(port).await.unwrap().uuid);
    }
    (node, ports)
}

fn info(text: serde_json::Value) -> JsonMap {
    text.as_object().unwrap().clone()
}

#[tokio::test(start_paused = true)]
async fn flat_remembers_which_interface_is_on_which_port() {
    let house = House::new();
    let conductor = conductor(&house).await;
    let client = house.client(&conductor);
    let (node, ports) = node(&client, "flat").await;
    for id in ["vif-1", "vif-2"] {
        client
            .attach_vif(node, info(json!({"id": id})))
            .await
            .unwrap();
    }
    // Port and interface in the order of the ports' creation: vif-1 got the port that boots.
    let vifs = client.vifs(node).await.unwrap();
    assert_eq!(
        vifs,
        [info(json!({"id": "vif-2"})), info(json!({"id": "vif-1"}))]
    );
    let booting = client.port(ports[1]).await.unwrap();
    assert_eq!(booting.internal_info["tenant_vif_port_id"], "vif-1");
    let again = client.attach_vif(node, info(json!({"id": "vif-1"}))).await;
    assert_eq!(again.unwrap_err().kind(), ErrorKind::StateConflict);
    let third = client.attach_vif(node, info(json!({"id": "vif-3"}))).await;
    assert_eq!(third.unwrap_err().kind(), ErrorKind::InvalidParameter);
    client.detach_vif(node, "vif-1").await.unwrap();
    let gone = client.detach_vif(node, "vif-1").await.unwrap_err();
    assert_eq!(gone.kind(), ErrorKind::InvalidParameter);
    assert!(gone.to_string().contains("vif-1 is not attached"), "{gone}");
    // The port that is asked for is taken, or none.
    let on = |port: Uuid| info(json!({"id": "vif-3", "port_uuid": port}));
    client.attach_vif(node, on(ports[0])).await.unwrap_err();
    client.attach_vif(node, on(ports[1])).await.unwrap();
    assert_eq!(client.reservation(node).await.unwrap(), None);
    conductor.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn noop_agrees_and_forgets_and_an_interface_needs_an_id() {
    let house = House::new();
    let conductor = conductor(&house).await;
    let client = house.client(&conductor);
    let (node, _) = node(&client, "noop").await;
    client
        .attach_vif(node, info(json!({"id": "v"})))
        .await
        .unwrap();
    assert!(client.vifs(node).await.unwrap().is_empty());
    client.detach_vif(node, "v").await.unwrap();
    for nameless in [json!({}), json!({"id": ""}), json!({"id": 7})] {
        let refused = client.attach_vif(node, info(nameless)).await.unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::MissingParameter);
    }
    conductor.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn what_the_network_refuses_is_in_the_history() {
    let house = House::new();
    let conductor = conductor(&house).await;
    let client = house.client(&conductor);
    let (node, _) = node(&client, "fake").await;
    for operation in [FakeOperation::AttachVif, FakeOperation::DetachVif] {
        house.fakes.add(FakeRule::fails(
            operation,
            Error::driver("fake", "no switch"),
        ));
    }
    let attached = client.attach_vif(node, info(json!({"id": "v"}))).await;
    let detached = client.detach_vif(node, "v").await;
    for error in [attached.unwrap_err(), detached.unwrap_err()] {
        assert_eq!(error.kind(), ErrorKind::Driver);
    }
    let history = client.history(node).await.unwrap();
    let events: Vec<_> = history.iter().map(|event| event.event.as_str()).collect();
    assert!(
        events[0].contains("attach the virtual interface v: no switch"),
        "{events:?}"
    );
    assert!(
        events[1].contains("detach the virtual interface v: no switch"),
        "{events:?}"
    );
    assert_eq!(client.reservation(node).await.unwrap(), None);
    conductor.stop().await.unwrap();
}
