//! The original's own clients against the service, as a fresh virtualenv has them: the command
//! line client `baremetal` (package `python-ironicclient`) and `openstacksdk`. What they are asked
//! to do, and what has to come of it, is in `clients/*.py`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "tests that run programs"
)]

#[path = "process/program.rs"]
#[allow(dead_code, reason = "each program of tests uses a part of it")]
mod program;

use std::path::{Path, PathBuf};

use program::Program;
use tokio::process::Command;

/// A program of the virtualenv that has the clients.
fn installed(name: &str) -> PathBuf {
    let venv = std::env::var_os("IRONIC_TEST_VENV").map_or_else(
        || PathBuf::from(std::env::var_os("HOME").unwrap()).join(".cache/ironic-tools/venv"),
        PathBuf::from,
    );
    let program = venv.join("bin").join(name);
    assert!(
        program.exists() && venv.join("bin/baremetal").exists(),
        "{} is missing: run `.ci/peers {venv}`, or name another virtualenv with \
         python-ironicclient and openstacksdk in IRONIC_TEST_VENV",
        program.display(),
        venv = venv.display(),
    );
    program
}

/// Has a script do what it is for; it fails where the service does not answer as it should.
async fn satisfies(script: &str, program: Program) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients");
    let output = Command::new(installed("python3"))
        .arg(file.join(script))
        .arg(&program.url)
        .output()
        .await
        .unwrap();
    let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(
        output.status.success(),
        "{script}: {}",
        said(&output.stderr)
    );
    println!("{}", said(&output.stdout).trim_end());
    program.signal("TERM").await;
    let ended = program.ended().await;
    assert!(ended.status.success(), "{}", ended.stderr);
    assert!(!ended.stderr.contains("panicked"), "{}", ended.stderr);
}

#[tokio::test]
async fn every_command_of_the_command_line_client_works() {
    satisfies("baremetal.py", Program::start(&[], &[]).await).await;
}

#[tokio::test]
async fn every_call_of_the_sdk_works() {
    let slow = [
        ("IRONIC_FAKE_POWER_DELAY", "0.5"),
        ("IRONIC_CONDUCTOR_NODE_LOCKED_RETRY_ATTEMPTS", "1"),
        ("IRONIC_CONDUCTOR_NODE_LOCKED_RETRY_INTERVAL", "0.05"),
    ];
    satisfies("sdk.py", Program::start(&[], &slow).await).await;
}

/// The program itself, with a terminal's way of being told where the service is.
#[tokio::test]
async fn the_command_line_client_runs_as_a_program() {
    let program = Program::start(&[], &[]).await;
    let run = async |arguments: &[&str]| {
        let mut command = Command::new(installed("baremetal"));
        command.env("OS_AUTH_TYPE", "none").args(arguments);
        command.env("OS_ENDPOINT", &program.url);
        command.output().await.unwrap()
    };
    let made = run(&["node", "create", "--driver", "fake-hardware", "--name", "n"]).await;
    assert!(made.status.success(), "{made:?}");
    let listed = run(&[
        "node",
        "list",
        "-f",
        "value",
        "-c",
        "name",
        "-c",
        "provision_state",
    ])
    .await;
    assert_eq!(String::from_utf8_lossy(&listed.stdout), "n enroll\n");
    let missing = run(&["node", "show", "nobody"]).await;
    assert!(!missing.status.success());
    let said = String::from_utf8_lossy(&missing.stderr);
    assert!(said.contains("HTTP 404"), "{said}");
}
