//! What nodes take in memory: in a process of its own, as the system sees it.

use std::env;
use std::process::{Command, Stdio};
use std::sync::Arc;

use ironic_benches::{Figure, Target, service};
use ironic_core::MemoryStore;
use ironic_core::store::Repository;

use crate::store;

/// Set in that process.
const CHILD: &str = "IRONIC_BENCH_FOOTPRINT";

const NODES: usize = 10_000;
const RUNS: usize = 3;

/// In the process that is measured: does so and is true.
pub(crate) fn is_child() -> bool {
    if env::var_os(CHILD).is_none() {
        return false;
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let before = resident("self");
    let repository = Repository::new(Arc::new(MemoryStore::new()));
    runtime.block_on(async {
        for number in 0..NODES {
            repository.create(&store::node(number)).await.unwrap();
        }
    });
    println!("{}", resident("self") - before);
    true
}

/// Mebibytes that 10,000 nodes of about 1 KB take.
pub(crate) fn measure() -> Figure {
    let runs = (0..RUNS).map(|_| {
        let child = Command::new(env::current_exe().unwrap())
            .env(CHILD, "1")
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&child.stdout);
        text.trim().parse().unwrap()
    });
    let figure = Figure::of("10,000 nodes in memory", runs.collect(), "MiB");
    figure.unwrap().target(Target::AtMost(60.0))
}

/// The mebibytes that a process has in memory now.
pub(crate) fn resident(process: &str) -> f64 {
    service::resident(process, "VmRSS:").unwrap()
}

/// The most that this process has had in memory at a time.
pub(crate) fn peak() -> f64 {
    service::resident("self", "VmHWM:").unwrap()
}
