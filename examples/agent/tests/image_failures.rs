//! Images that do not make it onto the disk.
#![allow(
    clippy::disallowed_methods,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test that cannot go on fails"
)]

mod support;

use serde_json::{Value, json};
use support::tools::{MIB, file, image, info, read, service_with};
use support::{ImageFile, Machine, Running, Script, Service, sha256};

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
    let class = failing(&machine, &service, "ipa-disk-wait-attempts=0", params).await;
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
