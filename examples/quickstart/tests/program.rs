//! The demonstration, as `make demo` runs it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "tests, which start programs"
)]

use std::process::{Output, Stdio};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;
use tokio::time::timeout;

/// How long a run may take; it takes half a minute.
const PATIENCE: Duration = Duration::from_secs(300);

fn program(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ironic-quickstart"));
    command
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    command
}

async fn run(arguments: &[&str]) -> (Output, String, String) {
    let running = program(arguments).output();
    let output = timeout(PATIENCE, running).await.expect("it ends").unwrap();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    (output, out, err)
}

#[tokio::test]
async fn the_tour_takes_a_machine_through_every_verb() {
    let (output, out, err) = run(&["--tour", "--patience", "120"]).await;
    assert!(output.status.success(), "{out}{err}");
    assert_eq!(out.lines().last(), Some("tour: 14 of 14 verbs"), "{out}");
    // What each verb stands for was seen, in this order, with its time.
    let mut lines = err.lines();
    for seen in [
        "verifying → manageable",
        "inspecting → inspect wait",
        "cleaning → manageable",
        "agent ran step erase_devices",
        "cleaning → available",
        "agent ran step write_image",
        "deploying → active",
        "host name first.machine-1.example.org",
        "servicing → service wait",
        "no config drive",
        "rescue wait → rescuing",
        "the rescue user can log in",
        "rescuing → rescue",
        "unrescuing → active",
        "host name second.machine-1.example.org",
        "servicing → service hold",
        "service wait → service failed",
        "manageable → adopting",
        "active → deleting",
        "cleaning → available",
    ] {
        let found = lines.find(|line| line.contains(seen));
        let line = found.unwrap_or_else(|| panic!("no {seen:?} where it belongs: {err}"));
        assert!(
            line.starts_with('[') && line.contains("s] machine-1: "),
            "{line}"
        );
    }
}

#[tokio::test]
async fn machines_of_both_kinds_live_their_lives() {
    let (output, out, err) = run(&["--machines", "2", "--patience", "120"]).await;
    assert!(output.status.success(), "{out}{err}");
    let last = "2 of 2 machines deployed, verified and cleaned";
    assert_eq!(out.lines().last(), Some(last), "{out}");
}

#[tokio::test]
async fn a_machine_that_is_stuck_is_said_to_be_and_why() {
    let (output, out, err) = run(&["--tour", "--patience", "0"]).await;
    assert_eq!(output.status.code(), Some(1), "{out}{err}");
    // Verifying may be over at once, but no machine boots in no time.
    let at = |verb: &str| format!("{verb}: stuck in state \"");
    let (manage, inspect) = (at("manage"), at("inspect"));
    let stuck = out
        .lines()
        .find(|line| line.starts_with(&manage) || line.starts_with(&inspect));
    let stuck = stuck.unwrap_or_else(|| panic!("{out}{err}"));
    let why = stuck.split_once("after 0 s: ").map(|(_, why)| why);
    assert!(why.is_some_and(|why| !why.is_empty()), "{stuck}");
    let last = out.lines().last().unwrap();
    assert!(last.starts_with("tour: ") && last.ends_with(" of 14 verbs"));
}

#[tokio::test]
async fn an_interrupt_stops_the_tour_cleanly() {
    let mut running = program(&["--tour"]).spawn().unwrap();
    let mut lines = BufReader::new(running.stderr.take().unwrap()).lines();
    let mut next = async || timeout(PATIENCE, lines.next_line()).await.unwrap().unwrap();
    while !next().await.expect("it goes on").contains("inspect wait") {}
    let pid = running.id().unwrap().to_string();
    let sent = Command::new("kill").args(["-INT", &pid]).status().await;
    assert!(sent.unwrap().success());
    let mut last = String::new();
    while let Some(line) = next().await {
        last = line;
    }
    assert_eq!(last, "interrupted; everything is stopped and removed");
    let ended = timeout(PATIENCE, running.wait()).await.unwrap().unwrap();
    assert_eq!(ended.code(), Some(130));
}
