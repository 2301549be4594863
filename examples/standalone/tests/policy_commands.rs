//! `ironic policy`, as an operator types it.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "tests that run the program"
)]

use std::process::{Command, Output};

fn ironic(arguments: &[&str]) -> Output {
    let program = env!("CARGO_BIN_EXE_ironic");
    let mut command = Command::new(program);
    command.env_clear().args(arguments);
    command.output().unwrap()
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn error(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[test]
fn rules_are_listed_with_their_checks() {
    let listed = ironic(&["policy", "list"]);
    assert!(listed.status.success());
    let listed = out(&listed);
    assert_eq!(listed.lines().count(), 133);
    let delete = listed
        .lines()
        .find(|line| line.starts_with("baremetal:node:delete "));
    assert!(
        delete
            .unwrap()
            .ends_with("\"role:admin and system_scope:all\"")
    );
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("policy.yaml");
    std::fs::write(&file, "baremetal:node:delete: role:janitor\n").unwrap();
    let listed = ironic(&[
        "policy",
        "list",
        "--file",
        file.to_str().unwrap(),
        "node:delete",
    ]);
    let listed = out(&listed);
    let mut lines = listed.lines();
    assert!(
        lines.next().unwrap().ends_with("* \"role:janitor\""),
        "{listed}"
    );
    assert!(
        lines
            .next()
            .unwrap()
            .starts_with("baremetal:node:delete:self_owned_node")
    );
}

#[test]
fn a_question_is_answered_with_why() {
    let rule = "baremetal:node:set_power_state";
    let yes = ironic(&[
        "policy",
        "check",
        rule,
        "--roles",
        "member,reader",
        "--project",
        "p",
        "--owner",
        "p",
    ]);
    assert_eq!(yes.status.code(), Some(0));
    assert_eq!(
        out(&yes),
        format!("{rule}: allowed\n  role:member holds\n  project_id:%(node.owner)s holds\n")
    );
    let no = ironic(&["policy", "check", rule, "--roles", "reader", "--system"]);
    assert_eq!(no.status.code(), Some(1));
    let told = out(&no);
    assert!(
        told.starts_with(&format!("{rule}: not allowed\n")),
        "{told}"
    );
    assert!(told.contains("role:member does not hold"), "{told}");
    let unknown = ironic(&["policy", "check", "baremetal:node:get_state"]);
    assert!(!unknown.status.success());
    let told = error(&unknown);
    assert!(
        told.contains("did you mean baremetal:node:get_states?"),
        "{told}"
    );
}

#[test]
fn a_wrong_file_stops_the_program_with_line_and_rule() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("policy.yaml");
    std::fs::write(&file, "# ours\nbaremetal:node:gets: '@'\n").unwrap();
    let settings = directory.path().join("ironic.toml");
    let text = format!("[access]\npolicy_file = {:?}\n", file.to_str().unwrap());
    std::fs::write(&settings, text).unwrap();
    for arguments in [&["serve"][..], &["policy", "list"]] {
        let mut arguments = arguments.to_vec();
        arguments.extend(["--config", settings.to_str().unwrap()]);
        let refused = ironic(&arguments);
        assert!(!refused.status.success());
        let told = error(&refused);
        for part in [
            "policy.yaml, line 2",
            "\"baremetal:node:gets\"",
            "did you mean \"baremetal:node:get\"?",
        ] {
            assert!(told.contains(part), "{told}");
        }
    }
}
