//! The original's own command line client against the service: `baremetal`, of the package
//! `python-ironicclient`.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a test that runs a program"
)]

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use ironic_standalone::{Host, HostConfig};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::process::Command;
use tokio_util::sync::CancellationToken;

fn program() -> PathBuf {
    let venv = std::env::var_os("IRONIC_TEST_VENV").map_or_else(
        || PathBuf::from(std::env::var_os("HOME").unwrap()).join(".cache/ironic-tools/venv"),
        PathBuf::from,
    );
    let program = venv.join("bin/baremetal");
    assert!(
        program.exists(),
        "{} is missing: run `python3 -m venv {venv} && {venv}/bin/pip install \
         python-ironicclient`, or name another virtualenv in IRONIC_TEST_VENV",
        program.display(),
        venv = venv.display(),
    );
    program
}

struct Client(SocketAddr);

impl Client {
    /// Runs a command; what it says on standard output, or how it failed.
    async fn try_run(&self, arguments: &str) -> Result<String, String> {
        let output = Command::new(program())
            .args(["--os-auth-type", "none", "--os-endpoint"])
            .arg(format!("http://{}", self.0))
            .args(arguments.split(' '))
            .output()
            .await
            .unwrap();
        let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        if output.status.success() {
            Ok(said(&output.stdout))
        } else {
            Err(said(&output.stderr))
        }
    }

    async fn run(&self, arguments: &str) -> String {
        let ran = self.try_run(arguments).await;
        ran.unwrap_or_else(|error| panic!("{arguments}: {error}"))
    }

    async fn json(&self, arguments: &str) -> Value {
        let text = self.run(&format!("{arguments} -f json")).await;
        serde_json::from_str(&text).unwrap_or_else(|_| panic!("{arguments}: {text}"))
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_originals_client_leads_a_node_through_its_life() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/fake.toml");
    let config = HostConfig::load(Some(&file), &|_| None).unwrap();
    let host = Host::builder(config).start().await.unwrap();
    let any: SocketAddr = ([127, 0, 0, 1], 0).into();
    let listener = TcpListener::bind(any).await.unwrap();
    let client = Client(listener.local_addr().unwrap());
    let stop = CancellationToken::new();
    let serving = tokio::spawn(host.run(listener, stop.clone().cancelled_owned()));

    let drivers = client.json("driver list").await;
    assert_eq!(drivers[0]["name"], "fake-hardware");
    let node = client
        .json("node create --driver fake-hardware --name n --property cpus=4")
        .await;
    let uuid = node["uuid"].as_str().unwrap();
    assert_eq!(node["power_interface"], "fake");
    let port = format!("port create --node {uuid} 52:54:00:12:34:56");
    let port = client.json(&port).await;
    assert_eq!(port["node_uuid"], uuid);
    let driver = client.json("driver show fake-hardware").await;
    assert_eq!(driver["default_power_interface"], "fake");
    assert_eq!(driver["enabled_network_interfaces"], json!("noop"));
    client.run("node add trait n CUSTOM_GPU CUSTOM_OLD").await;
    client.run("node remove trait n CUSTOM_OLD").await;
    let node = client.json("node show n --fields traits").await;
    assert_eq!(node["traits"], json!(["CUSTOM_GPU"]));
    deploy_templates(&client).await;
    belongings(&client, uuid).await;
    client.run("node manage n --wait 30").await;
    runbooks(&client).await;
    client.run("node provide n --wait 30").await;
    client
        .run("node set n --instance-info image_source=http://192.0.2.1/image")
        .await;
    client.run("node deploy n --wait 30").await;
    let node = client.json("node show n").await;
    assert_eq!(node["provision_state"], "active");
    assert_eq!(node["properties"], json!({"cpus": 4}));
    client.run("node boot device set n pxe --persistent").await;
    let device = client.json("node boot device show n").await;
    assert_eq!(device["boot_device"], "pxe");
    let validation = client.json("node validate n").await;
    assert!(validation.as_array().unwrap().len() > 10);
    let refused = client.try_run("node manage n").await.unwrap_err();
    assert!(refused.contains("HTTP 400"), "{refused}");
    client.run("node undeploy n --wait 30").await;
    client.run("node delete n").await;
    assert_eq!(client.json("node list").await, json!([]));
    let missing = client.try_run("node show n").await.unwrap_err();
    assert!(missing.contains("HTTP 404"), "{missing}");

    stop.cancel();
    serving.await.unwrap().unwrap();
}

/// What nodes stand in, have, and are claimed by.
async fn belongings(client: &Client, node: &str) {
    let chassis = client.json("chassis create --description rack").await;
    let chassis = chassis["uuid"].as_str().unwrap();
    client
        .run(&format!("chassis set {chassis} --extra row=b"))
        .await;
    let shown = client.json(&format!("chassis show {chassis}")).await;
    assert_eq!(shown["extra"], json!({"row": "b"}));
    client.run(&format!("chassis delete {chassis}")).await;
    let group = format!("port group create --node {node} --name bond0 --mode 802.3ad");
    assert_eq!(client.json(&group).await["mode"], "802.3ad");
    let groups = client.json(&format!("port group list --node {node}")).await;
    assert_eq!(groups[0]["name"], "bond0");
    client.run("port group delete bond0").await;
    let connector = "--type iqn --connector-id iqn.2026-11.org.example:n";
    let connector = format!("volume connector create --node {node} {connector}");
    assert_eq!(client.json(&connector).await["type"], "iqn");
    let history = client.json("node history list n").await;
    assert_eq!(history, json!([]));
    let refused = client.try_run("allocation create --name a").await;
    assert!(refused.is_err(), "an allocation is of a resource class");
}

/// The life of a deploy template.
async fn deploy_templates(client: &Client) {
    let steps = r#"[{"interface":"bios","step":"apply","args":{"password":"p"},"priority":"10"}]"#;
    let template = format!("deploy template create CUSTOM_GPU --steps {steps}");
    let template = client.json(&template).await;
    let wanted = json!([{
        "interface": "bios", "step": "apply", "args": {"password": "******"}, "priority": 10
    }]);
    assert_eq!(template["steps"], wanted);
    client
        .run("deploy template set CUSTOM_GPU --name CUSTOM_TPU --extra a=b")
        .await;
    let uuid = template["uuid"].as_str().unwrap();
    let shown = client.json(&format!("deploy template show {uuid}")).await;
    assert_eq!(
        (&shown["name"], &shown["extra"]),
        (&json!("CUSTOM_TPU"), &json!({"a": "b"}))
    );
    let twice = format!("deploy template create CUSTOM_TPU --steps {steps}");
    let refused = client.try_run(&twice).await.unwrap_err();
    assert!(refused.contains("HTTP 409"), "{refused}");
    let list = client.json("deploy template list").await;
    assert_eq!(list, json!([{"uuid": uuid, "name": "CUSTOM_TPU"}]));
    client.run("deploy template delete CUSTOM_TPU").await;
    assert_eq!(client.json("deploy template list").await, json!([]));
}

/// The life of a runbook, and a cleaning by it.
async fn runbooks(client: &Client) {
    let steps = r#"[{"interface":"bios","step":"factory_reset","args":{},"order":1}]"#;
    let runbook = format!("runbook create --name CUSTOM_GPU --steps {steps}");
    let runbook = client.json(&runbook).await;
    assert_eq!(runbook["steps"][0]["order"], 1);
    let list = client.json("runbook list").await;
    assert_eq!(list[0]["name"], "CUSTOM_GPU");
    client
        .run("runbook trait add CUSTOM_GPU CUSTOM_GPU CUSTOM_OLD")
        .await;
    client
        .run("runbook trait remove CUSTOM_GPU CUSTOM_OLD")
        .await;
    let shown = client.json("runbook show CUSTOM_GPU").await;
    assert_eq!(shown["traits"], json!(["CUSTOM_GPU"]));
    client
        .run("node clean n --runbook CUSTOM_GPU --wait 30")
        .await;
    let other = format!("runbook create --name CUSTOM_OTHER --steps {steps}");
    client.run(&other).await;
    let refused = client.try_run("node clean n --runbook CUSTOM_OTHER").await;
    assert!(
        refused.unwrap_err().contains("HTTP 400"),
        "the node lacks the trait"
    );
    client
        .run("runbook set CUSTOM_OTHER --name CUSTOM_LAST --extra a=b")
        .await;
    let shown = client.json("runbook show CUSTOM_LAST").await;
    assert_eq!(shown["extra"], json!({"a": "b"}));
    client.run("runbook delete CUSTOM_LAST CUSTOM_GPU").await;
    assert_eq!(client.json("runbook list").await, json!([]));
}
