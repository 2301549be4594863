//! What concerns the file more than the records: who may read it, who has written it, and who
//! else is using it.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failing test panics"
)]

use std::path::Path;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use ironic_core::model::NodeSummary;
use ironic_core::store::{
    Batch, Expect, Filter, Kind, Op, Query, Record, Revision, Store, StoreError, UniqueKey,
};
use ironic_standalone::store::{OpenError, SqlAdmin, SqlStore};
use serde_json::value::to_raw_value;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::task::JoinSet;
use uuid::Uuid;

fn url(folder: &TempDir) -> String {
    format!("sqlite:{}", folder.path().join("ironic.db").display())
}

fn put(kind: Kind, n: u128, body: &Value, expect: Expect) -> Op {
    let record = Record {
        kind,
        id: Uuid::from_u128(n),
        created: Revision::default(),
        revision: Revision::default(),
        schema: 1,
        keys: Vec::new(),
        body: to_raw_value(body).unwrap().into(),
    };
    Op::Put { record, expect }
}

fn batch(ops: Vec<Op>) -> Batch {
    Batch { fence: None, ops }
}

async fn open_error(url: &str) -> OpenError {
    match SqlStore::open(url).await {
        Ok(_) => panic!("{url} should not open"),
        Err(error) => error,
    }
}

/// A statement by the command line of SQLite itself (package sqlite3), which stands for any
/// other program that has the file open.
fn sqlite3(path: &Path, sql: &str) -> String {
    #[allow(
        clippy::disallowed_methods,
        reason = "the peer is a program of its own"
    )]
    let output = std::process::Command::new("sqlite3")
        // A store that was dropped closes its file in the background.
        .args(["-cmd", ".timeout 5000"])
        .args([path.as_os_str(), sql.as_ref()])
        .output()
        .unwrap_or_else(|e| panic!("sqlite3 should run (install the package sqlite3): {e}"));
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "sqlite3: {errors}");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

#[cfg(unix)]
#[tokio::test]
async fn only_the_owner_reads_the_file() {
    use std::os::unix::fs::PermissionsExt;
    let folder = TempDir::new().unwrap();
    let store = SqlStore::open(&url(&folder)).await.unwrap();
    let password = json!({"driver_info": {"ipmi_password": "secret"}});
    let op = put(Kind::Node, 1, &password, Expect::Any);
    store.commit(batch(vec![op])).await.unwrap();
    let mut names = Vec::new();
    for file in std::fs::read_dir(folder.path()).unwrap() {
        let file = file.unwrap();
        let mode = file.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{file:?}");
        names.push(file.file_name().into_string().unwrap());
    }
    names.sort();
    assert_eq!(names, ["ironic.db", "ironic.db-shm", "ironic.db-wal"]);
}

#[tokio::test]
async fn what_is_no_url_of_a_database_is_refused() {
    for url in [
        "",
        "sqlite:",
        "sqlite://",
        "sqlite:?mode=memory",
        "postgres://user:password@host:port/ironic",
        "mysql://user:password@host/ironic",
        "/var/lib/ironic.db",
        "sqlite:/tmp/x.db?unknown=1",
    ] {
        let error = open_error(url).await;
        assert!(matches!(error, OpenError::Url), "{url}: {error}");
        assert!(!error.to_string().contains("password"), "{error}");
    }
}

#[tokio::test]
async fn a_missing_folder_is_named() {
    let error = open_error("sqlite:/nowhere/at/all/ironic.db").await;
    let message = "the database /nowhere/at/all/ironic.db cannot be created";
    assert_eq!(error.to_string(), message);
}

#[tokio::test]
async fn what_is_no_database_is_refused() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("ironic.db");
    std::fs::write(
        &path,
        "this is a text file, and long enough to be looked at",
    )
    .unwrap();
    let error = open_error(&url(&folder)).await;
    assert!(matches!(error, OpenError::Database { .. }), "{error}");
}

#[tokio::test]
async fn a_newer_schema_is_refused_and_left_alone() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("ironic.db");
    drop(SqlStore::open(&url(&folder)).await.unwrap());
    sqlite3(&path, "UPDATE schema_version SET version = 7");
    let error = open_error(&url(&folder)).await;
    assert!(
        error.to_string().starts_with(
            "the database has schema version 7, and this program knows versions up to 4"
        ),
        "{error}"
    );
    let version = sqlite3(&path, "SELECT version FROM schema_version");
    assert_eq!(version, "7");
}

/// A file as the first version of the schema has it, with what that version has written.
#[tokio::test]
async fn an_older_schema_is_brought_forward() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("ironic.db");
    sqlite3(
        &path,
        concat!(
            "PRAGMA journal_mode = WAL;
             CREATE TABLE schema_version (version INTEGER NOT NULL) STRICT;
             INSERT INTO schema_version VALUES (1);",
            include_str!("../src/store/sqlite/schema_1.sql"),
            r#"UPDATE revision SET value = 3;
             INSERT INTO records VALUES ('node', '00000000-0000-0000-0000-000000000001', 1, 3, 1,
                '[{"field":"name","value":"a"}]',
                '{"uuid":"00000000-0000-0000-0000-000000000001","name":"a","driver":"ipmi"}');
             INSERT INTO records VALUES ('node', '00000000-0000-0000-0000-000000000002', 2, 2, 1,
                '[]', '{"name":null,"maintenance":true,"extra":{"x":[1.0,"é"]}}');
             INSERT INTO unique_keys VALUES
                ('node', 'name', 'a', '00000000-0000-0000-0000-000000000001');"#
        ),
    );
    for _ in 0..2 {
        let store = SqlStore::open(&url(&folder)).await.unwrap();
        let whole = store.list(&Query::all(Kind::Node)).await.unwrap();
        let bodies: Vec<_> = whole.iter().map(|node| node.body.get()).collect();
        assert_eq!(
            bodies,
            [
                r#"{"uuid":"00000000-0000-0000-0000-000000000001","name":"a","driver":"ipmi"}"#,
                r#"{"name":null,"maintenance":true,"extra":{"x":[1.0,"é"]}}"#,
            ]
        );
        let fields = NodeSummary::FIELDS.map(str::to_owned).to_vec();
        let brief = store.list(&Query::all(Kind::Node).fields(fields)).await;
        let brief = brief.unwrap();
        let bodies: Vec<_> = brief.iter().map(|node| node.body.get()).collect();
        assert_eq!(
            bodies,
            [
                r#"{"uuid":"00000000-0000-0000-0000-000000000001","name":"a"}"#,
                r#"{"name":null,"maintenance":true}"#,
            ]
        );
        for (brief, whole) in brief.iter().zip(&whole) {
            assert_eq!(brief.keys, whole.keys);
            assert_eq!(brief.created, whole.created);
            assert_eq!(brief.revision, whole.revision);
        }
        let key = UniqueKey::new("name", "a");
        assert!(store.find(Kind::Node, &key).await.unwrap().is_some());
    }
    assert_eq!(sqlite3(&path, "SELECT version FROM schema_version"), "4");
    assert_eq!(sqlite3(&path, "PRAGMA integrity_check"), "ok");
    let store = SqlStore::open(&url(&folder)).await.unwrap();
    let op = put(Kind::Node, 3, &json!({}), Expect::Absent);
    let given = store.commit(batch(vec![op])).await.unwrap();
    assert_eq!(given, [Revision(4)], "the counter goes on");
}

/// Whatever stands in a body, a list of summaries gives it back as it is.
#[tokio::test]
async fn summaries_are_what_the_bodies_say() {
    let folder = TempDir::new().unwrap();
    let store = SqlStore::open(&url(&folder)).await.unwrap();
    let values = [
        json!(null),
        json!(true),
        json!(false),
        json!(0),
        json!(-1.5e300),
        json!(18446744073709551615_u64),
        json!(""),
        json!("null"),
        json!("a\"b\\c\u{0}\n\u{7f}é😀"),
        json!([1, [null], {"name": "x"}]),
        json!({"name": {"name": [1.0, "é"]}}),
    ];
    let mut expected = Vec::new();
    let mut put_next = async |body: Value| {
        let op = put(Kind::Node, expected.len() as u128, &body, Expect::Any);
        store.commit(batch(vec![op])).await.unwrap();
        expected.push(body);
    };
    put_next(json!({})).await;
    for field in NodeSummary::FIELDS {
        for value in &values {
            put_next(json!({"a": 1, field: value, "z": [{field: 2}]})).await;
        }
    }
    let all = Query::all(Kind::Node);
    let fields = NodeSummary::FIELDS.map(str::to_owned).to_vec();
    let brief = store.list(&all.clone().fields(fields.clone())).await;
    let brief = brief.unwrap();
    assert_eq!(brief.len(), expected.len());
    for (brief, mut expected) in brief.iter().zip(expected) {
        let members = expected.as_object_mut().unwrap();
        members.retain(|field, _| fields.contains(field));
        let brief: Value = serde_json::from_str(brief.body.get()).unwrap();
        assert_eq!(brief, expected);
    }
    for field in NodeSummary::FIELDS {
        let null = all.clone().filter(Filter::Null(field.into()));
        let unset = store.list(&null).await.unwrap();
        for node in &unset {
            let body: Value = serde_json::from_str(node.body.get()).unwrap();
            assert!(body.get(field).is_none_or(Value::is_null), "{body}");
        }
        let set = 1 + values.len() * (NodeSummary::FIELDS.len() - 1) + 1;
        assert_eq!(unset.len(), set, "{field}");
    }
}

/// How many pages the log has had since this was asked last: all that it has is copied into the
/// database, so that it begins anew with the next commit.
fn pages_in_log(path: &Path) -> u64 {
    let said = sqlite3(path, "PRAGMA wal_checkpoint");
    let parts: Vec<u64> = said.split('|').map(|part| part.parse().unwrap()).collect();
    assert_eq!(parts[1], parts[2], "{said}");
    parts[1]
}

/// A node that is written anew is in a dozen of indexes.
#[tokio::test]
async fn only_what_changes_is_written() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("ironic.db");
    let store = SqlStore::open(&url(&folder)).await.unwrap();
    let body = |owner: &str, n: u64| {
        json!({
            "uuid": "a", "name": "a", "driver": "ipmi", "resource_class": "r", "owner": owner,
            "lessee": "l", "shard": "s", "conductor_group": "", "provision_state": "active",
            "maintenance": false, "console_enabled": false, "extra": {"n": n},
        })
    };
    let commit = async |body: Value| {
        let op = put(Kind::Node, 1, &body, Expect::Any);
        store.commit(batch(vec![op])).await.unwrap();
        pages_in_log(&path)
    };
    assert!(commit(body("o", 0)).await > 15);
    // The record, what a list shows of it, and the counter of revisions.
    assert!(commit(body("o", 1)).await <= 3);
    assert!(commit(body("p", 1)).await <= 4);
    for (owner, found) in [("o", 0), ("p", 1)] {
        let by_owner = Filter::text("owner", owner);
        assert_eq!(store.count(Kind::Node, &by_owner).await, Ok(found));
    }
}

/// What an index has of a record is what the body says, or a check tells.
#[tokio::test]
async fn a_record_that_is_filed_wrongly_is_found_by_a_check() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("ironic.db");
    let store = SqlStore::open(&url(&folder)).await.unwrap();
    for n in 0..3 {
        let op = put(Kind::Node, n, &json!({"driver": "ipmi"}), Expect::Any);
        store.commit(batch(vec![op])).await.unwrap();
    }
    let check = async || {
        let admin = SqlAdmin::new(&url(&folder)).unwrap();
        let findings = admin.check(&mut |_, _| {}).await.unwrap();
        let findings: Vec<_> = findings.iter().map(ToString::to_string).collect();
        findings.join("; ")
    };
    assert_eq!(check().await, "");
    sqlite3(
        &path,
        "UPDATE records SET by_driver = 'redfish' WHERE created = 2",
    );
    sqlite3(
        &path,
        "UPDATE records SET by_maintenance = 'true' WHERE created = 3",
    );
    assert_eq!(
        check().await,
        "2 records are not found by the values of their fields"
    );
    for n in [1, 2] {
        let op = put(Kind::Node, n, &json!({"driver": "ipmi"}), Expect::Any);
        store.commit(batch(vec![op])).await.unwrap();
    }
    assert_eq!(check().await, "", "it is put right with the next change");
}

#[tokio::test]
async fn the_settings_are_those_that_the_contract_needs() {
    let folder = TempDir::new().unwrap();
    let store = SqlStore::open(&url(&folder)).await.unwrap();
    let op = put(Kind::Node, 1, &json!({"name": "a"}), Expect::Any);
    store.commit(batch(vec![op])).await.unwrap();
    let path = folder.path().join("ironic.db");
    assert_eq!(sqlite3(&path, "PRAGMA journal_mode"), "wal");
    let row = "SELECT kind, id, created, body FROM records";
    let expected = r#"node|00000000-0000-0000-0000-000000000001|1|{"name":"a"}"#;
    assert_eq!(sqlite3(&path, row), expected, "operators can read it");
    assert_eq!(sqlite3(&path, "PRAGMA integrity_check"), "ok");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_open_a_new_file_at_once() {
    for _ in 0..5 {
        let folder = TempDir::new().unwrap();
        let mut opening = JoinSet::new();
        for n in 0..8 {
            let url = url(&folder);
            opening.spawn(async move {
                let store = SqlStore::open(&url).await.unwrap();
                let op = put(Kind::Node, n, &json!({}), Expect::Absent);
                store.commit(batch(vec![op])).await.unwrap();
                store
            });
        }
        for store in opening.join_all().await {
            assert_eq!(store.count(Kind::Node, &Filter::All).await, Ok(8));
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn refused_commits_do_not_spoil_those_that_share_their_transaction() {
    let folder = TempDir::new().unwrap();
    let store = Arc::new(SqlStore::open(&url(&folder)).await.unwrap());
    let op = put(Kind::Port, 0, &json!({}), Expect::Any);
    store.commit(batch(vec![op])).await.unwrap();
    let mut commits = JoinSet::new();
    for n in 0..300_u128 {
        let store = store.clone();
        commits.spawn(async move {
            let mut ops = vec![put(
                Kind::Node,
                n,
                &json!({ "n": n as u64 }),
                Expect::Absent,
            )];
            if n % 3 == 0 {
                ops.push(put(Kind::Port, 0, &json!({}), Expect::Absent));
            }
            (n, store.commit(batch(ops)).await)
        });
    }
    let mut revisions = Vec::new();
    for (n, answer) in commits.join_all().await {
        match answer {
            Ok(given) => {
                assert!(n % 3 != 0, "{n}");
                revisions.extend(given);
            }
            Err(error) => {
                assert!(n % 3 == 0, "{n}: {error}");
                assert!(matches!(error, StoreError::Conflict { .. }), "{error}");
            }
        }
    }
    revisions.sort();
    revisions.dedup();
    assert_eq!(
        revisions.len(),
        200,
        "each commit has a revision of its own"
    );
    let nodes = store.list(&Query::all(Kind::Node)).await.unwrap();
    assert_eq!(nodes.len(), 200);
    let as_answered: Vec<_> = nodes.iter().map(|node| node.revision).collect();
    assert_eq!(
        as_answered, revisions,
        "what was answered is what is stored"
    );
}

#[tokio::test]
async fn a_writer_that_holds_the_file_is_waited_for_and_then_reported() {
    let folder = TempDir::new().unwrap();
    let store = SqlStore::open(&url(&folder)).await.unwrap();
    let op = || put(Kind::Node, 1, &json!({"secret": "hunter2"}), Expect::Any);
    let other = rusqlite::Connection::open(folder.path().join("ironic.db")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    // Reads go on meanwhile.
    assert_eq!(store.count(Kind::Node, &Filter::All).await, Ok(0));
    let error = store.commit(batch(vec![op()])).await.unwrap_err();
    assert!(error.is_retryable(), "{error}");
    let message = error.to_string();
    assert!(message.contains("database is locked"), "{message}");
    assert!(!message.contains("hunter2"), "{message}");
    other.execute_batch("ROLLBACK").unwrap();
    assert!(store.commit(batch(vec![op()])).await.is_ok());
}

/// What comes of polling a call once.
fn poll_once<T>(call: Pin<&mut impl Future<Output = T>>) -> Poll<T> {
    call.poll(&mut Context::from_waker(Waker::noop()))
}

#[test]
fn a_read_that_takes_long_holds_nobody_up() {
    // One thread for what takes long, so that the test decides when that goes on.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .max_blocking_threads(1)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(read_long_and_briefly());
}

async fn read_long_and_briefly() {
    let folder = TempDir::new().unwrap();
    let store = SqlStore::open(&url(&folder)).await.unwrap();
    let ops = (0..2_000).map(|n| put(Kind::Node, n, &json!({"n": 1}), Expect::Absent));
    store.commit(batch(ops.collect())).await.unwrap();
    let all = Query::all(Kind::Node);
    let few = all.clone().limit(20);
    // The first opens the connection.
    assert_eq!(store.list(&few).await.unwrap().len(), 20);

    let (go_on, told) = std::sync::mpsc::channel::<()>();
    let held = tokio::task::spawn_blocking(move || told.recv());
    let one = pin!(store.get(Kind::Node, Uuid::from_u128(7)));
    assert!(matches!(poll_once(one), Poll::Ready(Ok(Some(_)))));
    let mut long = pin!(store.list(&all));
    assert!(poll_once(long.as_mut()).is_pending(), "on another thread");
    // More of them than run at once: these wait for their turn, and the quick one does not.
    let mut others: Vec<_> = (0..8).map(|_| Box::pin(store.list(&all))).collect();
    for other in &mut others {
        assert!(poll_once(other.as_mut()).is_pending());
    }
    let brief = pin!(store.list(&few));
    assert!(matches!(poll_once(brief), Poll::Ready(Ok(_))));
    drop(go_on);
    assert!(held.await.unwrap().is_err());
    assert_eq!(long.await.unwrap().len(), 2_000);
    // Some are given up while they run, or wait.
    others.truncate(4);
    for other in others {
        assert_eq!(other.await.unwrap().len(), 2_000);
    }
    let after = Query::all(Kind::Node).after(Uuid::from_u128(0));
    for _ in 0..20 {
        // Mostly while it runs: it may be quicker than this thread.
        let mut given_up = Box::pin(store.list(&after));
        let _ = poll_once(given_up.as_mut());
        drop(given_up);
        assert_eq!(store.list(&after).await.unwrap().len(), 1_999);
    }
}

#[tokio::test]
async fn unique_keys_leave_with_their_records() {
    let folder = TempDir::new().unwrap();
    let store = SqlStore::open(&url(&folder)).await.unwrap();
    for names in [&["a", "b"][..], &["b"], &["c", "c"], &[]] {
        let Op::Put { mut record, expect } = put(Kind::Node, 1, &json!({}), Expect::Any) else {
            panic!("a put is a put");
        };
        record.keys = names.iter().map(|n| UniqueKey::new("name", n)).collect();
        store
            .commit(batch(vec![Op::Put { record, expect }]))
            .await
            .unwrap();
        let path = folder.path().join("ironic.db");
        let kept = sqlite3(&path, "SELECT value FROM unique_keys ORDER BY value");
        let mut expected = names.to_vec();
        expected.dedup();
        assert_eq!(kept, expected.join("\n"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_commit_that_makes_the_database_fail_fails_alone() {
    let folder = TempDir::new().unwrap();
    let store = Arc::new(SqlStore::open(&url(&folder)).await.unwrap());
    let path = folder.path().join("ironic.db");
    let trigger = "CREATE TRIGGER t BEFORE INSERT ON records WHEN new.kind = 'flow' \
                   BEGIN SELECT raise(ABORT, 'no flows today'); END";
    sqlite3(&path, trigger);
    let mut commits = JoinSet::new();
    for n in 0..200_u128 {
        let store = store.clone();
        commits.spawn(async move {
            let mut ops = vec![put(Kind::Node, n, &json!({}), Expect::Absent)];
            if n % 10 == 0 {
                ops.push(put(Kind::Flow, n, &json!({}), Expect::Absent));
            }
            (n, store.commit(batch(ops)).await)
        });
    }
    for (n, answer) in commits.join_all().await {
        match answer {
            Ok(_) => assert!(n % 10 != 0, "{n}"),
            Err(error) => {
                assert!(n % 10 == 0, "{n}: {error}");
                assert!(matches!(error, StoreError::Unavailable { .. }), "{error}");
            }
        }
    }
    assert_eq!(store.count(Kind::Node, &Filter::All).await, Ok(180));
}

// ---- what a disk does ----

/// Where the test on a full disk has its own.
const DISK: &str = "STORE_FULL_DISK";

/// A disk of its own, of 4 MiB, that fills and then has room again: in a mount namespace that no
/// other program sees, and that ends with the program in it.
#[test]
fn a_full_disk_is_told_loses_nothing_and_may_have_room_again() {
    let folder = TempDir::new().unwrap();
    let script = "mount -t tmpfs -o size=4m none \"$1\" && shift && exec \"$@\"";
    #[allow(
        clippy::disallowed_methods,
        reason = "only a program of its own can have a disk of its own"
    )]
    let output = std::process::Command::new("unshare")
        .args(["--map-root-user", "--mount", "sh", "-c", script, "sh"])
        .arg(folder.path())
        .arg(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "on_a_disk_of_its_own",
            "--ignored",
            "--nocapture",
        ])
        .env(DISK, folder.path())
        .output()
        .unwrap_or_else(|e| panic!("unshare should run (install the package util-linux): {e}"));
    let (said, errors) = (output.stdout, output.stderr);
    let said = String::from_utf8_lossy(&said) + String::from_utf8_lossy(&errors);
    assert!(
        output.status.success() && said.contains("1 passed"),
        "{said}"
    );
}

#[tokio::test]
#[ignore = "it is started by another test"]
async fn on_a_disk_of_its_own() {
    #[allow(clippy::disallowed_methods, reason = "where it is told what to do")]
    let Some(disk) = std::env::var_os(DISK).map(std::path::PathBuf::from) else {
        return;
    };
    let url = format!("sqlite:{}", disk.join("ironic.db").display());
    let store = SqlStore::open(&url).await.unwrap();
    let other = disk.join("other");
    std::fs::write(&other, vec![7; 1 << 20]).unwrap();
    let body = json!({"text": "0123456789".repeat(1000)});
    let mut next = 0;
    for _ in 0..2 {
        let error = loop {
            let op = put(Kind::Node, next, &body, Expect::Absent);
            match store.commit(batch(vec![op])).await {
                Ok(_) => next += 1,
                Err(error) => break error,
            }
            assert!(next < 1000, "the disk does not fill");
        };
        assert!(error.is_retryable(), "{error}");
        assert!(error.to_string().contains("full"), "{error}");
        // All that was acknowledged is there, and nothing else; lists and counts go on.
        assert_eq!(store.count(Kind::Node, &Filter::All).await, Ok(next as u64));
        assert_eq!(
            store.list(&Query::all(Kind::Node)).await.unwrap().len() as u128,
            next
        );
        let newest = SqlStore::open(&url)
            .await
            .map(|store| async move { store.count(Kind::Node, &Filter::All).await });
        if let Ok(newest) = newest {
            assert_eq!(
                newest.await,
                Ok(next as u64),
                "another program sees the same"
            );
        }
        // There is room again: the same store goes on.
        if other.exists() {
            std::fs::remove_file(&other).unwrap();
            let op = put(Kind::Node, next, &body, Expect::Absent);
            store.commit(batch(vec![op])).await.unwrap();
            next += 1;
        }
    }
    drop(store);
    let path = disk.join("ironic.db");
    assert_eq!(sqlite3(&path, "PRAGMA integrity_check"), "ok");
    let count = sqlite3(&path, "SELECT count(*) FROM records");
    assert_eq!(count, next.to_string());
}

#[tokio::test]
async fn a_file_that_can_only_be_read_is_read() {
    let folder = TempDir::new().unwrap();
    let store = SqlStore::open(&url(&folder)).await.unwrap();
    let op = || put(Kind::Node, 1, &json!({"password": "hunter2"}), Expect::Any);
    store.commit(batch(vec![op()])).await.unwrap();
    let read_only = format!("{}?mode=ro", url(&folder));
    let reader = SqlStore::open(&read_only).await.unwrap();
    assert_eq!(reader.count(Kind::Node, &Filter::All).await, Ok(1));
    let error = reader.commit(batch(vec![op()])).await.unwrap_err();
    let message = error.to_string();
    assert!(message.contains("readonly database"), "{message}");
    assert!(!message.contains("hunter2"), "{message}");
    assert_eq!(reader.count(Kind::Node, &Filter::All).await, Ok(1));
    store.commit(batch(vec![op()])).await.unwrap();
}

#[tokio::test]
async fn a_damaged_file_is_told_and_never_guessed_at() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("ironic.db");
    let store = SqlStore::open(&url(&folder)).await.unwrap();
    let body = json!({"text": "0123456789".repeat(100)});
    for n in 0..300 {
        let op = put(Kind::Node, n, &body, Expect::Absent);
        store.commit(batch(vec![op])).await.unwrap();
    }
    drop(store);
    assert_eq!(sqlite3(&path, "PRAGMA wal_checkpoint(TRUNCATE)"), "0|0|0");
    let whole = std::fs::read(&path).unwrap();
    let mut scratched = whole.clone();
    scratched[whole.len() / 4..whole.len() * 3 / 4].fill(0x5a);
    let mut cut = whole.clone();
    cut.truncate(whole.len() / 2);
    for damaged in [scratched, cut] {
        std::fs::write(&path, damaged).unwrap();
        // It is told at the start, or when what is damaged is asked for.
        match SqlStore::open(&url(&folder)).await {
            Err(error) => assert!(matches!(error, OpenError::Database { .. }), "{error}"),
            Ok(store) => {
                let error = store.list(&Query::all(Kind::Node)).await.unwrap_err();
                assert!(error.to_string().contains("malformed"), "{error}");
                let op = put(Kind::Node, 150, &body, Expect::Any);
                let _ = store.commit(batch(vec![op])).await;
                assert!(store.list(&Query::all(Kind::Node)).await.is_err());
            }
        }
        let checked = SqlAdmin::new(&url(&folder))
            .unwrap()
            .check(&mut |_, _| {})
            .await;
        assert!(
            checked.is_err() || !checked.unwrap().is_empty(),
            "a check finds it"
        );
    }
    // With what was there before all is well: the damage was in nothing but the file.
    for beside in ["ironic.db-wal", "ironic.db-shm"] {
        let _ = std::fs::remove_file(folder.path().join(beside));
    }
    std::fs::write(&path, whole).unwrap();
    let store = SqlStore::open(&url(&folder)).await.unwrap();
    assert_eq!(store.count(Kind::Node, &Filter::All).await, Ok(300));
}
