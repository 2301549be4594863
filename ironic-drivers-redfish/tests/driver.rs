//! A conductor that manages machines behind a real sushy-emulator.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that meets the unexpected is to stop there"
)]

mod support;

use std::time::Duration;

use ironic_core::ErrorKind;
use ironic_core::states::{BootDevice, BootMode, PowerState, PowerTarget, ProvisionState, Verb};
use ironic_core::transport::ProvisionArgs;
use ironic_drivers_redfish::ReqwestFactory;
use serde_json::{Value, json};
use support::house::House;
use support::{Emulator, PASSWORD, Setup, USER, mac, uuid};
use uuid::Uuid;

const PATIENCE: Duration = Duration::from_secs(60);

/// A conductor, an emulator that asks for a password, and a node of it.
async fn one_node(password: &str) -> (Emulator, House, Uuid) {
    support::install_provider();
    let emulator = Emulator::start(Setup {
        systems: 2,
        auth: true,
        ..Setup::default()
    })
    .await;
    let house = House::over(ReqwestFactory::new()).await;
    let info = info(&emulator, password);
    let node = house.node(info, |_| {}).await;
    (emulator, house, node)
}

fn info(emulator: &Emulator, password: &str) -> Value {
    json!({"redfish_address": emulator.address, "redfish_username": USER,
        "redfish_password": password, "redfish_system_id": format!("/redfish/v1/Systems/{}", uuid(0))})
}

async fn manage(house: &House, node: Uuid) -> Result<(), ironic_core::Error> {
    let args = ProvisionArgs::default();
    house.client.provision(node, Verb::Manage, args).await?;
    let reached = ProvisionState::Manageable;
    house.client.wait_for(node, reached, PATIENCE).await?;
    Ok(())
}

/// Switches power and gives what the record says then.
async fn switched(house: &House, node: Uuid, target: PowerTarget) -> Option<PowerState> {
    house.client.set_power(node, target, None).await.unwrap();
    let settled =
        |node: &ironic_core::model::Node| node.target_power_state.is_none().then_some(Ok(()));
    let record = house.client.wait_until(node, PATIENCE * 2, settled);
    let record = record.await.unwrap();
    assert_eq!(record.last_error, None);
    record.power_state
}

fn resets(emulator: &Emulator) -> usize {
    let reset = "Actions/ComputerSystem.Reset HTTP/1.1";
    emulator.log().matches(reset).count()
}

#[tokio::test]
async fn a_machine_is_managed_and_switched_on_restarted_and_off() {
    let (emulator, house, node) = one_node(PASSWORD).await;
    manage(&house, node).await.unwrap();
    let power_state = house.client.node(node).await.unwrap().power_state;
    assert_eq!(power_state, Some(PowerState::Off));
    let on = Some(PowerState::On);
    assert_eq!(switched(&house, node, PowerTarget::On).await, on);
    assert_eq!(resets(&emulator), 1);
    assert_eq!(switched(&house, node, PowerTarget::Reboot).await, on);
    assert_eq!(resets(&emulator), 3, "off, and on again");
    let off = Some(PowerState::Off);
    assert_eq!(switched(&house, node, PowerTarget::Off).await, off);
    let task = house.look(node).await;
    let seen = task.driver().power.get_power_state(&task).await.unwrap();
    assert_eq!(seen, off);
    house.conductor.stop().await.unwrap();
    house.pool.close().await;
}

#[tokio::test]
async fn the_boot_device_of_a_managed_machine_is_set_and_read() {
    let (emulator, house, node) = one_node(PASSWORD).await;
    manage(&house, node).await.unwrap();
    let supported = house.client.supported_boot_devices(node).await.unwrap();
    assert!(supported.contains(&BootDevice::UefiHttp), "{supported:?}");
    for device in [BootDevice::Pxe, BootDevice::Cdrom, BootDevice::Disk] {
        let set = house.client.set_boot_device(node, device, true);
        set.await.unwrap();
        let boot = house.client.boot_device(node).await.unwrap();
        assert_eq!(boot.device, Some(device));
        assert_eq!(boot.persistent, Some(true));
    }
    let set = house.client.set_boot_device(node, BootDevice::Bios, false);
    let error = set.await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidParameter, "{error}");
    assert!(
        error.to_string().contains("BiosSetup is not allowed"),
        "{error}"
    );
    assert!(emulator.log().contains("PATCH /redfish/v1/Systems/"));
    house.conductor.stop().await.unwrap();
}

#[tokio::test]
async fn the_rest_of_a_machine_is_managed() {
    let (emulator, house, node) = one_node(PASSWORD).await;
    let mut task = house.task(node).await;
    let management = task.driver().management.clone();
    for mode in [BootMode::Bios, BootMode::Uefi] {
        management.set_boot_mode(&mut task, mode).await.unwrap();
        let seen = management.get_boot_mode(&task).await.unwrap();
        assert_eq!(seen, Some(mode));
    }
    for on in [true, false] {
        management.set_secure_boot(&mut task, on).await.unwrap();
        assert_eq!(management.get_secure_boot(&task).await.unwrap(), Some(on));
    }
    let macs = management.mac_addresses(&task).await.unwrap();
    let macs: Vec<_> = macs.iter().map(|mac| mac.as_str()).collect();
    assert_eq!(macs, [mac(0)]);
    // The emulator's fake machines have no processor to interrupt, and it says so.
    let error = management.inject_nmi(&mut task).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Driver, "{error}");
    let said = "answered 501: Base.1.0.GeneralError: Power state Nmi is not supported";
    assert!(error.to_string().contains(said), "{error}");
    assert_eq!(resets(&emulator), 1);
}

#[tokio::test]
async fn a_wrong_password_leaves_the_node_enrolled_and_is_said() {
    let (_emulator, house, node) = one_node("not-the-password").await;
    let error = manage(&house, node).await.unwrap_err();
    assert!(error.to_string().contains("\"enroll\""), "{error}");
    let record = house.client.node(node).await.unwrap();
    assert_eq!(record.provision_state, ProvisionState::Enroll);
    let said = record.last_error.unwrap();
    assert!(
        said.contains("access denied; check redfish_username and redfish_password"),
        "{said}"
    );
    assert!(
        said.contains("401") && !said.contains("not-the-password"),
        "{said}"
    );
    house.conductor.stop().await.unwrap();
}

#[tokio::test]
async fn a_machine_that_is_not_named_is_asked_for() {
    let (emulator, house, _) = one_node(PASSWORD).await;
    let mut info = info(&emulator, PASSWORD);
    info.as_object_mut().unwrap().remove("redfish_system_id");
    let node = house.node(info, |_| {}).await;
    let error = manage(&house, node).await.unwrap_err();
    let said = "2 systems; name one in redfish_system_id of driver_info";
    assert!(error.to_string().contains(said), "{error}");
}

#[tokio::test]
async fn sensors_are_read_from_the_emulator() {
    let (_emulator, house, node) = one_node(PASSWORD).await;
    let task = house.look(node).await;
    let read = task.driver().management.sensors(&task).await.unwrap();
    let names: Vec<_> = read.keys().map(String::as_str).collect();
    assert_eq!(names, ["Drive", "Extra", "Fan", "Power", "Temperature"]);
    assert_eq!(read["Extra"]["UUID"], uuid(0));
    // As sushy-tools has them by itself.
    let celsius = |reading: &Value| reading["reading_celsius"].as_f64();
    let temperatures = read["Temperature"].as_object().unwrap();
    assert!(!temperatures.is_empty(), "{read:?}");
    assert!(
        temperatures.values().all(|one| celsius(one).is_some()),
        "{read:?}"
    );
    let fans = read["Fan"].as_object().unwrap();
    assert!(fans.values().any(|fan| fan["reading"].is_u64()), "{read:?}");
    house.conductor.stop().await.unwrap();
}
