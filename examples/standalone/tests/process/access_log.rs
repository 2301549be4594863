//! What the log says of each request, and what it never says.

use reqwest::Method;
use serde_json::{Value, json};

use crate::program::Program;
use crate::raw::raw;

const GIVEN: &str = "req-5f4bb6c8-6f47-4d6c-a3a5-2c1d7bb5b3a1";

async fn asked(format: &str, environment: &[(&str, &str)]) -> String {
    let log = ["--log", "info,ironic::access=info", "--log-format", format];
    let program = Program::start(&log, environment).await;
    let node = json!({"driver": "fake-hardware", "name": "n"});
    let (status, _) = program.ask(Method::POST, "/v1/nodes", Some(node)).await;
    assert_eq!(status, 201);
    let body = json!({"target": "manage"});
    let path = "/v1/nodes/n/states/provision";
    let (status, _) = program.ask(Method::PUT, path, Some(body)).await;
    assert_eq!(status, 202);
    program.get("/healthcheck").await;
    for request in [
        format!("GET /v1/nodes/n HTTP/1.1\r\nHost: x\r\nX-Openstack-Request-Id: {GIVEN}\r\n"),
        "GET /v1/nodes?sort_key=hunter2 HTTP/1.1\r\nHost: x\r\n".to_owned(),
        "GET /no\u{9b}31m%1b%0Asuch HTTP/1.1\r\nHost: x\r\n".to_owned(),
        format!("GET /{} HTTP/1.1\r\nHost: x\r\n", "long".repeat(1000)),
    ] {
        let request = format!("{request}Connection: close\r\n\r\n");
        raw(&program, request.as_bytes()).await;
    }
    program.signal("TERM").await;
    let ended = program.ended().await;
    assert!(ended.status.success());
    ended.stderr
}

#[tokio::test]
async fn each_request_is_one_line_of_json() {
    let log = asked("json", &[]).await;
    let lines: Vec<Value> = log
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}")))
        .collect();
    let of = |path: &str| -> Vec<&Value> {
        let answered = lines.iter().filter(|line| line["message"] == "answered");
        answered.filter(|line| line["path"] == path).collect()
    };
    let posted = of("/v1/nodes")[0];
    assert_eq!(posted["method"], "POST");
    assert_eq!(posted["status"], 201);
    assert!(posted["bytes"].as_u64().unwrap() > 100, "{posted}");
    assert!(posted["micros"].as_u64().unwrap() > 0, "{posted}");
    assert!(posted["request"].as_str().unwrap().starts_with("req-"));
    assert_eq!(posted["remote"], "127.0.0.1");
    assert_eq!(posted["target"], "ironic::access");
    let shown = of("/v1/nodes/{ident}")[0];
    assert_eq!(shown["node"], "n");
    assert_eq!(shown["global_request"], GIVEN);
    assert_ne!(shown["request"], GIVEN);
    let put = of("/v1/nodes/{ident}/states/provision")[0];
    assert_eq!(put["node"], "n");
    // What the conductor does for a request is logged with its name.
    let request = put["request"].as_str().unwrap();
    let for_it = lines.iter().filter(|line| {
        let spans = line["spans"].as_array();
        let spans = spans.into_iter().flatten();
        line["message"] != "answered"
            && spans
                .into_iter()
                .any(|span| span["name"] == "task" && span["request"] == request)
    });
    assert!(for_it.count() > 0, "{log}");
    assert!(of("/healthcheck").is_empty());
    assert!(!log.contains("hunter2"), "{log}");
    assert!(!log.contains(&"long".repeat(60)), "{log}");
}

#[tokio::test]
async fn nothing_a_client_sends_ends_a_line_or_reaches_a_terminal() {
    let log = asked("text", &[]).await;
    let wrong = |c: char| c.is_control() && c != '\n';
    assert!(!log.contains(wrong), "{log:?}");
    let answered: Vec<_> = log
        .lines()
        .filter(|line| line.contains("answered"))
        .collect();
    assert_eq!(answered.len(), 6, "{log}");
    assert!(!log.contains("hunter2"), "{log}");
}

#[tokio::test]
async fn requests_are_logged_only_if_wanted() {
    let log = asked("text", &[("IRONIC_LOG_ACCESS", "false")]).await;
    assert!(!log.contains("answered"), "{log}");
}
