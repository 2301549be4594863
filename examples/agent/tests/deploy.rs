//! Images and config drives on sparse disks, judged by the tools that read such disks.
#![allow(clippy::disallowed_methods, reason = "the judges are programs")]

mod support;

use std::fs::OpenOptions;
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::path::Path;
use std::process::{Command, Stdio};

use base64::Engine as _;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use support::{ImageFile, Machine, Running, Script, Service, node, sha256};

const MIB: u64 = 1 << 20;

/// Runs a tool of Debian's `package` and returns what it prints.
fn tool(package: &str, program: &str, args: &[&str], input: &str) -> String {
    use std::io::Write as _;

    let mut child = Command::new(program)
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{program} (package {package}): {error}"));
    child
        .stdin
        .take()
        .unwrap()
        .write_all(input.as_bytes())
        .unwrap();
    let out = child.wait_with_output().unwrap();
    let text = String::from_utf8_lossy(&out.stdout).into_owned();
    let errors = String::from_utf8_lossy(&out.stderr).into_owned();
    assert!(out.status.success(), "{program} {args:?}: {text}{errors}");
    text + &errors
}

/// An image of 8 MiB with one partition and something in it.
fn image(directory: &Path, label: &str) -> Vec<u8> {
    let path = directory.join(format!("{label}.raw"));
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(true)
        .open(&path)
        .unwrap();
    file.set_len(8 * MIB).unwrap();
    let script = format!(
        "label: {label}\nlabel-id: {}\nstart=2048, size=8192\n",
        match label {
            "gpt" => "0C10AC44-0000-4000-8000-000000000001",
            _ => "0x0c10ac44",
        }
    );
    tool(
        "fdisk",
        "sfdisk",
        &["--quiet", path.to_str().unwrap()],
        &script,
    );
    file.write_all_at(b"the instance", MIB).unwrap();
    std::fs::read(&path).unwrap()
}

/// A config drive as the conductor sends it, and its bytes.
fn config_drive(directory: &Path) -> (String, Vec<u8>) {
    use std::io::Write as _;

    let files = directory.join("drive/openstack/latest");
    std::fs::create_dir_all(&files).unwrap();
    std::fs::write(files.join("meta_data.json"), r#"{"uuid": "x"}"#).unwrap();
    let iso = directory.join("drive.iso");
    tool(
        "xorriso",
        "xorrisofs",
        &[
            "-quiet",
            "-R",
            "-V",
            "config-2",
            "-o",
            iso.to_str().unwrap(),
            directory.join("drive").to_str().unwrap(),
        ],
        "",
    );
    let content = std::fs::read(&iso).unwrap();
    let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
    gzip.write_all(&content).unwrap();
    let text = base64::prelude::BASE64_STANDARD.encode(gzip.finish().unwrap());
    (text, content)
}

fn info(service: &Service, name: &str, content: &[u8]) -> Value {
    json!({
        "id": name, "urls": [format!("{}/image/{name}", service.url)], "disk_format": "raw",
        "container_format": "bare", "stream_raw_images": true, "image_type": "whole-disk",
        "os_hash_algo": "sha256", "os_hash_value": sha256(content),
        "node_uuid": support::NODE, "deploy_boot_mode": "bios",
    })
}

async fn service_with(name: &str, image: ImageFile) -> Service {
    let mut script = Script::default();
    script.images.insert(name.to_owned(), image);
    Service::start(script).await
}

fn file(content: &[u8]) -> ImageFile {
    ImageFile {
        content: content.to_vec().into(),
        ..ImageFile::default()
    }
}

fn read(path: &Path, offset: u64, len: usize) -> Vec<u8> {
    let mut data = vec![0; len];
    std::fs::File::open(path)
        .unwrap()
        .read_exact_at(&mut data, offset)
        .unwrap();
    data
}

/// The partitions as sfdisk sees them: (first sector, sectors, type).
fn partitions(disk: &Path) -> Vec<(u64, u64, String)> {
    let json = tool("fdisk", "sfdisk", &["--json", disk.to_str().unwrap()], "");
    let table: Value = serde_json::from_str(&json).unwrap();
    let list = table["partitiontable"]["partitions"]
        .as_array()
        .unwrap()
        .clone();
    list.iter()
        .map(|p| {
            let number = |key: &str| p[key].as_u64().unwrap();
            (
                number("start"),
                number("size"),
                p["type"].as_str().unwrap().to_owned(),
            )
        })
        .collect()
}

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

/// `prepare_image` that is to fail; gives the fault's class.
async fn failing(machine: &Machine, service: &Service, more: &str, params: Value) -> String {
    let agent = Running::ready_with(machine, service, more).await;
    let done = agent.complete("standby.prepare_image", params).await;
    assert_eq!(done["command_status"], "FAILED", "{done}");
    assert_eq!(done["command_result"], Value::Null);
    done["command_error"]["type"].as_str().unwrap().to_owned()
}

fn downloads(service: &Service) -> usize {
    let requests = service.requests();
    requests
        .iter()
        .filter(|r| r.path.starts_with("/image/"))
        .count()
}

#[tokio::test]
async fn a_cut_connection_and_a_failing_server_are_tried_again() {
    let machine = Machine::new(5 << 30);
    let content = image(machine.directory.path(), "dos");
    let image = ImageFile {
        cuts: 2,
        failures: 1,
        ..file(&content)
    };
    let service = service_with("image", image).await;
    let agent = Running::ready(&machine, &service).await;
    let params = json!({"image_info": info(&service, "image", &content)});
    let done = agent.complete("standby.prepare_image", params).await;
    assert_eq!(done["command_status"], "SUCCEEDED", "{done}");
    assert_eq!(downloads(&service), 4);
    assert_eq!(read(&machine.disk(), 0, content.len()), content);
}

#[tokio::test]
async fn a_connection_that_keeps_breaking_fails_the_command() {
    let machine = Machine::new(5 << 30);
    let content = image(machine.directory.path(), "dos");
    let service = service_with(
        "image",
        ImageFile {
            cuts: 99,
            ..file(&content)
        },
    )
    .await;
    let params = json!({"image_info": info(&service, "image", &content)});
    let more = "ipa-image-download-connection-retries=2";
    let class = failing(&machine, &service, more, params).await;
    assert_eq!(class, "ImageDownloadError");
    assert_eq!(downloads(&service), 3);
}

#[tokio::test]
async fn a_wrong_checksum_is_an_error_of_its_own() {
    let machine = Machine::new(5 << 30);
    let content = image(machine.directory.path(), "dos");
    let service = service_with("image", file(&content)).await;
    let mut info = info(&service, "image", &content);
    info["os_hash_value"] = json!(sha256(b"another"));
    let more = "ipa-image-download-connection-retries=1";
    let class = failing(&machine, &service, more, json!({"image_info": info})).await;
    assert_eq!(class, "ImageChecksumError");
    assert_eq!(downloads(&service), 2);
}

#[tokio::test]
async fn a_refused_image_is_not_asked_for_again() {
    let machine = Machine::new(5 << 30);
    let service = Service::start(Script::default()).await;
    let params = json!({"image_info": info(&service, "missing", b"")});
    let class = failing(&machine, &service, "", params).await;
    assert_eq!(class, "ImageDownloadFatalError");
    assert_eq!(downloads(&service), 1);
}

#[tokio::test]
async fn an_image_larger_than_the_disk_is_not_begun() {
    let machine = Machine::with(6 * MIB, |builder, _| builder);
    let content = image(machine.directory.path(), "dos");
    let mut script = Script::default();
    script.images.insert("image".to_owned(), file(&content));
    // A disk this small is only chosen by a hint.
    script.node = json!({"properties": {"root_device": {"name": "/dev/vda"}}});
    let service = Service::start(script).await;
    let params = json!({"image_info": info(&service, "image", &content)});
    let class = failing(&machine, &service, "", params).await;
    assert_eq!(class, "ImageDownloadOutofSpaceError");
    assert_eq!(downloads(&service), 1);
    assert_eq!(read(&machine.disk(), 0, 512), [0; 512]);
}

#[tokio::test]
async fn without_a_fitting_disk_nothing_is_downloaded() {
    let machine = Machine::new(3 << 30);
    let service = Service::start(Script::default()).await;
    let params = json!({"image_info": info(&service, "image", b"")});
    let class = failing(&machine, &service, "ipa-disk-wait-attempts=0", params).await;
    assert_eq!(class, "DeviceNotFound");
    assert_eq!(downloads(&service), 0);
    let lookups = service
        .requests()
        .iter()
        .filter(|r| r.path == "/v1/lookup")
        .count();
    assert_eq!(lookups, 2, "without hints the node is asked for once more");
}

#[tokio::test]
async fn an_image_without_partitions_is_refused_after_writing() {
    let machine = Machine::new(5 << 30);
    let content = vec![7; 1 << 20];
    let service = service_with("image", file(&content)).await;
    let params = json!({"image_info": info(&service, "image", &content)});
    let class = failing(&machine, &service, "", params).await;
    assert_eq!(class, "DeploymentError");
}

#[tokio::test]
async fn a_broken_config_drive_stops_before_the_disk_is_touched() {
    let machine = Machine::new(5 << 30);
    let content = image(machine.directory.path(), "dos");
    let service = service_with("image", file(&content)).await;
    let params = json!({"image_info": info(&service, "image", &content), "configdrive": "WFhY"});
    let class = failing(&machine, &service, "", params).await;
    assert_eq!(class, "DeploymentError");
    assert_eq!(downloads(&service), 0);
    assert_eq!(read(&machine.disk(), 510, 2), [0, 0]);
}

#[tokio::test]
async fn checksum_files_and_passwords_are_fetched_and_sent() {
    let machine = Machine::new(5 << 30);
    let content = image(machine.directory.path(), "dos");
    let authorization = Some("Basic dTpwYTU1".to_owned());
    let mut script = Script::default();
    let sums = format!("{}  other\n{}  image\n", sha256(b"x"), sha256(&content));
    for (name, content) in [("image", &content[..]), ("SUMS", sums.as_bytes())] {
        let image = ImageFile {
            authorization: authorization.clone(),
            ..file(content)
        };
        script.images.insert(name.to_owned(), image);
    }
    let service = Service::start(script).await;
    let agent = Running::ready(&machine, &service).await;
    let info = json!({"id": "image", "urls": [format!("{}/image/image", service.url)],
        "disk_format": "raw", "checksum": format!("{}/image/SUMS", service.url),
        "image_server_auth_strategy": "http_basic", "image_server_user": "u",
        "image_server_password": "pa55"});
    let done = agent
        .complete("standby.prepare_image", json!({"image_info": info}))
        .await;
    assert_eq!(done["command_status"], "SUCCEEDED", "{done}");
}

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
