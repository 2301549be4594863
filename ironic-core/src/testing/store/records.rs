use serde_json::json;

use super::StoreFactory;
use super::probe::{Probe, body, delete, id, node, put, record};
use crate::store::{Filter, Kind, Query, Revision, UniqueKey};

pub(super) async fn nothing_is_there_at_first(factory: &dyn StoreFactory) {
    let probe = Probe::fresh(factory).await;
    for kind in Kind::ALL {
        assert!(probe.get(*kind, id(1)).await.is_none(), "a {kind}");
        assert_eq!(probe.find(*kind, "name", "a").await, None, "a {kind}");
        assert!(probe.list(&Query::all(*kind)).await.is_empty(), "a {kind}");
        assert_eq!(probe.count(*kind, &Filter::All).await, 0, "a {kind}");
    }
}

pub(super) async fn a_record_comes_back_as_it_was_put(factory: &dyn StoreFactory) {
    let probe = Probe::fresh(factory).await;
    let value = json!({
        "name": "r1-u02", "maintenance": true, "empty": {}, "none": [], "null": null,
        "driver_info": {"address": "192.0.2.1", "nested": {"deep": [1, "two", [3.5], {"a": false}]}},
    });
    let mut sent = record(Kind::Node, id(7), value.clone());
    sent.schema = 3;
    sent.keys = vec![UniqueKey::new("name", "r1-u02"), UniqueKey::new("a", "b")];
    let keys = sent.keys.clone();
    let revision = probe.put(sent).await;

    let by_id = probe.get(Kind::Node, id(7)).await;
    let listed = probe.list(&Query::all(Kind::Node)).await;
    let by_key = probe.store.find(Kind::Node, &keys[1]).await;
    let by_key = by_key.ok().flatten();
    for (way, got) in [
        ("get", by_id.as_ref()),
        ("list", listed.first()),
        ("find", by_key.as_ref()),
    ] {
        let got = got.unwrap_or_else(|| panic!("{way} should give the record"));
        assert_eq!((got.kind, got.id), (Kind::Node, id(7)), "{way}");
        assert_eq!(body(got), value, "{way}");
        assert_eq!(got.schema, 3, "{way}");
        assert_eq!(got.keys, keys, "{way}");
        assert_eq!((got.created, got.revision), (revision, revision), "{way}");
    }
}

pub(super) async fn kinds_are_apart(factory: &dyn StoreFactory) {
    let probe = Probe::fresh(factory).await;
    for kind in Kind::ALL {
        let body = json!({"kind": kind.as_str()});
        probe.put(record(*kind, id(1), body)).await;
    }
    for kind in Kind::ALL {
        let expected = json!({"kind": kind.as_str()});
        assert_eq!(probe.body(*kind, id(1)).await, expected);
        assert_eq!(probe.ids(&Query::all(*kind)).await, [id(1)], "{kind}");
        assert_eq!(probe.count(*kind, &Filter::All).await, 1, "{kind}");
    }
    probe.commit(vec![delete(Kind::Node, id(1))]).await;
    for kind in Kind::ALL {
        let there = probe.get(*kind, id(1)).await.is_some();
        assert_eq!(there, *kind != Kind::Node, "{kind} after deleting the node");
    }
}

pub(super) async fn a_put_replaces_the_whole_body(factory: &dyn StoreFactory) {
    let probe = Probe::fresh(factory).await;
    let before = json!({"name": "a", "extra": {"x": 1, "y": 2}, "fault": "power failure"});
    let after = json!({"name": "a", "extra": {"y": 3}});
    probe.put(record(Kind::Node, id(1), before)).await;
    probe.put(record(Kind::Node, id(1), after.clone())).await;
    assert_eq!(probe.body(Kind::Node, id(1)).await, after);
}

pub(super) async fn the_answer_tells_the_revisions(factory: &dyn StoreFactory) {
    let probe = Probe::fresh(factory).await;
    probe.put(node(3, "c")).await;
    let ops = vec![
        put(node(1, "a")),
        delete(Kind::Node, id(3)),
        put(record(Kind::Port, id(2), json!({}))),
    ];
    let answer = probe.commit(ops).await;
    assert_eq!(answer.len(), 3, "one revision per operation");
    for (kind, n, revision) in [(Kind::Node, 1, answer[0]), (Kind::Port, 2, answer[2])] {
        let stored = probe.get(kind, id(n)).await.map(|r| r.revision);
        assert_eq!(stored, Some(revision), "{kind} {n}");
    }
}

pub(super) async fn revisions_rise_across_kinds(factory: &dyn StoreFactory) {
    let probe = Probe::fresh(factory).await;
    let mut highest = Revision(0);
    for round in 0..3 {
        for kind in Kind::ALL {
            let revision = probe.put(record(*kind, id(round % 2), json!({}))).await;
            assert!(revision > highest, "{revision:?} comes after {highest:?}");
            highest = revision;
        }
        let deleted = probe.commit(vec![delete(Kind::Port, id(round % 2))]).await;
        assert!(deleted[0] > highest, "a deletion is a write as well");
        highest = deleted[0];
    }
}

pub(super) async fn given_revisions_are_ignored(factory: &dyn StoreFactory) {
    let probe = Probe::fresh(factory).await;
    let mut sent = node(1, "a");
    sent.created = Revision(u64::MAX / 2);
    sent.revision = Revision(u64::MAX / 2);
    let revision = probe.put(sent.clone()).await;
    let stored = probe.get(Kind::Node, id(1)).await;
    let stored = stored.map(|r| (r.created, r.revision));
    assert_eq!(stored, Some((revision, revision)));
    assert!(revision < sent.revision, "the store counts by itself");
}

pub(super) async fn created_stays_over_updates(factory: &dyn StoreFactory) {
    let probe = Probe::fresh(factory).await;
    let created = probe.put(node(1, "a")).await;
    probe.put(node(2, "b")).await;
    for name in ["c", "d"] {
        let revision = probe.put(node(1, name)).await;
        let stored = probe.get(Kind::Node, id(1)).await;
        let stored = stored.map(|r| (r.created, r.revision));
        assert_eq!(stored, Some((created, revision)));
    }
    let order = probe.ids(&Query::all(Kind::Node)).await;
    assert_eq!(order, [id(1), id(2)], "an update moves nothing in a list");
}

pub(super) async fn created_is_new_after_a_deletion(factory: &dyn StoreFactory) {
    let probe = Probe::fresh(factory).await;
    probe.put(node(1, "a")).await;
    probe.put(node(2, "b")).await;
    let deleted = probe.commit(vec![delete(Kind::Node, id(1))]).await;
    let again = probe.put(node(1, "a")).await;
    assert!(again > deleted[0]);
    let stored = probe.get(Kind::Node, id(1)).await.map(|r| r.created);
    assert_eq!(stored, Some(again));
    let order = probe.ids(&Query::all(Kind::Node)).await;
    assert_eq!(order, [id(2), id(1)], "it is the newest now");
}

pub(super) async fn a_deleted_record_is_gone(factory: &dyn StoreFactory) {
    let probe = Probe::fresh(factory).await;
    let mut sent = node(1, "a");
    sent.keys = vec![UniqueKey::new("name", "a")];
    probe.put(sent).await;
    probe.put(node(2, "b")).await;
    probe.commit(vec![delete(Kind::Node, id(1))]).await;
    assert!(probe.get(Kind::Node, id(1)).await.is_none());
    assert_eq!(probe.find(Kind::Node, "name", "a").await, None);
    assert_eq!(probe.ids(&Query::all(Kind::Node)).await, [id(2)]);
    assert_eq!(probe.count(Kind::Node, &Filter::All).await, 1);
}

pub(super) async fn deleting_nothing_is_no_error(factory: &dyn StoreFactory) {
    let probe = Probe::fresh(factory).await;
    let before = probe.put(node(2, "b")).await;
    let answer = probe.commit(vec![delete(Kind::Node, id(1))]).await;
    assert_eq!(answer.len(), 1);
    assert!(answer[0] > before, "the revision at which it happened");
    assert_eq!(probe.ids(&Query::all(Kind::Node)).await, [id(2)]);
}

pub(super) async fn an_empty_batch_does_nothing(factory: &dyn StoreFactory) {
    let probe = Probe::fresh(factory).await;
    assert_eq!(probe.commit(Vec::new()).await, []);
    probe.put(node(1, "a")).await;
    assert_eq!(probe.commit(Vec::new()).await, []);
}

pub(super) async fn every_schema_is_kept(factory: &dyn StoreFactory) {
    let probe = Probe::fresh(factory).await;
    for schema in [0, 1, 0x7fff, 0x8000, u16::MAX] {
        let mut sent = node(1, "a");
        sent.schema = schema;
        probe.put(sent).await;
        let stored = probe.get(Kind::Node, id(1)).await.map(|r| r.schema);
        assert_eq!(stored, Some(schema));
    }
}
