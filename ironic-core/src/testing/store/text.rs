use serde_json::{Map, Value, json};

use super::StoreFactory;
use super::probe::{Probe, body, id, record};
use crate::store::{Compare, Filter, Kind, Query, Scalar};

/// Texts that stores have stumbled over, in the order of their bytes.
const TEXTS: &[&str] = &[
    "",
    "\0",
    "\0a",
    "\u{1}",
    "\t\r\n",
    " ",
    "\"quoted\"",
    "%like_",
    "'; DROP TABLE records; --",
    "0",
    "00",
    "1",
    "1.0",
    "1e3",
    "?1",
    "A",
    "Z",
    "[1]",
    "\\",
    "\\u0041",
    "a",
    "a\0b",
    "aB",
    "ab",
    "e\u{301}",
    "null",
    "true",
    "{\"a\":1}",
    "\u{7f}",
    "\u{80}",
    "ß",
    "é",
    "日本語",
    "\u{ffff}",
    // After U+FFFF by its bytes, before it by UTF-16.
    "\u{1f5a5}\u{fe0f}",
];

async fn with_texts(factory: &dyn StoreFactory) -> Probe {
    let probe = Probe::fresh(factory).await;
    // Not in their order, so that a list has something to sort.
    for n in 0..TEXTS.len() {
        let n = n * 12 % TEXTS.len();
        probe.put_field(n as u128, TEXTS[n], json!(TEXTS[n])).await;
    }
    let count = probe.count(Kind::Node, &Filter::All).await;
    assert_eq!(count, TEXTS.len() as u64, "each text once");
    probe
}

pub(super) async fn all_text_is_kept(factory: &dyn StoreFactory) {
    let probe = with_texts(factory).await;
    for (n, text) in (0..).zip(TEXTS) {
        let expected = json!({"name": text, "field": text});
        assert_eq!(probe.body(Kind::Node, id(n)).await, expected);
    }
    let members: Map<String, Value> = TEXTS
        .iter()
        .map(|text| ((*text).to_owned(), json!(text)))
        .collect();
    let all = Value::Object(members);
    probe.put(record(Kind::Port, id(1), all.clone())).await;
    assert_eq!(probe.body(Kind::Port, id(1)).await, all);
}

pub(super) async fn all_text_is_compared_by_bytes(factory: &dyn StoreFactory) {
    let probe = with_texts(factory).await;
    let sorted = |filter| {
        Query::all(Kind::Node)
            .filter(filter)
            .sort_by("field", false)
    };
    assert_eq!(probe.sorted(&sorted(Filter::All)).await, TEXTS);
    for (n, text) in TEXTS.iter().enumerate() {
        probe
            .expect_names(Filter::text("field", *text), &[text])
            .await;
        let scalar = Scalar::String((*text).to_owned());
        let is = |compare| Filter::Is("field".into(), compare, scalar.clone());
        let less = probe.sorted(&sorted(is(Compare::Lt))).await;
        assert_eq!(less, TEXTS[..n], "less than {text:?}");
        let more = probe.sorted(&sorted(is(Compare::Ge))).await;
        assert_eq!(more, TEXTS[n..], "at least {text:?}");
        let one_of = Filter::In("field".into(), vec![scalar.clone(), Scalar::Bool(true)]);
        probe.expect_names(one_of, &[text]).await;
        let with_part = probe
            .names(Filter::Like("field".into(), (*text).into()))
            .await;
        let expected = TEXTS
            .iter()
            .filter(|t| t.to_ascii_lowercase().contains(&text.to_ascii_lowercase()));
        assert_eq!(with_part.len(), expected.count(), "with the part {text:?}");
    }
}

pub(super) async fn every_member_name_can_be_asked_for(factory: &dyn StoreFactory) {
    let probe = Probe::fresh(factory).await;
    // A member whose name has a dot cannot be named, and U+0000 not in every store.
    let nameable = |name: &&str| !name.contains(['.', '\0']);
    let names: Vec<_> = TEXTS.iter().copied().filter(nameable).collect();
    for (n, name) in (0..).zip(&names) {
        let value = json!({"name": name, (*name): "found", "in": {(*name): ["found"]}});
        probe.put(record(Kind::Node, id(n), value)).await;
    }
    for (n, name) in (0..).zip(&names) {
        let found = |filter| {
            let query = Query::all(Kind::Node).filter(filter);
            let probe = probe.clone();
            async move { probe.ids(&query).await }
        };
        let top = found(Filter::text(name, "found")).await;
        assert_eq!(top, [id(n)], "the member {name:?}");
        let found_scalar = Scalar::String("found".into());
        let nested = Filter::Contains(format!("in.{name}"), found_scalar);
        assert_eq!(found(nested).await, [id(n)], "the member in.{name:?}");
        let has = Filter::Contains("in".into(), Scalar::String((*name).to_owned()));
        assert_eq!(found(has).await, [id(n)], "having the member {name:?}");
        let sort = Query::all(Kind::Node).sort_by(*name, true).limit(1);
        let first = probe.list(&sort).await;
        assert_eq!(body(&first[0])["name"], *name, "sorted by {name:?}");
    }
}
