//! Machines that boot from real boot servers, as a conductor's plan has prepared them.
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a test that cannot go on fails"
)]

mod support;

use std::sync::Arc;

use ironic_drivers_ipmi::{
    command::{BootDevice, BootFlags, ChassisAction},
    server::Machine as _,
};
use ironic_pxe::BootInterface;
use ironic_pxe::dhcp::HostConfig;
use ironic_vbmc::{BootSource, Firmware, MachineEvent, MachineState, Timings};
use support::{Host, Lab, Watcher, host, until};

async fn boots(interface: BootInterface, firmware: Firmware) -> (Vec<String>, String) {
    let lab = Lab::start().await;
    let host = host(1);
    lab.prepare(host, interface, firmware).await;
    let folder = tempfile::tempdir().unwrap();
    let builder = lab.machine(host, firmware);
    let machine = builder
        .disk(folder.path().join("disk"), 64 << 30)
        .build()
        .unwrap();
    let mut watcher = Watcher::new(&machine);
    machine
        .chassis_control(ChassisAction::PowerUp)
        .await
        .unwrap();
    let command_line = watcher.agent().await;
    let agent = lab.agent(host).await;
    let expected = format!("http://{}:9999", host.address);
    assert_eq!(agent.url, expected, "the machine's own address");
    assert_eq!(machine.state(), MachineState::Agent);
    let api = format!("ipa-api-url={}", lab.url(""));
    assert!(
        command_line.split(' ').any(|word| word == api),
        "{command_line}"
    );
    let mut lines = watcher.lines();
    for line in &mut lines {
        for (own, name) in [
            (lab.web.to_string(), "WEB"),
            (lab.tftp().to_string(), "TFTP"),
            (host.address.to_string(), "IP"),
            (host.node.to_string(), "NODE"),
        ] {
            *line = line.replace(&own, name);
        }
    }
    assert_eq!(
        lines[..3],
        [
            "power on",
            "starting, by network, then disk",
            "trying network"
        ]
    );
    assert_eq!(lines.pop().as_deref(), Some("agent started"));
    (lines.split_off(3), command_line)
}

#[tokio::test]
async fn pxelinux_leads_a_bios_to_the_agent() {
    let (lines, command_line) = boots(BootInterface::Pxe, Firmware::Bios).await;
    assert_eq!(
        lines,
        [
            "address IP, to load pxelinux.0 from 127.0.0.1",
            "boot program tftp://127.0.0.1:69/pxelinux.0 is not there, playing it anyway",
            "configuration tftp://127.0.0.1:69/pxelinux.cfg/01-52-54-00-77-00-01",
            "kernel tftp://127.0.0.1:69/NODE/deploy_kernel, 53 bytes",
            "ramdisk tftp://127.0.0.1:69/NODE/deploy_ramdisk, 54 bytes",
        ]
    );
    assert!(
        command_line.ends_with(" BOOTIF=01-52-54-00-77-00-01"),
        "{command_line}"
    );
}

#[tokio::test]
async fn grub_leads_uefi_to_the_agent() {
    let (lines, _) = boots(BootInterface::Pxe, Firmware::Uefi).await;
    assert_eq!(
        lines,
        [
            "address IP, to load bootx64.efi from 127.0.0.1",
            "boot program tftp://127.0.0.1:69/bootx64.efi is not there, playing it anyway",
            "configuration tftp://127.0.0.1:69/grub.cfg-01-52-54-00-77-00-01",
            "kernel tftp://127.0.0.1:69/NODE/deploy_kernel, 53 bytes",
            "ramdisk tftp://127.0.0.1:69/NODE/deploy_ramdisk, 54 bytes",
        ]
    );
}

#[tokio::test]
async fn ipxe_leads_either_firmware_to_the_agent() {
    for (firmware, program) in [
        (Firmware::Bios, "undionly.kpxe"),
        (Firmware::Uefi, "snponly.efi"),
    ] {
        let (lines, command_line) = boots(BootInterface::Ipxe, firmware).await;
        assert_eq!(
            lines,
            [
                &format!("address IP, to load {program} from 127.0.0.1"),
                &format!(
                    "boot program tftp://127.0.0.1:69/{program} is not there, playing it anyway"
                ),
                "iPXE: address IP, to load http://WEB/boot.ipxe from 127.0.0.1",
                "configuration http://WEB/boot.ipxe",
                "configuration http://WEB/pxelinux.cfg/52-54-00-77-00-01",
                "kernel http://WEB/NODE/deploy_kernel, 53 bytes",
                "ramdisk http://WEB/NODE/deploy_ramdisk, 54 bytes",
            ]
        );
        assert!(
            command_line.contains(" BOOTIF=52:54:00:77:00:01 "),
            "{command_line}"
        );
    }
}

#[tokio::test]
async fn ipxe_over_http_leads_uefi_to_the_agent() {
    let (lines, _) = boots(BootInterface::HttpIpxe, Firmware::UefiHttp).await;
    assert_eq!(
        lines[1],
        "boot program http://WEB/snponly.efi is not there, playing it anyway"
    );
    assert_eq!(lines[3], "configuration http://WEB/boot.ipxe");
}

#[tokio::test]
async fn grub_over_http_leads_uefi_to_the_agent() {
    let (lines, _) = boots(BootInterface::Http, Firmware::UefiHttp).await;
    assert_eq!(
        lines,
        [
            "address IP, to load http://WEB/bootx64.efi from 127.0.0.1",
            "boot program http://WEB/bootx64.efi is not there, playing it anyway",
            "configuration http://WEB/grub/grub.cfg",
            "configuration http://WEB/tftpboot/52:54:00:77:00:01.conf",
            "kernel http://WEB/httpboot/NODE/deploy_kernel, 53 bytes",
            "ramdisk http://WEB/httpboot/NODE/deploy_ramdisk, 54 bytes",
        ]
    );
}

#[tokio::test]
async fn a_boot_program_that_is_served_is_loaded() {
    let lab = Lab::start().await;
    let host = host(1);
    lab.prepare(host, BootInterface::Pxe, Firmware::Bios).await;
    let builder = lab.machine(host, Firmware::Bios);
    let machine = builder.require_boot_program(true).build().unwrap();
    let mut watcher = Watcher::new(&machine);
    let on = ChassisAction::PowerUp;
    machine.chassis_control(on).await.unwrap();
    let why = watcher.boot_failed().await;
    assert!(
        why.contains("tftp://127.0.0.1:69/pxelinux.0: there is no such file"),
        "{why}"
    );
    lab.tftp_files
        .insert("pxelinux.0", vec![1; 42_000])
        .unwrap();
    let reset = ChassisAction::HardReset;
    machine.chassis_control(reset).await.unwrap();
    watcher.agent().await;
    let line = "boot program tftp://127.0.0.1:69/pxelinux.0, 42000 bytes".to_owned();
    assert!(watcher.lines().contains(&line));
}

#[tokio::test]
async fn a_file_that_is_missing_is_told_by_its_name() {
    let lab = Lab::start().await;
    let host = host(1);
    for (name, content, why) in [
        (
            "/deploy_ramdisk",
            None,
            "/deploy_ramdisk: there is no such file",
        ),
        (
            "/deploy_kernel",
            Some(""),
            "/deploy_kernel: the file is empty",
        ),
    ] {
        lab.prepare(host, BootInterface::Pxe, Firmware::Bios).await;
        let path = format!("{}{name}", host.node);
        match content {
            Some(content) => lab.tftp_files.insert(&path, content).unwrap(),
            None => ironic_pxe::files::FileSink::remove(&lab.tftp_files, &path)
                .await
                .unwrap(),
        }
        let machine = lab.machine(host, Firmware::Bios).build().unwrap();
        let mut watcher = Watcher::new(&machine);
        let on = ChassisAction::PowerUp;
        machine.chassis_control(on).await.unwrap();
        let found = watcher.boot_failed().await;
        assert!(found.contains(why), "{found}");
        assert!(found.ends_with("disk: the machine has no disk"), "{found}");
        assert_eq!(machine.state(), MachineState::Halted);
    }
}

#[tokio::test]
async fn programs_of_the_other_firmware_and_of_nobody_do_not_run() {
    let lab = Lab::start().await;
    let host = host(1);
    for (firmware, file, ipxe, why) in [
        (
            Firmware::Uefi,
            "pxelinux.0",
            None,
            "\"pxelinux.0\" is no boot program that UEFI",
        ),
        (
            Firmware::Bios,
            "bootx64.efi",
            None,
            "\"bootx64.efi\" is no boot program that BIOS",
        ),
        (
            Firmware::Bios,
            "undionly.kpxe",
            None,
            "iPXE is handed the boot program \"undionly.kpxe\"",
        ),
        (
            Firmware::Bios,
            "undionly.kpxe",
            Some("nfs://a/b"),
            "\"nfs\" is not a protocol",
        ),
        (
            Firmware::Bios,
            "undionly.kpxe",
            Some("none.ipxe"),
            "none.ipxe: there is no such file",
        ),
        (
            Firmware::Bios,
            "pxelinux.0",
            None,
            "no configuration: 11 names tried, the last one tftp",
        ),
        (
            Firmware::Uefi,
            "bootx64.efi",
            None,
            "no configuration: 22 names tried",
        ),
    ] {
        lab.boot_file(host, file, ipxe);
        let machine = lab.machine(host, firmware).build().unwrap();
        let mut watcher = Watcher::new(&machine);
        let on = ChassisAction::PowerUp;
        machine.chassis_control(on).await.unwrap();
        let found = watcher.boot_failed().await;
        assert!(found.contains(why), "{found}");
    }
}

#[tokio::test]
async fn hostile_scripts_end_with_an_error() {
    let lab = Lab::start().await;
    let host = host(1);
    lab.boot_file(host, "undionly.kpxe", Some("evil.ipxe"));
    let big = format!("#!ipxe\n{}", "#".repeat(2 << 20));
    for (script, why) in [
        ("#!ipxe\n:a\ngoto a\n", "did not end within 10000 commands"),
        (
            "#!ipxe\nchain evil.ipxe\n",
            "the chain of scripts is too long",
        ),
        (
            "#!ipxe\n:a\nkernel none || goto a\n",
            "did not end within 128 downloads",
        ),
        (
            "#!ipxe\nset a ${a}${a}x\n:a\nset a ${a}${a}${a}\ngoto a\n",
            "a word is too long",
        ),
        (
            "\x7fELF",
            "iPXE is handed the boot program \"evil.ipxe\" in place of a script",
        ),
        (&big, "larger than 1048576 bytes"),
    ] {
        lab.tftp_files
            .insert("evil.ipxe", script.to_owned())
            .unwrap();
        let machine = lab.machine(host, Firmware::Bios).build().unwrap();
        let mut watcher = Watcher::new(&machine);
        let on = ChassisAction::PowerUp;
        machine.chassis_control(on).await.unwrap();
        let found = watcher.boot_failed().await;
        assert!(found.contains(why), "{found}");
    }
}

#[tokio::test]
async fn scripts_restart_the_machine_so_often_and_switch_it_off() {
    let lab = Lab::start().await;
    let host = host(1);
    lab.boot_file(host, "undionly.kpxe", Some("boot.ipxe"));
    let script = "#!ipxe\nprompt --timeout 180000 ||\nreboot\n";
    lab.tftp_files.insert("boot.ipxe", script).unwrap();
    let machine = lab
        .machine(host, Firmware::Bios)
        .timings(Timings::new().longest_pause(std::time::Duration::ZERO))
        .restarts(3)
        .build()
        .unwrap();
    let mut watcher = Watcher::new(&machine);
    let once = BootFlags::next_boot(BootDevice::Pxe);
    machine.set_boot_flags(once).await.unwrap();
    let on = ChassisAction::PowerUp;
    machine.chassis_control(on).await.unwrap();
    let why = watcher.boot_failed().await;
    assert_eq!(why, "a boot script restarted the machine 3 times in a row");
    let resets = watcher.lines();
    let resets = resets.iter().filter(|line| *line == "reset").count();
    assert_eq!(resets, 3);
    assert!(!machine.boot_flags().await.unwrap().is_valid());

    lab.tftp_files
        .insert("boot.ipxe", "#!ipxe\npoweroff\n")
        .unwrap();
    let reset = ChassisAction::HardReset;
    machine.chassis_control(reset).await.unwrap();
    until(&machine, MachineState::Off).await;
}

#[tokio::test]
async fn an_override_holds_for_one_start() {
    let lab = Lab::start().await;
    let host = host(1);
    lab.prepare(host, BootInterface::Pxe, Firmware::Bios).await;
    let machine = lab.machine(host, Firmware::Bios).build().unwrap();
    let mut watcher = Watcher::new(&machine);
    let disk = BootFlags::next_boot(BootDevice::Disk);
    let mut orders = Vec::new();
    for flags in [Some(disk), None, Some(disk.persistent(true)), None] {
        if let Some(flags) = flags {
            machine.set_boot_flags(flags).await.unwrap();
        }
        let cycle = ChassisAction::PowerCycle;
        if machine.chassis_control(cycle).await.is_err() {
            let on = ChassisAction::PowerUp;
            machine.chassis_control(on).await.unwrap();
        }
        let order = watcher
            .wait("a start", |event| match event {
                MachineEvent::BootStarted { order } => Some(order.clone()),
                _ => None,
            })
            .await;
        orders.push(order[0]);
        // The disk does not boot, so that the network comes next.
        watcher.agent().await;
    }
    use BootSource::{Disk, Network};
    assert_eq!(orders, [Disk, Network, Disk, Disk]);
    assert!(machine.boot_flags().await.unwrap().is_valid());
}

#[tokio::test]
async fn an_address_that_the_host_does_not_have_leaves_the_hosts_at_a_free_port() {
    let lab = Lab::start().await;
    let host = Host {
        address: "192.0.2.7".parse().unwrap(),
        ..host(1)
    };
    lab.prepare(host, BootInterface::Pxe, Firmware::Bios).await;
    let folder = tempfile::tempdir().unwrap();
    let builder = lab.machine(host, Firmware::Bios);
    let disk = folder.path().join("disk");
    let machine = builder.disk(disk, 5 << 30).build().unwrap();
    let on = ChassisAction::PowerUp;
    machine.chassis_control(on).await.unwrap();
    let agent = lab.agent(host).await;
    assert!(agent.url.starts_with("http://127.0.0.1:"), "{}", agent.url);
    assert!(!agent.url.ends_with(":9999"), "{}", agent.url);
    assert!(agent.is_there().await);
}

#[tokio::test]
async fn network_cards_are_tried_in_turn() {
    let lab = Lab::start().await;
    let (first, second) = (host(1), host(2));
    // The first card's network has an address for it, and nothing to boot.
    let known = HostConfig::new(first.address);
    lab.hosts.insert(first.mac.into(), known);
    lab.prepare(second, BootInterface::Ipxe, Firmware::Uefi)
        .await;
    let folder = tempfile::tempdir().unwrap();
    let machine = lab
        .machine(first, Firmware::Uefi)
        .nic(second.mac.into())
        .disk(folder.path().join("disk"), 5 << 30)
        .build()
        .unwrap();
    let mut watcher = Watcher::new(&machine);
    let on = ChassisAction::PowerUp;
    machine.chassis_control(on).await.unwrap();
    let command_line = watcher.agent().await;
    let boot_interface = format!("BOOTIF={}", second.mac_text());
    assert!(command_line.contains(&boot_interface), "{command_line}");
    assert_eq!(
        lab.agent(second).await.url,
        format!("http://{}:9999", second.address)
    );
}

#[tokio::test]
async fn a_rack_of_machines_boots_at_once() {
    let lab = Lab::start().await;
    let mut machines = Vec::new();
    let folder = tempfile::tempdir().unwrap();
    for number in 1..=25 {
        let host = host(number);
        let interface = [BootInterface::Pxe, BootInterface::Ipxe][usize::from(number % 2)];
        lab.prepare(host, interface, Firmware::Uefi).await;
        let disk = folder.path().join(number.to_string());
        let machine = lab
            .machine(host, Firmware::Uefi)
            .disk(disk, 64 << 30)
            .build()
            .unwrap();
        machines.push((host, Arc::new(machine)));
    }
    for (_, machine) in &machines {
        let on = ChassisAction::PowerUp;
        machine.chassis_control(on).await.unwrap();
    }
    for (host, machine) in &machines {
        let agent = lab.agent(*host).await;
        assert_eq!(agent.url, format!("http://{}:9999", host.address));
        assert_eq!(machine.state(), MachineState::Agent);
    }
}
