//! Whole lives of 64 nodes at once, on fake machines.

use std::sync::Arc;

use criterion::{Criterion, SamplingMode, Throughput};
use ironic_benches::{Fleet, Waiting};
use ironic_core::{MemoryStore, Store};
use tokio::runtime::Runtime;

use crate::Group;

pub(crate) const GROUP: &str = "lifecycle";

const NODES: usize = 64;

pub(crate) fn run(criterion: &mut Criterion) {
    let runtime = Runtime::new().unwrap();
    let mut group = criterion.benchmark_group(GROUP);
    group.sampling_mode(SamplingMode::Flat);
    group.throughput(Throughput::Elements(NODES as u64));

    let memory = Arc::new(MemoryStore::new());
    measure(&mut group, &runtime, "memory", memory, Waiting::Told);
    let folder = tempfile::tempdir().unwrap();
    let sqlite = runtime.block_on(crate::store::sqlite(folder.path()));
    measure(&mut group, &runtime, "SQLite", sqlite, Waiting::Told);
    let memory = Arc::new(MemoryStore::new());
    let polled = "memory, by wait_for";
    measure(&mut group, &runtime, polled, memory, Waiting::Polled);
    group.finish();
}

fn measure(
    group: &mut Group<'_>,
    runtime: &Runtime,
    name: &str,
    store: Arc<dyn Store>,
    waiting: Waiting,
) {
    let fleet = runtime.block_on(Fleet::start(store)).unwrap();
    group.bench_function(format!("{NODES} at once, {name}"), |bencher| {
        let lives = async || fleet.live(NODES, waiting).await.unwrap();
        bencher.to_async(runtime).iter(lives);
    });
    runtime.block_on(fleet.stop()).unwrap();
}
