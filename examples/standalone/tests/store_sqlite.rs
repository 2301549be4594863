//! SQLite keeps the contract: in a file, in memory, and through two openings of one file.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a failing test panics"
)]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use ironic_core::store::{
    Batch, Filter, Kind, Query, Record, Revision, Store, StoreError, UniqueKey,
};
use ironic_core::testing::StoreFactory;
use ironic_standalone::store::SqlStore;
use tempfile::TempDir;
use uuid::Uuid;

/// Databases in files, each new one in a file of its own.
struct Files {
    folder: TempDir,
    made: AtomicUsize,
}

impl Files {
    fn new() -> Self {
        Self {
            folder: TempDir::new().expect("a temporary folder can be made"),
            made: AtomicUsize::new(0),
        }
    }

    async fn open(&self) -> SqlStore {
        let n = self.made.load(Ordering::SeqCst);
        let path = self.folder.path().join(format!("{n}.db"));
        let url = format!("sqlite:{}", path.display());
        SqlStore::open(&url).await.expect("the file opens")
    }

    async fn create(&self) -> SqlStore {
        self.made.fetch_add(1, Ordering::SeqCst);
        self.open().await
    }
}

#[async_trait]
impl StoreFactory for Files {
    async fn fresh(&self) -> Arc<dyn Store> {
        Arc::new(self.create().await)
    }

    async fn reopen(&self) -> Option<Arc<dyn Store>> {
        Some(Arc::new(self.open().await))
    }

    async fn beside(&self) -> Option<Arc<dyn Store>> {
        self.reopen().await
    }
}

mod file {
    ironic_core::store_conformance!(super::Files::new());
}

/// Databases in memory.
struct Memory;

#[async_trait]
impl StoreFactory for Memory {
    async fn fresh(&self) -> Arc<dyn Store> {
        let store = SqlStore::open("sqlite::memory:").await;
        Arc::new(store.expect("memory opens"))
    }
}

mod memory {
    ironic_core::store_conformance!(super::Memory, volatile);
}

/// Two openings of one file that take turns: what goes through one has to be seen by the other.
struct InTurns {
    stores: [SqlStore; 2],
    calls: AtomicUsize,
}

impl InTurns {
    fn next(&self) -> &SqlStore {
        &self.stores[self.calls.fetch_add(1, Ordering::SeqCst) % 2]
    }
}

#[async_trait]
impl Store for InTurns {
    async fn get(&self, kind: Kind, id: Uuid) -> Result<Option<Record>, StoreError> {
        self.next().get(kind, id).await
    }

    async fn find(&self, kind: Kind, key: &UniqueKey) -> Result<Option<Record>, StoreError> {
        self.next().find(kind, key).await
    }

    async fn list(&self, query: &Query) -> Result<Vec<Record>, StoreError> {
        self.next().list(query).await
    }

    async fn count(&self, kind: Kind, filter: &Filter) -> Result<u64, StoreError> {
        self.next().count(kind, filter).await
    }

    async fn commit(&self, batch: Batch) -> Result<Vec<Revision>, StoreError> {
        self.next().commit(batch).await
    }
}

struct Pairs(Files);

impl Pairs {
    async fn pair(&self, first: SqlStore) -> Arc<dyn Store> {
        let stores = [first, self.0.open().await];
        let calls = AtomicUsize::new(0);
        Arc::new(InTurns { stores, calls })
    }
}

#[async_trait]
impl StoreFactory for Pairs {
    async fn fresh(&self) -> Arc<dyn Store> {
        self.pair(self.0.create().await).await
    }

    async fn reopen(&self) -> Option<Arc<dyn Store>> {
        Some(self.pair(self.0.open().await).await)
    }

    async fn beside(&self) -> Option<Arc<dyn Store>> {
        self.reopen().await
    }
}

mod two_openings {
    ironic_core::store_conformance!(super::Pairs(super::Files::new()));
}
