//! How the ramdisk that has inspected a machine is left.

use ironic_core::Error;
use ironic_core::client::Client;
use ironic_core::conductor::Conductor;
use ironic_core::driver::fake::{FakeOperation as Op, FakeRule};
use ironic_core::states::{ProvisionState as S, Verb};
use ironic_core::store::{Kind, Query};
use ironic_core::transport::Change;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::fast_track::{by_agent, house, inventory, switched};
use crate::hold::reaches;
use crate::house::{House, LONG, ask, enrolled, go};

/// A machine whose ramdisk is about to report.
async fn inspected(changes: Vec<Change>) -> (House, Conductor, Client, Uuid) {
    let (mut house, agent) = house();
    house.config.policy.fast_track = false;
    let conductor = house.conductor_with("cond-a", by_agent(&agent)).await;
    let client = house.client(&conductor);
    let node = enrolled(&client).await;
    client.update_node(node, changes).await.unwrap();
    go(&client, node, Verb::Manage, S::Manageable).await;
    ask(&client, node, Verb::Inspect).await.unwrap();
    reaches(&client, node, S::InspectWait).await;
    house.fakes.record();
    (house, conductor, client, node)
}

/// The addresses of the ports that an inspection makes.
async fn ports_after(boot: Value) -> Vec<String> {
    let (_house, conductor, client, node) = inspected(Vec::new()).await;
    let interface = |name: &str, last: u8, ip: &str| json!({"name": name, "mac_address": format!("52:54:00:00:01:0{last}"), "ipv4_address": ip, "has_carrier": true});
    let mut found = inventory();
    found.inventory.insert("boot".to_owned(), boot);
    let interfaces = json!([
        interface("lo", 0, "127.0.0.1"),
        interface("eth0", 1, "192.0.2.1"),
        interface("eth1", 2, "192.0.2.2"),
    ]);
    found.inventory.insert("interfaces".to_owned(), interfaces);
    let reported = client.continue_inspection(Some(node), &[], found);
    reported.await.unwrap();
    client.wait_for(node, S::Manageable, LONG).await.unwrap();
    let ports = client.ports(&Query::all(Kind::Port)).await.unwrap();
    conductor.stop().await.unwrap();
    let mut addresses: Vec<_> = ports.iter().map(|port| port.address.to_string()).collect();
    addresses.sort_unstable();
    addresses
}

#[tokio::test(start_paused = true)]
async fn the_interface_that_booted_gets_a_port_however_its_address_is_written() {
    for address in ["52:54:00:00:01:01", "01-52-54-00-00-01-01"] {
        let ports = ports_after(json!({"pxe_interface": address})).await;
        assert_eq!(ports, ["52:54:00:00:01:01"], "{address}");
    }
    // Started from a virtual disc: any may be the one, but for the machine's own.
    let ports = ports_after(json!({})).await;
    assert_eq!(ports, ["52:54:00:00:01:01", "52:54:00:00:01:02"]);
}

async fn reports(client: &Client, node: Uuid) {
    let reported = client.continue_inspection(Some(node), &[], inventory());
    reported.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_machine_that_is_never_off_restarts_out_of_its_ramdisk() {
    let never = vec![Change::set("disable_power_off", true)];
    let (house, conductor, client, node) = inspected(never).await;
    reports(&client, node).await;
    client.wait_for(node, S::Manageable, LONG).await.unwrap();
    assert_eq!(switched(&house, node), ["rebooting"]);
    conductor.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn one_thing_that_fails_keeps_nothing_else_from_being_undone() {
    let (house, conductor, client, node) = inspected(Vec::new()).await;
    for (operation, said) in [
        (Op::SetPowerState, "a welded relay"),
        (Op::CleanUpRamdisk, "a full disk"),
    ] {
        let broken = Error::driver("fake", said);
        house.fakes.add(FakeRule::fails(operation, broken));
    }
    reports(&client, node).await;
    reaches(&client, node, S::InspectFailed).await;
    let error = client.node(node).await.unwrap().last_error.unwrap();
    for said in ["a welded relay", "a full disk"] {
        assert!(error.contains(said), "{said} in {error}");
    }
    assert!(house.fakes.call_count(Op::Disconnect) > 0, "it is cut off");
    conductor.stop().await.unwrap();
}
