use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use ironic_core::Uuid;
use ironic_core::store::{
    Batch, Filter, Kind, Query, Record, Revision, Store, StoreError, UniqueKey,
};

/// Counts how often somebody looks at a node: whoever is woken for one begins with that.
pub(super) struct LookedStore {
    store: Arc<dyn Store>,
    looks: AtomicU64,
}

impl LookedStore {
    pub(super) fn new(store: Arc<dyn Store>) -> Self {
        Self {
            store,
            looks: AtomicU64::new(0),
        }
    }

    pub(super) fn looks(&self) -> u64 {
        self.looks.load(Ordering::Relaxed)
    }
}

#[async_trait]
impl Store for LookedStore {
    async fn get(&self, kind: Kind, id: Uuid) -> Result<Option<Record>, StoreError> {
        if kind == Kind::Node {
            self.looks.fetch_add(1, Ordering::Relaxed);
        }
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
        self.store.commit(batch).await
    }
}
