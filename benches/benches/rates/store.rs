//! The stores: reading, writing and listing nodes, as the engine does.

use std::path::Path;
use std::sync::Arc;

use criterion::{Criterion, Throughput};
use futures::future::try_join_all;
use ironic_core::store::{Batch, Expect, Kind, Op, Query, Repository};
use ironic_core::{MemoryStore, Node, Store, Uuid};
use ironic_standalone::store::SqlStore;
use serde_json::json;
use tokio::runtime::Runtime;

use crate::raw;

pub(crate) const READ: &str = "store read";
pub(crate) const COMMIT: &str = "store commit";
pub(crate) const LIST: &str = "store list";
/// The same of SQLite without our layer.
pub(crate) const RAW_READ: &str = "raw read";
pub(crate) const RAW_COMMIT: &str = "raw commit";
pub(crate) const RAW_LIST: &str = "raw list";

/// How many nodes there are, and a list has.
pub(crate) const NODES: usize = 1000;
/// How many reads or commits are under way at once where there are many.
const MANY: usize = 64;

/// A database in a file of this folder.
pub(crate) async fn sqlite(folder: &Path) -> Arc<dyn Store> {
    let url = format!("sqlite:{}", folder.join("records.db").display());
    Arc::new(SqlStore::open(&url).await.unwrap())
}

pub(crate) fn run(criterion: &mut Criterion) {
    let runtime = Runtime::new().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let sqlite = runtime.block_on(sqlite(folder.path()));
    for (name, store) in [
        ("memory", Arc::new(MemoryStore::new()) as _),
        ("SQLite", sqlite),
    ] {
        let repository = Repository::new(store);
        runtime.block_on(fill(&repository));
        read(criterion, &runtime, name, &repository);
        commit(criterion, &runtime, name, &repository);
        list(criterion, &runtime, name, &repository);
        if name == "SQLite" {
            peer(criterion, &runtime, folder.path(), &repository);
        }
    }
}

/// A node as operators enrol them, about 1 KB of JSON.
pub(crate) fn node(number: usize) -> Node {
    let mut node = Node::new(id(number), "ipmi");
    node.name = Some(format!("rack-{}-node-{}", number / 40, number % 40));
    let driver_info = json!({
        "ipmi_address": format!("192.0.2.{}", number % 250),
        "ipmi_username": "admin",
        "ipmi_password": "password",
        "deploy_kernel": "http://192.0.2.1:8080/ipa.kernel",
        "deploy_ramdisk": "http://192.0.2.1:8080/ipa.initramfs",
    });
    let properties = json!({
        "cpu_arch": "x86_64", "cpus": 64, "memory_mb": 524_288, "local_gb": 1788,
        "capabilities": "boot_mode:uefi,secure_boot:true",
        "root_device": {"serial": format!("S{number:015}")},
    });
    let instance_info = json!({
        "image_source": "http://192.0.2.1:8080/images/debian-12.qcow2",
        "image_checksum": "0f".repeat(32),
        "root_gb": "40",
    });
    for (map, facts) in [
        (&mut node.driver_info, driver_info),
        (&mut node.properties, properties),
        (&mut node.instance_info, instance_info),
    ] {
        map.extend(facts.as_object().cloned().unwrap());
    }
    node
}

fn id(number: usize) -> Uuid {
    Uuid::from_u128(number as u128 + 1)
}

async fn fill(repository: &Repository) {
    for number in 0..NODES {
        repository.create(&node(number)).await.unwrap();
    }
}

/// Numbers of nodes, one after the other.
fn numbers() -> impl FnMut() -> usize {
    let mut next = (0..NODES).cycle();
    move || next.next().unwrap()
}

fn read(criterion: &mut Criterion, runtime: &Runtime, name: &str, repository: &Repository) {
    let mut group = criterion.benchmark_group(READ);
    group.throughput(Throughput::Elements(1));
    group.bench_function(format!("one node, {name}"), |bencher| {
        let mut number = numbers();
        bencher.to_async(runtime).iter(|| {
            let load = repository.load::<Node>(id(number()));
            async { load.await.unwrap() }
        });
    });
    group.throughput(Throughput::Elements(MANY as u64));
    group.bench_function(format!("one node, {MANY} at once, {name}"), |bencher| {
        bencher.to_async(runtime).iter(async || {
            let loads = (0..MANY).map(|number| repository.load::<Node>(id(number)));
            try_join_all(loads).await.unwrap()
        });
    });
    group.finish();
}

fn commit(criterion: &mut Criterion, runtime: &Runtime, name: &str, repository: &Repository) {
    let store = repository.store();
    let get = |number| runtime.block_on(store.get(Kind::Node, id(number)));
    let batches = (0..NODES).map(|number| {
        let record = get(number).unwrap().unwrap();
        let expect = Expect::Any;
        let ops = vec![Op::Put { record, expect }];
        Batch { fence: None, ops }
    });
    let batches: Vec<_> = batches.collect();
    let mut group = criterion.benchmark_group(COMMIT);
    group.throughput(Throughput::Elements(1));
    group.bench_function(format!("one node, {name}"), |bencher| {
        let mut number = numbers();
        bencher.to_async(runtime).iter(|| {
            let commit = store.commit(batches[number()].clone());
            async { commit.await.unwrap() }
        });
    });
    group.throughput(Throughput::Elements(MANY as u64));
    group.bench_function(format!("one node, {MANY} at once, {name}"), |bencher| {
        bencher.to_async(runtime).iter(async || {
            let commits = batches.iter().take(MANY).cloned();
            let commits = commits.map(|batch| store.commit(batch));
            try_join_all(commits).await.unwrap()
        });
    });
    group.finish();
}

fn list(criterion: &mut Criterion, runtime: &Runtime, name: &str, repository: &Repository) {
    let query = Query::all(Kind::Node).limit(NODES as u32);
    let mut group = criterion.benchmark_group(LIST);
    group.throughput(Throughput::Elements(NODES as u64));
    group.bench_function(format!("{SUMMARIES}, {name}"), |bencher| {
        bencher.to_async(runtime).iter(async || {
            let nodes = repository.summaries(&query).await.unwrap();
            assert_eq!(nodes.len(), NODES);
            nodes
        });
    });
    group.bench_function(format!("{WHOLE}, {name}"), |bencher| {
        bencher.to_async(runtime).iter(async || {
            let nodes = repository.list::<Node>(&query).await.unwrap();
            assert_eq!(nodes.len(), NODES);
            nodes
        });
    });
    group.finish();
}

const SUMMARIES: &str = "1,000 summaries";
const WHOLE: &str = "1,000 whole nodes";

/// SQLite without our layer, with the same records.
fn peer(criterion: &mut Criterion, runtime: &Runtime, folder: &Path, repository: &Repository) {
    let all = repository.store();
    let records = runtime.block_on(all.list(&Query::all(Kind::Node))).unwrap();
    let ids: Vec<_> = records.iter().map(|record| record.id.to_string()).collect();
    let database = raw::open(folder, &records);
    let mut number = numbers();

    let mut group = criterion.benchmark_group(RAW_READ);
    group.throughput(Throughput::Elements(1));
    group.bench_function("one node, SQLite", |bencher| {
        bencher.iter(|| raw::read(&database, &ids[number()]));
    });
    group.finish();
    let mut group = criterion.benchmark_group(RAW_COMMIT);
    group.throughput(Throughput::Elements(1));
    group.bench_function("one node, SQLite", |bencher| {
        bencher.iter(|| raw::write(&database, &records[number()]));
    });
    group.finish();
    let mut group = criterion.benchmark_group(RAW_LIST);
    group.throughput(Throughput::Elements(NODES as u64));
    group.bench_function(format!("{SUMMARIES}, SQLite"), |bencher| {
        bencher.iter(|| {
            let rows = raw::summaries(&database);
            assert_eq!(rows.len(), NODES);
            rows
        });
    });
    group.bench_function(format!("{WHOLE}, SQLite"), |bencher| {
        bencher.iter(|| {
            let bodies = raw::list(&database);
            assert_eq!(bodies.len(), NODES);
            bodies
        });
    });
    group.finish();
}
