use serde_json::json;

use super::StoreFactory;
use super::probe::{Probe, body, delete, duplicate, id, keyed, node, put, record};
pub(super) use super::random::random_operations_survive_reopening;
use crate::store::{Batch, Filter, Kind, Query};
use crate::testing::polls::at_most_polls;

/// What was there, opened once more. That a store keeps nothing is said to
/// `store_conformance!`, which then leaves these cases out.
async fn reopened(factory: &dyn StoreFactory) -> Probe {
    let store = factory.reopen().await;
    let store = store.unwrap_or_else(|| panic!("the factory reopens nothing"));
    Probe { store }
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

    let probe = reopened(factory).await;
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
    let probe = reopened(factory).await;
    let next = probe.put(node(1, "b")).await;
    assert!(next > last, "{next:?} comes after {last:?}");
}

pub(super) async fn a_commit_cut_off_by_the_end_is_whole(factory: &dyn StoreFactory) {
    for polls in 0..12 {
        let probe = Probe::fresh(factory).await;
        let before = probe.put(keyed(1, &[("name", "before")])).await;
        let ops = vec![
            put(keyed(1, &[("name", "after")])),
            put(keyed(2, &[("name", "before")])),
            put(record(Kind::Port, id(2), json!({}))),
        ];
        let batch = Batch { fence: None, ops };
        at_most_polls(probe.store.commit(batch), polls).await;
        drop(probe);
        let probe = reopened(factory).await;
        // A store may still be at it in the background; it is decided by the next commit.
        probe.put(record(Kind::History, id(1), json!({}))).await;
        let happened = probe.get(Kind::Port, id(2)).await.is_some();
        let node = probe.get(Kind::Node, id(1)).await;
        let old = node.is_some_and(|node| node.revision == before);
        assert_eq!(happened, !old, "half of the batch is there");
        let owner = probe.find(Kind::Node, "name", "before").await;
        assert_eq!(owner, Some(id(if happened { 2 } else { 1 })));
        let nodes = probe.count(Kind::Node, &Filter::All).await;
        assert_eq!(nodes, 1 + u64::from(happened));
    }
}
