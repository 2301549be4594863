//! A store that fails while a conductor starts: one that could not be started leaves nothing
//! running, and one that could goes on with what it could not reach at first.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use ironic_core::config::Config;
use ironic_core::driver::{Registry, fake, noop};
use ironic_core::model::{ConductorRecord, Lock};
use ironic_core::store::{
    Batch, Filter, Kind, MemoryStore, Op, Query, Record, Repository, Revision, Store, StoreError,
    UniqueKey,
};
use ironic_core::{Conductor, Timestamp};
use tokio::time::sleep;
use uuid::Uuid;

use crate::house::{House, enrolled};

/// A store that cannot list flows until it is mended, or does not let anybody take a node over.
#[derive(Default)]
struct Broken {
    inner: MemoryStore,
    mended: AtomicBool,
    keeps_locks: AtomicBool,
}

#[async_trait]
impl Store for Broken {
    async fn get(&self, kind: Kind, id: Uuid) -> Result<Option<Record>, StoreError> {
        self.inner.get(kind, id).await
    }
    async fn find(&self, kind: Kind, key: &UniqueKey) -> Result<Option<Record>, StoreError> {
        self.inner.find(kind, key).await
    }
    async fn list(&self, query: &Query) -> Result<Vec<Record>, StoreError> {
        if query.kind == Kind::Flow && !self.mended.load(Ordering::Relaxed) {
            return Err(StoreError::unavailable("broken"));
        }
        self.inner.list(query).await
    }
    async fn count(&self, kind: Kind, filter: &Filter) -> Result<u64, StoreError> {
        self.inner.count(kind, filter).await
    }
    async fn commit(&self, batch: Batch) -> Result<Vec<Revision>, StoreError> {
        let takes = |op: &Op| op.target().0 == Kind::Lock;
        if self.keeps_locks.load(Ordering::Relaxed) && batch.ops.iter().any(takes) {
            return Err(StoreError::unavailable("not now"));
        }
        self.inner.commit(batch).await
    }
}

#[tokio::test(start_paused = true)]
async fn it_does_not_go_on_beating_as_if_it_lived() {
    let store = Arc::new(Broken::default());
    let start = || {
        let fakes = fake::FakeBehaviour::new();
        let registry = fake::register(noop::register(Registry::builder()), &fakes);
        Conductor::builder()
            .store(store.clone())
            .registry(Arc::new(registry.build().unwrap()))
            .config(Config::new("cond-a"))
            .start()
    };
    assert!(start().await.is_err());
    let repository = Repository::new(store.clone());
    let record = || repository.load::<ConductorRecord>(ConductorRecord::id("cond-a"));
    let then = record().await.unwrap().value;
    assert!(!then.online, "nothing is to be asked of it");
    sleep(Duration::from_secs(120)).await;
    assert_eq!(record().await.unwrap().value.beat, then.beat);
    store.mended.store(true, Ordering::Relaxed);
    start().await.unwrap().stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_lock_of_an_earlier_life_that_could_not_be_taken_back_is_later() {
    let store = Arc::new(Broken::default());
    store.mended.store(true, Ordering::Relaxed);
    let house = House::over(store.clone());
    let before = house.conductor("cond-a").await;
    let node = enrolled(&house.client(&before)).await;
    before.stop().await.unwrap();
    let held = Lock::free(node).taken(
        "cond-a",
        Uuid::from_u128(9),
        "what it did",
        Timestamp::EPOCH,
    );
    let taken = |lock: &mut Lock| {
        let epoch = lock.epoch + 1;
        *lock = held.clone();
        lock.epoch = epoch;
        Ok(())
    };
    let repository = house.repository();
    if repository.get::<Lock>(node).await.unwrap().is_some() {
        repository
            .update::<Lock, ()>(node, None, taken)
            .await
            .unwrap();
    } else {
        repository.create(&held).await.unwrap();
    }
    store.keeps_locks.store(true, Ordering::Relaxed);
    let conductor = house.conductor("cond-a").await;
    let client = house.client(&conductor);
    sleep(Duration::from_secs(60)).await;
    assert!(client.reservation(node).await.unwrap().is_some());
    store.keeps_locks.store(false, Ordering::Relaxed);
    sleep(Duration::from_secs(60)).await;
    assert_eq!(client.reservation(node).await.unwrap(), None);
    conductor.stop().await.unwrap();
}
