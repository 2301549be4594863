//! How the ramdisk that has inspected a machine is left.

use ironic_core::Error;
use ironic_core::client::Client;
use ironic_core::conductor::Conductor;
use ironic_core::driver::fake::{FakeOperation as Op, FakeRule};
use ironic_core::states::{ProvisionState as S, Verb};
use ironic_core::transport::Change;
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
