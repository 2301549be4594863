//! Nothing that reaches the port harms the service, and nothing that is wrong changes anything.

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::process::Command;
use tokio::time::timeout;

use crate::program::{PATIENCE, Program};
use crate::raw::{raw, request, status};

/// The service with one node; that node as it is.
async fn with_node() -> (Program, Value) {
    let program = Program::start(&[], &[]).await;
    let node = json!({"driver": "fake-hardware", "name": "n", "extra": {"a": 1}});
    let (status, node) = program
        .ask(reqwest::Method::POST, "/v1/nodes", Some(node))
        .await;
    assert_eq!(status, 201);
    (program, node)
}

/// Nothing has changed.
async fn unharmed(program: Program, before: &Value) {
    let nodes = program.get("/v1/nodes/detail").await;
    assert_eq!(nodes["nodes"], json!([before]));
    program.signal("TERM").await;
    let ended = program.ended().await;
    assert!(ended.status.success());
    assert!(!ended.stderr.contains("panicked"), "{}", ended.stderr);
}

#[tokio::test]
async fn bytes_that_are_no_request_are_refused() {
    let (program, node) = with_node().await;
    let long_path = format!("GET /{} HTTP/1.1\r\nHost: x\r\n\r\n", "a".repeat(100_000));
    let long_header = format!(
        "GET / HTTP/1.1\r\nHost: x\r\nX: {}\r\n\r\n",
        "a".repeat(1 << 20)
    );
    let headers: String = (0..10_000).map(|at| format!("X-{at}: 1\r\n")).collect();
    let many_headers = format!("GET / HTTP/1.1\r\nHost: x\r\n{headers}\r\n");
    for (what, bytes) in [
        ("garbage", &b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n"[..]),
        ("zeros", &[0; 4096]),
        ("no HTTP", b"HELO ironic\r\n\r\n"),
        ("a wrong length", b"POST /v1/nodes HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n"),
        (
            "two lengths",
            b"POST /v1/nodes HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
        ),
        ("a space in the path", b"GET /v1/nodes/a b HTTP/1.1\r\nHost: x\r\n\r\n"),
        ("a zero in the path", b"GET /v1/no\0des HTTP/1.1\r\nHost: x\r\n\r\n"),
        ("a long path", long_path.as_bytes()),
        ("a long header", long_header.as_bytes()),
        ("many headers", many_headers.as_bytes()),
    ] {
        let answer = raw(&program, bytes).await;
        let refused = status(&answer).is_some_and(|status| (400..500).contains(&status));
        let shown: String = answer.chars().take(200).collect();
        assert!(refused, "{what}: {shown:?}");
    }
    unharmed(program, &node).await;
}

#[tokio::test]
async fn requests_that_make_no_sense_are_refused() {
    let (program, node) = with_node().await;
    let id = node["uuid"].as_str().unwrap();
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let nested = format!(
        "{{\"driver\": \"fake-hardware\", \"extra\": {}1{}}}",
        "{\"a\":".repeat(30),
        "}".repeat(30)
    );
    let node_path = format!("/v1/nodes/{id}");
    let provision = format!("{node_path}/states/provision");
    let power = format!("{node_path}/states/power");
    for (method, path, body) in [
        ("POST", "/v1/nodes", &b"{"[..]),
        ("POST", "/v1/nodes", b"\xff\xfe{}"),
        (
            "POST",
            "/v1/nodes",
            b"{\"driver\": \"fake-hardware\", \"nosuch\": 1}",
        ),
        (
            "POST",
            "/v1/nodes",
            b"{\"driver\": \"fake-hardware\", \"uuid\": \"../../etc\"}",
        ),
        (
            "POST",
            "/v1/nodes",
            b"{\"driver\": \"fake-hardware\", \"name\": \"a\\u0000b\"}",
        ),
        (
            "POST",
            "/v1/nodes",
            b"{\"driver\": \"fake-hardware\", \"extra\": 1e999}",
        ),
        ("POST", "/v1/nodes", deep.as_bytes()),
        ("POST", "/v1/nodes", nested.as_bytes()),
        ("PATCH", &node_path, deep.as_bytes()),
        (
            "PATCH",
            &node_path,
            b"[{\"op\": \"add\", \"path\": \"\", \"value\": {}}]",
        ),
        (
            "PATCH",
            &node_path,
            b"[{\"op\": \"replace\", \"path\": \"/extra/a/b/c\", \"value\": 1}]",
        ),
        ("PATCH", &node_path, b"{\"op\": \"add\"}"),
        ("PUT", &provision, b"{\"target\": [1]}"),
        (
            "PUT",
            &provision,
            b"{\"target\": \"manage\", \"nosuch\": 1}",
        ),
        ("PUT", &provision, b"[]"),
        (
            "PUT",
            &power,
            b"{\"target\": \"power on\", \"timeout\": 1e300}",
        ),
        (
            "POST",
            "/v1/ports",
            b"{\"address\": \"52:54:00:00:00:01\", \"node_uuid\": \"x\"}",
        ),
        (
            "POST",
            "/v1/continue_inspection",
            b"{\"inventory\": {\"interfaces\": [1]}}",
        ),
        ("GET", "/v1/nodes/%ff%fe", b""),
        (
            "GET",
            "/v1/nodes?limit=999999999999999999999999999999999999999999",
            b"",
        ),
        ("GET", "/v1/nodes?fields=%ff", b""),
        ("GET", "/v1/nodes?sort_key=extra.a", b""),
        ("GET", "/v1/nodes/..%2f..%2fetc%2fpasswd", b""),
        ("BREW", "/v1/nodes", b""),
    ] {
        let answer = raw(&program, &request(method, path, body)).await;
        let refused = status(&answer).is_some_and(|status| (400..500).contains(&status));
        let shown: String = answer.chars().take(300).collect();
        let body = String::from_utf8_lossy(&body[..body.len().min(80)]);
        assert!(refused, "{method} {path} {body}: {shown:?}");
    }
    unharmed(program, &node).await;
}

#[tokio::test]
async fn a_body_too_large_is_refused_before_it_is_read() {
    let (program, node) = with_node().await;
    let head = "POST /v1/nodes HTTP/1.1\r\nHost: x\r\nConnection: close\r\n";
    let size = 100 << 20;
    let mut announced = format!("{head}Content-Length: {size}\r\n\r\n").into_bytes();
    announced.resize(announced.len() + size, b' ');
    let answer = raw(&program, &announced).await;
    assert_eq!(status(&answer), Some(413), "{answer}");

    let mut chunked = format!("{head}Transfer-Encoding: chunked\r\n\r\n").into_bytes();
    for _ in 0..100 {
        chunked.extend(b"100000\r\n");
        chunked.resize(chunked.len() + (1 << 20), b' ');
        chunked.extend(b"\r\n");
    }
    chunked.extend(b"0\r\n\r\n");
    let answer = raw(&program, &chunked).await;
    assert_eq!(status(&answer), Some(413), "{answer}");
    unharmed(program, &node).await;
}

#[tokio::test]
async fn curl_sees_the_refusal_of_a_large_body() {
    let (program, node) = with_node().await;
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("body");
    std::fs::write(&file, vec![b' '; 100 << 20]).unwrap();
    for expect in ["Expect:", "Expect: 100-continue"] {
        let output = Command::new("curl")
            .args(["--silent", "--show-error", "--max-time", "30"])
            .args(["--output", "/dev/null", "--write-out", "%{http_code}"])
            .args(["--header", expect, "--data-binary"])
            .arg(format!("@{}", file.display()))
            .arg(format!("{}/v1/nodes", program.url))
            .output()
            .await
            .unwrap_or_else(|error| panic!("curl (package curl) is needed: {error}"));
        let code = String::from_utf8_lossy(&output.stdout);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(code, "413", "{expect} {said}");
    }
    unharmed(program, &node).await;
}

#[tokio::test]
async fn a_config_drive_may_be_larger_than_other_bodies() {
    let (program, _) = with_node().await;
    for target in ["manage", "provide"] {
        let body = json!({"target": target});
        let path = "/v1/nodes/n/states/provision";
        let (status, _) = program.ask(reqwest::Method::PUT, path, Some(body)).await;
        assert_eq!(status, 202, "{target}");
        let state = if target == "manage" {
            "manageable"
        } else {
            "available"
        };
        timeout(PATIENCE, async {
            while program.get("/v1/nodes/n").await["provision_state"] != state {
                tokio::task::yield_now().await;
            }
        })
        .await
        .unwrap();
    }
    let body = json!({"target": "active", "configdrive": "QUFB".repeat(1 << 20)});
    let path = "/v1/nodes/n/states/provision";
    let (status, body) = program.ask(reqwest::Method::PUT, path, Some(body)).await;
    assert_eq!(status, 202, "{body}");
    program.kill().await;
}

#[tokio::test]
async fn a_client_that_goes_away_leaves_nothing_behind() {
    let (program, node) = with_node().await;
    for bytes in [
        &b"POST /v1/nodes HTTP/1.1\r\nHost: x\r\nContent-Length: 30\r\n\r\n{\"driver\": "[..],
        b"POST /v1/nodes HTTP/1.1\r\nHos",
        b"",
    ] {
        let mut stream = TcpStream::connect(program.address()).await.unwrap();
        stream.write_all(bytes).await.unwrap();
    }
    unharmed(program, &node).await;
}

#[tokio::test]
async fn a_client_that_does_not_come_to_the_point_is_let_go() {
    let environment = [("IRONIC_SERVICE_HEADER_TIMEOUT", "0.3")];
    let program = Program::start(&[], &environment).await;
    // Nothing at all, half a head, and a head after an answer that is never followed by another.
    let whole = b"GET /v1/nodes HTTP/1.1\r\nHost: x\r\n\r\n";
    for (what, bytes, answers) in [
        ("silence", &b""[..], 0),
        ("half a head", &whole[..30], 0),
        ("a kept connection", &whole[..], 1),
    ] {
        let mut stream = TcpStream::connect(program.address()).await.unwrap();
        stream.write_all(bytes).await.unwrap();
        let mut answer = Vec::new();
        let ended = timeout(PATIENCE, stream.read_to_end(&mut answer)).await;
        assert!(ended.is_ok(), "{what}: the connection stays open");
        let answer = String::from_utf8_lossy(&answer);
        assert_eq!(
            answer.matches("HTTP/1.1 200").count(),
            answers,
            "{what}: {answer}"
        );
    }
    let nodes = program.get("/v1/nodes").await;
    assert_eq!(nodes["nodes"], json!([]), "others are served");
}
