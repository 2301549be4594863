//! What goes wrong around an agent.
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

use ironic_agent::AgentError;
use serde_json::{Value, json};
use support::{Machine, Running, Script, Service, TOKEN, config, node};
use tokio::net::TcpListener;

#[tokio::test]
async fn an_api_that_comes_up_late_is_found() {
    let reserved = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = reserved.local_addr().unwrap();
    drop(reserved);
    let machine = Machine::new(5 << 30);
    let mut config = config(&format!("http://127.0.0.1:1,http://{address}"), "");
    config.lookup_interval = Duration::from_millis(10);
    let _agent = Running::start(&machine, config);
    tokio::task::yield_now().await;
    let listener = TcpListener::bind(address).await.unwrap();
    let service = Service::start_on(listener, Script::default());
    let heartbeat = service.heartbeat().await;
    assert_eq!(heartbeat.body["agent_token"], TOKEN);
}

#[tokio::test(start_paused = true)]
async fn a_lookup_ends_with_its_time() {
    let machine = Machine::new(5 << 30);
    let mut agent = Running::start(&machine, config("http://127.0.0.1:1", ""));
    let started = tokio::time::Instant::now();
    let error = (&mut agent.handle).await.unwrap().unwrap_err();
    assert!(matches!(error, AgentError::Lookup(_)), "{error}");
    let took = started.elapsed();
    assert!(took >= Duration::from_secs(600), "{took:?}");
    assert!(took <= Duration::from_secs(800), "{took:?}");
}

#[tokio::test]
async fn nonsense_in_place_of_a_lookup_is_passed_over() {
    let lookups = vec![
        (200, "[".repeat(100_000)),
        (
            200,
            json!({"node": {"uuid": "../x"}, "config": {"heartbeat_timeout": 1}}).to_string(),
        ),
    ];
    let service = Service::start(Script {
        lookups,
        ..Script::default()
    })
    .await;
    let machine = Machine::new(5 << 30);
    let mut config = config(&service.url, "");
    config.lookup_interval = Duration::ZERO;
    let _agent = Running::start(&machine, config);
    service.heartbeat().await;
    let asked = service
        .requests()
        .iter()
        .filter(|r| r.path == "/v1/lookup")
        .count();
    assert_eq!(asked, 3);
}

#[tokio::test]
async fn a_token_that_somebody_else_has_ends_the_agent() {
    let script = || Script {
        config: json!({"agent_token": "******"}),
        ..Script::default()
    };
    let service = Service::start(script()).await;
    let machine = Machine::new(5 << 30);
    let mut agent = Running::start(&machine, config(&service.url, ""));
    let error = (&mut agent.handle).await.unwrap().unwrap_err();
    assert!(matches!(error, AgentError::TokenTaken), "{error}");
    // Unless it came with the ramdisk.
    let service = Service::start(script()).await;
    let own = "B".repeat(43);
    let more = format!("ipa-agent-token={own}");
    let _agent = Running::ready_with(&machine, &service, &more).await;
    assert_eq!(service.heartbeat().await.body["agent_token"], own);
}

#[tokio::test]
async fn heartbeats_that_fail_are_repeated() {
    let service = Service::start(Script {
        heartbeats: vec![409, 500, 503],
        ..Script::default()
    })
    .await;
    let machine = Machine::new(5 << 30);
    let _agent = Running::start(&machine, config(&service.url, ""));
    let beats = |r: &support::Recorded| r.path.contains("heartbeat");
    service
        .wait_for("a fourth heartbeat", |all| {
            all.iter().filter(|r| beats(r)).count() == 4
        })
        .await;
}

#[tokio::test]
async fn only_the_conductor_is_let_in() {
    let service = Service::start(Script::default()).await;
    let machine = Machine::new(5 << 30);
    let agent = Running::ready(&machine, &service).await;
    let body = || json!({"name": "standby.power_off", "params": {}}).to_string();
    for token in ["", "x", &TOKEN[1..], &format!("{TOKEN}A"), "%FF", "%00"] {
        let path = format!("/v1/commands/?agent_token={token}");
        assert_eq!(agent.post(&path, body()).await.0, 401, "{token}");
        assert_eq!(agent.get(&path).await.0, 401, "{token}");
    }
    assert_eq!(agent.post("/v1/commands/?wait=true", body()).await.0, 401);
    assert_eq!(agent.get("/v1/commands/some-id").await.0, 401);
    assert!(machine.power.borrow().is_none());
    let (_, list) = agent
        .get(&format!("/v1/commands/?agent_token={TOKEN}"))
        .await;
    assert_eq!(list, json!({"commands": []}));
}

#[tokio::test]
async fn one_command_runs_at_a_time() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    // Connections wait here for ever, so the command runs until it is looked at.
    let silent = format!("http://{}/image", listener.local_addr().unwrap());
    let service = Service::start(Script::default()).await;
    let machine = Machine::new(5 << 30);
    let mut agent = Running::ready(&machine, &service).await;
    let info =
        json!({"id": "i", "urls": [silent], "disk_format": "raw", "checksum": "a".repeat(64)});
    let (code, first) = agent
        .command("standby.prepare_image", json!({"image_info": info}), false)
        .await;
    assert_eq!((code, &first["command_status"]), (200, &json!("RUNNING")));
    for name in ["standby.sync", "nosuch.command", "clean.get_clean_steps"] {
        let (code, busy) = agent.command(name, json!({}), true).await;
        assert_eq!(code, 409, "{name}");
        assert_eq!(
            busy["faultstring"],
            "Agent is busy: executing command prepare_image"
        );
    }
    // What runs stays visible, and does not keep the agent when its plug is pulled.
    let (_, list) = agent
        .get(&format!("/v1/commands/?agent_token={TOKEN}"))
        .await;
    assert_eq!(list["commands"], json!([first]));
    agent.plug.cancel();
    (&mut agent.handle).await.unwrap().unwrap();
}

#[tokio::test]
async fn hostile_commands_are_refused_and_leave_no_trace() {
    let service = Service::start(Script::default()).await;
    let machine = Machine::new(5 << 30);
    let mut config = config(&service.url, "");
    config.max_command_body = 1 << 20;
    let running = Running::start(&machine, config);
    let heartbeat = service.heartbeat().await;
    let url = heartbeat.body["callback_url"].as_str().unwrap();
    let post = async |body: Vec<u8>| {
        let url = format!("{url}/v1/commands/?wait=true&agent_token={TOKEN}");
        let response = support::client().post(url).body(body).send().await.unwrap();
        response.status().as_u16()
    };
    assert_eq!(post(vec![b' '; 2 << 20]).await, 413);
    for body in [
        "[".repeat(100_000),
        r#"{"name": 5, "params": {}}"#.to_owned(),
        r#"{"name": "standby.sync", "params": []}"#.to_owned(),
        r#"{"name": ".", "params": {}}"#.to_owned(),
        r#"{"name": "standby.sync", "params": {"x": 1}}"#.to_owned(),
        json!({"name": "standby.prepare_image", "params": {"image_info": {"id": {}}}}).to_string(),
        json!({"name": "clean.get_clean_steps", "params": {"node": {"uuid": "/"}, "ports": []}})
            .to_string(),
        json!({"name": "clean.execute_clean_step", "params": {"node": node(), "step": "s"}})
            .to_string(),
    ] {
        let code = post(body.clone().into_bytes()).await;
        assert!(
            matches!(code, 400 | 404),
            "{code}: {}",
            &body[..60.min(body.len())]
        );
    }
    assert_eq!(post(b"\xFF\xFE".to_vec()).await, 400);
    let list = format!("{url}/v1/commands/?agent_token={TOKEN}");
    let list = support::client().get(list).send().await.unwrap();
    let list: Value = serde_json::from_slice(&list.bytes().await.unwrap()).unwrap();
    assert_eq!(list, json!({"commands": []}));
    drop(running);
}

#[tokio::test]
async fn a_plan_made_against_another_agent_is_refused() {
    let service = Service::start(Script::default()).await;
    let machine = Machine::new(5 << 30);
    let agent = Running::ready(&machine, &service).await;
    let step = json!({"step": "erase_devices_metadata", "interface": "deploy"});
    for (kind, key) in [("clean", "clean_version"), ("deploy", "deploy_version")] {
        let params = json!({"node": node(), "ports": [], "step": step, key: {"other": "1"}});
        let name = format!("{kind}.execute_{kind}_step");
        let done = agent.complete(&name, params).await;
        assert_eq!(done["command_status"], "CLEAN_VERSION_MISMATCH", "{done}");
        assert_eq!(done["command_error"]["code"], 409);
    }
}
