//! What a lifecycle asks of a store.

use std::fs;
use std::sync::Arc;

use ironic_benches::{CountingStore, Figure, Fleet, Waiting};
use ironic_core::{MemoryStore, Store};
use tokio::runtime::Runtime;

use crate::store;

const NODES: usize = 64;
const ROUNDS: usize = 8;

/// Commits, records and bytes for each lifecycle, 64 at once.
pub(crate) fn measure(runtime: &Runtime) -> Vec<Figure> {
    let mut figures = counted(runtime);
    let folder = tempfile::tempdir().unwrap();
    let sqlite = runtime.block_on(store::sqlite(folder.path()));
    let fleet = runtime.block_on(Fleet::start(sqlite)).unwrap();
    live(runtime, &fleet, 1);
    let before = written();
    live(runtime, &fleet, ROUNDS);
    let bytes = (written() - before) / lifecycles(ROUNDS);
    runtime.block_on(fleet.stop()).unwrap();
    let name = "written to files per lifecycle, SQLite (log and database)";
    figures.push(Figure::new(name, bytes / 1024.0, "KiB"));
    figures
}

fn counted(runtime: &Runtime) -> Vec<Figure> {
    let memory: Arc<dyn Store> = Arc::new(MemoryStore::new());
    let store = Arc::new(CountingStore::new(memory));
    let fleet = runtime.block_on(Fleet::start(store.clone())).unwrap();
    live(runtime, &fleet, 1);
    let before = store.counts();
    live(runtime, &fleet, ROUNDS);
    let after = store.counts();
    runtime.block_on(fleet.stop()).unwrap();
    let each = |before: u64, after: u64| (after - before) as f64 / lifecycles(ROUNDS);
    vec![
        Figure::new(
            "commits per lifecycle",
            each(before.commits, after.commits),
            "",
        ),
        Figure::new("records in them", each(before.records, after.records), ""),
        Figure::new(
            "JSON in these",
            each(before.bytes, after.bytes) / 1024.0,
            "KiB",
        ),
        Figure::new("reads per lifecycle", each(before.reads, after.reads), ""),
    ]
}

fn live(runtime: &Runtime, fleet: &Fleet, rounds: usize) {
    for _ in 0..rounds {
        runtime.block_on(fleet.live(NODES, Waiting::Told)).unwrap();
    }
}

fn lifecycles(rounds: usize) -> f64 {
    (rounds * NODES) as f64
}

/// The bytes that this process has written so far (proc(5), `wchar`).
fn written() -> f64 {
    let io = fs::read_to_string("/proc/self/io").unwrap();
    let line = io.lines().find_map(|line| line.strip_prefix("wchar:"));
    line.unwrap().trim().parse().unwrap()
}
