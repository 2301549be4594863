//! `ironic db`, on both databases.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a failing test panics; the program and the peers are programs of their own"
)]

mod postgres;

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use ironic_core::store::{Batch, Expect, Kind, Op, Query, Record, Revision, Store, UniqueKey};
use ironic_standalone::store::SqlStore;
use postgres::{Cluster, connect};
use serde_json::value::RawValue;
use serde_json::{Value, json};
use sqlx::Executor as _;
use tempfile::TempDir;
use uuid::Uuid;

/// Runs `ironic db` with these arguments.
fn db(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_ironic"))
        .arg("db")
        .args(arguments)
        .env_clear()
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// What it says when all goes well.
fn said(arguments: &[&str]) -> String {
    let output = db(arguments);
    let stderr = text(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {stderr}");
    text(&output.stdout).trim().to_owned()
}

/// What it says when it fails.
fn failure(arguments: &[&str]) -> String {
    let output = db(arguments);
    assert_eq!(
        output.status.code(),
        Some(1),
        "{arguments:?}: {}",
        text(&output.stdout)
    );
    let stderr = text(&output.stderr);
    assert!(!stderr.contains("hunter2"), "{stderr}");
    stderr.trim().to_owned()
}

fn file_url(folder: &TempDir, name: &str) -> String {
    format!("sqlite:{}", folder.path().join(name).display())
}

fn path(folder: &TempDir, name: &str) -> String {
    folder.path().join(name).to_str().unwrap().to_owned()
}

fn record(kind: Kind, n: u128, body: &str, keys: &[(&str, &str)]) -> Op {
    let record = Record {
        kind,
        id: Uuid::from_u128(n),
        created: Revision::default(),
        revision: Revision::default(),
        schema: 3,
        keys: keys
            .iter()
            .map(|(field, value)| UniqueKey::new(*field, value))
            .collect(),
        body: RawValue::from_string(body.to_owned()).unwrap().into(),
    };
    let expect = Expect::Any;
    Op::Put { record, expect }
}

/// All that is awkward to carry from one database to another.
async fn fill(url: &str) -> SqlStore {
    let store = SqlStore::open(url).await.unwrap();
    let commit = async |ops| {
        store.commit(Batch { fence: None, ops }).await.unwrap();
    };
    let bodies = [
        r#"{"name":"a","driver_info":{"ipmi_password":"hunter2"},"maintenance":true}"#,
        r#"{"n":[1.0,1e5,-0.0,18446744073709551615,0.1000,5e-324]}"#,
        r#"{"text":"\u0000\u0001é\/\ud83d\udda5\u0022 \\u0000","\u0000":{}}"#,
        r#"{"b":1,"a":2,"b":3}"#,
        "{ \"spaces\" : [ ] ,\n \"lines\" : 1 }",
        "{}",
    ];
    for (n, body) in (1..).zip(bodies) {
        let name = format!("name\0{n}");
        let keys = [("name", name.as_str()), ("instance", body)];
        commit(vec![record(Kind::Node, n, body, &keys)]).await;
    }
    for n in 0..300 {
        let body = json!({"node_uuid": Uuid::from_u128(1), "address": n.to_string()});
        commit(vec![record(
            Kind::Port,
            n,
            &body.to_string(),
            &[("address", &n.to_string())],
        )])
        .await;
    }
    commit(vec![record(Kind::Node, 1, bodies[0], &[("name", "again")])]).await;
    let (kind, id, expect) = (Kind::Port, Uuid::from_u128(5), Expect::Any);
    // The last revision is of what is no longer there.
    commit(vec![Op::Delete { kind, id, expect }]).await;
    store
}

async fn everything(store: &SqlStore) -> Vec<String> {
    let mut all = Vec::new();
    for kind in Kind::ALL {
        for record in store.list(&Query::all(*kind)).await.unwrap() {
            let body = record.body.get().replace('\n', " ");
            let (id, created, revision) = (record.id, record.created, record.revision);
            let (schema, keys) = (record.schema, &record.keys);
            all.push(format!(
                "{kind} {id} {created:?} {revision:?} {schema} {keys:?} {body}"
            ));
        }
    }
    all
}

#[tokio::test]
async fn what_is_exported_comes_back_from_either_database_to_the_last_byte() {
    let folder = TempDir::new().unwrap();
    let first = file_url(&folder, "first.db");
    let store = fill(&first).await;
    let before = everything(&store).await;
    let lines = path(&folder, "lines");
    assert_eq!(
        said(&["export", &lines, "--database", &first]),
        format!("305 records exported to {lines}")
    );
    let mode = std::fs::metadata(&lines).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "the passwords of machines are in it");
    let exported = std::fs::read_to_string(&lines).unwrap();
    assert!(exported.contains("hunter2"));
    // Each line is JSON; one for each record, and two.
    let parsed: Vec<Value> = exported
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(parsed.len(), 307);
    assert_eq!(
        parsed[0]["revision"], 308,
        "the counter, not the highest of a record"
    );
    let server = Cluster::shared().create().await;
    assert_eq!(
        said(&["import", &lines, "--database", &server]),
        "305 records imported"
    );
    assert_eq!(
        said(&["check", "--database", &server]),
        "305 records fit together"
    );
    let there = SqlStore::open(&server).await.unwrap();
    assert_eq!(everything(&there).await, before);
    // From the server to a file again, by standard output and input.
    let output = db(&["export", "-", "--database", &server]);
    assert_eq!(text(&output.stdout), exported);
    let second = file_url(&folder, "second.db");
    let import = Command::new(env!("CARGO_BIN_EXE_ironic"))
        .args(["db", "import", "-", "--database", &second])
        .stdin(std::fs::File::open(&lines).unwrap())
        .output()
        .unwrap();
    assert!(import.status.success(), "{}", text(&import.stderr));
    assert_eq!(
        said(&["check", "--database", &second]),
        "305 records fit together"
    );
    assert_eq!(
        text(&db(&["export", "-", "--database", &second]).stdout),
        exported
    );
    let store = SqlStore::open(&second).await.unwrap();
    assert_eq!(everything(&store).await, before);
    // The counter goes on, so that nothing that was given comes again.
    for store in [&store, &there] {
        let ops = vec![record(Kind::Chassis, 1, "{}", &[])];
        let given = store.commit(Batch { fence: None, ops }).await.unwrap();
        assert_eq!(given, [Revision(309)]);
        let key = UniqueKey::new("name", "name\0 2".replace(' ', ""));
        let found = store.find(Kind::Node, &key).await.unwrap().unwrap();
        assert_eq!(found.id, Uuid::from_u128(2));
    }
}

#[tokio::test]
async fn what_is_damaged_is_named_by_its_line_and_nothing_changes() {
    let folder = TempDir::new().unwrap();
    let first = file_url(&folder, "first.db");
    drop(fill(&first).await);
    let lines = path(&folder, "lines");
    said(&["export", &lines, "--database", &first]);
    let whole = std::fs::read_to_string(&lines).unwrap();
    let line = |n: usize| whole.lines().nth(n - 1).unwrap();
    let cut = |n: usize| {
        whole
            .lines()
            .take(n)
            .map(|line| format!("{line}\n"))
            .collect::<String>()
    };
    let with = |n: usize, other: &str| whole.replace(line(n), other);
    let damaged: [(String, &str); 12] = [
        (String::new(), "line 1 is missing"),
        ("Machines\n".to_owned(), "line 1 is no head of an export"),
        (
            whole.replace("ironic-records", "ironic-recipes"),
            "line 1 is the head of another format",
        ),
        (cut(100), "line 101 is missing: the export has been cut off"),
        (whole[..whole.len() - 1].to_owned(), "line 307 is cut off"),
        (
            with(4, &line(4)[..line(4).len() - 1]),
            "line 4 is no record: it is no JSON",
        ),
        (
            with(4, &line(4).replace("\"node\"", "\"nude\"")),
            "line 4 is no record",
        ),
        (
            with(4, &line(4).replace("\"schema\":3,", "")),
            "line 4 is no record: missing field `schema`",
        ),
        (
            whole.replace("hunter2", "hunter3"),
            "line 307 has another checksum",
        ),
        (with(9, line(8)), "line 9 is a second port"),
        (
            with(9, &line(9).replace("\"value\":\"1\"", "\"value\":\"0\"")),
            "line 9 has the address 0, as another port has",
        ),
        (format!("{whole}\n"), "line 308 comes after the end"),
    ];
    let server = Cluster::shared().create().await;
    for (n, (content, expected)) in damaged.iter().enumerate() {
        std::fs::write(&lines, content).unwrap();
        for url in [file_url(&folder, "second.db"), server.clone()] {
            let error = failure(&["import", &lines, "--database", &url]);
            assert!(
                error.starts_with(&format!("ironic: {expected}")),
                "{n}: {error}"
            );
            let store = SqlStore::open(&url).await.unwrap();
            assert!(
                everything(&store).await.is_empty(),
                "{n}: something has been imported"
            );
        }
    }
    // What is there already is kept, unless it is asked to go.
    std::fs::write(&lines, &whole).unwrap();
    for url in [file_url(&folder, "second.db"), server] {
        let store = SqlStore::open(&url).await.unwrap();
        let ops = vec![record(Kind::Flow, 9, "{}", &[("name", "kept")])];
        store.commit(Batch { fence: None, ops }).await.unwrap();
        let error = failure(&["import", &lines, "--database", &url]);
        assert!(error.contains("the database has 1 records"), "{error}");
        // Neither is it gone where what was to replace it is damaged at its end.
        std::fs::write(&lines, cut(306)).unwrap();
        failure(&["import", &lines, "--replace", "--database", &url]);
        assert_eq!(everything(&store).await.len(), 1);
        std::fs::write(&lines, &whole).unwrap();
        said(&["import", &lines, "--replace", "--database", &url]);
        assert_eq!(everything(&store).await.len(), 305);
        assert_eq!(
            said(&["check", "--database", &url]),
            "305 records fit together"
        );
    }
}

#[tokio::test]
async fn the_version_is_told_and_brought_forward() {
    let folder = TempDir::new().unwrap();
    let url = file_url(&folder, "ironic.db");
    let error = failure(&["version", "--database", &url]);
    assert!(error.contains("unable to open database file"), "{error}");
    assert!(
        !Path::new(&path(&folder, "ironic.db")).exists(),
        "asking makes no file"
    );
    assert_eq!(
        said(&["upgrade", "--database", &url]),
        "SQLite schema 0 brought forward to 4"
    );
    assert_eq!(
        said(&["upgrade", "--database", &url]),
        "SQLite schema 4: nothing to do"
    );
    assert_eq!(
        said(&["version", "--database", &url]),
        "SQLite schema 4, this program works with 4"
    );
    let server = Cluster::shared().create().await;
    let told = said(&["version", "--database", &server]);
    assert_eq!(
        told,
        "PostgreSQL schema 0, this program works with 1: `ironic db upgrade` brings it forward"
    );
    let error = failure(&["export", "-", "--database", &server]);
    assert!(
        error.contains("schema version 0, and this program works with 1: upgrade it first"),
        "{error}"
    );
    assert_eq!(
        said(&["upgrade", "--database", &server]),
        "PostgreSQL schema 0 brought forward to 1"
    );
    let mut other = connect(&server).await;
    other
        .execute("UPDATE schema_version SET version = 2")
        .await
        .unwrap();
    let told = said(&["version", "--database", &server]);
    assert!(
        told.ends_with("works with 1: a newer program has brought it forward"),
        "{told}"
    );
    for command in [
        &["upgrade"][..],
        &["check"],
        &["export", "-"],
        &["import", "/dev/null"],
    ] {
        let mut all = command.to_vec();
        all.extend(["--database", &server]);
        let error = failure(&all);
        let expected = [
            "schema version 2, and this program knows versions up to 1",
            "line 1 is missing",
        ];
        assert!(
            expected.iter().any(|e| error.contains(e)),
            "{command:?}: {error}"
        );
    }
    let error = failure(&["check"]);
    assert!(error.contains("--database"), "{error}");
    let error = failure(&[
        "check",
        "--database",
        "postgres://ironic:hunter2@127.0.0.1:1/x",
    ]);
    assert!(error.contains("onnection refused"), "{error}");
}

#[tokio::test]
async fn what_does_not_fit_together_is_found() {
    let folder = TempDir::new().unwrap();
    let file = file_url(&folder, "ironic.db");
    drop(fill(&file).await);
    let server = Cluster::shared().create().await;
    drop(fill(&server).await);
    let node = Uuid::from_u128(1);
    let breaks = [
        format!("UPDATE records SET power_state = '\"on\"' WHERE kind = 'node' AND id = '{node}'"),
        format!("UPDATE unique_keys SET id = '{node}' WHERE kind = 'port' AND value = '7'"),
        "DELETE FROM records WHERE kind = 'port' AND created = 20".to_owned(),
        "UPDATE revision SET value = 307".to_owned(),
    ];
    let sqlite: PathBuf = folder.path().join("ironic.db");
    let done = Command::new("sqlite3")
        .arg(&sqlite)
        .arg(breaks.join(";"))
        .status();
    assert!(
        done.unwrap_or_else(|e| panic!("sqlite3 should run (install the package sqlite3): {e}"))
            .success()
    );
    let mut other = connect(&server).await;
    for sql in breaks {
        other.execute(sqlx::AssertSqlSafe(sql)).await.unwrap();
    }
    for url in [file, server] {
        let output = db(&["check", "--database", &url]);
        assert_eq!(output.status.code(), Some(1));
        let found = text(&output.stdout);
        let found: Vec<_> = found.lines().collect();
        let seventh = Uuid::from_u128(7);
        assert_eq!(
            found,
            [
                format!("node {node} is listed with another power_state"),
                format!("port {seventh} is not found by its address"),
                "1 unique keys belong to no record".to_owned(),
            ],
            "{url}"
        );
    }
}
