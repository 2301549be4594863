use serde_json::json;

use super::StoreFactory;
use super::probe::{Probe, conflict, delete, delete_if, id, node, put, put_if, record};
use crate::store::{Expect, Kind, Query, Revision};

pub(super) async fn absent_refuses_what_exists(factory: &dyn StoreFactory) {
    let probe = Probe::fresh(factory).await;
    probe
        .commit(vec![put_if(node(1, "a"), Expect::Absent)])
        .await;
    let error = probe
        .refusal(vec![put_if(node(1, "b"), Expect::Absent)])
        .await;
    assert_eq!(error, conflict(Kind::Node, id(1)));
    assert_eq!(
        probe.body(Kind::Node, id(1)).await,
        json!({"name": "a"}),
        "the refused put should have changed nothing"
    );
    probe.commit(vec![delete(Kind::Node, id(1))]).await;
    probe
        .commit(vec![put_if(node(1, "c"), Expect::Absent)])
        .await;
}

pub(super) async fn a_revision_refuses_any_other(factory: &dyn StoreFactory) {
    let probe = Probe::fresh(factory).await;
    let first = probe.put(node(1, "a")).await;
    let second = probe.put(node(1, "b")).await;
    let others = [
        Revision(0),
        first,
        Revision(second.0 + 1),
        Revision(second.0 + 1000),
    ];
    for other in others {
        let op = put_if(node(1, "x"), Expect::Revision(other));
        let error = probe.refusal(vec![op]).await;
        assert_eq!(error, conflict(Kind::Node, id(1)), "{other:?}");
    }
    for absent in [Revision(0), first, second] {
        let op = put_if(node(2, "x"), Expect::Revision(absent));
        let error = probe.refusal(vec![op]).await;
        assert_eq!(
            error,
            conflict(Kind::Node, id(2)),
            "there is no such record"
        );
    }
    let op = put_if(node(1, "c"), Expect::Revision(second));
    let third = probe.commit(vec![op]).await;
    assert!(third[0] > second);
    assert_eq!(probe.body(Kind::Node, id(1)).await, json!({"name": "c"}));
}

pub(super) async fn any_accepts_everything(factory: &dyn StoreFactory) {
    let probe = Probe::fresh(factory).await;
    for name in ["absent", "present", "present again"] {
        probe.put(node(1, name)).await;
        assert_eq!(probe.body(Kind::Node, id(1)).await, json!({ "name": name }));
    }
}

pub(super) async fn a_lost_update_is_refused(factory: &dyn StoreFactory) {
    let probe = Probe::fresh(factory).await;
    let read = probe.put(node(1, "before")).await;
    // Two read the same revision and write one after the other.
    let first = put_if(node(1, "first"), Expect::Revision(read));
    let second = put_if(node(1, "second"), Expect::Revision(read));
    probe.commit(vec![first]).await;
    let error = probe.refusal(vec![second]).await;
    assert_eq!(error, conflict(Kind::Node, id(1)));
    let body = probe.body(Kind::Node, id(1)).await;
    assert_eq!(body, json!({"name": "first"}), "the first update is lost");
}

pub(super) async fn a_deletion_minds_its_expectation(factory: &dyn StoreFactory) {
    let probe = Probe::fresh(factory).await;
    let old = probe.put(node(1, "a")).await;
    let new = probe.put(node(1, "b")).await;
    for (n, expect) in [
        (1, Expect::Revision(old)),
        (1, Expect::Absent),
        (2, Expect::Revision(new)),
    ] {
        let error = probe
            .refusal(vec![delete_if(Kind::Node, id(n), expect)])
            .await;
        assert_eq!(error, conflict(Kind::Node, id(n)), "{expect:?}");
    }
    let absent = delete_if(Kind::Node, id(2), Expect::Absent);
    let current = delete_if(Kind::Node, id(1), Expect::Revision(new));
    probe.commit(vec![absent, current]).await;
    assert!(probe.get(Kind::Node, id(1)).await.is_none());
}

pub(super) async fn a_conflict_names_the_record(factory: &dyn StoreFactory) {
    let probe = Probe::fresh(factory).await;
    let revision = probe.put(node(1, "a")).await;
    probe.put(record(Kind::Flow, id(1), json!({}))).await;
    let ops = vec![
        put_if(node(1, "b"), Expect::Revision(revision)),
        put_if(record(Kind::Port, id(5), json!({})), Expect::Absent),
        put_if(record(Kind::Flow, id(1), json!({})), Expect::Absent),
        put(node(3, "c")),
    ];
    assert_eq!(probe.refusal(ops).await, conflict(Kind::Flow, id(1)));
}

pub(super) async fn a_refused_batch_changes_nothing(factory: &dyn StoreFactory) {
    let probe = Probe::fresh(factory).await;
    let revision = probe.put(node(1, "a")).await;
    probe.put(node(2, "b")).await;
    let wrong = put_if(node(1, "x"), Expect::Absent);
    let others = [
        put(node(2, "x")),
        put(node(3, "x")),
        delete(Kind::Node, id(2)),
        put(record(Kind::Flow, id(9), json!({}))),
    ];
    // The wrong operation at the end, at the start and between: order must not matter.
    for ops in [
        vec![others[0].clone(), others[1].clone(), wrong.clone()],
        vec![wrong.clone(), others[2].clone(), others[3].clone()],
        vec![others[3].clone(), wrong.clone(), others[1].clone()],
    ] {
        let error = probe.refusal(ops.clone()).await;
        assert_eq!(error, conflict(Kind::Node, id(1)));
        let nodes = probe.sorted(&Query::all(Kind::Node)).await;
        assert_eq!(nodes, ["a", "b"], "after the refused batch {ops:?}");
        let flows = probe.ids(&Query::all(Kind::Flow)).await;
        assert!(
            flows.is_empty(),
            "{flows:?} after the refused batch {ops:?}"
        );
    }
    // The node's revision is still the one that was answered.
    probe
        .commit(vec![put_if(node(1, "c"), Expect::Revision(revision))])
        .await;
}

pub(super) async fn a_record_named_twice_is_refused(factory: &dyn StoreFactory) {
    let probe = Probe::fresh(factory).await;
    for second in [put(node(1, "b")), delete(Kind::Node, id(1))] {
        let error = probe.refusal(vec![put(node(1, "a")), second]).await;
        assert_eq!(error, conflict(Kind::Node, id(1)));
        assert!(probe.get(Kind::Node, id(1)).await.is_none());
    }
    // The same id in another kind is another record.
    let port = put(record(Kind::Port, id(1), json!({})));
    probe.commit(vec![put(node(1, "a")), port]).await;
}
