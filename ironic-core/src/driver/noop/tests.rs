use serde_json::Value;

use super::ManualManagement;
use crate::driver::fake::{self, FakeBehaviour};
use crate::driver::harness::{self, NODE, step};
use crate::driver::{BootDeviceState, HardwareType, NetworkRole, Registry, RegistryBuilder, Task};
use crate::error::{Error, ErrorKind};
use crate::flow::Progress;
use crate::model::{JsonMap, Node};
use crate::states::{BootDevice, FlowKind, InterfaceKind as I};

fn builder() -> RegistryBuilder {
    fake::register(Registry::builder(), &FakeBehaviour::new()).enable(I::Deploy, ["fake", "noop"])
}

async fn task() -> Task {
    let mut node = Node::new(NODE, "fake-hardware");
    for (kind, name) in [
        (I::Bios, "no-bios"),
        (I::Console, "no-console"),
        (I::Deploy, "noop"),
        (I::Firmware, "no-firmware"),
        (I::Inspect, "no-inspect"),
        (I::Management, "noop"),
        (I::Network, "noop"),
        (I::Raid, "no-raid"),
        (I::Rescue, "no-rescue"),
        (I::Storage, "noop"),
        (I::Vendor, "no-vendor"),
    ] {
        node.interfaces.set(kind, Some(name.to_owned()));
    }
    harness::task(builder(), node).await
}

const ABSENT: [I; 7] = [
    I::Bios,
    I::Console,
    I::Firmware,
    I::Inspect,
    I::Raid,
    I::Rescue,
    I::Vendor,
];

fn refused<T>(answer: Result<T, Error>, kind: I, driver: &str) {
    let error = answer.err().unwrap();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    let text = format!("driver {driver} does not support {kind}");
    assert_eq!(error.to_string(), text);
}

#[tokio::test]
async fn what_a_machine_does_not_have_fails_validation_and_has_no_steps() {
    let task = task().await;
    for kind in ABSENT {
        let interface = task.driver().interface(kind);
        refused(interface.validate(&task).await, kind, "fake-hardware");
        assert!(interface.properties().is_empty());
        for flow in FlowKind::ALL {
            assert!(interface.steps(task.node(), *flow).is_empty());
        }
    }
    for kind in [I::Deploy, I::Management, I::Network, I::Storage] {
        let interface = task.driver().interface(kind);
        assert_eq!(interface.validate(&task).await, Ok(()), "{kind}");
    }
}

#[tokio::test]
async fn what_a_machine_does_not_have_refuses_what_a_user_asks_for() {
    let mut task = task().await;
    let (driver, none) = (task.driver(), JsonMap::new());
    let name = "fake-hardware";
    refused(driver.console.start(&mut task).await, I::Console, name);
    refused(driver.console.stop(&mut task).await, I::Console, name);
    refused(driver.console.get(&task).await, I::Console, name);
    let inspected = driver.inspect.inspect_hardware(&mut task).await;
    refused(inspected, I::Inspect, name);
    refused(driver.raid.validate_config(&none), I::Raid, "no-raid");
    refused(driver.rescue.rescue(&mut task).await, I::Rescue, name);
    refused(driver.rescue.unrescue(&mut task).await, I::Rescue, name);
    let called = driver.vendor.call(&mut task, "m", "POST", &none).await;
    refused(called, I::Vendor, name);
    assert!(driver.vendor.methods().is_empty());
}

#[tokio::test]
async fn what_the_engine_tries_unasked_is_no_error() {
    let mut task = task().await;
    let driver = task.driver();
    assert_eq!(driver.bios.cache_settings(&mut task).await, Ok(()));
    assert_eq!(driver.firmware.cache_components(&mut task).await, Ok(()));
    assert_eq!(driver.inspect.abort(&mut task).await, Ok(()));
    assert_eq!(driver.rescue.clean_up(&mut task).await, Ok(()));
}

#[tokio::test]
async fn noop_management_takes_what_the_operator_can_have_set() {
    let mut task = task().await;
    let management = task.driver().management.clone();
    let supported = management.supported_boot_devices(&task).await;
    assert_eq!(supported, Ok(vec![BootDevice::Pxe, BootDevice::Disk]));
    for device in [BootDevice::Disk, BootDevice::Pxe] {
        let set = management.set_boot_device(&mut task, device, false).await;
        assert_eq!(set, Ok(()));
        let got = management.get_boot_device(&task).await;
        let pxe = BootDeviceState::new(Some(BootDevice::Pxe), Some(true));
        assert_eq!(got, Ok(pxe));
    }
    let cdrom = BootDevice::Cdrom;
    let refused = management.set_boot_device(&mut task, cdrom, false).await;
    let error = refused.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidParameter);
    assert!(error.to_string().contains("cdrom"), "{error}");
    let sensors = management.sensors(&task).await.unwrap_err();
    assert_eq!(sensors.kind(), ErrorKind::Unsupported);
}

#[tokio::test]
async fn noop_network_storage_and_deploy_agree_to_everything() {
    let mut task = task().await;
    let driver = task.driver();
    for role in NetworkRole::ALL {
        assert_eq!(driver.network.connect(&mut task, *role).await, Ok(()));
        assert_eq!(driver.network.disconnect(&mut task, *role).await, Ok(()));
    }
    let info = JsonMap::from_iter([("id".to_owned(), Value::from("v"))]);
    assert_eq!(driver.network.attach_vif(&mut task, &info).await, Ok(()));
    assert_eq!(driver.network.list_vifs(&task).await, Ok(Vec::new()));
    assert_eq!(driver.network.detach_vif(&mut task, "v").await, Ok(()));
    assert_eq!(driver.storage.attach_volumes(&mut task).await, Ok(()));
    assert_eq!(driver.storage.detach_volumes(&mut task).await, Ok(()));
    assert!(driver.storage.should_write_image(&task));
    let deploy = step(&task, FlowKind::Deploy, "deploy.deploy");
    assert_eq!(deploy.priority, 100);
    let ran = driver
        .deploy
        .execute_step(&mut task, FlowKind::Deploy, &deploy);
    assert_eq!(ran.await, Ok(Progress::Done));
    let ran = driver
        .deploy
        .execute_step(&mut task, FlowKind::Clean, &deploy);
    assert_eq!(ran.await.unwrap_err().kind(), ErrorKind::Unsupported);
    assert_eq!(driver.deploy.prepare(&mut task).await, Ok(Progress::Done));
    assert_eq!(driver.deploy.tear_down(&mut task).await, Ok(Progress::Done));
}

#[test]
fn manual_management_prefers_what_needs_no_bmc() {
    assert_eq!(ManualManagement.name(), "manual-management");
    assert_eq!(ManualManagement.supported(I::Power), ["agent", "fake"]);
    assert!(!ManualManagement.accepts_any());
}
