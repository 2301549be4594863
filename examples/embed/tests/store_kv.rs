//! A store over a map of bytes keeps the contract, in less than 150 lines, and carries the engine.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a failing test panics; the process that is killed is a program of its own"
)]

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use ironic_core::store::{Kind, Query, Store};
use ironic_core::testing::StoreFactory;
use ironic_embed::KvStore;
use tempfile::TempDir;

/// Files, each new store in one of its own.
struct Files {
    folder: TempDir,
    made: AtomicUsize,
}

impl Files {
    fn new() -> Self {
        Self {
            folder: TempDir::new().unwrap(),
            made: AtomicUsize::new(0),
        }
    }

    fn path(&self) -> PathBuf {
        let n = self.made.load(Ordering::SeqCst);
        self.folder.path().join(format!("{n}.redb"))
    }
}

/// Opens a file; work that was cut off may hold on to it for a moment.
async fn open(path: &Path) -> KvStore {
    loop {
        match KvStore::open(path) {
            Err(redb::Error::DatabaseAlreadyOpen) => tokio::task::yield_now().await,
            opened => return opened.unwrap(),
        }
    }
}

#[async_trait]
impl StoreFactory for Files {
    async fn fresh(&self) -> Arc<dyn Store> {
        self.made.fetch_add(1, Ordering::SeqCst);
        Arc::new(open(&self.path()).await)
    }

    async fn reopen(&self) -> Option<Arc<dyn Store>> {
        Some(Arc::new(open(&self.path()).await))
    }
}

mod conformance {
    ironic_core::store_conformance!(super::Files::new(), exclusive);
}

#[test]
fn it_has_less_than_150_lines() {
    let lines = include_str!("../src/kv.rs").lines().count();
    assert!(lines < 150, "it has {lines}");
}

#[test]
fn a_file_has_one_owner() {
    let files = Files::new();
    let path = files.path();
    let _first = KvStore::open(&path).unwrap();
    let second = KvStore::open(&path).err().unwrap();
    assert!(matches!(second, redb::Error::DatabaseAlreadyOpen));
}

fn program(path: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_embed-kv"));
    command.arg(path);
    command
}

fn text(output: Output) -> String {
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn the_engine_finds_its_machines_again() {
    let files = Files::new();
    let path = files.path();
    let first = text(program(&path).output().unwrap());
    let node = first.split(' ').next().unwrap().to_owned();
    assert_eq!(first, format!("{node} is active\n"));
    let second = text(program(&path).output().unwrap());
    assert!(
        second.starts_with(&format!("{node} was active\n")),
        "{second}"
    );
    assert_eq!(second.lines().count(), 2, "{second}");
}

/// Killed at whatever it is doing, a good dozen times; each time the file opens, and the next
/// program goes on from what the one before had committed.
#[tokio::test]
async fn what_was_committed_survives_a_kill() {
    let files = Files::new();
    let path = files.path();
    let mut nodes_before = 0;
    for round in 0..12_u64 {
        let mut child = program(&path).stdout(Stdio::null()).spawn().unwrap();
        // Each time a little later in its life.
        tokio::time::sleep(std::time::Duration::from_millis(5 + 4 * round)).await;
        child.kill().unwrap();
        child.wait().unwrap();
        let store = open(&path).await;
        let nodes = store.list(&Query::all(Kind::Node)).await.unwrap();
        assert!(nodes.len() >= nodes_before, "a machine is lost");
        nodes_before = nodes.len();
        let highest = nodes.iter().map(|node| node.revision).max();
        let history = store.list(&Query::all(Kind::History)).await.unwrap();
        let told = history.iter().map(|event| event.revision).max();
        // A node and what is told of it are written together.
        assert!(told <= highest, "{told:?} after {highest:?}");
    }
    let last = text(program(&path).output().unwrap());
    assert!(last.ends_with("is active\n"), "{last}");
}
