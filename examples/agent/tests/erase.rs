//! Erasing disks.
#![allow(
    clippy::disallowed_methods,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test that cannot go on fails"
)]

mod support;

use std::fs::OpenOptions;
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use serde_json::{Value, json};
use support::tools::{MIB, read, tool};
use support::{Machine, Running, Script, Service, node};

#[tokio::test]
async fn erasing_leaves_nothing_and_respects_what_is_protected() {
    let machine = Machine::with(5 << 30, |builder, directory| {
        builder.disk("/dev/vdb", directory.join("vdb.img"), 32 * MIB)
    });
    let (a, b) = (machine.disk(), machine.directory.path().join("vdb.img"));
    let mark = |path: &Path| {
        let file = OpenOptions::new().write(true).open(path).unwrap();
        file.write_all_at(b"secret", 20 * MIB).unwrap();
        tool("gdisk", "sgdisk", &["-o", path.to_str().unwrap()], "");
    };
    mark(&a);
    mark(&b);
    let service = Service::start(Script::default()).await;
    let agent = Running::ready(&machine, &service).await;
    let step = async |name: &str, node: Value| {
        let step = json!({"step": name, "interface": "deploy", "priority": 1});
        let params = json!({"step": step, "node": node, "ports": []});
        agent.complete("clean.execute_clean_step", params).await
    };
    let mut skipping = node();
    skipping["properties"] = json!({"skip_block_devices": [{"name": "/dev/vdb"}]});

    let done = step("erase_devices_metadata", skipping.clone()).await;
    assert_eq!(done["command_status"], "SUCCEEDED", "{done}");
    assert_eq!(read(&a, 512, 8), [0; 8], "the primary GPT is gone");
    assert_eq!(read(&a, (5 << 30) - 512, 8), [0; 8], "the backup too");
    assert_eq!(read(&a, 20 * MIB, 6), b"secret", "only metadata");
    assert_eq!(read(&b, 512, 8), b"EFI PART", "skipped");

    let done = step("erase_devices", skipping).await;
    assert_eq!(
        done["command_result"]["clean_result"],
        json!({"/dev/vda": null})
    );
    assert_eq!(read(&a, 20 * MIB, 6), [0; 6]);
    assert_eq!(read(&b, 20 * MIB, 6), b"secret", "skipped");

    // A shared file system stops the step before anything is written.
    tool(
        "gdisk",
        "sgdisk",
        &[
            "-n",
            "1",
            "-t",
            "1:AA31E02A-400F-11DB-9590-000C2911D1B8",
            b.to_str().unwrap(),
        ],
        "",
    );
    mark_again(&a);
    let done = step("erase_devices", node()).await;
    assert_eq!(
        done["command_error"]["type"], "ProtectedDeviceError",
        "{done}"
    );
    assert_eq!(read(&a, 0, 4), b"mark");

    // Overwriting is what is left when secure erase is not wanted.
    let mut overwrite = node();
    overwrite["properties"] = json!({"skip_block_devices": [{"name": "/dev/vda"}]});
    overwrite["driver_internal_info"] = json!({"agent_enable_ata_secure_erase": false,
        "agent_erase_devices_zeroize": false, "wipe_special_filesystems": false});
    let done = step("erase_devices", overwrite).await;
    assert_eq!(done["command_status"], "SUCCEEDED", "{done}");
    let noise = read(&b, 20 * MIB, 64);
    assert!(noise.iter().any(|byte| *byte != 0) && !noise.starts_with(b"secret"));

    let done = step("format_everything", node()).await;
    assert_eq!(
        done["command_error"]["type"], "HardwareManagerMethodNotFound",
        "{done}"
    );
}

fn mark_again(path: &Path) {
    let file = OpenOptions::new().write(true).open(path).unwrap();
    file.write_all_at(b"mark", 0).unwrap();
}
