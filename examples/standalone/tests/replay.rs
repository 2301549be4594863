//! The whole service against answers recorded from the original: every request of a recording is
//! sent again, and status, headers, body and the state reached are compared.
//!
//! Another folder of recordings is named by `IRONIC_RECORDINGS`.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::panic,
    reason = "a test harness"
)]

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use ironic_standalone::{Host, HostConfig};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::process::Command;
use tokio_util::sync::CancellationToken;

/// Scenarios that are answered otherwise for now, each with why. One that passes has to go from
/// here.
const NOT_YET: &[(&str, &str)] = &[];

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

#[allow(clippy::disallowed_methods, reason = "the test's own switch")]
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
async fn recordings_replay_in_memory() {
    replay("memory:").await;
}

async fn replay(database: &str) {
    let mut config = HostConfig::load(Some(&folder("config/fake.toml")), &|_| None).unwrap();
    config.database = database.to_owned();
    let host = Host::builder(config).start().await.unwrap();
    let any: SocketAddr = ([127, 0, 0, 1], 0).into();
    let listener = TcpListener::bind(any).await.unwrap();
    let address = listener.local_addr().unwrap();
    let stop = CancellationToken::new();
    let serving = tokio::spawn(host.run(listener, stop.clone().cancelled_owned()));

    let outcomes = run_replayer(address).await;
    stop.cancel();
    serving.await.unwrap().unwrap();
    judge(&outcomes);
}

/// Runs the replayer, which compares, and returns what became of each scenario.
async fn run_replayer(address: SocketAddr) -> Vec<Value> {
    let directory = tempfile::tempdir().unwrap();
    let report = directory.path().join("report.json");
    let output = Command::new("python3")
        .arg(folder("tests/api").join("replay_api.py"))
        .arg(format!("http://{address}"))
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
