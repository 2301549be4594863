//! Machines that boot from disk: what an agent has written, and what nobody should boot.
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a test that cannot go on fails"
)]

mod support;

use std::fs::File;
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::path::Path;

use ironic_core::Timestamp;
use ironic_core::image::configdrive::ConfigDrive;
use ironic_drivers_ipmi::{
    command::{BootDevice, BootFlags, ChassisAction},
    server::Machine as _,
};
use ironic_pxe::BootInterface;
use ironic_vbmc::{
    BootSource, Firmware, ImageDigest, MachineState, SimulatedMachine, SimulatedMachineBuilder,
    TableKind,
};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use support::{Lab, MIB, Watcher, host, image, until};

const USER_DATA: &str = "#!/bin/sh\necho hello\n";

fn config_drive() -> ConfigDrive {
    ConfigDrive::from_value(&json!({
        "meta_data": {"hostname": "web-1", "uuid": "6a1a1b86-1a5e-4f2b-8a65-0000000000aa"},
        "user_data": USER_DATA,
    }))
    .unwrap()
}

fn sha256(path: &Path) -> String {
    let digest = Sha256::digest(std::fs::read(path).unwrap());
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A machine that has a disk and nothing else.
fn bare(firmware: Firmware) -> SimulatedMachineBuilder {
    let _installed = rustls::crypto::ring::default_provider().install_default();
    SimulatedMachine::builder(host(1).mac.into(), reqwest::Client::new())
        .firmware(firmware)
        .boot_order([BootSource::Disk])
}

async fn power_on(machine: &SimulatedMachine) {
    let on = ChassisAction::PowerUp;
    machine.chassis_control(on).await.unwrap();
}

/// From nothing to an instance: the agent boots, writes, switches off, and the disk boots.
async fn deploy(table: &str, firmware: Firmware) {
    let lab = Lab::start().await;
    let host = host(1);
    let folder = tempfile::tempdir().unwrap();
    let raw = folder.path().join("image.raw");
    image(&raw, table);
    let content = std::fs::read(&raw).unwrap();
    lab.http_files.insert("image.raw", content).unwrap();
    lab.prepare(host, BootInterface::Ipxe, firmware).await;
    let disk = folder.path().join("disk");
    let machine = lab
        .machine(host, firmware)
        .disk(&disk, 5 << 30)
        .build()
        .unwrap();
    let mut watcher = Watcher::new(&machine);
    power_on(&machine).await;
    let agent = lab.agent(host).await;
    let drive = config_drive().encode(Timestamp::EPOCH).unwrap();
    let step = json!({"step": "write_image", "interface": "deploy", "args": {
        "image_info": {"id": "image", "urls": [lab.url("/image.raw")], "disk_format": "raw",
            "image_type": "whole-disk", "os_hash_algo": "sha256", "os_hash_value": sha256(&raw)},
        "configdrive": drive}});
    let node = json!({"uuid": host.node.to_string(), "properties": {}, "instance_info": {},
        "driver_internal_info": {}});
    let params = json!({"step": step, "node": node, "ports": []});
    let name = "deploy.execute_deploy_step";
    let done = agent.command(name, params, true).await.unwrap();
    assert_eq!(done["command_status"], "SUCCEEDED", "{done}");
    let done = agent
        .command("standby.power_off", json!({}), true)
        .await
        .unwrap();
    assert_eq!(done["command_status"], "SUCCEEDED", "{done}");
    until(&machine, MachineState::Off).await;
    assert!(!agent.is_there().await);

    let flags = BootFlags::next_boot(BootDevice::Disk).persistent(true);
    let flags = flags.efi(firmware != Firmware::Bios);
    machine.set_boot_flags(flags).await.unwrap();
    power_on(&machine).await;
    let report = watcher.disk().await;
    assert_eq!(machine.state(), MachineState::System);
    assert_eq!((report.disk.as_str(), report.partitions), ("/dev/vda", 2));
    assert_eq!(report.image, ImageDigest::of_file(&raw).unwrap());
    if report.table == TableKind::Mbr {
        assert_eq!(
            report.image.sha256,
            sha256(&raw),
            "the checksum of the file"
        );
    }
    let found = report.config_drive.as_ref().unwrap();
    assert_eq!(found.hostname.as_deref(), Some("web-1"));
    let uuid = found.instance_uuid.as_deref();
    assert_eq!(uuid, Some("6a1a1b86-1a5e-4f2b-8a65-0000000000aa"));
    assert_eq!(found.user_data.as_deref(), Some(USER_DATA.as_bytes()));
    assert!(
        !format!("{report:?}").contains("hello"),
        "user data are secret"
    );
    let allocated = std::fs::metadata(&disk).unwrap().blocks() * 512;
    assert!(allocated < 16 * MIB, "the disk stays sparse: {allocated}");

    // One byte of the image is another: so is what the machine reports.
    let file = File::options().write(true).open(&disk).unwrap();
    file.write_all_at(&[0xEE], 2 * MIB).unwrap();
    let reset = ChassisAction::HardReset;
    machine.chassis_control(reset).await.unwrap();
    let after = watcher.disk().await;
    assert_eq!(after.image.bytes, report.image.bytes);
    assert_ne!(after.image.sha256, report.image.sha256);
}

#[tokio::test]
async fn a_bios_boots_what_the_agent_wrote() {
    deploy("dos", Firmware::Bios).await;
}

#[tokio::test]
async fn uefi_boots_what_the_agent_wrote() {
    deploy("gpt", Firmware::Uefi).await;
}

#[tokio::test]
async fn disks_that_do_not_boot_say_why() {
    let folder = tempfile::tempdir().unwrap();
    let make = |name: &str, table: &str| {
        let path = folder.path().join(name);
        if table.is_empty() {
            File::create(&path).unwrap();
        } else {
            image(&path, table);
        }
        path
    };
    let spoil = |path: &Path, at: u64| {
        let file = File::options().write(true).open(path).unwrap();
        file.write_all_at(b"spoilt", at).unwrap();
    };
    let blank = make("blank", "");
    let mbr = make("mbr", "dos");
    let gpt = make("gpt", "gpt");
    let no_signature = make("no-signature", "dos");
    spoil(&no_signature, 510);
    let no_partition = make("no-partition", "dos");
    File::options()
        .write(true)
        .open(&no_partition)
        .unwrap()
        .write_all_at(&[0; 64], 446)
        .unwrap();
    // Both headers: the one at the end is found by the file's own size.
    let damaged = make("damaged", "gpt");
    let size = std::fs::metadata(&damaged).unwrap().len();
    for header in [512, size - 512] {
        spoil(&damaged, header + 24);
    }
    for (firmware, disk, why) in [
        (Firmware::Bios, &blank, "disk /dev/vda: no boot signature"),
        (
            Firmware::Bios,
            &no_signature,
            "disk /dev/vda: no boot signature",
        ),
        (
            Firmware::Bios,
            &no_partition,
            "no partition with a boot loader, which BIOS",
        ),
        (
            Firmware::Uefi,
            &mbr,
            "no EFI system partition, which UEFI firmware starts",
        ),
        (
            Firmware::Uefi,
            &damaged,
            "the GPT header's checksum does not fit",
        ),
    ] {
        let size = std::fs::metadata(disk).unwrap().len().max(4 * MIB);
        let machine = bare(firmware).disk(disk, size).build().unwrap();
        let mut watcher = Watcher::new(&machine);
        power_on(&machine).await;
        let found = watcher.boot_failed().await;
        assert!(found.contains(why), "{found}");
    }
    // One spoilt header is what the other one is for.
    let size = std::fs::metadata(&gpt).unwrap().len();
    spoil(&gpt, 512 + 24);
    let machine = bare(Firmware::Uefi).disk(&gpt, size).build().unwrap();
    let mut watcher = Watcher::new(&machine);
    power_on(&machine).await;
    assert_eq!(watcher.disk().await.config_drive, None);
}

#[tokio::test]
async fn the_first_disk_that_boots_is_booted() {
    let folder = tempfile::tempdir().unwrap();
    let second = folder.path().join("second");
    image(&second, "dos");
    let machine = bare(Firmware::Bios)
        .disk(folder.path().join("first"), 8 * MIB)
        .disk(&second, 8 * MIB)
        .build()
        .unwrap();
    let mut watcher = Watcher::new(&machine);
    power_on(&machine).await;
    assert_eq!(watcher.disk().await.disk, "/dev/vdb");
}

#[tokio::test]
async fn a_config_drive_that_the_image_brings_is_read_and_a_spoilt_one_told() {
    let folder = tempfile::tempdir().unwrap();
    let disk = folder.path().join("disk");
    image(&disk, "dos");
    let drive = config_drive().image(Timestamp::EPOCH).unwrap();
    let file = File::options().write(true).open(&disk).unwrap();
    file.write_all_at(&drive, MIB).unwrap();
    let machine = bare(Firmware::Bios).disk(&disk, 8 * MIB).build().unwrap();
    let mut watcher = Watcher::new(&machine);
    power_on(&machine).await;
    let report = watcher.disk().await;
    assert!(report.config_drive.is_some());
    // The root directory's place in the first descriptor (ECMA-119 §8.4.18).
    file.write_all_at(&[0xff; 8], MIB + 16 * 2048 + 156 + 2)
        .unwrap();
    let reset = ChassisAction::HardReset;
    machine.chassis_control(reset).await.unwrap();
    let why = watcher.boot_failed().await;
    assert!(why.contains("disk /dev/vda: config drive: "), "{why}");
}

#[tokio::test]
async fn boot_programs_hand_over_to_the_disk_that_they_name() {
    let lab = Lab::start().await;
    let host = host(1);
    let folder = tempfile::tempdir().unwrap();
    let disk = folder.path().join("disk");
    image(&disk, "dos");
    let file = File::options().read(true).write(true).open(&disk).unwrap();
    file.write_all_at(&0x1a2b_3c4d_u32.to_le_bytes(), 440)
        .unwrap();
    let chain = |id: &str| format!("default d\nlabel d\nCOM32 chain.c32\nappend mbr:{id}\n");
    let cases = [
        ("pxelinux.0", chain("0x1a2b3c4d"), Ok(())),
        (
            "pxelinux.0",
            chain("0x00000001"),
            Err("no disk has the identifier 0x00000001"),
        ),
        (
            "pxelinux.0",
            "label x\nlocalboot 0\n".to_owned(),
            Err("leaves it to the next device"),
        ),
        (
            "undionly.kpxe",
            "#!ipxe\nsanboot --no-describe || exit 0\n".to_owned(),
            Ok(()),
        ),
        (
            "undionly.kpxe",
            "#!ipxe\nexit 0\n".to_owned(),
            Err("leaves it to the next device"),
        ),
    ];
    for (program, script, outcome) in cases {
        lab.boot_file(host, program, Some("s"));
        for name in ["s", "pxelinux.cfg/default"] {
            lab.tftp_files.insert(name, script.clone()).unwrap();
        }
        let machine = lab
            .machine(host, Firmware::Bios)
            .disk(&disk, 8 * MIB)
            .boot_order([BootSource::Network])
            .build()
            .unwrap();
        let mut watcher = Watcher::new(&machine);
        power_on(&machine).await;
        match outcome {
            Ok(()) => assert_eq!(watcher.disk().await.disk, "/dev/vda", "{script}"),
            Err(why) => {
                let found = watcher.boot_failed().await;
                assert!(found.contains(why), "{found}");
            }
        }
    }
}
