//! The management interface before BMCs that answer by a script.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that meets the unexpected is to stop there"
)]

mod support;

use std::sync::Arc;

use ironic_core::ErrorKind;
use ironic_core::driver::{BootDeviceState, Management, Task};
use ironic_core::model::Node;
use ironic_core::states::{BootDevice, BootMode};
use serde_json::{Value, json};
use support::house::{House, Only};
use support::machine::{GET, PATCH, RESET, system, written};
use support::script::{Answer, Script};

const SECURE: &str = "GET /redfish/v1/Systems/1/SecureBoot";

fn boot(target: &str, enabled: &str, mode: Value) -> (&'static str, Answer) {
    let boot = json!({"BootSourceOverrideTarget": target, "BootSourceOverrideEnabled": enabled,
        "BootSourceOverrideMode": mode});
    (GET, system(json!({"Boot": boot})))
}

fn refused() -> Answer {
    Answer::error(400, "Base.1.8.PropertyValueNotInList", "no")
}

/// The management interface of a node before `script`, and the task that holds the node. The
/// house is to be kept for as long.
async fn hold(
    script: &Arc<Script>,
    more: impl FnOnce(&mut Node),
) -> (House, Task, Arc<dyn Management>) {
    let house = House::over(Only(Arc::clone(script))).await;
    let node = house.scripted(more).await;
    let task = house.task(node).await;
    let management = task.driver().management.clone();
    (house, task, management)
}

#[tokio::test(start_paused = true)]
async fn a_bmc_that_keeps_no_boot_device_is_remembered_until_another_is_set() {
    let uefi = || boot("Pxe", "Once", json!("UEFI"));
    let script = Script::new([
        uefi(),
        uefi(),
        (PATCH, refused()),
        uefi(),
        (PATCH, Answer::status(204)),
        uefi(),
        uefi(),
        (PATCH, Answer::status(204)),
    ]);
    let (_house, mut task, management) = hold(&script, |_| {}).await;
    let remembered = |task: &Task| {
        task.node()
            .driver_internal_info
            .get("redfish_boot_device")
            .cloned()
    };
    let set = management.set_boot_device(&mut task, BootDevice::Disk, true);
    set.await.unwrap();
    assert_eq!(remembered(&task), Some(json!("disk")));
    let set = management.set_boot_device(&mut task, BootDevice::Pxe, false);
    set.await.unwrap();
    assert_eq!(remembered(&task), None);
    script.assert_done();
    let sent: Vec<_> = written(&script)
        .into_iter()
        .map(|body| body["Boot"].clone())
        .collect();
    let expected = [
        json!({"BootSourceOverrideTarget": "Hdd", "BootSourceOverrideEnabled": "Continuous"}),
        json!({"BootSourceOverrideTarget": "Hdd", "BootSourceOverrideEnabled": "Once"}),
        json!({"BootSourceOverrideTarget": "Pxe"}),
    ];
    assert_eq!(sent, expected);
}

#[tokio::test(start_paused = true)]
async fn a_url_for_http_boot_is_used_up() {
    let known = || {
        let boot = json!({"BootSourceOverrideTarget": "None", "BootSourceOverrideEnabled": "Disabled",
            "HttpBootUri": null});
        (GET, system(json!({"Boot": boot})))
    };
    let script = Script::new([known(), known(), (PATCH, Answer::status(204))]);
    let url = "http://192.0.2.1/boot.efi";
    let (_house, mut task, management) = hold(&script, |node| {
        node.set_internal("redfish_uefi_http_url", url.into());
    })
    .await;
    let set = management.set_boot_device(&mut task, BootDevice::UefiHttp, false);
    set.await.unwrap();
    assert_eq!(written(&script)[0]["Boot"]["HttpBootUri"], url);
    assert!(task.node().driver_internal_info.is_empty());
}

#[tokio::test(start_paused = true)]
async fn supermicros_keep_their_boot_mode() {
    let uefi = || boot("Hdd", "Disabled", json!("UEFI"));
    let fallen = || boot("Pxe", "Once", json!("Legacy"));
    let script = Script::new([
        uefi(),
        uefi(),
        (PATCH, Answer::status(204)),
        fallen(),
        fallen(),
        (PATCH, Answer::status(204)),
        boot("Pxe", "Once", json!("UEFI")),
    ]);
    let (_house, mut task, management) = hold(&script, |node| {
        node.properties.insert("vendor".into(), "Supermicro".into());
    })
    .await;
    let set = management.set_boot_device(&mut task, BootDevice::Pxe, false);
    set.await.unwrap();
    script.assert_done();
    let expected = json!({"Boot": {"BootSourceOverrideMode": "UEFI"}});
    assert_eq!(written(&script)[1], expected);
}

#[tokio::test(start_paused = true)]
async fn what_the_bmc_says_of_booting() {
    for (answer, state, mode) in [
        (
            boot("UefiHttp", "Once", json!("UEFI")),
            BootDeviceState::new(Some(BootDevice::UefiHttp), Some(false)),
            Some(BootMode::Uefi),
        ),
        (
            boot("Hdd", "Continuous", json!("Legacy")),
            BootDeviceState::new(Some(BootDevice::Disk), Some(true)),
            Some(BootMode::Bios),
        ),
        (
            boot("Usb", "Disabled", Value::Null),
            BootDeviceState::new(None, None),
            None,
        ),
    ] {
        let script = Script::new([answer.clone(), answer]);
        let (_house, task, management) = hold(&script, |_| {}).await;
        assert_eq!(management.get_boot_device(&task).await.unwrap(), state);
        assert_eq!(management.get_boot_mode(&task).await.unwrap(), mode);
    }
}

#[tokio::test(start_paused = true)]
async fn devices_that_redfish_has_no_name_for_are_refused_without_a_call() {
    let script = Script::new([]);
    let (_house, mut task, management) = hold(&script, |_| {}).await;
    use BootDevice::{Bios, Cdrom, Disk, Pxe, UefiHttp};
    let supported = management.supported_boot_devices(&task).await.unwrap();
    assert_eq!(supported, [Pxe, Disk, Cdrom, Bios, UefiHttp]);
    let set = management.set_boot_device(&mut task, BootDevice::Floppy, false);
    let error = set.await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidParameter, "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_boot_mode_is_set_or_cannot_be() {
    let shown = || boot("Pxe", "Once", json!("Legacy"));
    let silent = || boot("Pxe", "Once", Value::Null);
    for (answers, kind) in [
        // Taken, and applied by a restart.
        (
            vec![shown(), shown(), (PATCH, Answer::status(204)), shown()],
            None,
        ),
        // Taken, and never shown.
        (vec![silent(), silent(), (PATCH, Answer::status(204))], None),
        (
            vec![silent(), silent(), (PATCH, refused())],
            Some(ErrorKind::Unsupported),
        ),
        (
            vec![shown(), shown(), (PATCH, refused())],
            Some(ErrorKind::Driver),
        ),
    ] {
        let script = Script::new(answers);
        let (_house, mut task, management) = hold(&script, |_| {}).await;
        let outcome = management.set_boot_mode(&mut task, BootMode::Uefi).await;
        assert_eq!(outcome.err().map(|error| error.kind()), kind);
        script.assert_done();
        let expected = json!({"Boot": {"BootSourceOverrideMode": "UEFI"}});
        assert_eq!(written(&script), [expected], "and no power is switched");
    }
}

#[tokio::test(start_paused = true)]
async fn secure_boot_is_read_and_set_or_cannot_be() {
    let linked = json!({"SecureBoot": {"@odata.id": "/redfish/v1/Systems/1/SecureBoot"},
        "Boot": {"BootSourceOverrideMode": "Legacy"}});
    let has = || (GET, system(linked.clone()));
    let lacks = || (GET, system(json!({})));
    let is = |on: bool| (SECURE, Answer::json(&json!({"SecureBootEnable": on})));
    let unlicensed = Answer::error(403, "SMC.1.0.OemLicenseNotPassed", "no licence");
    let denied = Answer::error(403, "Base.1.8.AccessDenied", "no");
    for (answers, seen) in [
        (vec![has(), is(true)], Ok(Some(true))),
        (vec![lacks()], Ok(None)),
        (vec![has(), (SECURE, unlicensed)], Ok(None)),
        (vec![has(), (SECURE, denied)], Err(ErrorKind::Driver)),
    ] {
        let script = Script::new(answers);
        let (_house, task, management) = hold(&script, |_| {}).await;
        let answer = management.get_secure_boot(&task).await;
        assert_eq!(answer.map_err(|error| error.kind()), seen);
    }
    for (answers, kind) in [
        (vec![has(), is(true)], None),
        (vec![lacks()], Some(ErrorKind::Unsupported)),
        (vec![has(), is(false), has()], Some(ErrorKind::Driver)),
    ] {
        let script = Script::new(answers);
        let (_house, mut task, management) = hold(&script, |_| {}).await;
        let outcome = management.set_secure_boot(&mut task, true).await;
        assert_eq!(outcome.err().map(|error| error.kind()), kind);
        script.assert_done();
        assert!(written(&script).is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn addresses_that_are_none_are_left_out() {
    let ports = "GET /redfish/v1/Systems/1/EthernetInterfaces";
    let port =
        |n: &str| json!({"@odata.id": format!("/redfish/v1/Systems/1/EthernetInterfaces/{n}")});
    let up = |mac: &str| {
        let status = json!({"State": "Enabled", "Health": "OK"});
        Answer::json(&json!({"MACAddress": mac, "Status": status}))
    };
    let script = Script::new([
        (
            GET,
            system(
                json!({"EthernetInterfaces": {"@odata.id": "/redfish/v1/Systems/1/EthernetInterfaces"}}),
            ),
        ),
        (
            ports,
            Answer::json(&json!({"Members": [port("1"), port("2")]})),
        ),
        (
            "GET /redfish/v1/Systems/1/EthernetInterfaces/1",
            up("52:54:00:AA:BB:CC"),
        ),
        ("GET /redfish/v1/Systems/1/EthernetInterfaces/2", up("none")),
    ]);
    let (_house, task, management) = hold(&script, |_| {}).await;
    let macs = management.mac_addresses(&task).await.unwrap();
    let macs: Vec<_> = macs.iter().map(|mac| mac.as_str()).collect();
    assert_eq!(macs, ["52:54:00:aa:bb:cc"]);
    script.assert_done();
}

#[tokio::test(start_paused = true)]
async fn an_nmi_is_a_reset_of_that_type_or_refused() {
    let script = Script::new([
        (GET, system(json!({}))),
        (RESET, Answer::status(204)),
        (GET, system(json!({}))),
        (RESET, refused()),
    ]);
    let (_house, mut task, management) = hold(&script, |_| {}).await;
    management.inject_nmi(&mut task).await.unwrap();
    assert_eq!(written(&script), [json!({"ResetType": "Nmi"})]);
    let error = management.inject_nmi(&mut task).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Driver, "{error}");
}
