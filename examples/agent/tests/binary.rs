//! The binary on a machine that consists of files.
#![allow(
    clippy::disallowed_methods,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that cannot go on fails, and the binary is a program"
)]

mod support;

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};
use support::tools::{file, image, info, read};
use support::{Script, Service, TOKEN};

fn put(root: &Path, path: &str, text: &str) {
    let path = root.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// Ends the program with the test.
struct Program(Child);

impl Drop for Program {
    fn drop(&mut self) {
        let _gone = self.0.kill();
        let _gone = self.0.wait();
    }
}

#[tokio::test]
async fn the_program_deploys_and_ends_when_told_to() {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path();
    put(
        root,
        "sys/block/vda/size",
        &((5_u64 << 30) / 512).to_string(),
    );
    put(root, "sys/class/net/eth0/address", "52:54:00:77:00:01\n");
    put(root, "sys/class/net/eth0/device/vendor", "0x1af4\n");
    put(root, "dev/vda", "");
    let disk = root.join("dev/vda");
    let sparse = fs::OpenOptions::new().write(true).open(&disk).unwrap();
    sparse.set_len(5 << 30).unwrap();
    let content = image(root, "dos");
    let mut script = Script::default();
    script.images.insert("image".to_owned(), file(&content));
    let service = Service::start(script).await;
    let cmdline = format!("quiet ipa-api-url={} ipa-listen-port=0\n", service.url);
    put(root, "proc/cmdline", &cmdline);

    let mut program = Program(
        Command::new(env!("CARGO_BIN_EXE_ironic-agent"))
            .arg("--root")
            .arg(root)
            .arg("--cmdline")
            .arg(root.join("proc/cmdline"))
            .arg("ipa-listen-host=127.0.0.1")
            .stderr(Stdio::null())
            .spawn()
            .unwrap(),
    );
    let heartbeat = service.heartbeat().await;
    let url = heartbeat.body["callback_url"].as_str().unwrap();
    let url = format!("{url}/v1/commands/?wait=true&agent_token={TOKEN}");
    let command = json!({"name": "standby.prepare_image",
        "params": {"image_info": info(&service, "image", &content)}});
    let done = support::client().post(url).body(command.to_string()).send();
    let done = done.await.unwrap().bytes().await.unwrap();
    let done: Value = serde_json::from_slice(&done).unwrap();
    assert_eq!(done["command_status"], "SUCCEEDED", "{done}");
    assert_eq!(read(&disk, 0, content.len()), content);

    let pid = program.0.id().to_string();
    let told = Command::new("kill").args(["-TERM", &pid]).status().unwrap();
    assert!(told.success());
    let ended = tokio::task::spawn_blocking(move || program.0.wait().unwrap());
    assert!(ended.await.unwrap().success());
}

#[test]
fn nonsense_on_the_command_line_is_told() {
    let out = Command::new(env!("CARGO_BIN_EXE_ironic-agent"))
        .args(["--cmdline", "/dev/null", "ipa-api-url=ftp://x"])
        .output()
        .unwrap();
    assert!(!out.status.success());
    let text = String::from_utf8_lossy(&out.stderr);
    assert!(text.contains("ipa-api-url"), "{text}");
}
