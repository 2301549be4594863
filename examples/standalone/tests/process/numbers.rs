//! What Prometheus is told, read by its own parser (`prometheus_client`, of PyPI).

use std::path::PathBuf;
use std::process::Stdio;

use reqwest::Method;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::process::Command;
use tokio::time::{Instant, sleep};

use crate::program::{PATIENCE, Program};

/// Prints every sample as a line of JSON, and fails on what is no such text.
const PARSE: &str = "
import json, sys
from prometheus_client.parser import text_string_to_metric_families
for family in text_string_to_metric_families(sys.stdin.read()):
    assert family.type != 'unknown', family
    assert family.documentation, family
    for sample in family.samples:
        print(json.dumps({'type': family.type, 'name': sample.name, 'labels': sample.labels, 'value': sample.value}))
";

fn python() -> PathBuf {
    let venv = std::env::var_os("IRONIC_TEST_VENV").map_or_else(
        || PathBuf::from(std::env::var_os("HOME").unwrap()).join(".cache/ironic-tools/venv"),
        PathBuf::from,
    );
    venv.join("bin/python3")
}

struct Samples(Vec<Value>);

impl Samples {
    async fn of(text: &str) -> Self {
        let mut parser = Command::new(python())
            .args(["-c", PARSE])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{}: {error}", python().display()));
        let mut stdin = parser.stdin.take().unwrap();
        stdin.write_all(text.as_bytes()).await.unwrap();
        drop(stdin);
        let output = parser.wait_with_output().await.unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.success(),
            "the package prometheus_client of PyPI is needed, and this text right: {said}\n{text}"
        );
        let lines = String::from_utf8(output.stdout).unwrap();
        let lines = lines
            .lines()
            .map(|line| serde_json::from_str(line).unwrap());
        Self(lines.collect())
    }

    fn values<'a>(&'a self, name: &'a str, labels: &'a Value) -> impl Iterator<Item = f64> + 'a {
        let fits = move |sample: &&Value| {
            let wanted = labels.as_object().unwrap();
            let mut wanted = wanted.iter();
            sample["name"] == name && wanted.all(|(key, value)| &sample["labels"][key] == value)
        };
        self.0
            .iter()
            .filter(fits)
            .map(|sample| sample["value"].as_f64().unwrap())
    }

    /// The sum of all samples of this name with these labels, of which there must be one.
    fn value(&self, name: &str, labels: &Value) -> f64 {
        assert!(
            self.values(name, labels).next().is_some(),
            "no {name} {labels}"
        );
        self.values(name, labels).sum()
    }
}

async fn scrape(url: &str) -> Samples {
    let response = reqwest::get(url).await.unwrap();
    assert_eq!(response.status(), 200);
    let media = response.headers()["content-type"].to_str().unwrap();
    assert!(media.starts_with("text/plain; version=0.0.4"), "{media}");
    Samples::of(&response.text().await.unwrap()).await
}

async fn reach(program: &Program, state: &str) {
    let ends = Instant::now() + PATIENCE;
    while program.get("/v1/nodes/n").await["provision_state"] != state {
        assert!(Instant::now() < ends, "never {state}");
        sleep(std::time::Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn a_life_of_a_node_is_told_in_numbers() {
    let program = Program::start(&[], &[("IRONIC_METRICS_ENABLED", "true")]).await;
    for name in ["n", "other"] {
        let node = json!({"driver": "fake-hardware", "name": name});
        let (status, _) = program.ask(Method::POST, "/v1/nodes", Some(node)).await;
        assert_eq!(status, 201);
    }
    for (target, state) in [
        ("manage", "manageable"),
        ("provide", "available"),
        ("active", "active"),
    ] {
        let body = json!({"target": target});
        let path = "/v1/nodes/n/states/provision";
        let (status, body) = program.ask(Method::PUT, path, Some(body)).await;
        assert_eq!(status, 202, "{body}");
        reach(&program, state).await;
    }
    for path in ["/v1/nodes/nosuch", "/nosuch/a", "/nosuch/b"] {
        let (status, _) = program.ask(Method::GET, path, None).await;
        assert_eq!(status, 404, "{path}");
    }
    let (_, _) = program
        .ask(Method::from_bytes(b"BREW").unwrap(), "/v1/nodes", None)
        .await;

    let metrics = format!("{}/metrics", program.url);
    let samples = scrape(&metrics).await;
    let requests = "ironic_api_requests_total";
    let posts = json!({"method": "POST", "route": "/v1/nodes", "status": "201"});
    assert_eq!(samples.value(requests, &posts), 2.0);
    let missing = json!({"method": "GET", "route": "/v1/nodes/{ident}", "status": "404"});
    assert_eq!(samples.value(requests, &missing), 1.0);
    let nowhere = json!({"route": "other", "status": "404"});
    assert_eq!(samples.value(requests, &nowhere), 2.0);
    assert_eq!(samples.value(requests, &json!({"method": "other"})), 1.0);
    let verbs = json!({"method": "PUT", "route": "/v1/nodes/{ident}/states/provision"});
    assert_eq!(samples.value(requests, &verbs), 3.0);
    let name = "ironic_api_request_duration_seconds_count";
    assert_eq!(samples.value(name, &verbs), 3.0);
    assert_eq!(
        samples.value("ironic_api_requests_in_flight", &json!({})),
        1.0
    );
    assert!(samples.value("ironic_api_connections", &json!({})) >= 1.0);

    let nodes = "ironic_nodes";
    assert_eq!(
        samples.value(nodes, &json!({"provision_state": "active"})),
        1.0
    );
    assert_eq!(
        samples.value(nodes, &json!({"provision_state": "enroll"})),
        1.0
    );
    assert_eq!(
        samples.value(nodes, &json!({"provision_state": "deploying"})),
        0.0
    );
    assert_eq!(samples.value(nodes, &json!({})), 2.0);
    assert_eq!(samples.value("ironic_nodes_reserved", &json!({})), 0.0);
    assert_eq!(
        samples.value("ironic_conductors", &json!({"alive": "true"})),
        1.0
    );
    assert_eq!(samples.value("ironic_store_up", &json!({})), 1.0);

    let flows = "ironic_flows_total";
    let deployed = json!({"flow": "deploy", "outcome": "done"});
    assert_eq!(samples.value(flows, &deployed), 1.0);
    let took = samples.value("ironic_flow_duration_seconds_sum", &deployed);
    assert!(took > 0.0 && took < 60.0, "{took}");
    let came = json!({"from": "deploying", "to": "active"});
    assert_eq!(samples.value("ironic_transitions_total", &came), 1.0);
    let steps = json!({"interface": "deploy"});
    assert!(samples.value("ironic_step_duration_seconds_count", &steps) >= 1.0);
    let waits = json!({"outcome": "acquired"});
    assert!(samples.value("ironic_lock_wait_seconds_count", &waits) >= 3.0);

    let version = json!({"version": env!("CARGO_PKG_VERSION")});
    assert_eq!(samples.value("ironic_build_info", &version), 1.0);
    let taken = program.taken();
    let memory = samples.value("process_resident_memory_bytes", &json!({}));
    assert!(
        (memory / 1024.0 / taken.rss_kib as f64 - 1.0).abs() < 0.2,
        "{memory}"
    );
    let files = samples.value("process_open_fds", &json!({}));
    assert!((files - taken.fds as f64).abs() < 8.0, "{files}");
    // It is counted in ticks, of which a fast program may have taken none yet.
    let (cpu, ends) = ("process_cpu_seconds_total", Instant::now() + PATIENCE);
    while scrape(&metrics).await.value(cpu, &json!({})) == 0.0 {
        assert!(Instant::now() < ends, "no time passes");
        program.get("/v1/nodes").await;
    }
    // Nothing that clients make up is a label.
    for sample in &samples.0 {
        let text = sample.to_string();
        assert!(!text.contains("nosuch") && !text.contains("BREW"), "{text}");
    }
    program.kill().await;
}

#[tokio::test]
async fn numbers_can_have_an_address_of_their_own() {
    let environment = [
        ("IRONIC_METRICS_ENABLED", "true"),
        ("IRONIC_METRICS_LISTEN", "127.0.0.1:0"),
    ];
    let mut program = Program::start(&[], &environment).await;
    let line = program.next_line().await;
    let url = line.strip_prefix("metrics on ").expect(&line).to_owned();
    let samples = scrape(&url).await;
    assert_eq!(samples.value("ironic_nodes", &json!({})), 0.0);
    let (status, _) = program.ask(Method::GET, "/metrics", None).await;
    assert_eq!(status, 404, "they are told at the API as well");
    let other = url.replace("/metrics", "/v1");
    assert_eq!(reqwest::get(other).await.unwrap().status(), 404);
    program.signal("TERM").await;
    assert!(program.ended().await.status.success());
}
