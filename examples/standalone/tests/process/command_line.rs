//! What the command line, the settings and signals do.

use std::os::unix::process::ExitStatusExt;

use reqwest::Method;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use crate::program::{PATIENCE, Program, fake_config, run};

#[tokio::test]
async fn help_and_version_tell_a_user_what_there_is() {
    let help = run(&["serve", "--help"], &[]).await;
    assert!(help.status.success());
    for option in [
        "--config",
        "--listen",
        "--database",
        "--log",
        "--log-format",
    ] {
        assert!(help.stdout.contains(option), "{option}: {}", help.stdout);
    }
    let version = run(&["--version"], &[]).await;
    let expected = format!("ironic {}\n", env!("CARGO_PKG_VERSION"));
    assert_eq!(version.stdout, expected);
    let nothing = run(&[], &[]).await;
    assert_eq!(nothing.status.code(), Some(2));
}

#[tokio::test]
async fn settings_that_are_wrong_are_named() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("ironic.toml");
    std::fs::write(&file, "[conductor]\nhots = \"a\"\n").unwrap();
    let file = file.to_str().unwrap();
    let fake = fake_config();
    let fake = fake.to_str().unwrap();
    for (arguments, environment, named) in [
        (vec!["--config", file], None, vec![file, "line 2", "hots"]),
        (vec!["--config", "/nonexistent"], None, vec!["/nonexistent"]),
        (vec![], None, vec!["enabled_hardware_types"]),
        (
            vec!["--config", fake],
            Some(("IRONIC_CONDUCTOR_WORKERS", "many")),
            vec!["IRONIC_CONDUCTOR_WORKERS", "many"],
        ),
        (
            vec!["--config", fake, "--database", "mysql://u:hunter2@h/d"],
            None,
            vec!["database"],
        ),
        (
            vec!["--config", fake, "--database", "sqlite:/nonexistent/d/f"],
            None,
            vec!["/nonexistent/d/f"],
        ),
        (vec!["--config", fake, "--log", "a=b=c"], None, vec!["log"]),
    ] {
        let mut all = vec!["serve"];
        all.extend(&arguments);
        let environment: Vec<_> = environment.into_iter().collect();
        let ended = run(&all, &environment).await;
        assert_eq!(ended.status.code(), Some(1), "{arguments:?}");
        assert!(ended.stderr.starts_with("ironic: "), "{}", ended.stderr);
        assert!(!ended.stderr.contains("hunter2"), "{}", ended.stderr);
        for part in named {
            assert!(ended.stderr.contains(part), "{part}: {}", ended.stderr);
        }
    }
}

#[tokio::test]
async fn an_address_that_is_taken_is_named() {
    let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let fake = fake_config();
    let fake = fake.to_str().unwrap();
    let ended = run(&["serve", "--config", fake, "--listen", &address], &[]).await;
    assert_eq!(ended.status.code(), Some(1));
    assert!(ended.stderr.contains(&address), "{}", ended.stderr);
    assert!(ended.stderr.contains("in use"), "{}", ended.stderr);
}

#[tokio::test]
async fn a_database_of_a_newer_program_is_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}/ironic.sqlite", directory.path().display());
    let program = Program::start(&["--database", &url], &[]).await;
    program.signal("TERM").await;
    assert!(program.ended().await.status.success());

    let database = rusqlite::Connection::open(url.strip_prefix("sqlite:").unwrap()).unwrap();
    let newer = "UPDATE schema_version SET version = 999";
    database.execute(newer, ()).unwrap();
    drop(database);
    let fake = fake_config();
    let fake = fake.to_str().unwrap();
    let ended = run(&["serve", "--config", fake, "--database", &url], &[]).await;
    assert_eq!(ended.status.code(), Some(1));
    assert!(ended.stderr.contains("999"), "{}", ended.stderr);
}

#[tokio::test]
async fn options_win_over_the_environment_and_that_over_the_file() {
    let environment = [
        ("IRONIC_CONDUCTOR_HOST", "from-environment"),
        ("IRONIC_SERVICE_LISTEN", "192.0.2.1:1"),
        // What a container scheduler sets for a service of the name "ironic" is no setting.
        ("IRONIC_SERVICE_HOST", "192.0.2.9"),
        ("IRONIC_PORT", "tcp://192.0.2.9:6385"),
    ];
    let program = Program::start(&[], &environment).await;
    let body = program.get("/v1/conductors").await;
    assert_eq!(body["conductors"][0]["hostname"], "from-environment");
    program.signal("INT").await;
    assert!(program.ended().await.status.success());
}

#[tokio::test]
async fn records_are_there_again_after_a_stop() {
    let directory = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}/ironic.sqlite", directory.path().display());
    let program = Program::start(&["--database", &url], &[]).await;
    let node = json!({"driver": "fake-hardware", "name": "kept"});
    let (status, _) = program.ask(Method::POST, "/v1/nodes", Some(node)).await;
    assert_eq!(status, 201);
    program.signal("TERM").await;
    let ended = program.ended().await;
    assert_eq!(ended.status.code(), Some(0), "{}", ended.stderr);

    let program = Program::start(&["--database", &url], &[]).await;
    let node = program.get("/v1/nodes/kept").await;
    assert_eq!(node["driver"], "fake-hardware");
    program.kill().await;
}

#[tokio::test]
async fn the_second_signal_ends_it_at_once() {
    // A change of power that outlasts the test keeps the first signal waiting.
    let program = Program::start(&[], &[("IRONIC_FAKE_POWER_DELAY", "3600")]).await;
    let node = json!({"driver": "fake-hardware", "name": "slow"});
    let (status, _) = program.ask(Method::POST, "/v1/nodes", Some(node)).await;
    assert_eq!(status, 201);
    let on = json!({"target": "power on"});
    let path = "/v1/nodes/slow/states/power";
    let (status, _) = program.ask(Method::PUT, path, Some(on)).await;
    assert_eq!(status, 202);
    program.signal("INT").await;
    // The API is closed by the first signal, while the work goes on.
    timeout(PATIENCE, async {
        while TcpStream::connect(program.address()).await.is_ok() {
            tokio::task::yield_now().await;
        }
    })
    .await
    .expect("the API stays open");
    program.signal("INT").await;
    let ended = program.ended().await;
    assert_eq!(ended.status.code(), Some(130), "{}", ended.stderr);
    let last = ended.stderr.lines().last().unwrap_or_default();
    assert!(last.contains("stopping at once"), "{}", ended.stderr);
    assert_eq!(ended.status.signal(), None);
}

#[tokio::test]
async fn the_log_can_be_json() {
    let log = ["--log", "info", "--log-format", "json"];
    let program = Program::start(&log, &[]).await;
    program.get("/v1").await;
    program.signal("TERM").await;
    let ended = program.ended().await;
    assert!(ended.status.success());
    let lines: Vec<serde_json::Value> = ended
        .stderr
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}")))
        .collect();
    let answered = lines.iter().find(|line| line["message"] == "answered");
    let answered = answered.expect("the request is not in the log");
    assert_eq!(answered["status"], 200);
    assert!(answered["request"].as_str().unwrap().starts_with("req-"));
}

#[tokio::test]
async fn a_load_balancer_sees_that_it_is_healthy() {
    let program = Program::start(&[], &[]).await;
    let mut stream = TcpStream::connect(program.address()).await.unwrap();
    let request = b"GET /healthcheck HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    stream.write_all(request).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    assert!(answer.ends_with("\r\n\r\nOK"), "{answer}");
    program.kill().await;
}
