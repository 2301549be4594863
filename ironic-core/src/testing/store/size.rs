use serde_json::{Value, json};

use super::StoreFactory;
use super::probe::{Probe, conflict, id, keyed, node, put, put_if, record};
use crate::store::{Expect, Filter, Kind, Op, Query, Scalar};

pub(super) async fn large_records_are_kept(factory: &dyn StoreFactory) {
    let probe = Probe::fresh(factory).await;
    let large = "0123456789abcdef".repeat(1 << 18);
    let many: Vec<_> = (0..100_000).collect();
    let value = json!({"name": "large", "text": large, "many": many});
    let large_one = record(Kind::Inventory, id(1), value.clone());
    probe.put(large_one).await;
    assert!(probe.body(Kind::Inventory, id(1)).await == value);
    let found = Query::all(Kind::Inventory).filter(Filter::text("text", large));
    assert_eq!(probe.ids(&found).await, [id(1)], "found by 4 MiB of text");
    let last = Filter::Contains("many".into(), Scalar::Number(99_999.0));
    let count = probe.count(Kind::Inventory, &last).await;
    assert_eq!(count, 1, "found by the last of many");
}

pub(super) async fn large_records_travel_together(factory: &dyn StoreFactory) {
    const EACH: u128 = 8;
    let probe = Probe::fresh(factory).await;
    let text = |n: u128| n.to_string().repeat(1 << 20);
    let large = |n| record(Kind::Inventory, id(n), json!({"text": text(n)}));
    let ops = (0..EACH).map(|n| put(large(n)));
    probe.commit(ops.collect()).await;
    // Eight MiB that are refused leave nothing behind.
    let mut refused: Vec<_> = (EACH..2 * EACH).map(|n| put(large(n))).collect();
    refused.push(put_if(large(0), Expect::Absent));
    let error = probe.refusal(refused).await;
    assert_eq!(error, conflict(Kind::Inventory, id(0)));
    let listed = probe.list(&Query::all(Kind::Inventory)).await;
    assert_eq!(listed.len() as u128, EACH);
    for (n, record) in (0..).zip(&listed) {
        let expected = json!({"text": text(n)}).to_string();
        assert!(record.body.get() == expected, "the {n}th is another");
    }
}

pub(super) async fn nested_bodies_are_kept(factory: &dyn StoreFactory) {
    /// With the body itself as deep as the contract lets one be.
    const DEPTH: usize = 99;
    let probe = Probe::fresh(factory).await;
    let nest = |inner: &str, wrap: fn(Value) -> Value| {
        (0..DEPTH).fold(json!(inner), |value, _| wrap(value))
    };
    let objects = nest("found", |value| json!({ "a": value }));
    let arrays = nest("found", |value| json!([value]));
    for (n, name, value) in [(1, "objects", objects), (2, "arrays", arrays)] {
        let body = json!({"name": name, "field": value});
        probe.put(record(Kind::Node, id(n), body.clone())).await;
        assert_eq!(probe.body(Kind::Node, id(n)).await, body);
    }
    let path = ["field"].into_iter().chain([".a"; DEPTH]);
    let path: String = path.collect();
    let found = Filter::text(&path, "found");
    probe.expect_names(found, &["objects"]).await;
    let too_short = path.strip_suffix(".a").unwrap_or(&path);
    let member = Filter::Contains(too_short.into(), Scalar::String("a".into()));
    probe.expect_names(member, &["objects"]).await;
    // Beside deep members the others are found as ever.
    probe.put(node(3, "flat")).await;
    let null = Filter::Null("field".into());
    probe.expect_names(null, &["flat"]).await;
    let sorted = Query::all(Kind::Node).sort_by(path, true);
    assert_eq!(probe.sorted(&sorted).await, ["objects", "arrays", "flat"]);
}

pub(super) async fn many_operations_make_one_batch(factory: &dyn StoreFactory) {
    const MANY: u128 = 1_000;
    let probe = Probe::fresh(factory).await;
    let nodes = |offset: u128| {
        let ops = (0..MANY).map(move |n| {
            let name = format!("name-{}", (n + offset) % MANY);
            put(keyed(n, &[("name", &name)]))
        });
        ops.collect::<Vec<Op>>()
    };
    let given = probe.commit(nodes(0)).await;
    assert_eq!(given.len() as u128, MANY);
    let wrong = put_if(record(Kind::Port, id(1), json!({})), {
        Expect::Revision(given[0])
    });
    let mut refused = nodes(5);
    refused.push(wrong);
    let error = probe.refusal(refused).await;
    assert_eq!(error, conflict(Kind::Port, id(1)));
    let last = format!("name-{}", MANY - 1);
    let owner = probe.find(Kind::Node, "name", &last).await;
    assert_eq!(owner, Some(id(MANY - 1)), "the refused batch moved a key");
    // Every key goes to another record.
    probe.commit(nodes(1)).await;
    let owner = probe.find(Kind::Node, "name", &last).await;
    assert_eq!(owner, Some(id(MANY - 2)));
    assert_eq!(probe.count(Kind::Node, &Filter::All).await, MANY as u64);
}

pub(super) async fn thousands_of_records_are_listed(factory: &dyn StoreFactory) {
    const MANY: u32 = 5_000;
    let probe = Probe::fresh(factory).await;
    for from in (0..MANY).step_by(500) {
        let some = (from..from + 500).map(|n| {
            let body = json!({"name": n.to_string(), "rank": n % 7, "odd": n % 2 == 1});
            put(record(Kind::Node, id(u128::from(n)), body))
        });
        probe.commit(some.collect()).await;
    }
    let all = Query::all(Kind::Node);
    assert_eq!(probe.list(&all).await.len(), MANY as usize);
    let odd = Filter::flag("odd", true);
    let count = probe.count(Kind::Node, &odd).await;
    assert_eq!(count, u64::from(MANY / 2));
    let query = all.filter(odd).sort_by("rank", true).limit(400);
    let mut seen = Vec::new();
    loop {
        let mut page = query.clone();
        page.marker = seen.last().copied();
        let ids = probe.ids(&page).await;
        if ids.is_empty() {
            break;
        }
        seen.extend(ids);
    }
    let mut expected: Vec<_> = (0..MANY).filter(|n| n % 2 == 1).collect();
    expected.sort_by_key(|n| (6 - n % 7, *n));
    let expected = expected.into_iter().map(|n| id(u128::from(n)));
    assert!(seen.into_iter().eq(expected), "the pages are the whole");
}
