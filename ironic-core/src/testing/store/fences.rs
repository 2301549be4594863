use serde_json::{Value, json};
use uuid::Uuid;

use super::StoreFactory;
use super::probe::{Probe, delete, id, keyed, node, put, put_if, record};
use crate::store::{Batch, Expect, Fence, Kind, Query, Record, StoreError};

/// The lock of the first node, in the hands of somebody or nobody.
fn lock(epoch: u64, holder: Value) -> Record {
    let body = json!({"uuid": id(1), "epoch": epoch, "holder": holder});
    record(Kind::Lock, id(1), body)
}

fn fence(node: Uuid, epoch: u64) -> Option<Fence> {
    Some(Fence { node, epoch })
}

fn fenced(node: Uuid, epoch: u64) -> StoreError {
    StoreError::Fenced { node, epoch }
}

async fn with_lock(factory: &dyn StoreFactory, lock: Record) -> Probe {
    let probe = Probe::fresh(factory).await;
    probe.put(lock).await;
    probe
}

pub(super) async fn the_holder_passes(factory: &dyn StoreFactory) {
    let probe = with_lock(factory, lock(3, json!("conductor-1"))).await;
    for n in 1..3 {
        // A fence guards whatever the batch writes, not only the node.
        let batch = Batch {
            fence: fence(id(1), 3),
            ops: vec![put(node(n, "a")), put(record(Kind::Flow, id(n), json!({})))],
        };
        let answer = probe.store.commit(batch).await;
        assert!(answer.is_ok(), "the holder's batch is refused: {answer:?}");
    }
    // The largest epoch that JSON numbers of this engine carry.
    probe.put(lock(u64::MAX, json!("conductor-1"))).await;
    let batch = Batch {
        fence: fence(id(1), u64::MAX),
        ops: vec![put(node(3, "a"))],
    };
    assert!(probe.store.commit(batch).await.is_ok());
    let error = probe
        .fenced_refusal(fence(id(1), u64::MAX - 1), vec![put(node(4, "a"))])
        .await;
    assert_eq!(error, fenced(id(1), u64::MAX - 1));
}

pub(super) async fn another_epoch_is_fenced(factory: &dyn StoreFactory) {
    let probe = with_lock(factory, lock(3, json!("conductor-1"))).await;
    for epoch in [0, 2, 4, u64::MAX] {
        let error = probe
            .fenced_refusal(fence(id(1), epoch), vec![put(node(1, "x"))])
            .await;
        assert_eq!(error, fenced(id(1), epoch));
    }
    assert!(probe.get(Kind::Node, id(1)).await.is_none());
}

pub(super) async fn a_free_or_missing_lock_is_fenced(factory: &dyn StoreFactory) {
    let probe = Probe::fresh(factory).await;
    let ops = || vec![put(node(1, "x"))];
    let error = probe.fenced_refusal(fence(id(1), 0), ops()).await;
    assert_eq!(error, fenced(id(1), 0), "there is no lock");
    probe.put(lock(3, Value::Null)).await;
    let error = probe.fenced_refusal(fence(id(1), 3), ops()).await;
    assert_eq!(error, fenced(id(1), 3), "the holder is null");
    probe
        .put(record(Kind::Lock, id(1), json!({"epoch": 3})))
        .await;
    let error = probe.fenced_refusal(fence(id(1), 3), ops()).await;
    assert_eq!(error, fenced(id(1), 3), "there is no holder");
    // A record of another kind is no lock, whatever it looks like.
    let body = json!({"epoch": 3, "holder": "conductor-1"});
    probe.put(record(Kind::Node, id(2), body)).await;
    let error = probe.fenced_refusal(fence(id(2), 3), ops()).await;
    assert_eq!(error, fenced(id(2), 3));
}

pub(super) async fn another_nodes_lock_does_not_count(factory: &dyn StoreFactory) {
    let probe = with_lock(factory, lock(3, json!("conductor-1"))).await;
    let error = probe
        .fenced_refusal(fence(id(2), 3), vec![put(node(2, "x"))])
        .await;
    assert_eq!(error, fenced(id(2), 3));
}

pub(super) async fn the_fence_goes_before_all_else(factory: &dyn StoreFactory) {
    let probe = with_lock(factory, lock(3, json!("conductor-1"))).await;
    probe.put(keyed(1, &[("name", "a")])).await;
    for ops in [
        vec![],
        vec![put_if(node(1, "x"), Expect::Absent)],
        vec![put(keyed(2, &[("name", "a")]))],
        vec![put(node(2, "x")), put(node(2, "y"))],
    ] {
        let error = probe.fenced_refusal(fence(id(1), 2), ops.clone()).await;
        assert_eq!(error, fenced(id(1), 2), "{ops:?}");
    }
}

pub(super) async fn the_fence_is_judged_before_the_batch(factory: &dyn StoreFactory) {
    let probe = with_lock(factory, lock(3, json!("conductor-1"))).await;
    // The last batch of a task gives the lock back: the fence still holds for it.
    let batch = Batch {
        fence: fence(id(1), 3),
        ops: vec![put(lock(3, Value::Null)), put(node(1, "a"))],
    };
    let answer = probe.store.commit(batch).await;
    assert!(answer.is_ok(), "the release is refused: {answer:?}");
    assert!(probe.get(Kind::Node, id(1)).await.is_some());
    // A batch cannot take the lock that it is fenced by.
    let ops = vec![put(lock(4, json!("conductor-1"))), put(node(2, "x"))];
    let error = probe.fenced_refusal(fence(id(1), 4), ops).await;
    assert_eq!(error, fenced(id(1), 4));
    // Deleting the lock is giving it back as well.
    probe.put(lock(5, json!("conductor-2"))).await;
    let batch = Batch {
        fence: fence(id(1), 5),
        ops: vec![delete(Kind::Lock, id(1)), delete(Kind::Node, id(1))],
    };
    let answer = probe.store.commit(batch).await;
    assert!(answer.is_ok(), "the deletion is refused: {answer:?}");
}

pub(super) async fn a_fenced_batch_changes_nothing(factory: &dyn StoreFactory) {
    let probe = with_lock(factory, lock(3, json!("conductor-1"))).await;
    probe.put(keyed(1, &[("name", "a")])).await;
    // Somebody takes over; the old holder does not know it yet.
    probe.put(lock(4, json!("conductor-2"))).await;
    let ops = vec![
        put(keyed(1, &[("name", "x")])),
        put(node(2, "x")),
        put(lock(3, Value::Null)),
    ];
    let error = probe.fenced_refusal(fence(id(1), 3), ops).await;
    assert_eq!(error, fenced(id(1), 3));
    assert_eq!(probe.ids(&Query::all(Kind::Node)).await, [id(1)]);
    assert_eq!(probe.find(Kind::Node, "name", "a").await, Some(id(1)));
    let lock = probe.body(Kind::Lock, id(1)).await;
    assert_eq!(lock["epoch"], 4, "the new holder keeps the lock");
}
