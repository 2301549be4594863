//! What is kept of a storm beside it: how many nodes do what, and what all of it takes up.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::sync::{Arc, Mutex};

use ironic_core::states::ProvisionState as S;
use ironic_core::store::{Batch, Kind, Op, Query, Store};
use ironic_core::testing::FaultyStore;
use serde::Deserialize;
use uuid::Uuid;

/// Counts what is limited with every commit, not now and then.
#[derive(Default)]
pub(super) struct Books {
    states: BTreeMap<Uuid, S>,
    deploying: BTreeSet<Uuid>,
    /// Those that somebody wanted cleaned or removed; automated cleaning has no limit.
    cleaning: BTreeSet<Uuid>,
    pub(super) most_deploying: usize,
    pub(super) most_cleaning: usize,
}

#[derive(Deserialize)]
struct Moved {
    #[serde(default)]
    provision_state: Option<S>,
    #[serde(default)]
    target_provision_state: Option<S>,
}

impl Books {
    /// Books over all that this store commits.
    pub(super) fn over(store: &FaultyStore) -> Arc<Mutex<Self>> {
        let books = Arc::new(Mutex::new(Self::default()));
        let noted = Arc::clone(&books);
        store.on_commit(move |_, batch| noted.lock().unwrap().note(batch));
        books
    }

    fn note(&mut self, batch: &Batch) {
        for op in &batch.ops {
            let Op::Put { record, .. } = op else { continue };
            if record.kind == Kind::Node {
                self.follow(record.id, &serde_json::from_str(record.body.get()).unwrap());
            }
        }
        self.most_deploying = self.most_deploying.max(self.deploying.len());
        self.most_cleaning = self.most_cleaning.max(self.cleaning.len());
    }

    fn follow(&mut self, node: Uuid, moved: &Moved) {
        let to = moved.provision_state.unwrap_or(S::Enroll);
        let from = self.states.insert(node, to).unwrap_or(S::Enroll);
        if matches!(to, S::Deploying | S::DeployWait) {
            self.deploying.insert(node);
        } else {
            self.deploying.remove(&node);
        }
        let cleans = |state| matches!(state, S::Deleting | S::Cleaning | S::CleanWait);
        let by_hand = moved.target_provision_state == Some(S::Manageable);
        if !cleans(to) {
            self.cleaning.remove(&node);
        } else if !cleans(from) && (to == S::Deleting || by_hand) {
            self.cleaning.insert(node);
        }
    }
}

/// What an engine takes up.
#[derive(Debug)]
pub(super) struct Holdings {
    pub(super) records: BTreeMap<Kind, u64>,
    /// Of the bodies of all nodes.
    pub(super) bytes: usize,
    /// Those of the runtime that have not ended.
    pub(super) tasks: usize,
    /// Kibibytes that the process has in memory, where the system tells.
    pub(super) resident: Option<u64>,
}

impl Holdings {
    pub(super) async fn of(store: &dyn Store) -> Self {
        let mut records = BTreeMap::new();
        let mut bytes = 0;
        for kind in Kind::ALL {
            let all = store.list(&Query::all(*kind)).await.unwrap();
            records.insert(*kind, all.len() as u64);
            if *kind == Kind::Node {
                bytes = all.iter().map(|one| one.body.get().len()).sum::<usize>();
            }
        }
        let metrics = tokio::runtime::Handle::current().metrics();
        Self {
            records,
            bytes,
            tasks: metrics.num_alive_tasks(),
            resident: resident(),
        }
    }
}

/// VmRSS of proc(5), where no other test shares the process.
fn resident() -> Option<u64> {
    #[allow(clippy::disallowed_methods, reason = "who runs the tests says how")]
    let alone = std::env::var("NEXTEST_EXECUTION_MODE").ok()?;
    if alone != "process-per-test" {
        return None;
    }
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.split_whitespace().next()?.parse().ok()
}
