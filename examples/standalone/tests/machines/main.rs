//! The program, configured by its settings alone, and a machine that boots from it: IPMI, DHCP,
//! TFTP, HTTP and the agent's API, all on loopback.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "tests, which start programs"
)]

mod machine;
mod site;

use std::time::Duration;

use ironic_vbmc::{Firmware, MachineEvent};
use machine::Machine;
use reqwest::Method;
use site::Site;

#[tokio::test]
async fn a_machine_is_enrolled_inspected_cleaned_deployed_and_given_back() {
    for (firmware, mode, boot) in [
        (Firmware::Uefi, "uefi", "ipxe"),
        (Firmware::Bios, "bios", "pxe"),
    ] {
        let mut site = Site::start("automated_clean = true").await;
        site.run().await;
        let mut machine = Machine::start(&mut site, firmware, Duration::ZERO).await;
        let node = site.enrol(machine.bmc, boot, mode).await;
        site.verb(&node, "manage").await;
        site.reach(&node, "manageable").await;
        site.verb(&node, "inspect").await;
        let inspected = site.reach(&node, "manageable").await;
        assert_eq!(inspected["properties"]["memory_mb"], "8192", "{boot}");
        site.verb(&node, "provide").await;
        site.reach(&node, "available").await;
        let wiped = |event: &MachineEvent| matches!(event, MachineEvent::AgentCommand(_));
        assert!(machine.so_far().iter().any(wiped), "{boot}: not cleaned");

        site.deploy(&node).await;
        site.reach(&node, "active").await;
        let disk = machine.until(|event| match event {
            MachineEvent::BootedDisk(disk) => Some(disk),
            _ => None,
        });
        assert_eq!(disk.await.image.sha256, site.image_sha256, "{boot}");

        site.verb(&node, "deleted").await;
        site.reach(&node, "available").await;
        assert_eq!(site.kept_by_dhcp(), 0, "nothing is left of it");
        site.ask(Method::DELETE, &format!("/v1/nodes/{node}"), None)
            .await;
        site.kill().await;
    }
}

#[tokio::test]
async fn a_machine_finds_its_way_through_two_deaths_of_the_service() {
    let mut site = Site::start("automated_clean = false").await;
    site.run().await;
    // Long enough to die in before the machine asks for anything.
    let mut machine = Machine::start(&mut site, Firmware::Uefi, Duration::from_secs(3)).await;
    let node = site.enrol(machine.bmc, "ipxe", "uefi").await;
    site.verb(&node, "manage").await;
    site.reach(&node, "manageable").await;
    site.verb(&node, "provide").await;
    site.reach(&node, "available").await;
    site.deploy(&node).await;
    site.reach(&node, "wait call-back").await;
    site.kill().await;
    let asked = |event: &MachineEvent| matches!(event, MachineEvent::DhcpLease { .. });
    assert!(
        !machine.so_far().iter().any(asked),
        "the machine was faster"
    );
    assert_eq!(site.kept_by_dhcp(), 1);

    // Whoever comes next tells the machine what the first one would have.
    site.run().await;
    let told = machine.until(|event| match event {
        MachineEvent::DhcpLease {
            boot_file,
            is_ipxe: true,
            ..
        } => Some(boot_file),
        _ => None,
    });
    assert!(told.await.unwrap().ends_with("/boot.ipxe"));
    let agent = machine.until(|event| match event {
        MachineEvent::AgentStarted { .. } => Some(()),
        _ => None,
    });
    agent.await;
    site.kill().await;
    site.run().await;
    site.reach(&node, "active").await;
    let disk = machine.until(|event| match event {
        MachineEvent::BootedDisk(disk) => Some(disk),
        _ => None,
    });
    assert_eq!(disk.await.image.sha256, site.image_sha256);
    site.verb(&node, "deleted").await;
    site.reach(&node, "available").await;
    assert_eq!(site.kept_by_dhcp(), 0, "nothing is left of it");
}
