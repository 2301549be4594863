//! Records besides nodes: created, read, changed and removed by what a user sees.

use ironic_core::client::Client;
use ironic_core::model::{
    Allocation, Chassis, HistoryEvent, MacAddress, Node, Port, Portgroup, VolumeConnector,
    VolumeTarget,
};
use ironic_core::states::{InterfaceKind as I, PowerTarget, ProvisionState, Verb};
use ironic_core::steps::{DeployTemplate, Runbook, RunbookStep, UserStep};
use ironic_core::store::{Filter, Kind, Persistent, Query};
use ironic_core::transport::{Change, ClientRecord};
use ironic_core::{Error, ErrorKind};
use serde_json::json;
use uuid::Uuid;

use crate::house::{House, available, enrolled, go, powered};

fn kind<T: std::fmt::Debug>(result: Result<T, Error>) -> ErrorKind {
    result.unwrap_err().kind()
}

async fn all<T: Persistent>(client: &Client) -> Vec<T> {
    client.records(&Query::all(T::KIND)).await.unwrap()
}

fn mac(last: u8) -> MacAddress {
    MacAddress::from_octets([0x52, 0x54, 0, 0, 0, last])
}

/// What holds for every type: it is found as it was created, changed as a whole or not at all, and
/// gone once removed.
async fn lives<T: ClientRecord + std::fmt::Debug + PartialEq>(
    client: &Client,
    record: T,
    change: Change,
) -> T {
    let created = client.create_record(record).await.unwrap();
    let id = created.id();
    assert!(!id.is_nil());
    assert_eq!(client.record::<T>(id).await.unwrap(), created);
    assert_eq!(
        client.find_record::<T>(&id.to_string()).await.unwrap(),
        created
    );
    assert_eq!(
        kind(client.create_record(created.clone()).await),
        ErrorKind::AlreadyExists
    );
    let internal = Change::set("created_at", 0);
    let both = vec![change.clone(), internal];
    assert_eq!(
        kind(client.update_record::<T>(id, both).await),
        ErrorKind::InvalidParameter
    );
    assert_eq!(client.record::<T>(id).await.unwrap(), created, "untouched");
    let changed = client.update_record::<T>(id, vec![change]).await.unwrap();
    assert_ne!(changed, created);
    assert_eq!(client.record::<T>(id).await.unwrap(), changed);
    client.delete_record::<T>(id).await.unwrap();
    assert_eq!(kind(client.record::<T>(id).await), ErrorKind::NotFound);
    assert_eq!(
        kind(client.delete_record::<T>(id).await),
        ErrorKind::NotFound
    );
    changed
}

#[tokio::test(start_paused = true)]
async fn every_type_lives_the_same_way() {
    let house = House::new();
    let conductor = house.conductor("cond-a").await;
    let client = house.client(&conductor);
    let node = available(&client).await;
    powered(&client, node, PowerTarget::Off).await;
    let nil = Uuid::nil();
    let extra = || Change::set("extra", json!({"rack": 7}));
    lives(&client, Chassis::new(nil), extra()).await;
    lives(&client, Portgroup::new(nil, node), extra()).await;
    let connector = VolumeConnector::new(nil, node, "iqn", "iqn.2017-07.org.openstack:01");
    lives(&client, connector, extra()).await;
    let target = VolumeTarget::new(nil, node, "iscsi", "v1", 0);
    lives(&client, target, Change::set("boot_index", 1)).await;
    let step = UserStep::new(I::Bios, "factory_reset");
    let template = DeployTemplate::new("CUSTOM_T", vec![step.clone().with_priority(10)]);
    lives(&client, template, Change::set("name", "CUSTOM_U")).await;
    let runbook = Runbook::new("CUSTOM_R", vec![RunbookStep::new(step, 1)]);
    let runbook = lives(&client, runbook, Change::set("steps/0/order", 4)).await;
    assert_eq!(runbook.steps[0].order, 4);
    conductor.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_chassis_stays_while_nodes_stand_in_it() {
    let house = House::new();
    let conductor = house.conductor("cond-a").await;
    let client = house.client(&conductor);
    let nowhere = Uuid::from_u128(77);
    let mut node = Node::new(Uuid::nil(), "fake-hardware");
    node.chassis_uuid = Some(nowhere);
    assert_eq!(
        kind(client.create_node(node.clone()).await),
        ErrorKind::InvalidParameter
    );
    let chassis = client.create_record(Chassis::new(nowhere)).await.unwrap();
    let node = client.create_node(node).await.unwrap();
    let error = client
        .delete_record::<Chassis>(chassis.uuid)
        .await
        .unwrap_err();
    assert!(error.to_string().contains("1 nodes stand in it"), "{error}");
    let elsewhere = vec![Change::set("chassis_uuid", Uuid::from_u128(78).to_string())];
    assert_eq!(
        kind(client.update_node(node.uuid, elsewhere).await),
        ErrorKind::InvalidParameter
    );
    let out = vec![Change::remove("chassis_uuid")];
    client.update_node(node.uuid, out).await.unwrap();
    client.delete_record::<Chassis>(chassis.uuid).await.unwrap();
    let back = vec![Change::set("chassis_uuid", nowhere.to_string())];
    assert_eq!(
        kind(client.update_node(node.uuid, back).await),
        ErrorKind::InvalidParameter
    );
    conductor.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn port_groups_keep_their_ports_together() {
    let house = House::new();
    let conductor = house.conductor("cond-a").await;
    let client = house.client(&conductor);
    let node = enrolled(&client).await;
    let mut group = Portgroup::new(Uuid::nil(), node);
    group.name = Some("bond0".to_owned());
    group.address = Some(mac(0));
    let group = client.create_record(group).await.unwrap();
    assert_eq!(group.mode(), "active-backup");
    let found = client.find_record::<Portgroup>("bond0").await.unwrap();
    assert_eq!(found, group);
    let mut twin = Portgroup::new(Uuid::nil(), node);
    twin.address = Some(mac(0));
    assert_eq!(
        kind(client.create_record(twin).await),
        ErrorKind::AlreadyExists
    );

    let mut port = Port::new(Uuid::nil(), node, mac(1));
    port.portgroup_uuid = Some(Uuid::from_u128(1));
    assert_eq!(
        kind(client.create_port(port.clone()).await),
        ErrorKind::InvalidParameter,
        "no such group"
    );
    port.portgroup_uuid = Some(group.uuid);
    port.physical_network = Some("left".to_owned());
    let first = client.create_port(port).await.unwrap();
    let mut other = Port::new(Uuid::nil(), node, mac(2));
    other.portgroup_uuid = Some(group.uuid);
    assert_eq!(
        kind(client.create_port(other.clone()).await),
        ErrorKind::StateConflict,
        "another physical network"
    );
    other.physical_network = Some("left".to_owned());
    let second = client.create_port(other).await.unwrap();

    let right = vec![Change::set("physical_network", "right")];
    assert_eq!(
        kind(client.update_port(first.uuid, right.clone()).await),
        ErrorKind::StateConflict,
        "one of two"
    );
    client
        .update_record::<Portgroup>(group.uuid, right)
        .await
        .unwrap();
    for port in [first.uuid, second.uuid] {
        let network = client.port(port).await.unwrap().physical_network;
        assert_eq!(
            network.as_deref(),
            Some("right"),
            "the ports follow the group"
        );
    }
    let together = vec![Change::set("standalone_ports_supported", false)];
    assert_eq!(
        kind(
            client
                .update_record::<Portgroup>(group.uuid, together.clone())
                .await
        ),
        ErrorKind::StateConflict,
        "the ports boot from the network by themselves"
    );
    for port in [first.uuid, second.uuid] {
        let off = vec![Change::set("pxe_enabled", false)];
        client.update_port(port, off).await.unwrap();
    }
    client
        .update_record::<Portgroup>(group.uuid, together)
        .await
        .unwrap();
    let on = vec![Change::set("pxe_enabled", true)];
    assert_eq!(
        kind(client.update_port(first.uuid, on).await),
        ErrorKind::StateConflict
    );
    assert_eq!(
        kind(client.delete_record::<Portgroup>(group.uuid).await),
        ErrorKind::InvalidParameter,
        "it has ports"
    );
    for port in [first.uuid, second.uuid] {
        client.delete_port(port).await.unwrap();
    }
    client.delete_record::<Portgroup>(group.uuid).await.unwrap();
    conductor.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn what_a_machine_in_use_is_plugged_into_stays() {
    let house = House::new();
    let conductor = house.conductor("cond-a").await;
    let client = house.client(&conductor);
    let node = available(&client).await;
    let port = client
        .create_port(Port::new(Uuid::nil(), node, mac(1)))
        .await
        .unwrap();
    let link = || {
        vec![Change::set(
            "local_link_connection",
            json!({"port_id": "e1"}),
        )]
    };
    assert_eq!(
        kind(client.update_port(port.uuid, link()).await),
        ErrorKind::StateConflict
    );
    go(&client, node, Verb::Deploy, ProvisionState::Active).await;
    let address = || vec![Change::set("address", mac(9).as_str())];
    assert_eq!(
        kind(client.update_port(port.uuid, address()).await),
        ErrorKind::StateConflict
    );
    client.set_maintenance(node, true, None).await.unwrap();
    client.update_port(port.uuid, link()).await.unwrap();
    let moved = client.update_port(port.uuid, address()).await.unwrap();
    assert_eq!(moved.address, mac(9));
    conductor.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn volumes_change_while_the_machine_is_off_and_are_told_apart() {
    let house = House::new();
    let conductor = house.conductor("cond-a").await;
    let client = house.client(&conductor);
    let node = available(&client).await;
    let other = enrolled(&client).await;
    let nil = Uuid::nil();
    let target = |node, index| VolumeTarget::new(nil, node, "iscsi", "v", index);
    let first = client.create_record(target(node, 0)).await.unwrap();
    assert_eq!(
        kind(client.create_record(target(node, 0)).await),
        ErrorKind::AlreadyExists
    );
    client.create_record(target(other, 0)).await.unwrap();
    let connector = |node, id: &str| VolumeConnector::new(nil, node, "ip", id);
    client
        .create_record(connector(node, "192.0.2.1"))
        .await
        .unwrap();
    assert_eq!(
        kind(client.create_record(connector(other, "192.0.2.1")).await),
        ErrorKind::AlreadyExists,
        "of any node"
    );
    powered(&client, node, PowerTarget::On).await;
    let index = || vec![Change::set("boot_index", 3)];
    let error = client
        .update_record::<VolumeTarget>(first.uuid, index())
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidState);
    assert!(error.to_string().contains("power on"), "{error}");
    assert_eq!(
        kind(client.delete_record::<VolumeTarget>(first.uuid).await),
        ErrorKind::InvalidState
    );
    powered(&client, node, PowerTarget::Off).await;
    let changed = client
        .update_record::<VolumeTarget>(first.uuid, index())
        .await
        .unwrap();
    assert_eq!(changed.boot_index, 3);
    let of_node = client.records_of::<VolumeTarget>(node).await.unwrap();
    assert_eq!(of_node, [changed]);
    let secret = json!({"auth_password": "s3cr3t", "target_lun": 0});
    let properties = vec![Change::set("properties", secret)];
    let shown = client
        .update_record::<VolumeTarget>(first.uuid, properties)
        .await
        .unwrap();
    assert!(!format!("{shown:?}").contains("s3cr3t"));
    conductor.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn what_moves_is_let_go_by_the_one_node_and_taken_by_the_other() {
    let house = House::new();
    let conductor = house.conductor("cond-a").await;
    let client = house.client(&conductor);
    let (from, to) = (available(&client).await, available(&client).await);
    let target = VolumeTarget::new(Uuid::nil(), from, "iscsi", "v", 0);
    let target = client.create_record(target).await.unwrap().uuid;
    let there = |node: Uuid| vec![Change::set("node_uuid", node.to_string())];
    for on in [from, to] {
        powered(&client, on, PowerTarget::On).await;
        let moved = client
            .update_record::<VolumeTarget>(target, there(to))
            .await;
        assert_eq!(
            kind(moved),
            ErrorKind::InvalidState,
            "one of the two is in use"
        );
        powered(&client, on, PowerTarget::Off).await;
    }
    let moved = client
        .update_record::<VolumeTarget>(target, there(to))
        .await;
    assert_eq!(moved.unwrap().node_uuid, to);

    let group = Portgroup::new(Uuid::nil(), from);
    let group = client.create_record(group).await.unwrap().uuid;
    for wired in [from, to] {
        let rest = if wired == from { to } else { from };
        client.set_maintenance(rest, true, None).await.unwrap();
        let moved = client.update_record::<Portgroup>(group, there(to)).await;
        assert_eq!(
            kind(moved),
            ErrorKind::StateConflict,
            "one of the two is wired"
        );
        client.set_maintenance(rest, false, None).await.unwrap();
    }
    for node in [from, to] {
        client.set_maintenance(node, true, None).await.unwrap();
    }
    let moved = client.update_record::<Portgroup>(group, there(to)).await;
    assert_eq!(moved.unwrap().node_uuid, to);
    assert!(
        house.locks().await.iter().all(|lock| lock.holder.is_none()),
        "both are free again"
    );
    conductor.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn lists_are_filtered_sorted_and_paged() {
    let house = House::new();
    let conductor = house.conductor("cond-a").await;
    let client = house.client(&conductor);
    let step = UserStep::new(I::Bios, "factory_reset").with_priority(10);
    for name in ["CUSTOM_C", "CUSTOM_A", "CUSTOM_B"] {
        let template = DeployTemplate::new(name, vec![step.clone()]);
        client.create_record(template).await.unwrap();
    }
    let names = |query: Query| {
        let client = client.clone();
        async move {
            let found = client.records::<DeployTemplate>(&query).await.unwrap();
            found.into_iter().map(|one| one.name).collect::<Vec<_>>()
        }
    };
    let by_name = || Query::all(Kind::DeployTemplate).sort_by("name", false);
    assert_eq!(names(by_name().limit(2)).await, ["CUSTOM_A", "CUSTOM_B"]);
    let second = client
        .find_record::<DeployTemplate>("CUSTOM_B")
        .await
        .unwrap();
    assert_eq!(names(by_name().after(second.uuid)).await, ["CUSTOM_C"]);
    let one = by_name().filter(Filter::text("name", "CUSTOM_A"));
    assert_eq!(names(one).await, ["CUSTOM_A"]);
    let wrong = Query::all(Kind::Runbook);
    assert_eq!(
        kind(client.records::<DeployTemplate>(&wrong).await),
        ErrorKind::InvalidParameter
    );
    conductor.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn what_belongs_to_a_node_goes_with_it() {
    let house = House::new();
    let conductor = house.conductor("cond-a").await;
    let client = house.client(&conductor);
    let node = enrolled(&client).await;
    let stays = enrolled(&client).await;
    let nil = Uuid::nil();
    for node in [node, stays] {
        client
            .create_record(Portgroup::new(nil, node))
            .await
            .unwrap();
        client
            .create_record(VolumeTarget::new(nil, node, "iscsi", "v", 0))
            .await
            .unwrap();
        let name = format!("192.0.2.{}", node.as_bytes()[0]);
        client
            .create_record(VolumeConnector::new(nil, node, "ip", name))
            .await
            .unwrap();
    }
    client.delete_node(node).await.unwrap();
    assert_eq!(all::<Portgroup>(&client).await[0].node_uuid, stays);
    assert_eq!(all::<Portgroup>(&client).await.len(), 1);
    assert_eq!(all::<VolumeTarget>(&client).await.len(), 1);
    assert_eq!(all::<VolumeConnector>(&client).await.len(), 1);
    assert!(all::<Allocation>(&client).await.is_empty());
    let gone = Portgroup::new(nil, node);
    assert_eq!(kind(client.create_record(gone).await), ErrorKind::NotFound);
    let orphans = all::<HistoryEvent>(&client).await;
    assert!(orphans.iter().all(|event| event.node_uuid != node));
    conductor.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn names_and_lengths_are_checked() {
    let house = House::new();
    let conductor = house.conductor("cond-a").await;
    let client = house.client(&conductor);
    let node = enrolled(&client).await;
    let long = |n| "x".repeat(n);
    for (field, most) in [
        ("owner", 255),
        ("lessee", 255),
        ("shard", 255),
        ("resource_class", 80),
        ("description", 4096),
    ] {
        let set = |n| vec![Change::set(field, long(n))];
        client.update_node(node, set(most)).await.unwrap();
        let error = client.update_node(node, set(most + 1)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidParameter, "{field}");
        assert!(error.to_string().contains(field), "{error}");
    }
    for parent in [node, Uuid::from_u128(5)] {
        let child = vec![Change::set("parent_node", parent.to_string())];
        assert_eq!(
            kind(client.update_node(node, child).await),
            ErrorKind::InvalidParameter
        );
    }
    let mut group = Portgroup::new(Uuid::nil(), node);
    group.name = Some("a b".to_owned());
    assert_eq!(
        kind(client.create_record(group).await),
        ErrorKind::InvalidParameter
    );
    conductor.stop().await.unwrap();
}

/// Whatever a record is printed into, its secrets do not get there.
#[test]
fn no_record_prints_its_secrets() {
    let nil = Uuid::nil();
    let secrets = || {
        let extra = json!({"pdu": {"password": "swordfish"}, "rack": "r7"});
        extra.as_object().unwrap().clone()
    };
    let mut printed = Vec::new();
    macro_rules! print_extra {
        ($($record:expr),+ $(,)?) => {$(
            let mut record = $record;
            record.extra = secrets();
            printed.push(format!("{record:?}"));
        )+};
    }
    let step = || UserStep::new(I::Bios, "factory_reset").with_arg("pdu_password", "swordfish");
    let step = || step().with_arg("rack", "r7");
    let runbook = Runbook::new("CUSTOM_R", vec![RunbookStep::new(step(), 1)]);
    print_extra!(
        Allocation::new(nil, "big"),
        Chassis::new(nil),
        DeployTemplate::new("CUSTOM_T", vec![step()]),
        Node::new(nil, "fake-hardware"),
        Port::new(nil, nil, mac(1)),
        Portgroup::new(nil, nil),
        runbook.clone(),
        VolumeConnector::new(nil, nil, "iqn", "iqn.2017-07.org.openstack:01"),
        VolumeTarget::new(nil, nil, "iscsi", "v1", 0),
    );
    printed.push(format!("{:?}", step()));
    printed.push(format!("{:?}", runbook.steps));
    for text in printed {
        assert!(!text.contains("swordfish"), "{text}");
        assert!(text.contains("***") && text.contains("r7"), "{text}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_port_group_without_a_mode_gets_the_default_of_its_day() {
    let mut house = House::new();
    let conductor = house.conductor("cond-a").await;
    let client = house.client(&conductor);
    let node = enrolled(&client).await;
    let before = Portgroup::new(Uuid::nil(), node);
    let before = client.create_record(before).await.unwrap();
    assert_eq!(before.mode.as_deref(), Some("active-backup"));
    conductor.stop().await.unwrap();

    house.config.default_portgroup_mode = "802.3ad".to_owned();
    let conductor = house.conductor("cond-a").await;
    let client = house.client(&conductor);
    let after = Portgroup::new(Uuid::nil(), node);
    let after = client.create_record(after).await.unwrap();
    assert_eq!(after.mode(), "802.3ad");
    let mut own = Portgroup::new(Uuid::nil(), node);
    own.mode = Some("balance-rr".to_owned());
    let own = client.create_record(own).await.unwrap();
    assert_eq!(own.mode(), "balance-rr");
    let before = client.record::<Portgroup>(before.uuid).await.unwrap();
    assert_eq!(before.mode(), "active-backup");
    conductor.stop().await.unwrap();
}
