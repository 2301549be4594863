//! A store that fails by a script keeps the contract while the script is empty, and fails as told.

#![allow(clippy::unwrap_used, reason = "a failing test panics")]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use ironic_core::store::{
    Batch, Expect, Kind, MemoryStore, Op, Query, Record, Revision, Store, StoreError,
};
use ironic_core::testing::{FaultyStore, Injected};
use serde_json::value::to_raw_value;
use uuid::Uuid;

ironic_core::store_conformance!(|| Arc::new(faulty()) as Arc<dyn Store>, volatile);

fn faulty() -> FaultyStore {
    FaultyStore::new(Arc::new(MemoryStore::new()))
}

fn batch(n: u128) -> Batch {
    let record = Record {
        kind: Kind::Node,
        id: Uuid::from_u128(n),
        created: Revision::default(),
        revision: Revision::default(),
        schema: 1,
        keys: Vec::new(),
        body: to_raw_value(&serde_json::json!({})).unwrap().into(),
    };
    let expect = Expect::Absent;
    Batch {
        fence: None,
        ops: vec![Op::Put { record, expect }],
    }
}

/// Commits the first five nodes one by one; which commits succeeded, and which nodes are there.
async fn commit_five(store: &FaultyStore) -> (Vec<bool>, Vec<u128>) {
    let mut succeeded = Vec::new();
    for n in 1..=5 {
        let answer = store.commit(batch(n)).await;
        if let Err(error) = &answer {
            assert!(error.is_retryable(), "{error}");
        }
        succeeded.push(answer.is_ok());
    }
    let there = store.list(&Query::all(Kind::Node)).await.unwrap();
    (succeeded, there.iter().map(|r| r.id.as_u128()).collect())
}

#[tokio::test]
async fn a_commit_fails_before_or_after_it_is_applied() {
    let store = faulty();
    store.inject(2, Injected::Before);
    store.inject(4, Injected::After);
    let (succeeded, there) = commit_five(&store).await;
    assert_eq!(succeeded, [true, false, true, false, true]);
    assert_eq!(there, [1, 3, 4, 5]);
    assert_eq!(store.commits(), 5);
}

#[tokio::test]
async fn a_lost_answer_of_a_refused_commit_stays_the_refusal() {
    let store = faulty();
    store.inject(2, Injected::After);
    assert!(store.commit(batch(1)).await.is_ok());
    let refused = store.commit(batch(1)).await;
    assert!(matches!(refused, Err(StoreError::Conflict { .. })));
}

#[tokio::test]
async fn all_fails_from_the_crash_on_until_it_is_healed() {
    let store = faulty();
    assert!(store.commit(batch(10)).await.is_ok());
    store.fail_after(2);
    let (succeeded, there) = commit_five(&store).await;
    assert_eq!(succeeded, [true, true, false, false, false]);
    assert_eq!(there, [10, 1, 2]);
    store.heal();
    assert!(store.commit(batch(3)).await.is_ok());
    assert_eq!(store.commits(), 7);
}

#[tokio::test(start_paused = true)]
async fn a_commit_is_delayed_on_tokios_clock() {
    let store = faulty();
    store.inject(1, Injected::Delay(Duration::from_secs(30)));
    let before = tokio::time::Instant::now();
    assert!(store.commit(batch(1)).await.is_ok());
    assert_eq!(before.elapsed(), Duration::from_secs(30));
}

#[tokio::test]
async fn the_crash_point_is_called_after_each_applied_commit() {
    let store = faulty();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let calls = seen.clone();
    store.on_commit(move |n, batch| calls.lock().unwrap().push((n, batch.ops.len())));
    store.inject(2, Injected::Before);
    store.inject(3, Injected::After);
    commit_five(&store).await;
    assert_eq!(*seen.lock().unwrap(), [(1, 1), (3, 1), (4, 1), (5, 1)]);
}

#[tokio::test(start_paused = true)]
async fn a_killed_process_gets_no_answer() {
    let store = Arc::new(faulty());
    store.die_after(2);
    let patience = Duration::from_secs(1);
    assert!(store.commit(batch(1)).await.is_ok());
    assert!(!store.is_dead());
    let second = tokio::time::timeout(patience, store.commit(batch(2))).await;
    assert!(second.is_err(), "applied, and never answered");
    let third = tokio::time::timeout(patience, store.commit(batch(3))).await;
    assert!(third.is_err(), "not applied");
    let all = Query::all(Kind::Node);
    assert!(
        tokio::time::timeout(patience, store.list(&all))
            .await
            .is_err()
    );
    store.heal();
    let there = store.list(&all).await.unwrap();
    let there: Vec<_> = there.iter().map(|r| r.id.as_u128()).collect();
    assert_eq!(there, [1, 2]);
}
