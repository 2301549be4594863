use serde_json::json;

use super::StoreFactory;
use super::probe::{
    Probe, body, conflict, delete, duplicate, id, keyed, node, put, put_if, record,
};
use crate::store::{Batch, Expect, Fence, Filter, Kind, Query, StoreError};

async fn reopened(factory: &dyn StoreFactory) -> Option<Probe> {
    let store = factory.reopen().await?;
    Some(Probe { store })
}

pub(super) async fn what_was_committed_is_there_after_reopening(factory: &dyn StoreFactory) {
    let probe = Probe::fresh(factory).await;
    let mut sent = record(
        Kind::Node,
        id(1),
        json!({"name": "a", "extra": {"x": [1, "é"]}}),
    );
    sent.keys = keyed(1, &[("name", "a")]).keys;
    sent.schema = 4;
    let created = probe.put(sent.clone()).await;
    let revision = probe.put(sent.clone()).await;
    probe.put(node(2, "gone")).await;
    probe.put(keyed(3, &[("name", "b")])).await;
    probe.commit(vec![delete(Kind::Node, id(2))]).await;
    drop(probe);

    let Some(probe) = reopened(factory).await else {
        return;
    };
    let Some(stored) = probe.get(Kind::Node, id(1)).await else {
        panic!("the node is lost");
    };
    assert_eq!(body(&stored), body(&sent));
    assert_eq!(stored.keys, sent.keys);
    assert_eq!(stored.schema, 4);
    assert_eq!((stored.created, stored.revision), (created, revision));
    let order = probe.ids(&Query::all(Kind::Node)).await;
    assert_eq!(order, [id(1), id(3)], "the deleted one stays deleted");
    assert_eq!(probe.find(Kind::Node, "name", "b").await, Some(id(3)));
    let error = probe.refusal(vec![put(keyed(4, &[("name", "a")]))]).await;
    assert_eq!(error, duplicate(Kind::Node, "name", "a"));
}

pub(super) async fn revisions_go_on_after_reopening(factory: &dyn StoreFactory) {
    let probe = Probe::fresh(factory).await;
    probe.put(node(1, "a")).await;
    // The highest revision is on no record any more.
    let last = probe.commit(vec![delete(Kind::Node, id(1))]).await[0];
    drop(probe);
    let Some(probe) = reopened(factory).await else {
        return;
    };
    let next = probe.put(node(1, "b")).await;
    assert!(next > last, "{next:?} comes after {last:?}");
}

pub(super) async fn two_openings_are_one_store(factory: &dyn StoreFactory) {
    let one = Probe::fresh(factory).await;
    let Some(other) = reopened(factory).await else {
        return;
    };
    let read = one.put(keyed(1, &[("name", "a")])).await;
    assert_eq!(other.find(Kind::Node, "name", "a").await, Some(id(1)));
    let second = put_if(keyed(1, &[("name", "b")]), Expect::Revision(read));
    let written = other.commit(vec![second]).await[0];
    assert!(written > read);
    let late = put_if(node(1, "c"), Expect::Revision(read));
    assert_eq!(one.refusal(vec![late]).await, conflict(Kind::Node, id(1)));
    let taken = put(keyed(2, &[("name", "b")]));
    let error = one.refusal(vec![taken]).await;
    assert_eq!(error, duplicate(Kind::Node, "name", "b"));
    // A take-over through one opening fences the holder that writes through the other.
    let lock = |epoch: u64| {
        let body = json!({"epoch": epoch, "holder": "c"});
        record(Kind::Lock, id(1), body)
    };
    one.put(lock(1)).await;
    other.put(lock(2)).await;
    let fence = Fence {
        node: id(1),
        epoch: 1,
    };
    let error = one
        .fenced_refusal(Some(fence), vec![put(node(3, "x"))])
        .await;
    let expected = StoreError::Fenced {
        node: id(1),
        epoch: 1,
    };
    assert_eq!(error, expected);
    write_from_both(&one, &other).await;
}

/// Both openings write at once: all of it arrives.
async fn write_from_both(one: &Probe, other: &Probe) {
    let write = |probe: &Probe, from: u128| {
        let probe = probe.clone();
        tokio::spawn(async move {
            for n in from..from + 50 {
                let batch = Batch {
                    fence: None,
                    ops: vec![put_if(record(Kind::Port, id(n), json!({})), Expect::Absent)],
                };
                let answer = probe.store.commit(batch).await;
                assert!(
                    answer.is_ok(),
                    "two writers get in each other's way: {answer:?}"
                );
            }
        })
    };
    let (first, second) = (write(one, 0), write(other, 100));
    for writer in [first, second] {
        if let Err(error) = writer.await {
            panic!("a writer failed: {error}");
        }
    }
    for probe in [one, other] {
        assert_eq!(probe.count(Kind::Port, &Filter::All).await, 100);
    }
}
