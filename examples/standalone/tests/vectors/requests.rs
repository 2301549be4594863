//! What may be asked of a node in which state and version: `state_machine.json`.

use ironic_core::Timestamp;
use ironic_core::model::{Lock, Node};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::tally::{Outcome, Tally, cases};
use crate::world::World;

#[tokio::test]
async fn state_machine() {
    let world = World::new().await;
    let mut tally = Tally::new("state_machine.json");
    for (at, case) in cases("state_machine.json").iter().enumerate() {
        let kind = case["kind"].as_str().unwrap();
        if !kind.starts_with("api_") {
            // The engine's.
            continue;
        }
        let outcome = run(&world, at, kind, case).await;
        assert!(outcome.is_some(), "kind {kind} is not run");
        tally.count(case, kind, outcome);
    }
    tally.end();
}

async fn run(world: &World, at: usize, kind: &str, case: &Value) -> Outcome {
    let id = Uuid::from_u128(0x1000 + at as u128);
    let (method, path, body) = match kind {
        "api_provision" | "api_provision_in_maintenance" => {
            let mut body = case["body"].clone();
            body["target"] = case["target"].clone();
            ("PUT", "/states/provision", body)
        }
        "api_power" => ("PUT", "/states/power", json!({"target": case["target"]})),
        "api_boot_mode" => (
            "PUT",
            "/states/boot_mode",
            json!({"target": case["target"]}),
        ),
        "api_secure_boot" => (
            "PUT",
            "/states/secure_boot",
            json!({"target": case["target"]}),
        ),
        "api_patch" => ("PATCH", "", patch(case["field"].as_str().unwrap())),
        _ => return None,
    };
    put_node(world, id, kind, case).await;
    let version = case["microversion"].as_str().unwrap();
    let path = format!("/v1/nodes/{id}{path}");
    let answer = world.ask_in(version, method, &path, Some(&body)).await;
    let expect = &case["expect"];
    let right = answer.status.as_u16() == expect["status"].as_u64().unwrap() as u16
        && json!(answer.asked) == expect["rpc"];
    let told = || {
        let (status, asked) = (answer.status, &answer.asked);
        format!("{case} gave {status} {asked:?} {}", answer.body)
    };
    Some(right.then_some(()).ok_or_else(told))
}

/// Lets there be the node of a case.
async fn put_node(world: &World, id: Uuid, kind: &str, case: &Value) {
    let mut node = Node::new(id, "fake-hardware");
    node.provision_state = case["state"].as_str().unwrap().parse().unwrap();
    let flag = |name: &str| case[name].as_bool().unwrap_or(false);
    node.maintenance = flag("maintenance") || kind == "api_provision_in_maintenance";
    node.disable_power_off = flag("disable_power_off");
    world.repository.create(&node).await.unwrap();
    if flag("locked") {
        let lock = Lock::free(id).taken("another", Uuid::nil(), "test", Timestamp::EPOCH);
        world.repository.create(&lock).await.unwrap();
    }
}

fn patch(field: &str) -> Value {
    match field {
        "instance_uuid" => {
            let instance = Uuid::from_u128(0x99);
            json!([{"op": "replace", "path": "/instance_uuid", "value": instance}])
        }
        "name" => json!([{"op": "replace", "path": "/name", "value": "another"}]),
        member => json!([{"op": "add", "path": format!("/{member}"), "value": "x"}]),
    }
}
