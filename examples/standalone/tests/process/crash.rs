//! Killed in the middle of deployments and started again, the service brings every machine to an
//! end, and gives every node back.

use std::collections::BTreeMap;
use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use crate::program::{PATIENCE, Program};

const NODES: usize = 25;

/// Long enough for kills to fall into, short enough for a test.
const SLOW: [(&str, &str); 3] = [
    ("IRONIC_FAKE_DEPLOY_DELAY", "0.1,1.5"),
    ("IRONIC_FAKE_BOOT_DELAY", "0,0.1"),
    ("IRONIC_FAKE_POWER_DELAY", "0,0.1"),
];

fn name(at: usize) -> String {
    format!("node-{at:02}")
}

/// How many nodes there are in each state.
async fn states(program: &Program) -> BTreeMap<String, usize> {
    let body = program.get("/v1/nodes?fields=provision_state").await;
    let mut states = BTreeMap::new();
    for node in body["nodes"].as_array().unwrap() {
        let state = node["provision_state"].as_str().unwrap().to_owned();
        *states.entry(state).or_default() += 1;
    }
    states
}

/// Waits until so many nodes are in this state.
async fn reach(program: &Program, state: &str, count: usize) {
    let ends = Instant::now() + PATIENCE;
    loop {
        let states = states(program).await;
        if states.get(state).copied().unwrap_or(0) >= count {
            return;
        }
        assert!(
            Instant::now() < ends,
            "not {count} times {state}: {states:?}"
        );
        sleep(Duration::from_millis(5)).await;
    }
}

async fn ask_all(program: &Program, target: &str) {
    for at in 0..NODES {
        let path = format!("/v1/nodes/{}/states/provision", name(at));
        let body = json!({"target": target});
        let (status, body) = program.ask(Method::PUT, &path, Some(body)).await;
        assert_eq!(status, 202, "{}: {body}", name(at));
    }
}

#[tokio::test]
async fn killed_three_times_every_deployment_comes_to_an_end() {
    let directory = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}/ironic.sqlite", directory.path().display());
    let database = ["--database", url.as_str()];
    let start = || Program::start(&database, &SLOW);

    let program = start().await;
    for at in 0..NODES {
        let body = json!({"driver": "fake-hardware", "name": name(at)});
        let (status, body) = program.ask(Method::POST, "/v1/nodes", Some(body)).await;
        assert_eq!(status, 201, "{body}");
    }
    ask_all(&program, "manage").await;
    reach(&program, "manageable", NODES).await;
    ask_all(&program, "provide").await;
    reach(&program, "available", NODES).await;
    ask_all(&program, "active").await;
    // As soon as everything has begun.
    program.kill().await;

    let mut ends = Vec::new();
    // While the first ones are done, and while the last ones are not.
    for done in [3, NODES / 2] {
        let program = start().await;
        reach(&program, "active", done).await;
        let at_the_end = states(&program).await;
        assert!(at_the_end.contains_key("deploying"), "{at_the_end:?}");
        ends.push(at_the_end);
        program.kill().await;
    }
    println!("killed at {ends:?}");

    let program = start().await;
    let nodes = settled(&program).await;
    let mut tally = BTreeMap::<&str, usize>::new();
    for node in &nodes {
        let state = node["provision_state"].as_str().unwrap();
        *tally.entry(state).or_default() += 1;
        match state {
            "active" => assert_eq!(node["last_error"], Value::Null, "{node}"),
            "deploy failed" => assert!(node["last_error"].is_string(), "{node}"),
            _ => panic!("neither deployed nor failed: {node}"),
        }
    }
    println!("ended as {tally:?}");
    assert_eq!(nodes.len(), NODES);

    // They are as good as any: each can be undeployed.
    ask_all(&program, "deleted").await;
    reach(&program, "available", NODES).await;
    program.signal("TERM").await;
    assert!(program.ended().await.status.success());
}

/// The nodes once nothing is going on with any of them.
async fn settled(program: &Program) -> Vec<Value> {
    let ends = Instant::now() + PATIENCE;
    loop {
        let body = program.get("/v1/nodes/detail").await;
        let nodes = body["nodes"].as_array().unwrap();
        let moves = |node: &&Value| {
            let failed = node["provision_state"] == "deploy failed";
            let arrived = failed || node["target_provision_state"].is_null();
            !arrived || !node["reservation"].is_null()
        };
        match nodes.iter().find(moves) {
            None => return nodes.clone(),
            Some(node) => assert!(Instant::now() < ends, "it does not end: {node}"),
        }
        sleep(Duration::from_millis(20)).await;
    }
}
