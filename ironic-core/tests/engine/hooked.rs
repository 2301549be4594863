//! A store between which and its conductor somebody else has a hand in what is written.

use std::sync::Arc;

use async_trait::async_trait;
use ironic_core::store::{
    Batch, Filter, Kind, Query, Record, Revision, Store, StoreError, UniqueKey,
};
use uuid::Uuid;

/// What is done about a batch, instead of committing it or besides.
#[async_trait]
pub(crate) trait Hook: Send + Sync + 'static {
    async fn commit(&self, store: &dyn Store, batch: Batch) -> Result<Vec<Revision>, StoreError>;
}

/// A store with such a hand in it; reads go straight through.
pub(crate) struct Hooked<H> {
    inner: Arc<dyn Store>,
    pub(crate) hook: H,
}

impl<H: Hook> Hooked<H> {
    pub(crate) fn new(inner: Arc<dyn Store>, hook: H) -> Arc<Self> {
        Arc::new(Self { inner, hook })
    }
}

#[async_trait]
impl<H: Hook> Store for Hooked<H> {
    async fn get(&self, kind: Kind, id: Uuid) -> Result<Option<Record>, StoreError> {
        self.inner.get(kind, id).await
    }
    async fn find(&self, kind: Kind, key: &UniqueKey) -> Result<Option<Record>, StoreError> {
        self.inner.find(kind, key).await
    }
    async fn list(&self, query: &Query) -> Result<Vec<Record>, StoreError> {
        self.inner.list(query).await
    }
    async fn count(&self, kind: Kind, filter: &Filter) -> Result<u64, StoreError> {
        self.inner.count(kind, filter).await
    }
    async fn commit(&self, batch: Batch) -> Result<Vec<Revision>, StoreError> {
        self.hook.commit(&*self.inner, batch).await
    }
}
