//! What one client may take of the service.

use std::time::Duration;

use reqwest::Method;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, timeout};

use crate::program::{PATIENCE, Program};
use crate::raw::{raw, status};

#[tokio::test]
async fn heads_have_a_size() {
    let environment = [
        ("IRONIC_LIMITS_MAX_URI_BYTES", "300"),
        ("IRONIC_LIMITS_MAX_HEADERS", "20"),
        ("IRONIC_LIMITS_MAX_HEADER_BYTES", "8192"),
    ];
    let program = Program::start(&[], &environment).await;
    let get = |path: &str, headers: &str| {
        format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{headers}\r\n")
    };
    let many = |count: usize| "A: b\r\n".repeat(count);
    let long = |length: usize| format!("A: {}\r\n", "b".repeat(length));
    let path = |length: usize| format!("/v1/nodes?x={}", "a".repeat(length - 12));
    for (what, request, wanted) in [
        ("a path that is just short enough", get(&path(300), ""), 400),
        ("a path that is too long", get(&path(301), ""), 414),
        (
            "headers that are just few enough",
            get("/v1", &many(18)),
            200,
        ),
        ("headers that are too many", get("/v1", &many(19)), 431),
        (
            "headers that are just short enough",
            get("/v1", &long(8000)),
            200,
        ),
        ("headers that are too long", get("/v1", &long(9000)), 431),
        ("a head that never ends", long(1 << 20), 431),
    ] {
        let answer = raw(&program, request.as_bytes()).await;
        let shown: String = answer.chars().take(200).collect();
        // What never ends is no head at all to the parser, so it may be 400 as well.
        let got = status(&answer).unwrap_or_default();
        let right = got == wanted || what.ends_with("never ends") && got == 400;
        assert!(right, "{what}: {shown:?}");
    }
    program.kill().await;
}

#[tokio::test]
async fn bodies_keep_coming_or_are_given_up() {
    let environment = [
        ("IRONIC_LIMITS_BODY_TIMEOUT", "0.3"),
        ("IRONIC_LIMITS_REQUEST_TIMEOUT", "2"),
    ];
    let program = Program::start(&[], &environment).await;
    let head = "POST /v1/nodes HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{";
    let mut silent = TcpStream::connect(program.address()).await.unwrap();
    silent.write_all(head.as_bytes()).await.unwrap();
    let mut answer = String::new();
    let read = timeout(PATIENCE, silent.read_to_string(&mut answer)).await;
    read.expect("the connection stays open").unwrap();
    assert_eq!(status(&answer), Some(408), "{answer}");
    assert!(answer.contains("nothing more of the body"), "{answer}");

    // A byte now and then keeps it going for as long as a request may take at all.
    let dripping = TcpStream::connect(program.address()).await.unwrap();
    let (mut reader, mut writer) = dripping.into_split();
    let drip = tokio::spawn(async move {
        let _ = writer.write_all(head.as_bytes()).await;
        while writer.write_all(b" ").await.is_ok() {
            sleep(Duration::from_millis(50)).await;
        }
    });
    let mut answer = Vec::new();
    let begun = Instant::now();
    let read = timeout(PATIENCE, reader.read_to_end(&mut answer)).await;
    let _ = read.expect("the connection stays open");
    let answer = String::from_utf8_lossy(&answer);
    assert_eq!(status(&answer), Some(408), "{answer}");
    assert!(answer.contains("did not become complete"), "{answer}");
    assert!(begun.elapsed() >= Duration::from_secs(1), "too early");
    drip.abort();
    program.kill().await;
}

/// What the BMC takes its time for.
const SLOW: &str = "/v1/nodes/n/management/boot_device";

async fn with_slow_node(environment: &[(&str, &str)]) -> Program {
    let mut all = vec![("IRONIC_FAKE_MANAGEMENT_DELAY", "3600")];
    all.extend(environment);
    let program = Program::start(&[], &all).await;
    let node = json!({"driver": "fake-hardware", "name": "n"});
    let (status, _) = program.ask(Method::POST, "/v1/nodes", Some(node)).await;
    assert_eq!(status, 201);
    program
}

#[tokio::test]
async fn so_many_requests_are_worked_on_and_no_more() {
    let environment = [("IRONIC_LIMITS_MAX_REQUESTS_IN_FLIGHT", "2")];
    let program = with_slow_node(&environment).await;
    let http = reqwest::Client::new();
    let url = |path: &str| format!("{}{path}", program.url);
    let slow: Vec<_> = (0..2)
        .map(|_| {
            // Nodes have no names in the oldest version.
            let request = http.get(url(SLOW));
            let request = request.header("X-OpenStack-Ironic-API-Version", "latest");
            tokio::spawn(async move {
                // Who asks below may have had the place before.
                while let Some(again) = request.try_clone() {
                    if again
                        .send()
                        .await
                        .is_ok_and(|answer| answer.status() != 503)
                    {
                        return;
                    }
                }
            })
        })
        .collect();
    let reaches = async |wanted: u16| {
        let ends = Instant::now() + PATIENCE;
        loop {
            let response = http.get(url("/v1/nodes")).send().await.unwrap();
            if response.status() == wanted {
                return response;
            }
            assert!(Instant::now() < ends, "never {wanted}: {response:?}");
        }
    };
    let full = reaches(503).await;
    assert_eq!(full.headers()["retry-after"], "1");
    assert!(full.headers().contains_key("openstack-request-id"));
    let body = full.text().await.unwrap();
    assert!(body.contains("too many requests"), "{body}");
    // Also one that brings a body, once that is there.
    let node = json!({"driver": "fake-hardware"});
    let (status, _) = program.ask(Method::POST, "/v1/nodes", Some(node)).await;
    assert_eq!(status, 503);
    // Load balancers are told all the same.
    let (status, _) = program.ask(Method::GET, "/healthcheck", None).await;
    assert_eq!(status, 200);
    // Who goes away makes room.
    for request in slow {
        request.abort();
    }
    reaches(200).await;
    let nodes = program.get("/v1/nodes").await;
    assert_eq!(nodes["nodes"].as_array().unwrap().len(), 1);
    program.kill().await;
}

#[tokio::test]
async fn nobody_waits_for_an_answer_for_ever() {
    let environment = [("IRONIC_LIMITS_REQUEST_TIMEOUT", "0.5")];
    let program = with_slow_node(&environment).await;
    let (status, body) = program.ask(Method::GET, SLOW, None).await;
    assert_eq!(status, 504, "{body}");
    program.kill().await;
}

#[tokio::test]
async fn who_reads_nothing_of_an_answer_is_let_go() {
    let environment = [("IRONIC_LIMITS_WRITE_TIMEOUT", "0.5")];
    let program = Program::start(&[], &environment).await;
    for _ in 0..24 {
        let filler = "x".repeat(500_000);
        let node = json!({"driver": "fake-hardware", "extra": {"filler": filler}});
        let (status, _) = program.ask(Method::POST, "/v1/nodes", Some(node)).await;
        assert_eq!(status, 201);
    }
    let before = program.taken().fds;
    let mut silent = Vec::new();
    for _ in 0..2 {
        let mut stream = TcpStream::connect(program.address()).await.unwrap();
        let request = b"GET /v1/nodes/detail HTTP/1.1\r\nHost: x\r\n\r\n";
        stream.write_all(request).await.unwrap();
        silent.push(stream);
    }
    let ends = Instant::now() + PATIENCE;
    while program.taken().fds > before {
        assert!(Instant::now() < ends, "they stay: {:?}", program.taken());
        sleep(Duration::from_millis(20)).await;
    }
    drop(silent);
    program.kill().await;
}

#[tokio::test]
async fn idle_connections_make_room_for_others() {
    let environment = [
        ("IRONIC_LIMITS_MAX_CONNECTIONS", "20"),
        ("IRONIC_METRICS_ENABLED", "true"),
    ];
    let program = Program::start(&[], &environment).await;
    let mut idle = Vec::new();
    for _ in 0..100 {
        idle.push(TcpStream::connect(program.address()).await.unwrap());
        // Of each only a part of a head.
        idle.last_mut().unwrap().write_all(b"GET /").await.unwrap();
    }
    for _ in 0..10 {
        let answer = raw(
            &program,
            b"GET /v1 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        );
        let answer = timeout(Duration::from_secs(5), answer).await;
        assert_eq!(status(&answer.expect("others are locked out")), Some(200));
    }
    let answer = raw(
        &program,
        b"GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    )
    .await;
    let count = |name: &str| -> f64 {
        let line = answer.lines().find_map(|line| line.strip_prefix(name));
        line.unwrap_or_else(|| panic!("{name}: {answer}"))
            .trim()
            .parse()
            .unwrap()
    };
    assert!(count("ironic_api_connections ") <= 20.0, "{answer}");
    assert!(
        count("ironic_api_connections_evicted_total ") >= 80.0,
        "{answer}"
    );
    program.kill().await;
}

#[tokio::test]
async fn an_address_takes_no_more_connections_than_it_may() {
    let environment = [
        ("IRONIC_LIMITS_MAX_CONNECTIONS_PER_ADDRESS", "3"),
        ("IRONIC_LIMITS_KEEP_ALIVE", "false"),
    ];
    let program = Program::start(&[], &environment).await;
    let head = b"POST /v1/nodes HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n";
    let mut held = Vec::new();
    for _ in 0..10 {
        let mut stream = TcpStream::connect(program.address()).await.unwrap();
        stream.write_all(head).await.unwrap();
        held.push(stream);
    }
    // Each new one took the place of the oldest, and the last three are still there.
    let kept = held.split_off(7);
    for mut stream in held {
        let read = timeout(PATIENCE, stream.read(&mut [0])).await;
        let read = read.expect("the connection stays open");
        assert!(!matches!(read, Ok(1)), "it was answered");
    }
    for mut stream in kept {
        // Without keep-alive each serves one request.
        stream.write_all(b"{}").await.unwrap();
        let mut answer = String::new();
        let read = timeout(PATIENCE, stream.read_to_string(&mut answer)).await;
        read.expect("the connection stays open").unwrap();
        assert_eq!(status(&answer), Some(400), "{answer}");
    }
    program.kill().await;
}
