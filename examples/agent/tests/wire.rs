//! The agent's side of the wire against exchanges recorded from ironic-python-agent 13.0.0.
#![allow(
    clippy::disallowed_methods,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test that cannot go on fails"
)]

mod support;

use std::time::Duration;

use serde_json::{Value, json};
use support::{
    MAC, Machine, NODE, Recorded, Running, Script, Service, TOKEN, config, recorded, shape,
};

fn paths(requests: &[Recorded]) -> Vec<String> {
    requests
        .iter()
        .map(|request| format!("{} {}", request.method, request.path))
        .collect()
}

#[tokio::test]
async fn lookup_and_heartbeats_are_the_recorded_ones() {
    let log = recorded("lookup_heartbeat");
    let log = log.as_array().unwrap();
    let script = Script {
        lookups: vec![(404, "{}".to_owned())],
        config: json!({"heartbeat_timeout": 1}),
        ..Script::default()
    };
    let service = Service::start(script).await;
    let machine = Machine::new(5 << 30);
    let mut config = config(&service.url, "");
    config.lookup_interval = Duration::ZERO;
    let _agent = Running::start(&machine, config);
    let beats = |all: &[Recorded]| all.iter().filter(|r| r.path.contains("heartbeat")).count();
    service
        .wait_for("the second heartbeat", |all| beats(all) >= 2)
        .await;

    let requests = service.requests();
    let lookup = requests.iter().find(|r| r.path == "/v1/lookup").unwrap();
    let beat = requests
        .iter()
        .find(|r| r.path.contains("heartbeat"))
        .unwrap();
    let theirs = |path: &str| {
        log.iter()
            .find(|r| r["path"].as_str().unwrap().contains(path))
    };
    for (ours, theirs) in [
        (lookup, theirs("lookup").unwrap()),
        (beat, theirs("heartbeat").unwrap()),
    ] {
        assert_eq!(ours.method, theirs["method"]);
        assert_eq!(ours.path, theirs["path"]);
        assert_eq!(shape(&ours.body), shape(&theirs["body"]));
        for header in ["Accept", "Content-Type", "X-OpenStack-Ironic-API-Version"] {
            let ours = &ours.headers[&header.to_ascii_lowercase()];
            assert_eq!(ours, &theirs["headers"][header], "{header}");
        }
    }
    assert_eq!(lookup.query, "addresses=52%3A54%3A00%3A77%3A00%3A01");
    assert_eq!(beat.body["agent_token"], TOKEN);
    assert_eq!(beat.body["agent_version"], "13.0.0");
    let url = beat.body["callback_url"].as_str().unwrap();
    assert!(url.starts_with("http://127.0.0.1:"), "{url}");
    assert_eq!(
        paths(&requests)[..4],
        ["GET /", "GET /v1/lookup", "GET /v1/lookup", "GET /"],
        "version, lookup until found, then whether the API is reachable"
    );
}

#[tokio::test]
async fn the_inventory_goes_out_before_the_lookup() {
    let theirs = recorded("inspection");
    let service = Service::start(Script::default()).await;
    let machine = Machine::new(6 << 30);
    let more = format!(
        "ipa-inspection-callback-url={}/v1/continue_inspection \
         ipa-inspection-collectors=default,logs,pci-devices BOOTIF=01-52-54-00-77-00-01",
        service.url
    );
    let _agent = Running::ready_with(&machine, &service, &more).await;
    let requests = service.requests();
    let ours = &requests[0];
    assert_eq!(
        format!("{} {}", ours.method, ours.path),
        "POST /v1/continue_inspection"
    );
    let mut expected = shape(&theirs["body"]);
    let mut found = shape(&ours.body);
    // A simulated machine has no PCI bus.
    assert_eq!(ours.body["pci_devices"], json!([]));
    for body in [&mut expected, &mut found] {
        body.as_object_mut().unwrap().remove("pci_devices");
        // Absent features differ from machine to machine: a list or nothing.
        body["inventory"]["interfaces"][0]["lldp"] = Value::Null;
        body["inventory"]["cpu"]["flags"] = Value::Null;
    }
    assert_eq!(found, expected);
    assert_eq!(ours.body["inventory"]["interfaces"][0]["mac_address"], MAC);
    assert_eq!(ours.body["boot_interface"], "01-52-54-00-77-00-01");
    assert_eq!(ours.body["root_disk"]["name"], "/dev/vda");
    assert_eq!(ours.body["error"], Value::Null);
    let lookup = requests.iter().find(|r| r.path == "/v1/lookup").unwrap();
    assert!(
        lookup.query.ends_with(&format!("&node_uuid={NODE}")),
        "{}",
        lookup.query
    );
}

#[tokio::test]
async fn an_unknown_collector_is_told_and_the_node_is_looked_up_by_its_addresses() {
    let service = Service::start(Script::default()).await;
    let machine = Machine::new(6 << 30);
    let more = "ipa-inspection-collectors=default,extra-hardware";
    let _agent = Running::ready_with(&machine, &service, more).await;
    let requests = service.requests();
    assert_eq!(requests[0].path, "/v1/continue_inspection");
    let error = requests[0].body["error"].as_str().unwrap();
    assert!(error.contains("extra-hardware"), "{error}");
    let lookup = requests.iter().find(|r| r.path == "/v1/lookup").unwrap();
    assert!(!lookup.query.contains("node_uuid"), "{}", lookup.query);
}

/// Recorded requests whose answers are the original's own mistakes or depend on its set of steps.
fn is_comparable(exchange: &Value) -> bool {
    let note = exchange["note"].as_str().unwrap_or("");
    let path = exchange["path"].as_str().unwrap();
    // A wrong parameter crashes the original's own error message; ours answers 400.
    note != "bad params" && !path.contains("7158f943-75ad-4b92-98e0-2b07976c6c90")
}

#[tokio::test]
async fn the_command_api_answers_as_recorded() {
    let service = Service::start(Script::default()).await;
    let machine = Machine::new(5 << 30);
    let agent = Running::ready(&machine, &service).await;
    let log = recorded("commands_plain");
    let mut compared = 0;
    for exchange in log.as_array().unwrap().iter().filter(|e| is_comparable(e)) {
        let path = exchange["path"].as_str().unwrap();
        let (code, body) = match exchange["method"].as_str().unwrap() {
            "GET" => agent.get(path).await,
            _ => agent.post(path, exchange["request"].to_string()).await,
        };
        let theirs = &exchange["response"];
        assert_eq!(code, exchange["status"], "{exchange}: {body}");
        if code >= 400 {
            assert_eq!(body, *theirs, "{exchange}");
        }
        assert_eq!(members(&body), members(theirs), "{exchange}: {body}");
        compare_steps(&body, theirs);
        assert_eq!(body["command_status"], theirs["command_status"], "{body}");
        assert_eq!(body["command_name"], theirs["command_name"], "{body}");
        for part in ["/command_error/type", "/command_error/code"] {
            assert_eq!(body.pointer(part), theirs.pointer(part), "{body}");
        }
        compared += 1;
    }
    assert!(compared >= 17, "{compared}");
}

/// Shape without what depends on the hardware manager.
fn members(body: &Value) -> Value {
    let mut body = body.clone();
    if let Some(result) = body["command_result"].as_object_mut() {
        for key in ["clean_steps", "deploy_steps", "service_steps"] {
            if let Some(steps) = result.get_mut(key) {
                *steps = Value::Null;
            }
        }
        if let Some(versions) = result.get_mut("hardware_manager_version") {
            assert!(versions.as_object().unwrap().values().all(Value::is_string));
            *versions = Value::Null;
        }
    }
    shape(&body)
}

/// Every step offered is one of the original's, down to its priority. Which arguments it takes, the
/// original does not always tell.
fn compare_steps(ours: &Value, theirs: &Value) {
    for key in ["clean_steps", "deploy_steps", "service_steps"] {
        let list = |body: &Value| -> Vec<Value> {
            let managers = body["command_result"][key].as_object();
            let lists = managers.into_iter().flat_map(|map| map.values());
            lists
                .flat_map(|list| list.as_array().unwrap().clone())
                .collect()
        };
        let theirs = list(theirs);
        assert_eq!(list(ours).is_empty(), theirs.is_empty(), "{key}");
        for mut step in list(ours) {
            let told = theirs
                .iter()
                .any(|other| other["step"] == step["step"] && other.get("argsinfo").is_some());
            if !told {
                step.as_object_mut().unwrap().remove("argsinfo");
            }
            assert!(theirs.contains(&step), "{key}: {step}");
        }
    }
}

#[tokio::test]
async fn a_deploy_answers_as_recorded() {
    let log = recorded("deploy");
    let theirs = |name: &str| -> Value {
        let all = log.as_array().unwrap();
        let mut found = all.iter().filter(|e| {
            e["response"]["command_name"] == name && e["response"]["command_status"] == "SUCCEEDED"
        });
        found.next().unwrap()["response"].clone()
    };
    let service = Service::start(Script::default()).await;
    let mut machine = Machine::new(5 << 30);
    let agent = Running::ready(&machine, &service).await;
    let compare = |ours: &Value| {
        let theirs = theirs(ours["command_name"].as_str().unwrap());
        assert_eq!(ours["command_status"], theirs["command_status"], "{ours}");
        assert_eq!(shape(ours), shape(&theirs), "{ours}");
    };
    let steps = agent
        .complete(
            "clean.get_clean_steps",
            json!({"node": support::node(), "ports": []}),
        )
        .await;
    let version = steps["command_result"]["hardware_manager_version"].clone();
    let step = json!({"step": "erase_devices_metadata", "interface": "deploy", "priority": 99,
        "reboot_requested": false, "abortable": true});
    let params = json!({"node": support::node(), "ports": [], "step": step,
        "clean_version": version});
    let cleaned = agent.complete("clean.execute_clean_step", params).await;
    compare(&cleaned);
    assert_eq!(cleaned["command_result"]["clean_step"], step);
    let nothing = json!({"root_uuid": null, "efi_system_part_uuid": null,
        "prep_boot_part_uuid": null, "target_boot_mode": "bios"});
    compare(&agent.complete("image.install_bootloader", nothing).await);
    compare(&agent.complete("standby.sync", json!({})).await);
    let (code, off) = agent.command("standby.power_off", json!({}), false).await;
    assert_eq!((code, &off["command_name"]), (200, &json!("power_off")));
    let off = machine
        .power
        .wait_for(Option::is_some)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(off, ironic_agent::PowerAction::Off);
}

#[tokio::test]
async fn news_bring_the_next_heartbeat_forward() {
    let service = Service::start(Script::default()).await;
    let machine = Machine::new(5 << 30);
    let agent = Running::ready(&machine, &service).await;
    let count = |all: &[Recorded]| all.iter().filter(|r| r.path.contains("heartbeat")).count();
    assert_eq!(
        count(&service.requests()),
        1,
        "the next is due in 90 s or more"
    );
    // A synchronous command is no news, an asynchronous one is.
    agent.complete("standby.sync", json!({})).await;
    assert_eq!(count(&service.requests()), 1);
    agent
        .complete("image.install_bootloader", json!({"root_uuid": null}))
        .await;
    service
        .wait_for("a forced heartbeat", |all| count(all) == 2)
        .await;
}

#[tokio::test]
async fn logs_are_a_tar_archive() {
    use base64::Engine as _;

    let service = Service::start(Script::default()).await;
    let machine = Machine::new(5 << 30);
    let agent = Running::ready(&machine, &service).await;
    let logs = agent.complete("log.collect_system_logs", json!({})).await;
    let packed = logs["command_result"]["system_logs"].as_str().unwrap();
    let packed = base64::prelude::BASE64_STANDARD.decode(packed).unwrap();
    let file = machine.directory.path().join("logs.tar.gz");
    std::fs::write(&file, packed).unwrap();
    #[allow(clippy::disallowed_methods, reason = "tar is the peer")]
    let out = std::process::Command::new("tar")
        .arg("-xzOf")
        .arg(&file)
        .output()
        .expect("the package tar is needed");
    assert!(
        out.status.success(),
        "{}",
        String::from_utf8_lossy(&out.stderr)
    );
    let text = String::from_utf8(out.stdout).unwrap();
    assert!(
        text.contains(&format!("lookup found node {NODE}")),
        "{text}"
    );
    assert!(!text.contains(TOKEN), "a token in the log");
}

#[tokio::test]
async fn twenty_five_agents_share_a_process() {
    let service = Service::start(Script::default()).await;
    let machines: Vec<_> = (0..25).map(|_| Machine::new(5 << 30)).collect();
    let agents: Vec<_> = machines
        .iter()
        .map(|machine| Running::start(machine, config(&service.url, "")))
        .collect();
    let urls = |all: &[Recorded]| {
        let mut urls: Vec<_> = all
            .iter()
            .filter_map(|r| r.body["callback_url"].as_str().map(str::to_owned))
            .collect();
        urls.sort();
        urls.dedup();
        urls.len()
    };
    service
        .wait_for("25 callback URLs", |all| urls(all) == 25)
        .await;
    for mut agent in agents {
        agent.plug.cancel();
        (&mut agent.handle).await.unwrap().unwrap();
    }
}
