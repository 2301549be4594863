use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use ironic_core::Uuid;
use ironic_core::store::{
    Batch, Filter, Kind, Op, Query, Record, Revision, Store, StoreError, UniqueKey,
};

/// Counts what is asked of a store.
pub struct CountingStore {
    store: Arc<dyn Store>,
    reads: AtomicU64,
    commits: AtomicU64,
    keep_alives: AtomicU64,
    records: AtomicU64,
    bytes: AtomicU64,
}

/// What has been asked of a [`CountingStore`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Counts {
    /// Calls that read.
    pub reads: u64,
    /// Batches, refused ones included.
    pub commits: u64,
    /// Those of them that are about conductors alone.
    pub keep_alives: u64,
    /// Records written or removed by them.
    pub records: u64,
    /// Bytes of JSON in those written.
    pub bytes: u64,
}

impl CountingStore {
    /// Counts what goes to this store.
    pub fn new(store: Arc<dyn Store>) -> Self {
        Self {
            store,
            reads: AtomicU64::new(0),
            commits: AtomicU64::new(0),
            keep_alives: AtomicU64::new(0),
            records: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
        }
    }

    /// What has been counted so far.
    pub fn counts(&self) -> Counts {
        Counts {
            reads: self.reads.load(Ordering::Relaxed),
            commits: self.commits.load(Ordering::Relaxed),
            keep_alives: self.keep_alives.load(Ordering::Relaxed),
            records: self.records.load(Ordering::Relaxed),
            bytes: self.bytes.load(Ordering::Relaxed),
        }
    }

    fn read(&self) -> &dyn Store {
        self.reads.fetch_add(1, Ordering::Relaxed);
        &*self.store
    }
}

impl Counts {
    /// Batches that are about nodes.
    pub fn node_commits(&self) -> u64 {
        self.commits - self.keep_alives
    }
}

fn kind(op: &Op) -> Kind {
    match op {
        Op::Put { record, .. } => record.kind,
        Op::Delete { kind, .. } => *kind,
    }
}

impl std::fmt::Debug for CountingStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.counts().fmt(f)
    }
}

#[async_trait]
impl Store for CountingStore {
    async fn get(&self, kind: Kind, id: Uuid) -> Result<Option<Record>, StoreError> {
        self.read().get(kind, id).await
    }

    async fn find(&self, kind: Kind, key: &UniqueKey) -> Result<Option<Record>, StoreError> {
        self.read().find(kind, key).await
    }

    async fn list(&self, query: &Query) -> Result<Vec<Record>, StoreError> {
        self.read().list(query).await
    }

    async fn count(&self, kind: Kind, filter: &Filter) -> Result<u64, StoreError> {
        self.read().count(kind, filter).await
    }

    async fn commit(&self, batch: Batch) -> Result<Vec<Revision>, StoreError> {
        self.commits.fetch_add(1, Ordering::Relaxed);
        let of_conductors = batch.ops.iter().all(|op| kind(op) == Kind::Conductor);
        self.keep_alives
            .fetch_add(u64::from(of_conductors), Ordering::Relaxed);
        self.records
            .fetch_add(batch.ops.len() as u64, Ordering::Relaxed);
        let bytes = batch.ops.iter().map(|op| match op {
            Op::Put { record, .. } => record.body.get().len() as u64,
            Op::Delete { .. } => 0,
        });
        self.bytes.fetch_add(bytes.sum(), Ordering::Relaxed);
        self.store.commit(batch).await
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use ironic_core::model::ConductorRecord;
    use ironic_core::store::Repository;
    use ironic_core::{MemoryStore, Node, Uuid};

    use super::{CountingStore, Counts};

    #[tokio::test]
    async fn what_is_asked_is_counted() {
        let store = Arc::new(CountingStore::new(Arc::new(MemoryStore::new())));
        let repository = Repository::new(store.clone());
        let node = Node::new(Uuid::nil(), "fake-hardware");
        repository.create(&node).await.unwrap();
        repository.load::<Node>(node.uuid).await.unwrap();
        let bytes = serde_json::to_string(&node).unwrap().len() as u64;
        let expected = Counts {
            reads: 1,
            commits: 1,
            records: 1,
            bytes,
            ..Counts::default()
        };
        assert_eq!(store.counts(), expected);
        repository.delete::<Node>(node.uuid).await.unwrap();
        let expected = Counts {
            commits: 2,
            records: 2,
            ..expected
        };
        assert_eq!(store.counts(), expected);
        let beat = ConductorRecord::new("somebody", Uuid::nil());
        repository.create(&beat).await.unwrap();
        assert_eq!(store.counts().keep_alives, 1);
        assert_eq!(store.counts().node_commits(), 2);
    }
}
