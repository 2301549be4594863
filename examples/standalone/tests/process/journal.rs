//! What the service did is told by its journal, by another run of the program.

use reqwest::Method;
use serde_json::json;

use crate::program::{PATIENCE, Program, run};

async fn reach(program: &Program, node: &str, state: &str) {
    let ends = tokio::time::Instant::now() + PATIENCE;
    let path = format!("/v1/nodes/{node}");
    loop {
        let body = program.get(&path).await;
        if body["provision_state"] == state && body["reservation"].is_null() {
            return;
        }
        assert!(tokio::time::Instant::now() < ends, "not {state}: {body}");
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn a_journal_tells_what_happened_and_is_checked() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("decisions.jsonl");
    let path = file.to_str().unwrap();
    let program = Program::start(&[], &[("IRONIC_SERVICE_JOURNAL", path)]).await;
    for name in ["one", "other"] {
        let node = json!({"driver": "fake-hardware", "name": name,
            "driver_info": {"fake_password": "hunter2"}});
        let (status, body) = program.ask(Method::POST, "/v1/nodes", Some(node)).await;
        assert_eq!(status, 201, "{body}");
        let manage = json!({"target": "manage"});
        let verb = format!("/v1/nodes/{name}/states/provision");
        let (status, body) = program.ask(Method::PUT, &verb, Some(manage)).await;
        assert_eq!(status, 202, "{body}");
        reach(&program, name, "manageable").await;
    }
    program.signal("TERM").await;
    assert!(program.ended().await.status.success());

    let text = std::fs::read_to_string(&file).unwrap();
    assert!(!text.contains("hunter2"));
    let mode = std::os::unix::fs::PermissionsExt::mode(&file.metadata().unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);

    let told = run(&["journal", path, "--node", "one"], &[]).await;
    assert!(told.status.success(), "{}", told.stderr);
    for part in ["\"one\"", "fake-conductor", "asked: manage", "→ manageable"] {
        assert!(told.stdout.contains(part), "{part}: {}", told.stdout);
    }
    assert!(!told.stdout.contains("other"), "{}", told.stdout);

    let checked = run(&["journal", path, "--check"], &[]).await;
    assert_eq!(checked.status.code(), Some(0), "{}", checked.stdout);
    let entries = text.lines().count();
    let expected = format!("{entries} decisions taken again, 0 otherwise\n");
    assert_eq!(checked.stdout, expected);

    // What is decided otherwise is shown, and where the file is cut off.
    let (first, rest) = text.split_once('\n').unwrap();
    let (from, to) = (
        "\"provision_state\":\"verifying\"",
        "\"provision_state\":\"active\"",
    );
    assert!(first.contains(from), "{first}");
    let (rest, _) = rest.split_at(rest.len() - 10);
    std::fs::write(&file, first.replace(from, to) + "\n" + rest).unwrap();
    let checked = run(&["journal", path, "--check"], &[]).await;
    assert_eq!(checked.status.code(), Some(1));
    for part in [
        "asked: manage: decided otherwise now:",
        "changed.provision_state: then \"active\", now \"verifying\"",
        &format!("missing: line {entries}: the entry is cut off"),
        "1 otherwise",
    ] {
        assert!(checked.stdout.contains(part), "{part}: {}", checked.stdout);
    }
    // What cannot be checked is not found to be right.
    let newer = first.replacen("\"schema\":1", "\"schema\":2", 1) + "\n";
    for (content, node) in [
        ("garbage\n", "one"),
        (&newer, "one"),
        (&text, "nobody"),
        ("", "one"),
    ] {
        std::fs::write(&file, content).unwrap();
        let checked = run(&["journal", path, "--check", "--node", node], &[]).await;
        assert_eq!(
            checked.status.code(),
            Some(1),
            "{content:.40}: {}",
            checked.stdout
        );
    }
    let nowhere = run(&["journal", "/nonexistent"], &[]).await;
    assert_eq!(nowhere.status.code(), Some(1));
    assert!(
        nowhere.stderr.contains("/nonexistent: "),
        "{}",
        nowhere.stderr
    );
}

#[tokio::test]
async fn a_journal_that_cannot_be_opened_is_named() {
    let fake = crate::program::fake_config();
    let serve = [
        "serve",
        "--config",
        fake.to_str().unwrap(),
        "--listen",
        "127.0.0.1:0",
    ];
    let journal = [("IRONIC_SERVICE_JOURNAL", "/nonexistent/d/f")];
    let ended = run(&serve, &journal).await;
    assert_eq!(ended.status.code(), Some(1));
    assert!(
        ended.stderr.contains("/nonexistent/d/f"),
        "{}",
        ended.stderr
    );
}
