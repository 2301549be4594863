//! What is known of a machine's firmware is read again where it may have changed.

use ironic_core::Error;
use ironic_core::driver::fake::{FakeOperation as Op, FakeRule};
use ironic_core::states::{BootMode, InterfaceKind as I, ProvisionState as S, Verb};
use ironic_core::steps::UserStep;
use ironic_core::transport::ProvisionArgs;
use serde_json::json;

use crate::hold::steps;
use crate::house::{House, LONG, enrolled, go};

/// How often settings and versions have been read.
fn read(house: &House) -> (usize, usize) {
    let count = |operation| house.fakes.call_count(operation);
    (count(Op::CacheSettings), count(Op::CacheComponents))
}

#[tokio::test(start_paused = true)]
async fn firmware_is_read_again_around_what_may_change_it() {
    let house = House::new();
    house.fakes.record();
    let conductor = house.conductor("cond-a").await;
    let client = house.client(&conductor);
    let node = enrolled(&client).await;
    let mut before = (0, 0);
    let mut further = |settings, versions, after: &str| {
        let now = read(&house);
        let more = (now.0 - before.0, now.1 - before.1);
        assert_eq!(more, (settings, versions), "after {after}");
        before = now;
    };
    go(&client, node, Verb::Manage, S::Manageable).await;
    further(1, 1, "verification");
    go(&client, node, Verb::Inspect, S::Manageable).await;
    further(0, 1, "inspection");
    go(&client, node, Verb::Provide, S::Available).await;
    further(2, 2, "cleaning");
    go(&client, node, Verb::Deploy, S::Active).await;
    further(0, 0, "deployment");
    let args = steps(&["power_on"]);
    client.provision(node, Verb::Service, args).await.unwrap();
    client.wait_for(node, S::Active, LONG).await.unwrap();
    further(2, 2, "servicing");
    conductor.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn what_a_step_has_changed_is_known_afterwards() {
    let house = House::new();
    let conductor = house.conductor("cond-a").await;
    let client = house.client(&conductor);
    let node = enrolled(&client).await;
    go(&client, node, Verb::Manage, S::Manageable).await;
    let mut step = UserStep::new(I::Bios, "apply_configuration");
    let settings = json!([{"name": "boot", "value": "uefi"}]);
    step.args.insert("settings".to_owned(), settings);
    let args = ProvisionArgs::default().with_steps(vec![step]);
    client.provision(node, Verb::Clean, args).await.unwrap();
    client.wait_for(node, S::Manageable, LONG).await.unwrap();
    // Somebody turns a knob at the machine itself.
    client.set_boot_mode(node, BootMode::Bios).await.unwrap();
    let told =
        |node: &ironic_core::Node| (node.boot_mode == Some(BootMode::Bios)).then_some(Ok(()));
    client.wait_until(node, LONG, told).await.unwrap();
    house.fakes.forget(node);
    assert_eq!(client.bios_settings(node).await.unwrap().len(), 1);
    let known = go(&client, node, Verb::Provide, S::Available).await;
    assert!(client.bios_settings(node).await.unwrap().is_empty());
    assert_eq!(known.boot_mode, None);
    conductor.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn no_flow_fails_because_they_cannot_be_read() {
    let house = House::new();
    let broken = || Error::driver("fake", "the BMC is busy");
    for operation in [Op::CacheSettings, Op::CacheComponents] {
        house.fakes.add(FakeRule::fails(operation, broken()));
    }
    house.fakes.record();
    let conductor = house.conductor("cond-a").await;
    let client = house.client(&conductor);
    let node = enrolled(&client).await;
    go(&client, node, Verb::Manage, S::Manageable).await;
    go(&client, node, Verb::Inspect, S::Manageable).await;
    let clean = go(&client, node, Verb::Provide, S::Available).await;
    assert_eq!((clean.last_error, clean.maintenance), (None, false));
    assert_eq!(read(&house), (3, 4));
    conductor.stop().await.unwrap();
}
