//! Images and config drives on sparse disks, judged by the tools that read such disks.
#![allow(
    clippy::disallowed_methods,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test that cannot go on fails"
)]

mod support;

use std::os::unix::fs::MetadataExt as _;

use serde_json::{Value, json};
use support::tools::{MIB, config_drive, file, image, info, partitions, read, service_with, tool};
use support::{Machine, Running, node};

/// Image, then config drive, on a disk larger than the image; what `label` says of the table.
async fn deploy(label: &str, size: u64) -> (Machine, Value, Vec<u8>) {
    let machine = Machine::new(size);
    let content = image(machine.directory.path(), label);
    let (drive, drive_content) = config_drive(machine.directory.path());
    // Something from before: a backup GPT that must not survive.
    tool(
        "gdisk",
        "sgdisk",
        &["-n", "1:2048:4096", machine.disk().to_str().unwrap()],
        "",
    );
    let service = service_with("image", file(&content)).await;
    let agent = Running::ready(&machine, &service).await;
    let step = json!({"step": "write_image", "interface": "deploy", "args": {
        "image_info": info(&service, "image", &content), "configdrive": drive}});
    let params = json!({"step": step, "node": node(), "ports": []});
    let done = agent.complete("deploy.execute_deploy_step", params).await;
    assert_eq!(done["command_status"], "SUCCEEDED", "{done}");
    let uuids = agent
        .complete("standby.get_partition_uuids", json!({}))
        .await;
    let disk = machine.disk();
    assert_eq!(read(&disk, MIB, 12), b"the instance");
    let added = partitions(&disk)[1].clone();
    assert!(added.1 * 512 >= 64 * MIB, "{added:?}");
    let start = added.0 * 512;
    assert_eq!(start % MIB, 0, "aligned");
    assert_eq!(read(&disk, start, drive_content.len()), drive_content);
    let offset = start.to_string();
    let length = (added.1 * 512).to_string();
    let found = tool(
        "util-linux",
        "blkid",
        &[
            "-p",
            "-O",
            &offset,
            "-S",
            &length,
            "-o",
            "value",
            "-s",
            "LABEL",
            disk.to_str().unwrap(),
        ],
        "",
    );
    assert_eq!(found.trim(), "config-2");
    let allocated = std::fs::metadata(&disk).unwrap().blocks() * 512;
    assert!(allocated < 16 * MIB, "the disk stays sparse: {allocated}");
    let mut result = done["command_result"].clone();
    result["uuids"] = uuids["command_result"].clone();
    (machine, result, content)
}

#[tokio::test]
async fn an_mbr_image_gets_a_config_drive_partition_at_the_end() {
    let (machine, result, content) = deploy("dos", 5 << 30).await;
    let disk = machine.disk();
    let verdict = tool("fdisk", "sfdisk", &["--verify", disk.to_str().unwrap()], "");
    assert!(verdict.contains("No errors detected"), "{verdict}");
    let found = partitions(&disk);
    assert_eq!(found.len(), 2);
    assert_eq!(
        (found[1].0 + found[1].1) * 512,
        5 << 30,
        "up to the very end"
    );
    assert_eq!(found[1].2, "c");
    assert_eq!(
        result["deploy_result"]["result"],
        "prepare_image: image (image) written to device /dev/vda root_uuid=0x0c10ac44"
    );
    assert_eq!(result["uuids"], json!({"root uuid": "0x0c10ac44"}));
    // But for the new entry, the disk begins with the image.
    let written = read(&disk, 0, content.len());
    let differing = written.iter().zip(&content).filter(|(a, b)| a != b).count();
    assert!(differing <= 16, "{differing} bytes differ");
}

#[tokio::test]
async fn a_gpt_image_is_stretched_over_the_disk() {
    let (machine, result, content) = deploy("gpt", 5 << 30).await;
    let disk = machine.disk();
    let verdict = tool("gdisk", "sgdisk", &["-v", disk.to_str().unwrap()], "");
    assert!(verdict.contains("No problems found"), "{verdict}");
    let verdict = tool("fdisk", "sfdisk", &["--verify", disk.to_str().unwrap()], "");
    assert!(verdict.contains("No errors detected"), "{verdict}");
    let found = partitions(&disk);
    assert_eq!(found.len(), 2);
    assert_eq!(found[0].0, 2048);
    assert_eq!(
        found[1].0 + found[1].1,
        (5 << 30) / 512 - 33,
        "up to the backup GPT"
    );
    assert_eq!(result["uuids"], json!({"root uuid": "0x00000000"}));
    // Beyond the table the disk begins with the image, whose own backup is dead data now.
    assert_eq!(
        read(&disk, 34 * 512, content.len() - 34 * 512),
        content[34 * 512..]
    );
}

#[tokio::test]
async fn a_gpt_image_without_a_config_drive_is_stretched_too() {
    let machine = Machine::new(5 << 30);
    let content = image(machine.directory.path(), "gpt");
    let service = service_with("image", file(&content)).await;
    let agent = Running::ready(&machine, &service).await;
    let params = json!({"image_info": info(&service, "image", &content)});
    let done = agent.complete("standby.prepare_image", params).await;
    assert_eq!(done["command_status"], "SUCCEEDED", "{done}");
    let verdict = tool(
        "gdisk",
        "sgdisk",
        &["-v", machine.disk().to_str().unwrap()],
        "",
    );
    assert!(verdict.contains("No problems found"), "{verdict}");
    assert_eq!(partitions(&machine.disk()).len(), 1);
}

#[tokio::test]
async fn a_config_drive_partition_of_the_image_is_used() {
    let machine = Machine::new(5 << 30);
    let (drive, drive_content) = config_drive(machine.directory.path());
    let mut content = image(machine.directory.path(), "dos");
    let at = usize::try_from(MIB).unwrap();
    content[at..at + drive_content.len()].copy_from_slice(&drive_content);
    let service = service_with("image", file(&content)).await;
    let agent = Running::ready(&machine, &service).await;
    let params = json!({"image_info": info(&service, "image", &content), "configdrive": drive});
    let done = agent.complete("standby.prepare_image", params).await;
    assert_eq!(done["command_status"], "SUCCEEDED", "{done}");
    assert_eq!(partitions(&machine.disk()).len(), 1, "no second one");
    assert_eq!(
        read(&machine.disk(), MIB, drive_content.len()),
        drive_content
    );
}
