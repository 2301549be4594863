//! Requests made up from the document by `schemathesis`: what fits it and what does not. Whatever
//! comes, no answer is a failure of the service, and each is one that the document tells of.

use std::net::SocketAddr;
use std::path::Path;

use ironic_core::model::{BiosSetting, FirmwareComponent, HistoryEvent, Inventory, Severity};
use ironic_standalone::Host;
use serde_json::{Map, Value, json};
use tokio::net::TcpListener;
use tokio::process::Command;
use tokio_util::sync::CancellationToken;
use uuid::{Uuid, uuid};

use crate::peer::{ask, config, program};

const NODE: Uuid = uuid!("9860fe9e-ddcc-4bb7-a722-416374fdb422");
const EVENT: Uuid = uuid!("9860fe9e-ddcc-4bb7-a722-416374fdb423");

/// How many requests are made up for each operation, besides those at the bounds of its schemas.
const EXAMPLES: &str = "3";

/// Names of things that are there, tried besides what is made up; those that requests remove are
/// others.
const SETTINGS: &str = r#"
[dictionaries.there]
values = [
    "9860fe9e-ddcc-4bb7-a722-416374fdb422", "n2", "p1", "g1", "r1", "CUSTOM_T1",
    "11111111-0000-4000-8000-000000000001", "11111111-0000-4000-8000-000000000002",
    "11111111-0000-4000-8000-000000000003", "11111111-0000-4000-8000-000000000004",
    "11111111-0000-4000-8000-000000000005", "a1",
]
[dictionaries.removed]
values = ["n3", "g2", "r2", "CUSTOM_T2", "a2"]
[dictionaries.events]
values = ["9860fe9e-ddcc-4bb7-a722-416374fdb423"]
[dictionaries.names]
values = ["fake-hardware", "virtualization", "led@chassis", "CUSTOM_T1"]
[dictionaries.methods]
values = ["first_method", "second_method", "third_method_sync", "heartbeat"]
[dictionaries.strings]
values = ["9860fe9e-ddcc-4bb7-a722-416374fdb422", "n2", "fake-hardware", "__proto__", "%00", "../.."]

[parameters]
"path.ident" = { dictionary = "there", probability = 0.8 }
"path.event" = { dictionary = "events", probability = 0.8 }
"path.name" = { dictionary = "names", probability = 0.8 }
"path.method" = { dictionary = "methods", probability = 0.8 }

[generation.dictionaries]
string = { dictionary = "strings", probability = 0.1 }

[[operations]]
include-method = "DELETE"
[operations.parameters]
"path.ident" = { dictionary = "removed", probability = 0.5 }
"#;

/// Lets there be something of everything.
async fn furnish(host: &Host) {
    let create = async |path: &str, body: Value| {
        let answer = ask(host, "POST", path, Some(&body)).await;
        assert_eq!(answer.status, 201, "{path}: {}", answer.text);
    };
    let id = |number: u8| format!("11111111-0000-4000-8000-{number:012}");
    create(
        "/v1/chassis",
        json!({"uuid": id(1), "description": "a rack"}),
    )
    .await;
    create(
        "/v1/nodes",
        json!({"driver": "fake-hardware", "uuid": NODE, "name": "n1"}),
    )
    .await;
    for name in ["n2", "n3"] {
        let node = json!({
            "driver": "fake-hardware",
            "name": name,
            "resource_class": "c",
            "chassis_uuid": id(1),
        });
        create("/v1/nodes", node).await;
    }
    for (number, name) in [(1, "g1"), (2, "g2")] {
        let group = json!({"node_uuid": NODE, "name": name, "address": mac(number)});
        create("/v1/portgroups", group).await;
    }
    let port = json!({"node_uuid": NODE, "address": mac(3), "name": "p1", "uuid": id(2)});
    create("/v1/ports", port).await;
    for (name, tag) in [("CUSTOM_T1", "r1"), ("CUSTOM_T2", "r2")] {
        let step = json!({"interface": "deploy", "step": "s", "args": {}, "priority": 5});
        create(
            "/v1/deploy_templates",
            json!({"name": name, "steps": [step]}),
        )
        .await;
        let step = json!({"interface": "deploy", "step": "s", "args": {}, "order": 5});
        create("/v1/runbooks", json!({"name": tag, "steps": [step]})).await;
    }
    let rule = json!({
        "uuid": id(3),
        "phase": "main",
        "actions": [{"op": "set-attribute", "args": {"path": "/extra/a", "value": 1}}],
    });
    create("/v1/inspection_rules", rule).await;
    let connector = json!({
        "uuid": id(4), "node_uuid": NODE, "type": "iqn", "connector_id": "iqn.a",
    });
    create("/v1/volume/connectors", connector).await;
    let target = json!({
        "uuid": id(5), "node_uuid": NODE, "volume_type": "iscsi", "volume_id": "v", "boot_index": 0,
        "properties": {"auth_password": "x"},
    });
    create("/v1/volume/targets", target).await;
    for name in ["a1", "a2"] {
        create(
            "/v1/allocations",
            json!({"name": name, "resource_class": "c"}),
        )
        .await;
    }
    furnish_node(host).await;
}

/// Lets there be what only the engine finds out.
async fn furnish_node(host: &Host) {
    let repository = host.client().repository();
    let setting = BiosSetting::new(NODE, "virtualization", Some("on".to_owned()));
    repository.create(&setting).await.unwrap();
    let component = FirmwareComponent::new(NODE, "bmc", "1");
    repository.create(&component).await.unwrap();
    let mut event = HistoryEvent::new(NODE, Severity::Error, "cleaning", "timeout", "it failed");
    event.uuid = EVENT;
    repository.create(&event).await.unwrap();
    let inventory = Inventory::new(NODE, Map::new(), Map::new());
    repository.create(&inventory).await.unwrap();
}

fn mac(number: u8) -> String {
    format!("52:54:00:00:00:{number:02x}")
}

/// Runs phases of the tool in one version.
async fn run(version: &str, phases: &str) {
    let host = Host::builder(config()).start().await.unwrap();
    furnish(&host).await;
    let any: SocketAddr = ([127, 0, 0, 1], 0).into();
    let listener = TcpListener::bind(any).await.unwrap();
    let address = listener.local_addr().unwrap();
    let stop = CancellationToken::new();
    let serving = tokio::spawn(host.run(listener, stop.clone().cancelled_owned()));
    let folder = tempfile::tempdir().unwrap();
    let (passed, said) = schemathesis(folder.path(), address, version, phases).await;
    stop.cancel();
    serving.await.unwrap().unwrap();
    assert!(passed, "{said}");
}

async fn schemathesis(
    folder: &Path,
    address: SocketAddr,
    version: &str,
    phases: &str,
) -> (bool, String) {
    let settings = folder.join("schemathesis.toml");
    std::fs::write(&settings, SETTINGS).unwrap();
    // By hand the tool looks longer: IRONIC_SCHEMATHESIS_EXAMPLES=1000.
    let examples = std::env::var("IRONIC_SCHEMATHESIS_EXAMPLES");
    let examples = examples.as_deref().unwrap_or(EXAMPLES);
    let mut command = Command::new(program("schemathesis", "schemathesis"));
    command
        .current_dir(folder)
        .arg("--config-file")
        .arg(&settings)
        .args(["run", &format!("http://{address}/openapi.json")])
        .args(["--checks", CHECKS, "--phases", phases])
        .args([
            "--seed",
            "1",
            "--workers",
            "2",
            "--continue-on-failure",
            "--no-shrink",
        ])
        .args(["--warnings", "off", "--suppress-health-check", "all"])
        .args(["--max-examples", examples, "--request-timeout", "30"]);
    let header = format!("X-OpenStack-Ironic-API-Version:{version}");
    command.args(["--header", &header]);
    let output = command.output().await.unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    (output.status.success(), format!("{said}{errors}"))
}

/// What is asked of every answer.
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,\
                      response_headers_conformance,response_schema_conformance";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_that_is_asked_in_the_newest_version_is_a_failure() {
    run("latest", "coverage,fuzzing").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_that_is_asked_in_the_oldest_version_is_a_failure() {
    run("1.1", "fuzzing").await;
}
