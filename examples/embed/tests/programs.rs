//! The small programs: each is small, runs, and shows what it promises.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a failing test panics; the programs are programs of their own"
)]

use std::process::Command;

/// What a program prints, word by word; it must succeed.
fn run(program: &str) -> String {
    let output = Command::new(program).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    let words = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
    let lines: Vec<_> = text.lines().map(words).collect();
    lines.join("\n")
}

/// Each of these parts stands in the text, after the one before.
fn in_order(text: &str, parts: &[&str]) {
    let mut rest = text;
    for part in parts {
        let found = rest.split_once(part);
        assert!(found.is_some(), "no {part:?} in its place:\n{text}");
        rest = found.unwrap().1;
    }
}

#[test]
fn each_has_less_than_60_lines_and_is_in_the_readme() {
    let readme = include_str!("../../../README.md");
    for (name, source) in [
        ("own-hardware", include_str!("../src/bin/own-hardware.rs")),
        ("own-store", include_str!("../src/bin/own-store.rs")),
        (
            "plan-then-deploy",
            include_str!("../src/bin/plan-then-deploy.rs"),
        ),
        (
            "replay-incident",
            include_str!("../src/bin/replay-incident.rs"),
        ),
    ] {
        let lines = source.lines().count();
        assert!(lines < 60, "{name} has {lines}");
        let link = format!("(examples/embed/src/bin/{name}.rs)");
        assert!(readme.contains(&link), "{name}");
    }
}

#[test]
fn own_hardware_runs_its_own_step() {
    let shown = run(env!("CARGO_BIN_EXE_own-hardware"));
    in_order(
        &shown,
        &[
            "→ cleaning",
            "step vendor.blink",
            "by the driver",
            "→ manageable",
            "now manageable: extra has {\"blinked\": Number(3)}",
        ],
    );
}

#[test]
fn own_store_shows_what_is_written() {
    let shown = run(env!("CARGO_BIN_EXE_own-store"));
    in_order(
        &shown,
        &[
            "+conductor",
            "+node",
            "manage:",
            "+lock",
            " +node +flow",
            " +node -flow",
            "active:",
            "+node +flow",
            "-flow",
        ],
    );
}

#[test]
fn a_deployment_is_planned_and_then_watched() {
    let shown = run(env!("CARGO_BIN_EXE_plan-then-deploy"));
    in_order(
        &shown,
        &[
            "step deploy.deploy",
            "step wait is running: for 1 s",
            "step power.reboot",
            "→ active",
            "→ deploying",
            "□□□ deploy.deploy",
            "→ wait call-back",
            "■□□ deploy.wait",
            "→ deploying",
            "→ active",
            "is deployed",
        ],
    );
}

#[test]
fn an_incident_is_told_and_decided_again() {
    let shown = run(env!("CARGO_BIN_EXE_replay-incident"));
    in_order(
        &shown,
        &[
            "active: the node is in state \"deploy failed\"",
            "fake-hardware, from ",
            "asked: manage enroll → verifying (towards manageable)",
            "asked: deploy available → deploying (towards active)",
            "step deploy.deploy (1 of 1): failed deploying → deploy failed",
            "error: driver step deploy.deploy failed: disk sda does not answer",
            "decided again: ",
            " the same",
            "without automated cleaning:",
            "asked: provide: changed.provision_state: then \"cleaning\", now \"available\"",
        ],
    );
    let again = shown.lines().find(|line| line.starts_with("decided again"));
    let numbers: Vec<u32> = again
        .unwrap()
        .split_whitespace()
        .filter_map(|word| word.parse().ok())
        .collect();
    assert!(numbers[0] == numbers[1] && numbers[0] > 10, "{shown}");
}
