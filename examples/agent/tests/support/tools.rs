//! Disk images, and the tools that judge disks.

use std::fs::OpenOptions;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use base64::Engine as _;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

use super::{ImageFile, Script, Service, sha256};

pub(crate) const MIB: u64 = 1 << 20;

/// Runs a tool of Debian's `package` and returns what it prints.
pub(crate) fn tool(package: &str, program: &str, args: &[&str], input: &str) -> String {
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
pub(crate) fn image(directory: &Path, label: &str) -> Vec<u8> {
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
pub(crate) fn config_drive(directory: &Path) -> (String, Vec<u8>) {
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

pub(crate) fn info(service: &Service, name: &str, content: &[u8]) -> Value {
    json!({
        "id": name, "urls": [format!("{}/image/{name}", service.url)], "disk_format": "raw",
        "container_format": "bare", "stream_raw_images": true, "image_type": "whole-disk",
        "os_hash_algo": "sha256", "os_hash_value": sha256(content),
        "node_uuid": super::NODE, "deploy_boot_mode": "bios",
    })
}

pub(crate) async fn service_with(name: &str, image: ImageFile) -> Service {
    let mut script = Script::default();
    script.images.insert(name.to_owned(), image);
    Service::start(script).await
}

pub(crate) fn file(content: &[u8]) -> ImageFile {
    ImageFile {
        content: content.to_vec().into(),
        ..ImageFile::default()
    }
}

pub(crate) fn read(path: &Path, offset: u64, len: usize) -> Vec<u8> {
    let mut data = vec![0; len];
    std::fs::File::open(path)
        .unwrap()
        .read_exact_at(&mut data, offset)
        .unwrap();
    data
}

/// The partitions as sfdisk sees them: (first sector, sectors, type).
pub(crate) fn partitions(disk: &Path) -> Vec<(u64, u64, String)> {
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
