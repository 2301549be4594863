//! What concerns the server more than the records: that it restarts under load, who else uses it,
//! which indexes it has, and who has brought its tables forward.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a failing test panics; the peer is a program of its own"
)]

mod postgres;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use ironic_core::store::{
    Batch, Expect, Filter, Kind, Op, Query, Record, Revision, Store, StoreError, UniqueKey,
};
use ironic_standalone::store::{OpenError, SqlStore};
use postgres::{Cluster, connect};
use serde_json::value::to_raw_value;
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Executor as _, PgConnection, Row as _};
use tokio::task::JoinSet;
use uuid::Uuid;

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

async fn number(connection: &mut PgConnection, sql: String) -> i64 {
    let row = connection.fetch_one(AssertSqlSafe(sql)).await.unwrap();
    row.get::<Option<i64>, _>(0).unwrap_or(0)
}

// ---- a restart under load ----

const WRITERS: u128 = 8;

/// What all writers have done so far.
#[derive(Default)]
struct Load {
    ended: AtomicBool,
    failed: AtomicU64,
    acknowledged: [AtomicU64; WRITERS as usize],
}

/// Asks until the store is there again; every other error is one too many.
macro_rules! patiently {
    ($ask:expr) => {
        loop {
            match $ask.await {
                Ok(answer) => break answer,
                Err(error) => {
                    assert!(error.is_retryable(), "{error}");
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
            }
        }
    };
}

/// Counts up in a record of its own, with a port for each count; tells the counts that were
/// acknowledged, and at which revision.
async fn count_up(store: &SqlStore, writer: u128, load: &Load) -> Vec<(u128, Revision)> {
    let mut done = Vec::new();
    let mut expect = Expect::Absent;
    let mut next = 1;
    while !load.ended.load(Ordering::SeqCst) {
        let ops = vec![
            put(Kind::Node, writer, &json!({ "count": next }), expect),
            put(Kind::Port, writer << 64 | next, &json!({}), Expect::Absent),
        ];
        match store.commit(batch(ops)).await {
            Ok(given) => {
                done.push((next, given[0]));
                load.acknowledged[writer as usize].fetch_add(1, Ordering::SeqCst);
                expect = Expect::Revision(given[0]);
                next += 1;
            }
            Err(error) => {
                assert!(error.is_retryable(), "{error}");
                load.failed.fetch_add(1, Ordering::SeqCst);
                // Has it happened all the same?
                let id = Uuid::from_u128(writer);
                let node = patiently!(store.get(Kind::Node, id));
                expect = node
                    .as_ref()
                    .map_or(Expect::Absent, |n| Expect::Revision(n.revision));
                let body = node.map(|n| serde_json::from_str::<Value>(n.body.get()).unwrap());
                let counted = body.map_or(0, |body| body["count"].as_u64().unwrap());
                assert!(
                    [next - 1, next].contains(&counted.into()),
                    "{counted} of {next}"
                );
                next = u128::from(counted) + 1;
            }
        }
    }
    done
}

/// Waits until every writer has been acknowledged so often again.
async fn all_write(load: &Load, times: u64) {
    let before = load
        .acknowledged
        .each_ref()
        .map(|n| n.load(Ordering::SeqCst));
    let written = async {
        loop {
            let now = load
                .acknowledged
                .each_ref()
                .map(|n| n.load(Ordering::SeqCst));
            if now
                .iter()
                .zip(before)
                .all(|(now, before)| *now >= before + times)
            {
                return;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let in_time = tokio::time::timeout(Duration::from_secs(60), written).await;
    assert!(in_time.is_ok(), "the writers do not go on");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_restart_under_load_loses_nothing() {
    let cluster = Arc::new(Cluster::start());
    let url = cluster.create().await;
    let store = Arc::new(SqlStore::open(&url).await.unwrap());
    let load = Arc::new(Load::default());
    let mut writers = JoinSet::new();
    for writer in 0..WRITERS {
        let (store, load) = (store.clone(), load.clone());
        writers.spawn(async move { (writer, count_up(&store, writer, &load).await) });
    }
    let (reading, read_load) = (store.clone(), load.clone());
    let reader = tokio::spawn(async move {
        let mut most = 0;
        while !read_load.ended.load(Ordering::SeqCst) {
            let now = patiently!(reading.count(Kind::Port, &Filter::All));
            assert!(now >= most, "what was there is gone: {most}, then {now}");
            most = now;
        }
    });
    for (order, answer) in [("kill", "killed"), ("stop", "stopped"), ("kill", "killed")] {
        all_write(&load, 20).await;
        let before = load.failed.load(Ordering::SeqCst);
        let keeper = cluster.clone();
        let restart = tokio::task::spawn_blocking(move || {
            keeper.order(order, answer);
            keeper.order("start", "ready");
        });
        restart.await.unwrap();
        all_write(&load, 20).await;
        let failed = load.failed.load(Ordering::SeqCst) - before;
        assert!(failed > 0, "nobody wrote while the server was gone");
    }
    load.ended.store(true, Ordering::SeqCst);
    reader.await.unwrap();
    // Each writer has a last commit on its way.
    let writers = writers.join_all().await;
    let ports = store.list(&Query::all(Kind::Port)).await.unwrap();
    let ports: BTreeMap<_, _> = ports.iter().map(|port| (port.id, port.revision)).collect();
    let (mut acknowledged, mut last) = (0, 0);
    for (writer, done) in writers {
        for (count, revision) in &done {
            let port = ports.get(&Uuid::from_u128(writer << 64 | count));
            assert_eq!(
                port,
                Some(revision),
                "an acknowledged write of {writer} is lost"
            );
        }
        acknowledged += done.len();
        let counted = |id: &&Uuid| id.as_u128() >> 64 == writer;
        last = ports.keys().filter(counted).count();
        let highest = ports
            .keys()
            .filter(counted)
            .map(|id| id.as_u128() as u64)
            .max();
        assert_eq!(
            highest,
            Some(last as u64),
            "each count of {writer} is there"
        );
    }
    assert!(last > 0);
    let failed = load.failed.load(Ordering::SeqCst);
    println!(
        "{acknowledged} commits acknowledged, {failed} failed, {} found",
        ports.len()
    );
    assert!(ports.len() >= acknowledged && ports.len() as u64 <= acknowledged as u64 + failed);
    let mut revisions: Vec<_> = ports.values().collect();
    revisions.sort();
    revisions.dedup();
    assert_eq!(revisions.len(), ports.len(), "no revision is given twice");
}

#[tokio::test]
async fn a_server_that_has_restarted_unseen_is_no_error() {
    let cluster = Arc::new(Cluster::start());
    let url = cluster.create().await;
    let store = SqlStore::open(&url).await.unwrap();
    let op = || put(Kind::Node, 1, &json!({}), Expect::Any);
    store.commit(batch(vec![op()])).await.unwrap();
    assert_eq!(store.count(Kind::Node, &Filter::All).await, Ok(1));
    let keeper = cluster.clone();
    let restart = tokio::task::spawn_blocking(move || {
        keeper.order("stop", "stopped");
        keeper.order("start", "ready");
    });
    restart.await.unwrap();
    // The connections that there are have gone stale: nobody is told.
    assert_eq!(store.count(Kind::Node, &Filter::All).await, Ok(1));
    store.commit(batch(vec![op()])).await.unwrap();
}

// ---- others ----

#[tokio::test]
async fn a_writer_that_holds_the_lock_is_waited_for_and_then_reported() {
    let url = Cluster::shared().create().await;
    let store = SqlStore::open(&url).await.unwrap();
    let op = || put(Kind::Node, 1, &json!({"secret": "hunter2"}), Expect::Any);
    let mut other = connect(&url).await;
    let lock = "BEGIN; SELECT value FROM revision FOR UPDATE";
    other.execute(sqlx::raw_sql(lock)).await.unwrap();
    // Reads go on meanwhile.
    assert_eq!(store.count(Kind::Node, &Filter::All).await, Ok(0));
    let error = store.commit(batch(vec![op()])).await.unwrap_err();
    assert!(error.is_retryable(), "{error}");
    let message = error.to_string();
    assert!(message.contains("lock timeout"), "{message}");
    assert!(!message.contains("hunter2"), "{message}");
    other.execute("ROLLBACK").await.unwrap();
    assert!(store.commit(batch(vec![op()])).await.is_ok());
}

#[tokio::test]
async fn a_server_that_is_not_there_is_named_and_no_password() {
    let url = "postgres://ironic:hunter2@127.0.0.1:1/ironic";
    let error = SqlStore::open(url).await.err().unwrap();
    assert!(matches!(error, OpenError::Database { .. }), "{error:?}");
    assert!(
        !format!("{error:?} {error}").contains("hunter2"),
        "{error:?}"
    );
}

/// What the database cannot take in fails alone, and for good.
#[tokio::test]
async fn what_is_no_text_is_refused_and_kept_out() {
    let url = Cluster::shared().create().await;
    let store = SqlStore::open(&url).await.unwrap();
    let half = serde_json::value::RawValue::from_string(r#"{"a":"\ud800"}"#.to_owned());
    let Op::Put { mut record, expect } = put(Kind::Node, 1, &json!({}), Expect::Any) else {
        panic!("a put is a put");
    };
    record.body = half.unwrap().into();
    let error = store.commit(batch(vec![Op::Put { record, expect }])).await;
    let error = error.unwrap_err();
    assert!(
        matches!(
            error,
            StoreError::Corrupt {
                kind: Kind::Node,
                ..
            }
        ),
        "{error}"
    );
    assert!(!error.is_retryable());
    let op = put(Kind::Node, 2, &json!({"b": 1}), Expect::Any);
    store.commit(batch(vec![op])).await.unwrap();
    let found = Filter::Is(
        "b".into(),
        ironic_core::store::Compare::Eq,
        ironic_core::store::Scalar::Number(1.0),
    );
    assert_eq!(store.count(Kind::Node, &found).await, Ok(1));
}

/// An index takes no more than 2,704 bytes, and a name may come from anywhere.
#[tokio::test]
async fn long_texts_are_found_as_short_ones_are() {
    let url = Cluster::shared().create().await;
    let store = SqlStore::open(&url).await.unwrap();
    // Of characters that do not compress.
    let long = |n: u32| {
        (0..3_000)
            .map(|i| char::from_u32(0x4e00 + (i * 7919 + n) % 20_000).unwrap())
            .collect::<String>()
    };
    for n in 0..3_u32 {
        let op = put(
            Kind::Node,
            n.into(),
            &json!({"name": long(n), "owner": "short"}),
            Expect::Any,
        );
        let Op::Put { mut record, expect } = op else {
            panic!("a put is a put");
        };
        record.keys = vec![UniqueKey::new("name", long(n))];
        store
            .commit(batch(vec![Op::Put { record, expect }]))
            .await
            .unwrap();
    }
    let named = Query::all(Kind::Node).filter(Filter::text("name", long(1)));
    let found = store.list(&named).await.unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].id, Uuid::from_u128(1));
    let key = UniqueKey::new("name", long(2));
    let found = store.find(Kind::Node, &key).await.unwrap().unwrap();
    assert_eq!(found.id, Uuid::from_u128(2));
}

// ---- tables brought forward ----

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_open_a_new_database_at_once() {
    let url = Cluster::shared().create().await;
    let mut opening = JoinSet::new();
    for n in 0..8 {
        let url = url.clone();
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

#[tokio::test]
async fn a_newer_schema_is_refused_and_left_alone() {
    let url = Cluster::shared().create().await;
    drop(SqlStore::open(&url).await.unwrap());
    let mut other = connect(&url).await;
    other
        .execute("UPDATE schema_version SET version = 7")
        .await
        .unwrap();
    let error = SqlStore::open(&url).await.err().unwrap();
    let expected = "the database has schema version 7, and this program knows versions up to 1";
    assert!(error.to_string().starts_with(expected), "{error}");
    let version = "SELECT version FROM schema_version".to_owned();
    assert_eq!(number(&mut other, version).await, 7);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_program_that_ends_while_it_brings_tables_forward_leaves_nothing() {
    let url = Cluster::shared().create().await;
    let mut first = connect(&url).await;
    let half = concat!(
        "BEGIN; SELECT pg_advisory_xact_lock(x'736368656d615f76'::bigint);
         CREATE TABLE schema_version (version bigint NOT NULL);
         INSERT INTO schema_version VALUES (0);",
        include_str!("../src/store/postgres/schema_1.sql")
    );
    first.execute(sqlx::raw_sql(half)).await.unwrap();
    let second = tokio::spawn({
        let url = url.clone();
        async move { SqlStore::open(&url).await }
    });
    // It waits for the first, and does it all once that is gone.
    let mut other = connect(&url).await;
    let waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted";
    while number(&mut other, waiting.to_owned()).await == 0 {
        tokio::task::yield_now().await;
    }
    drop(first);
    let store = second.await.unwrap().unwrap();
    let op = put(Kind::Node, 1, &json!({}), Expect::Absent);
    store.commit(batch(vec![op])).await.unwrap();
    let tables = "SELECT count(*) FROM records".to_owned();
    assert_eq!(number(&mut other, tables).await, 1);
}

// ---- what is asked ----

#[tokio::test]
async fn every_filter_of_the_api_has_an_index() {
    let cluster = Cluster::start();
    let url = cluster.create().await;
    let store = SqlStore::open(&url).await.unwrap();
    for from in (0..10_000_u128).step_by(1000) {
        let ops = (from..from + 1000).map(|n| {
            let mut body = json!({"uuid": Uuid::from_u128(n).to_string(), "address": format!("52:54:00:00:00:{n}")});
            for field in Kind::Node.indexed_fields().iter().chain(Kind::Port.indexed_fields()) {
                body[field] = json!(format!("{field} {}", n % 500));
            }
            for flag in ["maintenance", "console_enabled"] {
                body[flag] = json!(n % 100 == 0);
            }
            for field in ["state", "holder"] {
                body[field] = json!(format!("{field} {}", n % 500));
            }
            put(Kind::Node, n, &body, Expect::Absent)
        });
        store.commit(batch(ops.collect())).await.unwrap();
    }
    let mut other = connect(&url).await;
    other.execute("ANALYZE records").await.unwrap();
    let named = Kind::ALL.iter().flat_map(|kind| kind.indexed_fields());
    let fields: std::collections::BTreeSet<_> = named.copied().collect();
    let table =
        "FROM pg_stat_user_tables WHERE schemaname = current_schema() AND relname = 'records'";
    drop(store);
    settled(&mut other).await;
    let scans = number(&mut other, format!("SELECT seq_scan {table}")).await;
    let store = SqlStore::open(&url).await.unwrap();
    for field in &fields {
        let filter = match *field {
            "maintenance" | "console_enabled" => Filter::flag(field, true),
            text => Filter::text(text, format!("{text} 7")),
        };
        let query = Query::all(Kind::Node).filter(filter);
        let expected = if matches!(*field, "maintenance" | "console_enabled") {
            100
        } else {
            20
        };
        if *field != "address" {
            assert_eq!(store.list(&query).await.unwrap().len(), expected, "{field}");
        } else {
            store.list(&query).await.unwrap();
        }
        assert!(store.count(Kind::Node, &query.filter).await.is_ok());
    }
    let key = UniqueKey::new("name", "a");
    store.find(Kind::Node, &key).await.unwrap();
    store.get(Kind::Node, Uuid::from_u128(7)).await.unwrap();
    let page = Query::all(Kind::Node).after(Uuid::from_u128(7)).limit(10);
    store.list(&page).await.unwrap();
    let op = put(Kind::Node, 7, &json!({}), Expect::Any);
    store.commit(batch(vec![op])).await.unwrap();
    // A server counts when a connection ends.
    drop(store);
    settled(&mut other).await;
    for field in fields.iter().copied().chain(["creation"]) {
        let used = format!(
            "SELECT idx_scan FROM pg_stat_user_indexes \
             WHERE schemaname = current_schema() AND indexrelname = 'records_by_{field}'"
        );
        assert!(
            number(&mut other, used).await > 0,
            "the index of {field} is not used"
        );
    }
    let after = number(&mut other, format!("SELECT seq_scan {table}")).await;
    assert_eq!(after, scans, "the table has been read as a whole");
}

/// Waits until every connection of a store has ended.
async fn settled(other: &mut PgConnection) {
    let theirs = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'ironic'";
    while number(other, theirs.to_owned()).await > 0 {
        tokio::task::yield_now().await;
    }
    // Of what this one has seen there is no more to see until it looks anew.
    other
        .execute("SELECT pg_stat_clear_snapshot()")
        .await
        .unwrap();
}

#[tokio::test]
async fn a_list_of_ten_thousand_nodes_is_one_query() {
    let cluster = Cluster::start();
    let url = cluster.create().await;
    let store = SqlStore::open(&url).await.unwrap();
    for from in (0..10_000_u128).step_by(1000) {
        let ops = (from..from + 1000).map(|n| {
            let body = json!({"uuid": Uuid::from_u128(n).to_string(), "name": format!("node-{n}"), "driver": "ipmi", "owner": "a"});
            put(Kind::Node, n, &body, Expect::Absent)
        });
        store.commit(batch(ops.collect())).await.unwrap();
    }
    drop(store);
    let store = SqlStore::open(&format!("{url}&options[log_min_duration_statement]=0"))
        .await
        .unwrap();
    for fields in [
        [
            "uuid",
            "name",
            "power_state",
            "provision_state",
            "maintenance",
        ],
        ["uuid", "name", "driver", "owner", "provision_state"],
    ] {
        let fields = fields.map(str::to_owned).to_vec();
        let query = Query::all(Kind::Node).fields(fields);
        let began = std::time::Instant::now();
        assert_eq!(store.list(&query).await.unwrap().len(), 10_000);
        println!("10,000 nodes in {:?}", began.elapsed());
    }
    let log = cluster.log();
    let ran = log
        .lines()
        .filter(|line| line.contains(" execute ") && line.contains("FROM records"));
    assert_eq!(ran.count(), 2, "each list is one query");
}
