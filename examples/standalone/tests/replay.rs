//! The program `ironic` against answers recorded from the original's service: every request of a
//! recording is sent again, and status, headers, body and the state reached are compared.
//! What is in `more_*.json` was recorded where the two once differed.
//!
//! Another folder of recordings is named by `IRONIC_RECORDINGS`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::panic,
    reason = "a test that runs programs"
)]

mod postgres;
#[path = "process/program.rs"]
#[allow(dead_code, reason = "each program of tests uses a part of it")]
mod program;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use postgres::Cluster;
use program::Program;
use serde_json::Value;
use tokio::process::Command;

/// Scenarios that are answered otherwise for now, each with why. One that passes has to go from
/// here.
const NOT_YET: &[(&str, &str)] = &[];

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn recordings() -> PathBuf {
    std::env::var("IRONIC_RECORDINGS").map_or_else(|_| folder("tests/api"), PathBuf::from)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn recordings_replay_on_sqlite() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("ironic.sqlite");
    replay(&format!("sqlite:{}", file.display())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn recordings_replay_on_postgres() {
    replay(&Cluster::shared().create().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn recordings_replay_in_memory() {
    replay("memory:").await;
}

/// Plays them to the program, started as its users start it.
async fn replay(database: &str) {
    let program = Program::start(&["--database", database], &[]).await;
    let outcomes = run_replayer(&program.url).await;
    judge(&outcomes);
    program.signal("TERM").await;
    let ended = program.ended().await;
    assert!(ended.status.success(), "{}", ended.stderr);
    assert!(!ended.stderr.contains("panicked"), "{}", ended.stderr);
}

/// Runs the replayer, which compares, and returns what became of each scenario.
async fn run_replayer(endpoint: &str) -> Vec<Value> {
    let directory = tempfile::tempdir().unwrap();
    let report = directory.path().join("report.json");
    let output = Command::new("python3")
        .arg(folder("tests/api").join("replay_api.py"))
        .arg(endpoint)
        .arg(recordings())
        .args(["--strict-errors", "--json"])
        .arg(&report)
        .output()
        .await
        .unwrap_or_else(|error| panic!("python3 (package python3) is needed to replay: {error}"));
    let text = std::fs::read_to_string(&report).unwrap_or_else(|_| {
        panic!(
            "the replayer gave up: {}",
            String::from_utf8_lossy(&output.stderr)
        )
    });
    serde_json::from_str(&text).unwrap()
}

fn judge(outcomes: &[Value]) {
    let not_yet: BTreeSet<_> = NOT_YET.iter().map(|(name, _)| *name).collect();
    let (mut passed, mut wrong) = (0, Vec::new());
    for outcome in outcomes {
        let name = outcome["scenario"].as_str().unwrap();
        match (outcome["passed"].as_bool().unwrap(), not_yet.contains(name)) {
            (true, false) => passed += 1,
            (false, true) => println!("skipped: {name}"),
            (true, true) => wrong.push(format!("{name} passes: take it off the list")),
            (false, false) => wrong.push(format!("{name}: {}", outcome["differences"])),
        }
    }
    println!("recordings: {passed} of {} scenarios", outcomes.len());
    assert!(passed > 0, "no scenario was replayed");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
