use serde_json::{Value, json};

use super::StoreFactory;
use super::probe::{Probe, id, node, put, record};
use crate::store::{Filter, Kind, Query};

pub(super) async fn the_default_order_is_creation(factory: &dyn StoreFactory) {
    let probe = Probe::fresh(factory).await;
    // Identities and names that say something else than the order of creation.
    for (n, name) in [(5, "e"), (2, "z"), (9, "a"), (1, "m")] {
        probe.put(node(n, name)).await;
    }
    probe.put(node(2, "updated")).await;
    let order = probe.sorted(&Query::all(Kind::Node)).await;
    assert_eq!(order, ["e", "updated", "a", "m"]);
    // What one batch creates is in the order of the identities, or in that of the batch where
    // a store counts each operation.
    let batch = [16, 14, 15].map(|n| put(node(n, &n.to_string())));
    let revisions = probe.commit(batch.to_vec()).await;
    let same = revisions.iter().all(|revision| *revision == revisions[0]);
    let order = probe.sorted(&Query::all(Kind::Node)).await;
    let expected = if same {
        ["14", "15", "16"]
    } else {
        ["16", "14", "15"]
    };
    assert_eq!(order[4..], expected);
}

async fn of_all_types(factory: &dyn StoreFactory) -> Probe {
    let probe = Probe::fresh(factory).await;
    let values = [
        ("'b'", json!("b")),
        ("2", json!(2)),
        ("true", json!(true)),
        ("[9]", json!([9])),
        ("'B'", json!("B")),
        ("10", json!(10)),
        ("null", Value::Null),
        ("'é'", json!("é")),
        ("false", json!(false)),
        ("{z:1}", json!({"z": 1})),
        ("-1.5", json!(-1.5)),
        ("'10'", json!("10")),
        ("2.0", json!(2.0)),
        ("'9'", json!("9")),
        ("true again", json!(true)),
    ];
    for (n, (name, value)) in (0..).zip(values) {
        probe.put_field(100 - n, name, value).await;
    }
    let absent = json!({"name": "absent"});
    probe.put(record(Kind::Node, id(1), absent)).await;
    probe
}

pub(super) async fn types_have_an_order(factory: &dyn StoreFactory) {
    let probe = of_all_types(factory).await;
    let query = Query::all(Kind::Node).sort_by("field", false);
    let order = [
        "[9]",
        "null",
        "{z:1}",
        "absent",
        "false",
        "true",
        "true again",
        "-1.5",
        "2",
        "2.0",
        "10",
        "'10'",
        "'9'",
        "'B'",
        "'b'",
        "'é'",
    ];
    assert_eq!(probe.sorted(&query).await, order);
}

pub(super) async fn descending_reverses_all_but_ties(factory: &dyn StoreFactory) {
    let probe = of_all_types(factory).await;
    let query = Query::all(Kind::Node).sort_by("field", true);
    let order = [
        "'é'",
        "'b'",
        "'B'",
        "'9'",
        "'10'",
        "10",
        "2",
        "2.0",
        "-1.5",
        "true",
        "true again",
        "false",
        "[9]",
        "null",
        "{z:1}",
        "absent",
    ];
    assert_eq!(probe.sorted(&query).await, order);
}

pub(super) async fn several_fields_sort_one_after_the_other(factory: &dyn StoreFactory) {
    let probe = Probe::fresh(factory).await;
    let rows = [
        ("1", json!("x"), json!(2)),
        ("2", json!("y"), json!(1)),
        ("3", json!("x"), json!(3)),
        ("4", json!(null), json!(1)),
        ("5", json!("y"), json!(2)),
        ("6", json!("x"), json!(2)),
    ];
    for (n, (name, class, rank)) in (0..).zip(rows) {
        let body = json!({"name": name, "class": class, "rank": rank});
        probe.put(record(Kind::Node, id(50 - n), body)).await;
    }
    for (descending, order) in [
        ((false, false), ["4", "1", "6", "3", "2", "5"]),
        ((false, true), ["4", "3", "1", "6", "5", "2"]),
        ((true, false), ["2", "5", "1", "6", "3", "4"]),
        ((true, true), ["5", "2", "3", "1", "6", "4"]),
    ] {
        let query = Query::all(Kind::Node)
            .sort_by("class", descending.0)
            .sort_by("rank", descending.1);
        assert_eq!(probe.sorted(&query).await, order, "{descending:?}");
    }
    let query = Query::all(Kind::Node)
        .filter(Filter::text("class", "x"))
        .sort_by("rank", true);
    assert_eq!(probe.sorted(&query).await, ["3", "1", "6"]);
}

pub(super) async fn sorting_reaches_into_objects(factory: &dyn StoreFactory) {
    let probe = Probe::fresh(factory).await;
    let bodies = [
        json!({"name": "1", "properties": {"cpus": 8}}),
        json!({"name": "2", "properties": {"cpus": 4}}),
        json!({"name": "3", "properties": [4]}),
        json!({"name": "4", "properties": {"cpus": "4"}}),
        json!({"name": "5", "properties.cpus": 1}),
    ];
    for (n, body) in (0..).zip(bodies) {
        probe.put(record(Kind::Node, id(n), body)).await;
    }
    let query = Query::all(Kind::Node).sort_by("properties.cpus", false);
    assert_eq!(probe.sorted(&query).await, ["3", "5", "2", "1", "4"]);
}
