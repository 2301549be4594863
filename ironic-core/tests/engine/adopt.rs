//! Taking in machines that already run an instance.

use ironic_core::driver::fake::{FakeOperation as Op, FakeRule};
use ironic_core::states::{PowerState, ProvisionState as S, Verb};
use ironic_core::transport::Change;
use ironic_core::{Error, ErrorKind};

use crate::house::{House, LONG, ask, enrolled, go};

#[tokio::test(start_paused = true)]
async fn a_running_machine_is_taken_in_without_being_touched() {
    let house = House::new();
    let conductor = house.conductor("cond-a").await;
    let client = house.client(&conductor);
    let node = enrolled(&client).await;
    house.fakes.set_power_state(node, PowerState::On);
    go(&client, node, Verb::Manage, S::Manageable).await;
    let image = "http://192.0.2.1/image.qcow2";
    client
        .update_node(node, vec![Change::set("instance_info/image_source", image)])
        .await
        .unwrap();
    house.fakes.record();

    let adopted = go(&client, node, Verb::Adopt, S::Active).await;
    assert_eq!(adopted.target_provision_state, None);
    assert_eq!(adopted.power_state, Some(PowerState::On));
    assert_eq!(
        adopted.instance_info["image_source"], image,
        "what the operator said of the instance stays"
    );
    assert_eq!(adopted.instance_info["image_type"], "whole-disk");
    let calls = house.fakes.calls(node);
    let order: Vec<_> = calls.iter().map(|call| call.operation).collect();
    let at = |op| order.iter().position(|called| *called == op);
    assert!(at(Op::PrepareDeploy).unwrap() < at(Op::TakeOver).unwrap());
    assert_eq!(at(Op::SetPowerState), None, "{order:?}");
    assert_eq!(at(Op::Deploy), None, "{order:?}");
    assert_eq!(at(Op::ValidateBoot), None, "it boots from its disk");

    // An adopted node lives on as a deployed one.
    go(&client, node, Verb::Undeploy, S::Available).await;
    conductor.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_failed_adoption_says_why_and_is_tried_again() {
    let house = House::new();
    let conductor = house.conductor("cond-a").await;
    let client = house.client(&conductor);
    let node = enrolled(&client).await;
    house.fakes.set_power_state(node, PowerState::On);
    go(&client, node, Verb::Manage, S::Manageable).await;
    let broken = Error::driver("fake", "no such volume");
    house
        .fakes
        .add(FakeRule::fails(Op::TakeOver, broken).nth(1));

    ask(&client, node, Verb::Adopt).await.unwrap();
    let error = client.wait_for(node, S::Active, LONG).await.unwrap_err();
    assert!(error.to_string().contains("no such volume"), "{error}");
    let failed = client.node(node).await.unwrap();
    assert_eq!(failed.provision_state, S::AdoptFailed);
    assert_eq!(failed.target_provision_state, Some(S::Active));
    assert_eq!(failed.power_state, None, "it may not be this machine's");
    assert!(!failed.maintenance && failed.fault.is_none());
    assert_eq!(client.flow(node).await.unwrap(), None);
    assert_eq!(client.reservation(node).await.unwrap(), None);

    let adopted = go(&client, node, Verb::Adopt, S::Active).await;
    assert_eq!(adopted.last_error, None);
    conductor.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn an_instance_that_boots_from_elsewhere_needs_a_boot_interface_that_can() {
    let house = House::new();
    let conductor = house.conductor("cond-a").await;
    let client = house.client(&conductor);
    let node = enrolled(&client).await;
    go(&client, node, Verb::Manage, S::Manageable).await;
    let option = Change::set(
        "instance_info/capabilities",
        r#"{"boot_option": "ramdisk"}"#,
    );
    client.update_node(node, vec![option]).await.unwrap();
    let lacking = Error::missing("deploy_kernel");
    house.fakes.add(FakeRule::fails(Op::ValidateBoot, lacking));
    ask(&client, node, Verb::Adopt).await.unwrap();
    let error = client.wait_for(node, S::Active, LONG).await.unwrap_err();
    assert!(error.to_string().contains("deploy_kernel"), "{error}");
    go(&client, node, Verb::Manage, S::Manageable).await;
    conductor.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn only_a_managed_node_is_adopted() {
    let house = House::new();
    let conductor = house.conductor("cond-a").await;
    let client = house.client(&conductor);
    let node = enrolled(&client).await;
    let error = ask(&client, node, Verb::Adopt).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidState);
    conductor.stop().await.unwrap();
}
