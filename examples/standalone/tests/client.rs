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
    client.run("node manage n --wait 30").await;
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
