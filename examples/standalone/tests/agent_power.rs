//! The power interface `agent`: a machine without a BMC, whose ramdisk restarts it.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, to_bytes};
use http::{Method, Request, StatusCode};
use ironic_agent::{Agent, AgentConfig, FileHardware, NetworkInterface, PowerAction};
use ironic_standalone::{Host, HostConfig};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

const PATIENCE: Duration = Duration::from_secs(60);
const MAC: &str = "52:54:00:12:00:01";

async fn ask(host: &Host, method: Method, path: &str, body: Value) -> (StatusCode, Value) {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("X-OpenStack-Ironic-API-Version", "latest")
        .header("Content-Type", "application/json")
        .body(Body::from(body.to_string()))
        .unwrap();
    let response = host.router().oneshot(request).await.unwrap();
    let status = response.status();
    let bytes = to_bytes(response.into_body(), usize::MAX).await.unwrap();
    (
        status,
        serde_json::from_slice(&bytes).unwrap_or(Value::Null),
    )
}

/// What the interface says of the node.
async fn power_of(host: &Host, node: &str) -> Value {
    let path = format!("/v1/nodes/{node}/validate");
    let (status, answer) = ask(host, Method::GET, &path, Value::Null).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    answer["power"].clone()
}

#[tokio::test]
async fn a_machine_without_a_bmc_is_restarted_by_its_agent() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let config = format!(
        "conductor.host = 'rack'\nconductor.api_url = '{url}'\nconductor.fast_track = true\n\
         conductor.graceful_shutdown_timeout = 1\n\
         [drivers]\nenabled_hardware_types = ['manual-management']\n\
         enabled_power_interfaces = ['agent']\nenabled_management_interfaces = ['noop']\n\
         enabled_boot_interfaces = ['pxe']\n[boot]\ntftp_root = '{0}/tftp'\nhttp_root = '{0}/http'\n\
         [tftp]\nlisten = '127.0.0.1:0'\n[http_boot]\nlisten = '127.0.0.1:0'",
        folder.path().display()
    );
    let host = Host::builder(HostConfig::parse(&config).unwrap());
    let host = host.start().await.unwrap();
    let stop = CancellationToken::new();
    let serving = tokio::spawn(host.clone().run(listener, stop.clone().cancelled_owned()));

    let node = json!({"driver": "manual-management", "power_interface": "agent"});
    let (status, node) = ask(&host, Method::POST, "/v1/nodes", node).await;
    assert_eq!(status, StatusCode::CREATED, "{node}");
    let node = node["uuid"].as_str().unwrap().to_owned();
    let port = json!({"node_uuid": node, "address": MAC});
    let (status, port) = ask(&host, Method::POST, "/v1/ports", port).await;
    assert_eq!(status, StatusCode::CREATED, "{port}");
    let power = power_of(&host, &node).await;
    assert_eq!(power["result"], false);
    let reason = power["reason"].as_str().unwrap();
    assert!(
        reason.contains("agent") && reason.contains("lately"),
        "{reason}"
    );

    let id = node.parse().unwrap();
    let plug = CancellationToken::new();
    let (sender, mut restarted) = watch::channel(None);
    let machine = FileHardware::builder()
        .nic(NetworkInterface::new("eth0", MAC).with_ipv4("127.0.0.1"))
        .disk("/dev/vda", folder.path().join("vda.img"), 5 << 30)
        .on_power(move |action| {
            sender.send_replace(Some(action));
        })
        .build()
        .unwrap();
    let mut agent = AgentConfig::from_cmdline(&format!(
        "ipa-api-url={url} ipa-listen-host=127.0.0.1 ipa-listen-port=0"
    ))
    .unwrap();
    agent.min_heartbeat_interval = Duration::from_millis(50);
    agent.lookup_interval = Duration::from_millis(50);
    let agent = Agent::builder(agent, Arc::new(machine), reqwest::Client::new());
    let running = tokio::spawn(agent.stop(plug.clone()).build().run());

    // Its call is what the interface knows the machine by.
    let called = async {
        while power_of(&host, &node).await["result"] != true {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(PATIENCE, called).await.unwrap();

    let path = format!("/v1/nodes/{node}/states/power");
    let (status, refusal) = ask(&host, Method::PUT, &path, json!({"target": "power off"})).await;
    assert_eq!(status, StatusCode::BAD_REQUEST, "{refusal}");
    assert!(refusal.to_string().contains("power off"), "{refusal}");
    let (status, answer) = ask(&host, Method::PUT, &path, json!({"target": "rebooting"})).await;
    assert_eq!(status, StatusCode::ACCEPTED, "{answer}");
    let action = timeout(PATIENCE, restarted.wait_for(Option::is_some));
    let action = *action.await.unwrap().unwrap();
    assert_eq!(action, Some(PowerAction::Reboot));
    // The agent that comes back is another, with a token of its own.
    let forgotten = async {
        while host
            .client()
            .node(id)
            .await
            .unwrap()
            .internal_str("agent_url")
            .is_some()
        {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(PATIENCE, forgotten).await.unwrap();
    plug.cancel();
    running.await.unwrap().unwrap();
    stop.cancel();
    serving.await.unwrap().unwrap();
}
