//! A conductor that has lost a node's lock, or never knew whether it had it, leaves the lock to
//! whoever holds it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use ironic_core::model::Lock;
use ironic_core::store::{Batch, MemoryStore, Op, Revision, Store, StoreError};
use ironic_core::task::Patience;
use ironic_core::testing::{FaultyStore, Injected};
use ironic_core::{ErrorKind, Timestamp};
use serde_json::{Value, json};
use tokio::time::Instant;
use uuid::Uuid;

use crate::hooked::{Hook, Hooked};
use crate::house::House;
use crate::locks::{quiet, settle};

async fn holder(house: &House) -> Option<String> {
    let locks = house.locks().await;
    locks.into_iter().next().and_then(|lock| lock.holder)
}

#[tokio::test(start_paused = true)]
async fn what_another_conductor_has_taken_over_is_not_given_back() {
    let (house, conductor, node) = quiet(Arc::new(MemoryStore::new())).await;
    let tasks = conductor.tasks();
    for released in [true, false] {
        let task = tasks.exclusive(node, "test").await.unwrap();
        let taken_over = |lock: &mut Lock| {
            *lock = lock.taken("cond-b", Uuid::from_u128(9), "recovery", Timestamp::EPOCH);
            Ok(())
        };
        let repository = house.repository();
        let update = repository.update::<Lock, ()>(node, None, taken_over);
        update.await.unwrap();
        if released {
            tasks.release(task).await.unwrap();
        } else {
            drop(task);
        }
        settle().await;
        assert_eq!(holder(&house).await.as_deref(), Some("cond-b"));
        let given_back = |lock: &mut Lock| {
            *lock = lock.released();
            Ok(())
        };
        let update = repository.update::<Lock, ()>(node, None, given_back);
        update.await.unwrap();
    }
    conductor.stop().await.unwrap();
}

/// Once, another conductor is faster: it gets the lock in the place of the one that asked, at the
/// same epoch, and the one that asked is not told.
#[derive(Default)]
struct Overtaken {
    once: AtomicBool,
}

#[async_trait]
impl Hook for Overtaken {
    async fn commit(
        &self,
        store: &dyn Store,
        mut batch: Batch,
    ) -> Result<Vec<Revision>, StoreError> {
        if !self.once.swap(false, Ordering::SeqCst) {
            return store.commit(batch).await;
        }
        let [Op::Put { record, .. }] = &mut *batch.ops else {
            panic!("not a lock that is being acquired: {batch:?}");
        };
        let mut lock: Value = serde_json::from_str(record.body.get()).unwrap();
        lock["holder"] = json!("cond-b");
        lock["claim"] = json!(Uuid::from_u128(9));
        record.body = serde_json::value::to_raw_value(&lock).unwrap().into();
        store.commit(batch).await?;
        Err(StoreError::unavailable("the connection is gone"))
    }
}

#[tokio::test(start_paused = true)]
async fn who_does_not_know_whether_it_got_the_lock_leaves_it_to_who_did() {
    let store = Hooked::new(Arc::new(MemoryStore::new()), Overtaken::default());
    let (house, conductor, node) = quiet(store.clone()).await;
    store.hook.once.store(true, Ordering::SeqCst);
    let error = conductor
        .tasks()
        .try_exclusive(node, "test")
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unreachable, "{error}");
    settle().await;
    assert_eq!(holder(&house).await.as_deref(), Some("cond-b"));
    conductor.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_lock_that_was_acquired_unknown_to_its_owner_goes_to_the_next_at_once() {
    let store = Arc::new(FaultyStore::new(Arc::new(MemoryStore::new())));
    let (_house, conductor, node) = quiet(store.clone()).await;
    let tasks = conductor.tasks();
    store.inject(store.commits() + 1, Injected::After);
    let first = tasks.acquire(node, "loses its answer", Patience::None);
    let second = tasks.acquire(node, "is next", Patience::Unlimited);
    let began = Instant::now();
    let (first, second) = tokio::join!(biased; first, second);
    assert_eq!(first.unwrap_err().kind(), ErrorKind::Unreachable);
    assert!(
        began.elapsed() < Duration::from_millis(5),
        "{:?}",
        began.elapsed()
    );
    tasks.release(second.unwrap()).await.unwrap();
    conductor.stop().await.unwrap();
}
