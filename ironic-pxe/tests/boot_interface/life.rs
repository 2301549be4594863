use ironic_core::{Client, ProvisionState, Verb};
use ironic_pxe::BootInterface;

use crate::house::{House, LONG, agent_calls, ask, described, port, put, reaches};

/// What DHCP tells firmware and iPXE while a node's ramdisk is to boot.
fn expected_boot(kind: BootInterface) -> [Option<&'static str>; 2] {
    let script = Some("http://192.0.2.3:8088/boot.ipxe");
    match kind {
        BootInterface::Ipxe => [Some("snponly.efi"), script],
        BootInterface::Pxe => [Some("bootx64.efi"), None],
        BootInterface::Http => [Some("http://192.0.2.3:8088/bootx64.efi"), None],
        BootInterface::HttpIpxe => [Some("http://192.0.2.3:8088/snponly.efi"), script],
    }
}

#[tokio::test(start_paused = true)]
async fn boot_files_come_and_go_over_a_whole_life() {
    for kind in BootInterface::ALL {
        let mut house = House::new();
        house.config.policy.automated_clean = true;
        let conductor = house.conductor().await;
        let client = Client::local(&conductor);
        client.create_node(described(kind)).await.unwrap();
        client.create_port(port()).await.unwrap();
        ask(&client, Verb::Manage).await;
        client
            .wait_for(crate::house::NODE, ProvisionState::Manageable, LONG)
            .await
            .unwrap();
        assert_eq!(house.own_files(), [""; 0]);

        let network = if kind.is_http_boot() {
            "uefihttp once"
        } else {
            "pxe once"
        };
        ask(&client, Verb::Provide).await;
        ramdisk_boots(&house, &client, kind, ProvisionState::CleanWait).await;
        reaches(&client, ProvisionState::Available).await;
        assert_eq!(
            house.own_files(),
            [""; 0],
            "{kind:?}: cleaned up after cleaning"
        );
        assert_eq!(house.told(), [None, None], "{kind:?}");
        assert_eq!(house.bmc.take_calls(), [network], "{kind:?}");

        ask(&client, Verb::Deploy).await;
        ramdisk_boots(&house, &client, kind, ProvisionState::DeployWait).await;
        reaches(&client, ProvisionState::Active).await;
        assert_eq!(
            house.found_config(kind),
            None,
            "{kind:?}: the disk is booted"
        );
        assert_eq!(house.bmc.take_calls(), [network, "disk always"], "{kind:?}");

        ask(&client, Verb::Undeploy).await;
        ramdisk_boots(&house, &client, kind, ProvisionState::CleanWait).await;
        reaches(&client, ProvisionState::Available).await;
        assert_eq!(house.own_files(), [""; 0], "{kind:?}");
        assert_eq!(house.told(), [None, None], "{kind:?}");
        conductor.stop().await.unwrap();
    }
}

/// The machine boots what it is offered; its ramdisk calls.
async fn ramdisk_boots(house: &House, client: &Client, kind: BootInterface, state: ProvisionState) {
    reaches(client, state).await;
    let told = house.told();
    let told = told.each_ref().map(Option::as_deref);
    assert_eq!(told, expected_boot(kind), "{kind:?}");
    let config = house
        .found_config(kind)
        .expect("a configuration for the machine's card");
    assert!(
        config.contains("ipa-api-url=http://192.0.2.4:6385"),
        "{config}"
    );
    let root = if kind.is_ipxe() || kind.is_http_boot() {
        "http"
    } else {
        "tftp"
    };
    for label in ["kernel", "ramdisk"] {
        let path = format!("{root}/{}/deploy_{label}", crate::house::NODE);
        assert_eq!(house.files()[&path], format!("the {label}"), "{kind:?}");
    }
    agent_calls(client).await;
}

#[tokio::test(start_paused = true)]
async fn a_machine_that_forgets_its_boot_device_is_led_to_its_disk() {
    for kind in [BootInterface::Ipxe, BootInterface::Pxe] {
        let mut house = House::new();
        house.boot.enable_netboot_fallback = true;
        let mut node = described(kind);
        node.provision_state = ProvisionState::Available;
        put(&house, &node, &[port()]).await;
        let conductor = house.conductor().await;
        let client = Client::local(&conductor);
        ask(&client, Verb::Deploy).await;
        ramdisk_boots(&house, &client, kind, ProvisionState::DeployWait).await;
        reaches(&client, ProvisionState::Active).await;
        let config = house.found_config(kind).unwrap();
        let chosen = ["\ngoto boot_whole_disk", "set default=boot_whole_disk"];
        assert!(chosen.iter().any(|line| config.contains(line)), "{config}");
        assert!(house.told()[0].is_some(), "{kind:?}");
        conductor.stop().await.unwrap();
    }
}
