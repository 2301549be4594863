use serde_json::json;

use super::StoreFactory;
use super::probe::{Probe, conflict, delete, duplicate, id, keyed, put, put_if, record};
use crate::store::{Expect, Kind, Query, UniqueKey};

pub(super) async fn a_key_finds_its_record(factory: &dyn StoreFactory) {
    let probe = Probe::fresh(factory).await;
    probe
        .put(keyed(1, &[("name", "a"), ("instance_uuid", "i1")]))
        .await;
    probe.put(keyed(2, &[("name", "b")])).await;
    probe.put(keyed(3, &[])).await;
    for (field, value, expected) in [
        ("name", "a", Some(id(1))),
        ("instance_uuid", "i1", Some(id(1))),
        ("name", "b", Some(id(2))),
        ("name", "i1", None),
        ("instance_uuid", "a", None),
        ("name", "", None),
        ("name", "c", None),
        ("", "a", None),
    ] {
        let found = probe.find(Kind::Node, field, value).await;
        assert_eq!(found, expected, "the {field} {value}");
    }
    assert_eq!(probe.find(Kind::Port, "name", "a").await, None);
}

pub(super) async fn a_duplicate_names_the_key(factory: &dyn StoreFactory) {
    let probe = Probe::fresh(factory).await;
    probe
        .put(keyed(1, &[("name", "a"), ("instance_uuid", "i1")]))
        .await;
    let second = keyed(2, &[("name", "b"), ("instance_uuid", "i1")]);
    let error = probe
        .refusal(vec![put_if(second.clone(), Expect::Absent)])
        .await;
    assert_eq!(error, duplicate(Kind::Node, "instance_uuid", "i1"));
    // An update runs into it as well.
    probe.put(keyed(2, &[("name", "b")])).await;
    let error = probe.refusal(vec![put(second)]).await;
    assert_eq!(error, duplicate(Kind::Node, "instance_uuid", "i1"));
}

pub(super) async fn duplicates_within_a_batch_are_refused(factory: &dyn StoreFactory) {
    let probe = Probe::fresh(factory).await;
    let ops = vec![
        put(keyed(1, &[("name", "a")])),
        put(keyed(2, &[("name", "b")])),
        put(keyed(3, &[("name", "a")])),
    ];
    let error = probe.refusal(ops).await;
    assert_eq!(error, duplicate(Kind::Node, "name", "a"));
    let nodes = probe.ids(&Query::all(Kind::Node)).await;
    assert!(nodes.is_empty(), "{nodes:?} after the refused batch");
    // One record may name a key twice, and is found by it.
    probe
        .put(keyed(4, &[("name", "twice"), ("name", "twice")]))
        .await;
    let found = probe.find(Kind::Node, "name", "twice").await;
    assert_eq!(found, Some(id(4)));
}

pub(super) async fn keys_are_apart_by_kind_and_field(factory: &dyn StoreFactory) {
    let probe = Probe::fresh(factory).await;
    let mut port = record(Kind::Port, id(1), json!({}));
    port.keys = vec![UniqueKey::new("name", "a")];
    let ops = vec![
        put(keyed(1, &[("name", "a")])),
        put(keyed(2, &[("title", "a")])),
        put(port),
    ];
    probe.commit(ops).await;
    assert_eq!(probe.find(Kind::Node, "name", "a").await, Some(id(1)));
    assert_eq!(probe.find(Kind::Node, "title", "a").await, Some(id(2)));
    assert_eq!(probe.find(Kind::Port, "name", "a").await, Some(id(1)));
}

pub(super) async fn keys_follow_updates(factory: &dyn StoreFactory) {
    let probe = Probe::fresh(factory).await;
    probe.put(keyed(1, &[("name", "a"), ("mac", "m")])).await;
    // The same keys again are no duplicates of themselves.
    probe.put(keyed(1, &[("mac", "m"), ("name", "a")])).await;
    probe.put(keyed(1, &[("name", "b")])).await;
    assert_eq!(probe.find(Kind::Node, "name", "a").await, None);
    assert_eq!(probe.find(Kind::Node, "mac", "m").await, None);
    assert_eq!(probe.find(Kind::Node, "name", "b").await, Some(id(1)));
    probe.put(keyed(2, &[("name", "a"), ("mac", "m")])).await;
    assert_eq!(probe.find(Kind::Node, "name", "a").await, Some(id(2)));
    let error = probe.refusal(vec![put(keyed(2, &[("name", "b")]))]).await;
    assert_eq!(error, duplicate(Kind::Node, "name", "b"));
}

pub(super) async fn a_deletion_frees_keys(factory: &dyn StoreFactory) {
    let probe = Probe::fresh(factory).await;
    probe.put(keyed(1, &[("name", "a")])).await;
    probe.commit(vec![delete(Kind::Node, id(1))]).await;
    probe.put(keyed(2, &[("name", "a")])).await;
    // Within one batch, whichever comes first.
    let (gone, new) = (delete(Kind::Node, id(2)), put(keyed(3, &[("name", "a")])));
    probe.commit(vec![gone, new]).await;
    assert_eq!(probe.find(Kind::Node, "name", "a").await, Some(id(3)));
    let (gone, new) = (delete(Kind::Node, id(3)), put(keyed(4, &[("name", "a")])));
    probe.commit(vec![new, gone]).await;
    assert_eq!(probe.find(Kind::Node, "name", "a").await, Some(id(4)));
}

pub(super) async fn keys_swap_within_a_batch(factory: &dyn StoreFactory) {
    let probe = Probe::fresh(factory).await;
    for (n, name) in [(1, "a"), (2, "b"), (3, "c")] {
        probe.put(keyed(n, &[("name", name)])).await;
    }
    let swap = |one, other| {
        vec![
            put(keyed(1, &[("name", one)])),
            put(keyed(2, &[("name", other)])),
        ]
    };
    probe.commit(swap("b", "a")).await;
    assert_eq!(probe.find(Kind::Node, "name", "a").await, Some(id(2)));
    assert_eq!(probe.find(Kind::Node, "name", "b").await, Some(id(1)));
    // A swap that takes a third one's key as well is refused, and swaps nothing.
    let mut greedy = swap("a", "b");
    greedy.push(put(keyed(4, &[("name", "c")])));
    let error = probe.refusal(greedy).await;
    assert_eq!(error, duplicate(Kind::Node, "name", "c"));
    assert_eq!(probe.find(Kind::Node, "name", "a").await, Some(id(2)));
    // Round a ring of three.
    let ring = [(1, "c"), (2, "b"), (3, "a")];
    let ring = ring.map(|(n, name)| put(keyed(n, &[("name", name)])));
    probe.commit(ring.to_vec()).await;
    for (n, name) in [(1, "c"), (2, "b"), (3, "a")] {
        assert_eq!(probe.find(Kind::Node, "name", name).await, Some(id(n)));
    }
}

pub(super) async fn keys_are_compared_by_bytes(factory: &dyn StoreFactory) {
    let probe = Probe::fresh(factory).await;
    let values = [
        "a",
        "A",
        "a ",
        " a",
        "",
        "é",
        "e\u{301}",
        "É",
        "ß",
        "ss",
        "a\0",
        "a\0b",
        "1",
        "1.0",
        "01",
        "%",
        "_",
        "a'b",
        "a\"b",
        "\u{1f5a5}",
    ];
    for (n, value) in (1..).zip(values) {
        probe.put(keyed(n, &[("name", value)])).await;
    }
    for (n, value) in (1..).zip(values) {
        let found = probe.find(Kind::Node, "name", value).await;
        assert_eq!(found, Some(id(n)), "the name {value:?}");
    }
}

pub(super) async fn conflicts_go_before_duplicates(factory: &dyn StoreFactory) {
    let probe = Probe::fresh(factory).await;
    probe.put(keyed(1, &[("name", "a")])).await;
    probe.put(keyed(2, &[("name", "b")])).await;
    let ops = vec![
        put(keyed(3, &[("name", "a")])),
        put_if(keyed(2, &[("name", "b")]), Expect::Absent),
    ];
    assert_eq!(probe.refusal(ops).await, conflict(Kind::Node, id(2)));
}

pub(super) async fn a_refused_duplicate_changes_nothing(factory: &dyn StoreFactory) {
    let probe = Probe::fresh(factory).await;
    probe.put(keyed(1, &[("name", "a")])).await;
    probe.put(keyed(2, &[("name", "b")])).await;
    let ops = vec![
        put(keyed(2, &[("name", "c")])),
        put(keyed(3, &[("name", "d")])),
        put(keyed(4, &[("name", "a")])),
    ];
    let error = probe.refusal(ops).await;
    assert_eq!(error, duplicate(Kind::Node, "name", "a"));
    let nodes = probe.ids(&Query::all(Kind::Node)).await;
    assert_eq!(nodes, [id(1), id(2)]);
    for (name, expected) in [("a", Some(id(1))), ("b", Some(id(2))), ("c", None)] {
        let found = probe.find(Kind::Node, "name", name).await;
        assert_eq!(found, expected, "the name {name}");
    }
    // Neither c nor d has been left taken.
    probe.put(keyed(5, &[("name", "c")])).await;
    probe.put(keyed(6, &[("name", "d")])).await;
}
