//! The agent under the original conductor's own client (`ironic` from PyPI, 39.0.0 at the time
//! of writing). Run with
//! `IRONIC_PYTHON=/path/to/python cargo test -p ironic-agent --test original_client -- --ignored`.
#![allow(
    clippy::disallowed_methods,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that cannot go on fails, and the peer is a program"
)]

mod support;

use std::process::Command;

use serde_json::{Value, json};
use support::tools::{file, image, info, read};
use support::{ImageFile, Machine, NODE, Running, Script, Service, TOKEN};

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the package ironic from PyPI; IRONIC_PYTHON names the interpreter that has it"]
async fn the_originals_client_drives_a_whole_deployment() {
    let mut machine = Machine::new(5 << 30);
    let content = image(machine.directory.path(), "dos");
    let mut script = Script::default();
    // The download fails once, so that the agent is busy for a second.
    let image = ImageFile {
        failures: 1,
        ..file(&content)
    };
    script.images.insert("image".to_owned(), image);
    let service = Service::start(script).await;
    let more = "ipa-image-download-connection-retry-interval=1";
    let agent = Running::ready_with(&machine, &service, more).await;
    let python = std::env::var("IRONIC_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let mut client = Command::new(&python);
    client
        .arg(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/tests/original_client.py"
        ))
        .args([agent.callback(), TOKEN, NODE])
        .arg(info(&service, "image", &content).to_string());
    let out = tokio::task::spawn_blocking(move || client.output())
        .await
        .unwrap()
        .unwrap_or_else(|error| panic!("{python}: {error}"));
    let errors = String::from_utf8_lossy(&out.stderr);
    assert!(out.status.success(), "{errors}");
    let results: Value = serde_json::from_slice(&out.stdout).unwrap();
    assert_eq!(
        results,
        json!({
            "clean steps": ["erase_devices", "erase_devices_metadata", "erase_devices_express"],
            "deploy steps": "SUCCEEDED",
            "service steps": "SUCCEEDED",
            "clean": "SUCCEEDED",
            "while busy": "AgentInProgress",
            "deploy": "SUCCEEDED",
            "written": {"result":
                "prepare_image: image (image) written to device /dev/vda root_uuid=0x0c10ac44"},
            "uuids": {"root uuid": "0x0c10ac44"},
            "boot loader": "SUCCEEDED",
            "sync": "SUCCEEDED",
            "logs": "SUCCEEDED",
            "other plan": "CLEAN_VERSION_MISMATCH",
            "wrong token": "AgentAPIError",
            "power off": "RUNNING",
        }),
        "{errors}"
    );
    assert_eq!(read(&machine.disk(), 0, content.len()), content);
    let off = machine.power.wait_for(Option::is_some).await.unwrap();
    assert_eq!(*off, Some(ironic_agent::PowerAction::Off));
}
