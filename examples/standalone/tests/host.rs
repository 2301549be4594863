//! The host as another program embeds it.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test harness"
)]

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::routing::get;
use http::{HeaderMap, Request, StatusCode};
use ironic_core::driver::fake::{
    Completion, FakeBehaviour, FakeBoot, FakeHardware, FakeOperation, FakeRule,
};
use ironic_core::model::Node;
use ironic_core::states::{ProvisionState, Verb};
use ironic_core::transport::ProvisionArgs;
use ironic_standalone::{Host, HostConfig};
use ironic_vbmc::{PoweredMachine, VirtualBmc};
use serde_json::{Value, json};
use tower::ServiceExt;
use uuid::Uuid;

fn config() -> HostConfig {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/fake.toml");
    HostConfig::load(Some(&file), &|_| None).unwrap()
}

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Value,
}

async fn ask(host: &Host, method: &str, path: &str, body: Option<Value>) -> Answer {
    ask_in(host, "latest", method, path, body).await
}

async fn ask_in(
    host: &Host,
    version: &str,
    method: &str,
    path: &str,
    body: Option<Value>,
) -> Answer {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("X-OpenStack-Ironic-API-Version", version)
        .header("Host", "api.example:6385");
    let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
    let request = request.body(body).unwrap();
    let response = host.router().oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let bytes = to_bytes(body, usize::MAX).await.unwrap();
    Answer {
        status: parts.status,
        headers: parts.headers,
        body: serde_json::from_slice(&bytes).unwrap_or(Value::Null),
    }
}

#[tokio::test]
async fn an_embedder_adds_drivers_and_routes_of_its_own() {
    let mut config = config();
    config.conductor.host = "embedded".to_owned();
    let routes = Router::new().route("/boot/{file}", get(|| async { "a boot file" }));
    let host = Host::builder(config)
        // What comes later takes the place of what was there.
        .drivers(|builder| builder.hardware(Arc::new(FakeHardware)))
        .routes(routes)
        .start()
        .await
        .unwrap();
    assert_eq!(ask(&host, "GET", "/boot/grub.cfg", None).await.status, 200);
    let drivers = ask(&host, "GET", "/v1/drivers", None).await;
    assert_eq!(drivers.body["drivers"][0]["hosts"], json!(["embedded"]));

    // What the program does and what comes over the API is one engine.
    let node = Node::new(Uuid::nil(), "fake-hardware");
    let node = host.client().create_node(node).await.unwrap();
    let path = format!("/v1/nodes/{}", node.uuid);
    let shown = ask(&host, "GET", &path, None).await;
    assert_eq!(shown.body["provision_state"], "enroll");
    assert_eq!(ask(&host, "DELETE", &path, None).await.status, 204);
    assert!(host.client().node(node.uuid).await.is_err());
    host.stop().await.unwrap();
}

/// A site that names its drivers as they were named before there were hardware types.
const OLD_SITE: &str = r#"
[service]
database = "memory:"

[conductor]
host = "old"
automated_clean = false

[drivers]
enabled_drivers = ["pxe_ipmitool", "agent_ipmitool_socat"]
enabled_bios_interfaces = ["no-bios"]
enabled_firmware_interfaces = ["no-firmware"]
enabled_inspect_interfaces = ["no-inspect"]
enabled_network_interfaces = ["noop"]
enabled_rescue_interfaces = ["no-rescue"]
"#;

#[tokio::test]
async fn nodes_keep_the_drivers_of_before_there_were_hardware_types() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let bmc = VirtualBmc::bind(([127, 0, 0, 1], 0).into(), "admin", "password");
    let bmc = bmc.await.unwrap();
    let port = bmc.address().port();
    let serving = tokio::spawn(async move {
        let _ = bmc.serve(Arc::new(PoweredMachine::new())).await;
    });
    let host = Host::builder(HostConfig::parse(OLD_SITE).unwrap())
        .drivers(|builder| {
            // Nothing is booted here.
            builder.boot("pxe", Arc::new(FakeBoot::new(&FakeBehaviour::new())))
        })
        .start()
        .await
        .unwrap();
    let drivers = ask(&host, "GET", "/v1/drivers", None).await.body;
    let names = drivers["drivers"].as_array().unwrap().iter();
    let names: Vec<_> = names.map(|driver| &driver["name"]).collect();
    assert_eq!(names, ["agent_ipmitool_socat", "pxe_ipmitool"]);
    let driver = ask(&host, "GET", "/v1/drivers/pxe_ipmitool", None)
        .await
        .body;
    assert_eq!(driver["enabled_deploy_interfaces"], json!(["direct"]));

    let mut body = json!({
        "driver": "pxe_ipmitool",
        "name": "n",
        "driver_info": {
            "ipmi_address": "127.0.0.1",
            "ipmi_port": port,
            "ipmi_username": "admin",
            "ipmi_password": "password",
        },
    });
    let created = ask(&host, "POST", "/v1/nodes", Some(body.clone())).await;
    assert_eq!(created.status, 201, "{}", created.body);
    assert_eq!(created.body["driver"], "pxe_ipmitool");
    assert_eq!(created.body["power_interface"], "ipmitool");
    assert_eq!(created.body["boot_interface"], "pxe");
    let manage = Some(json!({"target": "manage"}));
    let managing = ask(&host, "PUT", "/v1/nodes/n/states/provision", manage).await;
    assert_eq!(managing.status, 202, "{}", managing.body);
    let node = host.client().find_node("n").await.unwrap().uuid;
    let managed = host
        .client()
        .wait_for(node, ProvisionState::Manageable, Duration::from_secs(30));
    managed.await.unwrap();
    let shown = ask(&host, "GET", "/v1/nodes/n", None).await.body;
    assert_eq!(shown["power_state"], "power off");

    body["name"] = json!("other");
    body["deploy_interface"] = json!("ramdisk");
    let refused = ask(&host, "POST", "/v1/nodes", Some(body)).await;
    assert_eq!(refused.status, 400);
    let told = refused.body["error_message"].to_string();
    assert!(
        told.contains("fixed interfaces") && told.contains("ramdisk"),
        "{told}"
    );
    host.stop().await.unwrap();
    serving.abort();
}

#[tokio::test]
async fn two_hosts_in_one_process_know_nothing_of_each_other() {
    let one = Host::builder(config()).start().await.unwrap();
    let two = Host::builder(config()).start().await.unwrap();
    let node = json!({"driver": "fake-hardware", "name": "n"});
    let created = ask(&one, "POST", "/v1/nodes", Some(node)).await;
    assert_eq!(created.status, 201);
    assert_eq!(ask(&two, "GET", "/v1/nodes/n", None).await.status, 404);
    one.stop().await.unwrap();
    two.stop().await.unwrap();
}

#[tokio::test]
async fn no_secret_comes_out_of_the_api() {
    let host = Host::builder(config()).start().await.unwrap();
    let body = json!({
        "driver": "fake-hardware",
        "name": "n",
        "driver_info": {"ipmi_address": "192.0.2.1", "ipmi_password": "hunter2"},
        "instance_info": {"image_url": "http://u:hunter2@192.0.2.2/i", "root_gb": 5},
    });
    let created = ask(&host, "POST", "/v1/nodes", Some(body)).await;
    assert_eq!(created.body["driver_info"]["ipmi_password"], "******");
    let patch = json!([{"op": "add", "path": "/driver_info/snmp_auth_key", "value": "hunter2"}]);
    let patched = ask(&host, "PATCH", "/v1/nodes/n", Some(patch)).await;
    assert_eq!(patched.status, 200, "{}", patched.body);
    for path in [
        "/v1/nodes/n",
        "/v1/nodes/detail",
        "/v1/nodes?fields=driver_info",
    ] {
        let answer = ask(&host, "GET", path, None).await;
        assert_eq!(answer.status, 200);
        let text = answer.body.to_string();
        assert!(text.contains("192.0.2.1"), "{path}: {text}");
        assert!(!text.contains("hunter2"), "{path}: {text}");
    }
    // What is masked is still there.
    let node = host.client().find_node("n").await.unwrap();
    assert_eq!(node.driver_info["ipmi_password"], "hunter2");
    assert_eq!(node.driver_info["snmp_auth_key"], "hunter2");
    host.stop().await.unwrap();
}

#[tokio::test]
async fn pages_join_to_the_whole() {
    let host = Host::builder(config()).start().await.unwrap();
    for at in 0..7 {
        let body = json!({
            "driver": "fake-hardware",
            "name": format!("n{at}"),
            "resource_class": if at % 2 == 0 { "even" } else { "odd" },
        });
        let created = ask(&host, "POST", "/v1/nodes", Some(body)).await;
        assert_eq!(created.status, 201);
    }
    let mut path = "/v1/nodes?fields=name&sort_key=resource_class&sort_dir=desc&limit=3".to_owned();
    let mut names = Vec::new();
    loop {
        let page = ask(&host, "GET", &path, None).await.body;
        for node in page["nodes"].as_array().unwrap() {
            names.push(node["name"].as_str().unwrap().to_owned());
        }
        let Some(next) = page["next"].as_str() else {
            break;
        };
        path = next
            .strip_prefix("http://api.example:6385")
            .unwrap()
            .to_owned();
    }
    // Among equals, the last one that was made comes first, as for the original's descending lists.
    assert_eq!(names, ["n5", "n3", "n1", "n6", "n4", "n2", "n0"]);
    host.stop().await.unwrap();
}

#[tokio::test]
async fn a_node_that_is_worked_on_shows_its_step_and_who_holds_it() {
    let behaviour = FakeBehaviour::new();
    let waits = FakeRule::completes(FakeOperation::Deploy, Completion::Heartbeat);
    behaviour.add(waits);
    let host = Host::builder(config())
        .fake_behaviour(&behaviour)
        .start()
        .await
        .unwrap();
    let client = host.client();
    let node = Node::new(Uuid::nil(), "fake-hardware");
    let node = client.create_node(node).await.unwrap().uuid;
    for (verb, state) in [
        (Verb::Manage, ProvisionState::Manageable),
        (Verb::Provide, ProvisionState::Available),
    ] {
        let args = ProvisionArgs::default();
        client.provision(node, verb, args).await.unwrap();
        let long = Duration::from_secs(30);
        client.wait_for(node, state, long).await.unwrap();
    }
    let path = format!("/v1/nodes/{node}");
    let active = json!({"target": "active"});
    let provision = format!("{path}/states/provision");
    let begun = ask(&host, "PUT", &provision, Some(active)).await;
    assert_eq!(begun.status, 202);
    let states = begun.headers["location"].to_str().unwrap();
    assert_eq!(states, format!("http://api.example:6385{path}/states"));

    let waiting = async {
        loop {
            let shown = ask(&host, "GET", &path, None).await.body;
            if shown["provision_state"] == "wait call-back" && shown["reservation"].is_null() {
                return shown;
            }
            tokio::task::yield_now().await;
        }
    };
    let waiting = tokio::time::timeout(Duration::from_secs(30), waiting);
    let shown = waiting.await.unwrap();
    assert_eq!(shown["deploy_step"]["step"], "deploy");
    assert_eq!(shown["deploy_step"]["interface"], "deploy");
    let remembered = &shown["driver_internal_info"];
    assert_eq!(remembered["deploy_steps"][0]["step"], "deploy");
    assert_eq!(remembered["deploy_step_index"], 0);
    host.stop().await.unwrap();
}

#[tokio::test]
async fn every_answer_names_its_request() {
    let host = Host::builder(config()).start().await.unwrap();
    let named = |answer: &Answer| {
        let id = answer.headers["x-openstack-request-id"].to_str().unwrap();
        assert!(id.starts_with("req-"), "{id}");
        id.to_owned()
    };
    let first = named(&ask(&host, "GET", "/v1/nodes", None).await);
    let second = named(&ask(&host, "GET", "/nosuch", None).await);
    assert_ne!(first, second);
    let given = "req-5f4bb6c8-6f47-4d6c-a3a5-2c1d7bb5b3a1";
    for (sent, kept) in [(given, true), ("req-forged", false), ("other", false)] {
        let request = Request::builder()
            .uri("/v1")
            .header("X-OpenStack-Request-Id", sent);
        let request = request.body(Body::empty()).unwrap();
        let response = host.router().oneshot(request).await.unwrap();
        let headers = response.headers();
        // As everywhere in OpenStack, each service names the request anew.
        let own = &headers["x-openstack-request-id"];
        assert_ne!(own, sent);
        assert_eq!(own, headers["openstack-request-id"]);
        let global = headers.get("x-openstack-global-request-id");
        assert_eq!(global.is_some_and(|id| id == sent), kept, "{sent}");
    }
    host.stop().await.unwrap();
}

#[tokio::test]
async fn what_links_lead_to_is_read_in_the_version_that_has_it() {
    let host = Host::builder(config()).start().await.unwrap();
    let rule = json!({"actions": [{"op": "log", "args": {"msg": "x"}}]});
    let created = ask(&host, "POST", "/v1/inspection_rules", Some(rule.clone())).await;
    assert_eq!(created.status, 201, "{}", created.body);
    let linked = created.body["links"][0]["href"].as_str().unwrap();
    let linked = &linked[linked.find("/v1/").unwrap()..];
    assert!(linked.starts_with("/v1/inspection/"), "{linked}");
    assert_eq!(ask(&host, "GET", linked, None).await.body, created.body);
    assert_eq!(ask(&host, "GET", "/v1/inspection", None).await.status, 200);
    for (method, path) in [
        ("POST", "/v1/inspection"),
        ("DELETE", linked),
        ("PATCH", linked),
    ] {
        let answer = ask(&host, method, path, Some(rule.clone())).await;
        assert_eq!(answer.status, 405, "{method} {path}: {}", answer.body);
    }
    for path in ["/v1/inspection", linked, "/v1/inspection_rules"] {
        let old = ask_in(&host, "1.95", "GET", path, None).await;
        assert_eq!(old.status, 404, "{path}: {}", old.body);
    }
    host.stop().await.unwrap();
}

/// Follows the links of a list from page to page.
async fn pages(host: &Host, first: &str, list: &str) -> Vec<Value> {
    let (mut path, mut all) = (first.to_owned(), Vec::new());
    for _ in 0..10 {
        let page = ask(host, "GET", &path, None).await.body;
        all.extend(page[list].as_array().unwrap().iter().cloned());
        let Some(next) = page["next"].as_str() else {
            return all;
        };
        path = next[next.find("/v1/").unwrap()..].to_owned();
    }
    panic!("{first} never ends, and is at {path}")
}

#[tokio::test]
async fn history_tells_as_much_of_each_event_on_every_page() {
    let behaviour = FakeBehaviour::new();
    let error = ironic_core::Error::driver("power", "no answer");
    behaviour.add(FakeRule::fails(FakeOperation::GetPowerState, error));
    let builder = Host::builder(config()).fake_behaviour(&behaviour);
    let host = builder.start().await.unwrap();
    let node = json!({"driver": "fake-hardware", "name": "n0"});
    let node = ask(&host, "POST", "/v1/nodes", Some(node)).await;
    assert_eq!(node.status, 201, "{}", node.body);
    for _ in 0..2 {
        let node = host.client().find_node("n0").await.unwrap().uuid;
        let verb = host
            .client()
            .run(node, Verb::Manage, ProvisionArgs::default());
        verb.await.unwrap_err();
    }
    let events = pages(&host, "/v1/nodes/n0/history?detail=true&limit=1", "history").await;
    assert!(events.len() > 1, "{events:?}");
    for event in &events {
        assert!(event["event_type"].is_string(), "{event}");
    }
    for event in pages(&host, "/v1/nodes/n0/history?limit=1", "history").await {
        assert!(event["event_type"].is_null(), "{event}");
    }
    host.stop().await.unwrap();
}

#[tokio::test]
async fn what_a_patch_moves_goes_where_its_last_word_says() {
    let host = Host::builder(config()).start().await.unwrap();
    let mut nodes = Vec::new();
    for name in ["a", "b", "c"] {
        let node = json!({"driver": "fake-hardware", "name": name});
        let node = ask(&host, "POST", "/v1/nodes", Some(node)).await;
        nodes.push(node.body["uuid"].as_str().unwrap().to_owned());
    }
    let group = json!({"node_uuid": nodes[0], "name": "g"});
    let group = ask(&host, "POST", "/v1/portgroups", Some(group)).await;
    assert_eq!(group.status, 201, "{}", group.body);
    let to = |node: &str| json!({"op": "replace", "path": "/node_uuid", "value": node});
    let patch = |operations: Value| ask(&host, "PATCH", "/v1/portgroups/g", Some(operations));
    let moved = patch(json!([to(&nodes[1]), to(&nodes[2])])).await;
    assert_eq!(moved.body["node_uuid"], nodes[2].as_str(), "{}", moved.body);
    let nowhere = patch(json!([to(&nodes[1]), to(&Uuid::nil().to_string())])).await;
    assert_eq!(nowhere.status, 400, "{}", nowhere.body);
    host.stop().await.unwrap();
}
