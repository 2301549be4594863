use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use ironic_core::store::{
    Batch, Expect, Filter, Kind, Op, Persistent, Query, Record, Repository, Revision, Store,
    StoreError, UniqueKey,
};
use ironic_core::{Node, Uuid};

/// The member of `extra` that is edited.
const NOTE: &str = "edits";

/// Every which write of a contended node comes too late.
const EVERY: u64 = 3;

/// A store in which somebody else changes a node just as the engine writes it: the conflicts are
/// the store's own.
pub(super) struct ContendedStore {
    store: Arc<dyn Store>,
    repository: Repository,
    /// How often each contended node was written, and edited.
    nodes: Mutex<BTreeMap<Uuid, (u64, u64)>>,
}

impl ContendedStore {
    pub(super) fn new(store: Arc<dyn Store>) -> Self {
        Self {
            repository: Repository::new(Arc::clone(&store)),
            store,
            nodes: Mutex::default(),
        }
    }

    /// Others edit this node from here on.
    pub(super) fn contend(&self, node: Uuid) {
        self.nodes().insert(node, (0, 0));
    }

    /// How many edits there were, if each is still to be seen on its node.
    pub(super) async fn edits(&self) -> Result<u64, ironic_core::Error> {
        let nodes = self.nodes().clone();
        let mut edits = 0;
        for (id, (_, edited)) in nodes {
            let node = self.repository.load::<Node>(id).await?;
            let seen = node.extra.get(NOTE).and_then(serde_json::Value::as_u64);
            if seen != Some(edited) {
                return Err(ironic_core::Error::internal(format!(
                    "node {id} was edited {edited} times, and has {seen:?}"
                )));
            }
            edits += edited;
        }
        Ok(edits)
    }

    fn nodes(&self) -> MutexGuard<'_, BTreeMap<Uuid, (u64, u64)>> {
        self.nodes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The number of the edit that comes before this write, if one does.
    fn edit_before(&self, op: &Op) -> Option<(Uuid, u64)> {
        let Op::Put { record, expect } = op else {
            return None;
        };
        if record.kind != Node::KIND || !matches!(expect, Expect::Revision(_)) {
            return None;
        }
        let mut nodes = self.nodes();
        let (writes, edits) = nodes.get_mut(&record.id)?;
        *writes += 1;
        if !writes.is_multiple_of(EVERY) {
            return None;
        }
        *edits += 1;
        Some((record.id, *edits))
    }
}

#[async_trait]
impl Store for ContendedStore {
    async fn get(&self, kind: Kind, id: Uuid) -> Result<Option<Record>, StoreError> {
        self.store.get(kind, id).await
    }

    async fn find(&self, kind: Kind, key: &UniqueKey) -> Result<Option<Record>, StoreError> {
        self.store.find(kind, key).await
    }

    async fn list(&self, query: &Query) -> Result<Vec<Record>, StoreError> {
        self.store.list(query).await
    }

    async fn count(&self, kind: Kind, filter: &Filter) -> Result<u64, StoreError> {
        self.store.count(kind, filter).await
    }

    async fn commit(&self, batch: Batch) -> Result<Vec<Revision>, StoreError> {
        let edit = batch.ops.iter().find_map(|op| self.edit_before(op));
        if let Some((node, number)) = edit {
            self.repository
                .update::<Node, ()>(node, None, |node| {
                    node.extra.insert(NOTE.to_owned(), number.into());
                    Ok(())
                })
                .await
                .map_err(|error| StoreError::unavailable(error.to_string()))?;
        }
        self.store.commit(batch).await
    }
}
