//! How rates go with the number of nodes: for the plots.

use std::sync::Arc;

use ironic_benches::{Fleet, Series, Waiting, fill};
use ironic_core::store::{Kind, Query, Repository};
use ironic_core::{MemoryStore, Node, Store};
use tokio::runtime::Runtime;

use crate::{store, timing};

const AT_ONCE: [usize; 4] = [1, 8, 64, 512];
const LISTED: [usize; 3] = [100, 1_000, 10_000];

/// Lifecycles in a second, by how many nodes live at once.
pub(crate) fn lifecycles(runtime: &Runtime) -> Vec<Series> {
    let folder = tempfile::tempdir().unwrap();
    let sqlite = runtime.block_on(store::sqlite(folder.path()));
    let stores: [(&str, Arc<dyn Store>); 2] =
        [("memory", Arc::new(MemoryStore::new())), ("SQLite", sqlite)];
    let series = stores.map(|(name, store)| {
        let fleet = runtime.block_on(Fleet::start(store)).unwrap();
        let points = AT_ONCE.map(|nodes| {
            eprintln!("lifecycles, {nodes} at once, {name}");
            let live = || runtime.block_on(fleet.live(nodes, Waiting::Told)).unwrap();
            (nodes as f64, nodes as f64 / timing::seconds(live))
        });
        runtime.block_on(fleet.stop()).unwrap();
        Series::new(name, points.to_vec())
    });
    series.to_vec()
}

/// Milliseconds that a list takes, by how many nodes it has.
pub(crate) fn lists(runtime: &Runtime) -> Vec<Series> {
    let mut series = [
        "summaries, memory",
        "summaries, SQLite",
        "whole, memory",
        "whole, SQLite",
    ]
    .map(|name| Series::new(name, Vec::new()));
    for nodes in LISTED {
        let folder = tempfile::tempdir().unwrap();
        let sqlite = runtime.block_on(store::sqlite(folder.path()));
        let stores: [Arc<dyn Store>; 2] = [Arc::new(MemoryStore::new()), sqlite];
        for (number, store) in stores.into_iter().enumerate() {
            eprintln!("lists of {nodes}: {}", series[number].name);
            let repository = Repository::new(store);
            let stored = fill(&repository, (0..nodes).map(store::node));
            runtime.block_on(stored).unwrap();
            let query = Query::all(Kind::Node);
            let brief = timing::seconds(|| {
                let listed = runtime.block_on(repository.summaries(&query)).unwrap();
                assert_eq!(listed.len(), nodes);
            });
            let whole = timing::seconds(|| {
                let listed = runtime.block_on(repository.list::<Node>(&query)).unwrap();
                assert_eq!(listed.len(), nodes);
            });
            series[number].points.push((nodes as f64, brief * 1e3));
            series[number + 2].points.push((nodes as f64, whole * 1e3));
        }
    }
    series.to_vec()
}
