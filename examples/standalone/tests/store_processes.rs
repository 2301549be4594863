//! Two processes on one database, of either sort: programs of their own that commit at the same time, take locks from
//! each other, and are killed in the middle of it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a failing test panics; a worker gets its orders by its environment"
)]

mod postgres;

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::PathBuf;
use std::process::Stdio;

use ironic_core::store::{
    Batch, Expect, Fence, Filter, Kind, Op, Query, Record, Revision, Store, StoreError, UniqueKey,
};
use ironic_standalone::store::SqlStore;
use postgres::Cluster;
use serde_json::value::to_raw_value;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use uuid::Uuid;

/// What a worker does, which database it does it to, and which of the workers it is.
const ROLE: &str = "STORE_WORKER_ROLE";
const URL: &str = "STORE_WORKER_URL";
const NUMBER: &str = "STORE_WORKER_NUMBER";

const COUNTS: u64 = 150;
const NAMES: u64 = 60;
const TAKE_OVERS: u64 = 60;

fn id(n: u64) -> Uuid {
    Uuid::from_u128(u128::from(n))
}

fn put(kind: Kind, id: Uuid, body: &Value, expect: Expect) -> Op {
    let record = Record {
        kind,
        id,
        created: Revision::default(),
        revision: Revision::default(),
        schema: 1,
        keys: Vec::new(),
        body: to_raw_value(body).unwrap().into(),
    };
    Op::Put { record, expect }
}

fn body(record: &Record) -> Value {
    serde_json::from_str(record.body.get()).unwrap()
}

async fn open(url: &str) -> SqlStore {
    SqlStore::open(url).await.unwrap()
}

// ---- the worker ----

/// Says something to the test, whole and at once.
fn say(what: impl std::fmt::Display) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "\nworker: {what}").unwrap();
    out.flush().unwrap();
}

/// The program that the tests start: this one, with orders in its environment.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "it is started by the other tests"]
async fn worker() {
    let Ok(role) = std::env::var(ROLE) else {
        return;
    };
    let store = open(&std::env::var(URL).unwrap()).await;
    let number: u64 = std::env::var(NUMBER).unwrap().parse().unwrap();
    say("ready");
    std::io::stdin().read_line(&mut String::new()).unwrap();
    match &*role {
        "count" => count(&store, number, COUNTS).await,
        "count for ever" => count(&store, number, u64::MAX).await,
        "names" => names(&store, number).await,
        "locks" => locks(&store, number).await,
        other => panic!("nobody knows how to {other}"),
    }
    say("done");
}

/// Counts up, and writes a port for each count in the same batch: so many times at least, and
/// until somebody else has counted between two of its own.
async fn count(store: &SqlStore, number: u64, times: u64) {
    let (mut done, mut last, mut shared) = (0, None, false);
    while done < times || !shared {
        let read = store.get(Kind::Node, id(1)).await.unwrap().unwrap();
        let value = 1 + body(&read)["value"].as_u64().unwrap();
        let port = json!({ "worker": number, "value": value });
        let expect = Expect::Revision(read.revision);
        let ops = vec![
            put(Kind::Node, id(1), &json!({ "value": value }), expect),
            put(Kind::Port, id(value), &port, Expect::Absent),
        ];
        match store.commit(Batch { fence: None, ops }).await {
            Ok(given) => {
                done += 1;
                shared |= last.is_some_and(|last| value > last + 1);
                last = Some(value);
                say(format_args!("{value} {}", given.first().unwrap().0));
            }
            Err(StoreError::Conflict { kind, id: named }) => {
                assert_eq!(
                    (kind, named),
                    (Kind::Node, id(1)),
                    "who counts is told first"
                );
            }
            Err(error) => panic!("a count should succeed or conflict: {error}"),
        }
    }
}

/// Wants one name after the other.
async fn names(store: &SqlStore, number: u64) {
    for round in 0..NAMES {
        let key = UniqueKey::new("name", round);
        let mut op = put(
            Kind::Node,
            id(1000 * number + round),
            &json!({}),
            Expect::Absent,
        );
        if let Op::Put { record, .. } = &mut op {
            record.keys = vec![key.clone()];
        }
        let ops = vec![op];
        match store.commit(Batch { fence: None, ops }).await {
            Ok(given) => say(format_args!("{round} {}", given.first().unwrap().0)),
            Err(error) => {
                let kind = Kind::Node;
                assert_eq!(error, StoreError::Duplicate { kind, key });
                say(format_args!("lost {round}"));
            }
        }
    }
}

/// Takes the lock from whoever has it, and writes under it until somebody else has it.
async fn locks(store: &SqlStore, number: u64) {
    let mut taken = 0;
    while taken < TAKE_OVERS {
        let read = store.get(Kind::Lock, id(1)).await.unwrap().unwrap();
        let epoch = 1 + body(&read)["epoch"].as_u64().unwrap();
        let lock = json!({ "epoch": epoch, "holder": number.to_string() });
        let ops = vec![put(
            Kind::Lock,
            id(1),
            &lock,
            Expect::Revision(read.revision),
        )];
        match store.commit(Batch { fence: None, ops }).await {
            Ok(_) => taken += 1,
            Err(StoreError::Conflict { .. }) => continue,
            Err(error) => panic!("taking a lock should succeed or conflict: {error}"),
        }
        for _ in 0..20 {
            let written = json!({ "epoch": epoch });
            let batch = Batch {
                fence: Some(Fence { node: id(1), epoch }),
                ops: vec![put(Kind::Node, id(1), &written, Expect::Any)],
            };
            match store.commit(batch).await {
                Ok(given) => say(format_args!("{epoch} {}", given.first().unwrap().0)),
                Err(error) => {
                    assert_eq!(error, StoreError::Fenced { node: id(1), epoch });
                    say(format_args!("lost {epoch}"));
                    break;
                }
            }
        }
    }
}

// ---- the tests ----

/// A worker as the test sees it.
struct Worker {
    child: Child,
    orders: ChildStdin,
    said: Lines<BufReader<ChildStdout>>,
}

impl Worker {
    /// Starts a worker and waits until it has the database open.
    async fn start(role: &str, url: &str, number: u64) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "worker", "--ignored", "--nocapture"])
            .env(ROLE, role)
            .env(URL, url)
            .env(NUMBER, number.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let orders = child.stdin.take().unwrap();
        let said = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut worker = Self {
            child,
            orders,
            said,
        };
        assert_eq!(worker.hear().await.as_deref(), Some("ready"));
        worker
    }

    async fn go(&mut self) {
        self.orders.write_all(b"go\n").await.unwrap();
    }

    /// The next that it says; nothing once it has ended.
    async fn hear(&mut self) -> Option<String> {
        while let Some(line) = self.said.next_line().await.unwrap() {
            if let Some(said) = line.strip_prefix("worker: ") {
                return Some(said.to_owned());
            }
        }
        None
    }

    /// All that it says until it is done.
    async fn finish(mut self) -> Said {
        let mut said = Said::default();
        loop {
            let line = self.hear().await.expect("the worker has failed");
            if line == "done" {
                break;
            }
            said.take(&line);
        }
        assert!(self.child.wait().await.unwrap().success());
        said
    }

    /// Killed as by a power cut of the process: what it has said before.
    async fn kill(mut self) -> Said {
        self.child.kill().await.unwrap();
        let mut said = Said::default();
        while let Some(line) = self.hear().await {
            said.take(&line);
        }
        said
    }
}

/// What a worker did: of each number (a count, a name, an epoch) and the revision.
#[derive(Default)]
struct Said {
    done: Vec<(u64, Revision)>,
    lost: Vec<u64>,
}

impl Said {
    fn take(&mut self, line: &str) {
        let (first, second) = line.split_once(' ').unwrap();
        match first {
            "lost" => self.lost.push(second.parse().unwrap()),
            done => self
                .done
                .push((done.parse().unwrap(), Revision(second.parse().unwrap()))),
        }
    }
}

async fn race(role: &str, url: &str) -> [Said; 2] {
    let mut one = Worker::start(role, url, 1).await;
    let mut other = Worker::start(role, url, 2).await;
    one.go().await;
    other.go().await;
    let (one, other) = tokio::join!(one.finish(), other.finish());
    [one, other]
}

/// A database of a test.
enum Place {
    File(TempDir),
    Schema(String),
}

impl Place {
    fn file() -> Self {
        Self::File(TempDir::new().unwrap())
    }

    async fn schema() -> Self {
        Self::Schema(Cluster::shared().create().await)
    }

    fn path(folder: &TempDir) -> PathBuf {
        folder.path().join("ironic.db")
    }

    fn url(&self) -> String {
        match self {
            Self::File(folder) => format!("sqlite:{}", Self::path(folder).display()),
            Self::Schema(url) => url.clone(),
        }
    }

    /// What another program makes of it: for a file, the command line of SQLite (package sqlite3).
    async fn integrity(&self) -> String {
        let Self::File(folder) = self else {
            return "ok".to_owned();
        };
        let output = Command::new("sqlite3")
            .arg(Self::path(folder))
            .arg("PRAGMA integrity_check")
            .output();
        let output = output
            .await
            .unwrap_or_else(|e| panic!("sqlite3 should run (install the package sqlite3): {e}"));
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    /// Opens it, with this record in it.
    async fn with(&self, kind: Kind, content: Value) -> SqlStore {
        let store = open(&self.url()).await;
        let ops = vec![put(kind, id(1), &content, Expect::Absent)];
        store.commit(Batch { fence: None, ops }).await.unwrap();
        store
    }
}

/// Fails unless revisions are given once, and rise in each worker.
fn revisions_are_one_counter(said: &[Said]) {
    let mut given = BTreeSet::new();
    for said in said {
        let rises = said.done.windows(2).all(|two| two[0].1 < two[1].1);
        assert!(rises, "the revisions of one process rise: {:?}", said.done);
        for (_, revision) in &said.done {
            assert!(given.insert(*revision), "{revision:?} was given twice");
        }
    }
}

fn taking_turns(said: &[Said; 2]) -> usize {
    let mut all: Vec<_> = (0..2_usize)
        .flat_map(|n| said[n].done.iter().map(move |(_, revision)| (revision, n)))
        .collect();
    all.sort();
    all.windows(2).filter(|two| two[0].1 != two[1].1).count()
}

async fn two_processes_lose_no_update(place: Place) {
    let store = place.with(Kind::Node, json!({"value": 0})).await;
    let said = race("count", &place.url()).await;
    revisions_are_one_counter(&said);
    assert!(taking_turns(&said) > 1, "they counted at the same time");
    // Each count was made once, and a later one at a later revision.
    let all: BTreeMap<_, _> = said.iter().flat_map(|said| said.done.clone()).collect();
    let counts = all.len() as u64;
    assert!(counts >= 2 * COUNTS && all.keys().copied().eq(1..=counts));
    assert!(
        all.values().is_sorted(),
        "later counts have later revisions"
    );
    let node = store.get(Kind::Node, id(1)).await.unwrap().unwrap();
    assert_eq!(body(&node)["value"], counts);
    let ports = store.list(&Query::all(Kind::Port)).await.unwrap();
    assert!(ports.iter().map(|port| port.revision).eq(all.into_values()));
}

async fn a_name_goes_to_one_of_two_processes(place: Place) {
    let store = place.with(Kind::History, json!({})).await;
    let said = race("names", &place.url()).await;
    revisions_are_one_counter(&said);
    for round in 0..NAMES {
        let won = |said: &Said| said.done.iter().any(|(name, _)| *name == round);
        assert_ne!(won(&said[0]), won(&said[1]), "one gets the name {round}");
        let winner = if won(&said[0]) { 1 } else { 2 };
        let key = UniqueKey::new("name", round);
        let owner = store.find(Kind::Node, &key).await.unwrap().unwrap();
        assert_eq!(owner.id, id(1000 * winner + round));
    }
    let lost = said[0].lost.len() + said[1].lost.len();
    assert_eq!(lost as u64, NAMES);
    assert_eq!(store.count(Kind::Node, &Filter::All).await, Ok(NAMES));
}

async fn a_process_that_lost_the_lock_writes_no_more(place: Place) {
    let store = place.with(Kind::Lock, json!({"epoch": 0})).await;
    let said = race("locks", &place.url()).await;
    revisions_are_one_counter(&said);
    let lost = said[0].lost.len() + said[1].lost.len();
    assert!(lost > 0, "one was stopped by the other's take-over");
    // In the order in which writes were made no epoch comes back once a later one has written.
    let mut all: Vec<_> = said.iter().flat_map(|said| said.done.clone()).collect();
    all.sort_by_key(|(_, revision)| *revision);
    let epochs: Vec<_> = all.into_iter().map(|(epoch, _)| epoch).collect();
    assert!(
        epochs.is_sorted(),
        "a fenced holder has written: {epochs:?}"
    );
    let lock = store.get(Kind::Lock, id(1)).await.unwrap().unwrap();
    assert_eq!(body(&lock)["epoch"], 2 * TAKE_OVERS);
    let node = store.get(Kind::Node, id(1)).await.unwrap().unwrap();
    assert_eq!(body(&node)["epoch"], *epochs.last().unwrap());
}

async fn a_killed_process_loses_nothing_and_stops_nobody(place: Place) {
    let store = place.with(Kind::Node, json!({"value": 0})).await;
    let mut survivor = Worker::start("count for ever", &place.url(), 1).await;
    survivor.go().await;
    let mut survived = Said::default();
    let mut killed = Vec::new();
    for round in 0..6 {
        let mut victim = Worker::start("count for ever", &place.url(), 2 + round).await;
        victim.go().await;
        let mut said = Said::default();
        // Both count; then one is killed, wherever it is just then.
        while said.done.len() < 20 {
            said.take(&victim.hear().await.unwrap());
        }
        said.done.extend(victim.kill().await.done);
        // The other goes on, past the commit that it may have been waiting behind.
        let last = said.done.last().unwrap().0;
        loop {
            survived.take(&survivor.hear().await.unwrap());
            if survived.done.last().unwrap().0 > last + 20 {
                break;
            }
        }
        assert_eq!(place.integrity().await, "ok");
        killed.push(said);
    }
    survived.done.extend(survivor.kill().await.done);
    drop(store);
    let store = open(&place.url()).await;
    assert_eq!(place.integrity().await, "ok");
    // All that was acknowledged is there, by whom and at what revision it was.
    let ports = store.list(&Query::all(Kind::Port)).await.unwrap();
    let ports: BTreeMap<_, _> = ports.iter().map(|port| (port.id, port)).collect();
    for (number, said) in (1_u64..).zip([&survived].into_iter().chain(&killed)) {
        for (value, revision) in &said.done {
            let port = ports
                .get(&id(*value))
                .expect("an acknowledged write is lost");
            assert_eq!(port.revision, *revision, "the count {value}");
            assert_eq!(body(port)["worker"], number, "the count {value}");
        }
    }
    // A batch that was cut off is there as a whole or not at all: a port for each count.
    let node = store.get(Kind::Node, id(1)).await.unwrap().unwrap();
    let counted = body(&node)["value"].as_u64().unwrap();
    assert!(ports.keys().copied().eq((1..=counted).map(id)));
    let said = survived.done.len() + killed.iter().map(|said| said.done.len()).sum::<usize>();
    let unsaid = counted - said as u64;
    assert!(
        unsaid <= 7,
        "{unsaid} commits of 7 killed processes were not told"
    );
    killed.push(survived);
    revisions_are_one_counter(&killed);
    // The store goes on.
    let ops = vec![put(Kind::Node, id(2), &json!({}), Expect::Absent)];
    let next = store.commit(Batch { fence: None, ops }).await.unwrap();
    assert!(next.first() > ports.values().map(|port| &port.revision).max());
}

/// Each of these on a file, and on a server.
macro_rules! on_both {
    ($($test:ident)+) => {
        mod on_sqlite {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $test() {
                    super::$test(super::Place::file()).await;
                }
            )+
        }

        mod on_postgres {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $test() {
                    super::$test(super::Place::schema().await).await;
                }
            )+
        }
    };
}

on_both! {
    two_processes_lose_no_update
    a_name_goes_to_one_of_two_processes
    a_process_that_lost_the_lock_writes_no_more
    a_killed_process_loses_nothing_and_stops_nobody
}
