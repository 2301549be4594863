use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use super::StoreFactory;
use super::probe::{Probe, body, id, record};
use crate::store::{Compare, Filter, Kind, Query, Scalar, UniqueKey};

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

pub(super) async fn only_ascii_is_folded(factory: &dyn StoreFactory) {
    let probe = Probe::fresh(factory).await;
    // What Unicode folds to something in ASCII, to several characters, or by language.
    let texts = [
        "k", "K", "\u{212a}", "s", "\u{17f}", "i", "I", "\u{130}", "\u{131}", "ß", "SS", "ẞ", "é",
        "É", "Σ", "σ", "ς", "ﬁ", "fi", "Ａ", "ａ", "[", "{", "@", "`",
    ];
    for (n, text) in (0..).zip(texts) {
        let field = json!(format!("<{text}>"));
        probe.put_field(n, text, field).await;
    }
    for (part, expected) in [
        ("K", vec!["k", "K"]),
        ("\u{212a}", vec!["\u{212a}"]),
        ("S", vec!["s", "SS"]),
        ("\u{17f}", vec!["\u{17f}"]),
        ("I", vec!["i", "I", "fi"]),
        ("\u{130}", vec!["\u{130}"]),
        ("\u{131}", vec!["\u{131}"]),
        ("ß", vec!["ß"]),
        ("ss", vec!["SS"]),
        ("ẞ", vec!["ẞ"]),
        ("É", vec!["É"]),
        ("σ", vec!["σ"]),
        ("FI", vec!["fi"]),
        ("ﬁ", vec!["ﬁ"]),
        ("ａ", vec!["ａ"]),
        // 32 apart as letters are, and no letters.
        ("[", vec!["["]),
        ("{", vec!["{"]),
        ("@", vec!["@"]),
        ("`", vec!["`"]),
    ] {
        let filter = Filter::Like("field".into(), part.into());
        let mut names = probe.names(filter).await;
        names.retain(|name| texts.contains(&name.as_str()));
        assert_eq!(names, expected, "with {part:?} in it");
    }
}

pub(super) async fn text_is_not_normalised(factory: &dyn StoreFactory) {
    let probe = Probe::fresh(factory).await;
    // Composed and decomposed, and characters with another of the same look and meaning.
    let texts = [
        "\u{e9}",
        "e\u{301}",
        "\u{212b}",
        "\u{c5}",
        "A\u{30a}",
        "\u{ac00}",
        "\u{1100}\u{1161}",
        "q\u{307}\u{323}",
        "q\u{323}\u{307}",
    ];
    for (n, text) in (0..).zip(texts) {
        let mut sent = record(Kind::Node, id(n), json!({"name": text, "field": text}));
        sent.keys = vec![UniqueKey::new("name", text)];
        probe.put(sent).await;
    }
    for (n, text) in (0..).zip(texts) {
        assert_eq!(probe.find(Kind::Node, "name", text).await, Some(id(n)));
        let same = Filter::text("field", text);
        probe.expect_names(same, &[text]).await;
        let with = Filter::Like("field".into(), text.into());
        probe.expect_names(with, &[text]).await;
        let body = probe.body(Kind::Node, id(n)).await;
        assert_eq!(body["field"], *text, "it comes back as it was");
    }
}

pub(super) async fn escapes_stand_for_their_characters(factory: &dyn StoreFactory) {
    let probe = Probe::fresh(factory).await;
    // Another writer of JSON escapes more than this engine does.
    let bodies = [
        r#"{"name":"\u0061"}"#,
        r#"{"n\u0061me":"\u00e9\/"}"#,
        r#"{"name":"\ud83d\udda5"}"#,
    ];
    for (n, body) in (0..).zip(bodies) {
        let mut sent = record(Kind::Node, id(n), json!({}));
        let body = RawValue::from_string(body.to_owned());
        sent.body = body.unwrap_or_else(|e| panic!("it is JSON: {e}")).into();
        probe.put(sent).await;
    }
    for (n, name) in (0..).zip(["a", "é/", "\u{1f5a5}"]) {
        let query = Query::all(Kind::Node).filter(Filter::text("name", name));
        assert_eq!(probe.ids(&query).await, [id(n)], "the name {name:?}");
    }
    let sorted = Query::all(Kind::Node).sort_by("name", true);
    assert_eq!(probe.ids(&sorted).await, [id(2), id(1), id(0)]);
}
