//! Boot mode, secure boot and boot device: what the machine is asked to change.

use ironic_core::driver::RamdiskParams;
use ironic_core::states::BootMode;
use ironic_core::{Error, ErrorKind, Node, ProvisionState};
use ironic_pxe::BootInterface;
use serde_json::json;

use crate::bmc::State;
use crate::house::{House, NODE, described, port, put};

struct Prepared {
    node: Node,
    calls: Vec<String>,
    result: Result<(), Error>,
    house: House,
}

#[derive(Clone, Copy)]
enum What {
    Ramdisk,
    Instance,
    InstanceAndCleanUp,
}

async fn prepare(node: Node, what: What, machine: impl FnOnce(&mut State)) -> Prepared {
    let house = House::new();
    machine(&mut house.bmc.state());
    put(&house, &node, &[port()]).await;
    let conductor = house.conductor().await;
    let mut task = conductor.tasks().exclusive(NODE, "a test").await.unwrap();
    let boot = task.driver().boot.clone();
    let result = match what {
        What::Ramdisk => boot.prepare_ramdisk(&mut task, &RamdiskParams::new()).await,
        What::Instance => boot.prepare_instance(&mut task).await,
        What::InstanceAndCleanUp => {
            boot.prepare_instance(&mut task).await.unwrap();
            boot.clean_up_instance(&mut task).await
        }
    };
    let node = task.node().clone();
    drop(task);
    conductor.stop().await.unwrap();
    let calls = house.bmc.take_calls();
    Prepared {
        node,
        calls,
        result,
        house,
    }
}

fn with_mode(mode: &str) -> Node {
    let mut node = described(BootInterface::Pxe);
    let capabilities = format!("boot_mode:{mode}");
    node.properties
        .insert("capabilities".into(), capabilities.into());
    node
}

#[tokio::test(start_paused = true)]
async fn the_boot_mode_is_settled_between_node_machine_and_default() {
    let (bios, uefi) = (Some(BootMode::Bios), Some(BootMode::Uefi));
    let unsaid = || described(BootInterface::Pxe);
    // The node, the machine's mode, whether it can be set; what is set, what is remembered.
    for (node, found, can_set, set, remembered) in [
        (unsaid(), None, true, Some("mode uefi"), Some("uefi")),
        (unsaid(), None, false, None, Some("uefi")),
        (unsaid(), bios, true, None, Some("bios")),
        (with_mode("bios"), None, true, Some("mode bios"), None),
        (with_mode("bios"), None, false, None, None),
        (with_mode("bios"), bios, true, None, None),
        (with_mode("bios"), uefi, true, Some("mode bios"), None),
    ] {
        let case = format!("{:?} {found:?} {can_set}", node.properties);
        let prepared = prepare(node, What::Ramdisk, |machine| {
            machine.mode = found;
            machine.mode_can_be_set = can_set;
        })
        .await;
        prepared.result.unwrap();
        let expected: Vec<_> = set.into_iter().chain(["pxe once"]).collect();
        assert_eq!(prepared.calls, expected, "{case}");
        let told = prepared.node.internal_str("deploy_boot_mode");
        assert_eq!(told, remembered, "{case}");
        // Files and DHCP follow the mode that was settled, also where the machine said it.
        let mode = remembered.unwrap_or("bios");
        let loader = if mode == "uefi" {
            "bootx64.efi"
        } else {
            "pxelinux.0"
        };
        assert_eq!(prepared.house.told()[0].as_deref(), Some(loader), "{case}");
        let config = prepared.house.found_config(BootInterface::Pxe).unwrap();
        assert_eq!(config.contains("menuentry"), mode == "uefi", "{case}");
        if set.is_some() {
            assert_eq!(prepared.node.boot_mode.unwrap().as_str(), mode, "{case}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_machine_that_says_it_is_in_another_mode_and_can_not_change_fails() {
    let prepared = prepare(with_mode("bios"), What::Ramdisk, |machine| {
        machine.mode = Some(BootMode::Uefi);
    })
    .await;
    assert_eq!(prepared.result.unwrap_err().kind(), ErrorKind::Unsupported);
    assert_eq!(prepared.calls, [""; 0]);
    assert_eq!(prepared.house.own_files(), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn secure_boot_comes_and_goes_with_the_instance_that_asks_for_it() {
    let mut node = described(BootInterface::Ipxe);
    let capabilities = json!({"secure_boot": "true"});
    node.instance_info
        .insert("capabilities".into(), capabilities);
    let has_it = |machine: &mut State| machine.secure_boot = Some(false);

    let prepared = prepare(node.clone(), What::InstanceAndCleanUp, has_it).await;
    prepared.result.unwrap();
    assert_eq!(
        prepared.calls,
        ["secure boot on", "disk always", "secure boot off"]
    );
    assert_eq!(prepared.node.secure_boot, Some(false));

    let prepared = prepare(node, What::Instance, |_| {}).await;
    prepared.result.unwrap();
    assert_eq!(
        prepared.calls,
        ["disk always"],
        "a machine without it boots without it"
    );

    let unasked = prepare(described(BootInterface::Ipxe), What::Instance, has_it).await;
    assert_eq!(unasked.calls, ["disk always"]);
}

#[tokio::test(start_paused = true)]
async fn the_boot_device_is_what_the_node_and_its_machine_allow() {
    let forced = |kind, word: &str| {
        let mut node = described(kind);
        node.driver_info
            .insert("force_persistent_boot_device".into(), word.into());
        node
    };
    let (ipxe, http) = (BootInterface::Ipxe, BootInterface::Http);
    for (node, what, device) in [
        (forced(ipxe, "Always"), What::Ramdisk, "pxe always"),
        (forced(ipxe, "Default"), What::Ramdisk, "pxe once"),
        (forced(ipxe, "Never"), What::Instance, "disk once"),
        (described(http), What::Ramdisk, "uefihttp once"),
    ] {
        let prepared = prepare(node, what, |_| {}).await;
        prepared.result.unwrap();
        assert_eq!(prepared.calls, [device]);
    }
    let unknown = |machine: &mut State| {
        machine.unknown.insert("uefihttp");
    };
    let prepared = prepare(described(http), What::Ramdisk, unknown).await;
    prepared.result.unwrap();
    assert_eq!(
        prepared.calls,
        ["pxe once"],
        "whatever the network boot is called"
    );

    let no_disk = |machine: &mut State| {
        machine.unknown.insert("disk");
    };
    let prepared = prepare(described(ipxe), What::Instance, no_disk).await;
    assert_eq!(
        prepared.result.unwrap_err().kind(),
        ErrorKind::InvalidParameter
    );

    let broken = |machine: &mut State| machine.broken = true;
    let prepared = prepare(described(http), What::Ramdisk, broken).await;
    assert!(prepared.result.unwrap_err().to_string().contains("on fire"));
}

#[tokio::test(start_paused = true)]
async fn a_machine_taken_in_as_it_runs_is_left_as_it_is() {
    let mut node = described(BootInterface::Ipxe);
    node.provision_state = ProvisionState::Adopting;
    for what in [What::Ramdisk, What::Instance] {
        let prepared = prepare(node.clone(), what, |machine| machine.mode_can_be_set = true).await;
        prepared.result.unwrap();
        assert_eq!(prepared.calls, [""; 0]);
    }
}
