use serde_json::{Value, json};

use super::StoreFactory;
use super::probe::{Probe, delete, id, put, record};
use crate::store::{Compare, Filter, Kind, Query, Scalar};

use Compare::{Eq, Ge, Gt, Le, Lt, Ne};

/// A value of every type, each in the member `field` of a node named after it.
async fn one_of_each(factory: &dyn StoreFactory) -> Probe {
    let probe = Probe::fresh(factory).await;
    let absent = json!({"name": "absent"});
    probe.put(record(Kind::Node, id(99), absent)).await;
    let values = [
        ("null", Value::Null),
        ("false", json!(false)),
        ("true", json!(true)),
        ("-1", json!(-1)),
        ("0", json!(0)),
        ("1", json!(1)),
        ("1.5", json!(1.5)),
        ("'0'", json!("0")),
        ("'1'", json!("1")),
        ("'true'", json!("true")),
        ("'null'", json!("null")),
        ("''", json!("")),
        ("'B'", json!("B")),
        ("'a'", json!("a")),
        ("[]", json!([])),
        ("[1,a,true,null]", json!([1, "a", true, null])),
        ("{}", json!({})),
        ("{a:1,b:null}", json!({"a": 1, "b": null})),
    ];
    for (n, (name, value)) in (1..).zip(values) {
        probe.put_field(n, name, value).await;
    }
    probe
}

fn is(compare: Compare, scalar: Scalar) -> Filter {
    Filter::Is("field".into(), compare, scalar)
}

fn string(text: &str) -> Scalar {
    Scalar::String(text.into())
}

fn not(filter: Filter) -> Filter {
    Filter::Not(Box::new(filter))
}

pub(super) async fn every_comparison_of_strings(factory: &dyn StoreFactory) {
    let probe = one_of_each(factory).await;
    let cases: &[(Compare, &str, &[&str])] = &[
        (Eq, "1", &["'1'"]),
        (Eq, "true", &["'true'"]),
        (Eq, "null", &["'null'"]),
        (Eq, "", &["''"]),
        (Eq, "b", &[]),
        (Eq, "[]", &[]),
        (Eq, "{}", &[]),
        (Ne, "1", &["'0'", "'true'", "'null'", "''", "'B'", "'a'"]),
        (Lt, "B", &["'0'", "'1'", "''"]),
        (Le, "B", &["'0'", "'1'", "''", "'B'"]),
        (Gt, "a", &["'true'", "'null'"]),
        (Ge, "a", &["'true'", "'null'", "'a'"]),
        (Gt, "", &["'0'", "'1'", "'true'", "'null'", "'B'", "'a'"]),
        (Lt, "", &[]),
    ];
    for (compare, text, names) in cases {
        probe.expect_names(is(*compare, string(text)), names).await;
    }
}

pub(super) async fn every_comparison_of_numbers(factory: &dyn StoreFactory) {
    let probe = one_of_each(factory).await;
    let cases: &[(Compare, f64, &[&str])] = &[
        (Eq, 1.0, &["1"]),
        (Eq, 1.5, &["1.5"]),
        (Eq, 2.0, &[]),
        (Ne, 1.0, &["-1", "0", "1.5"]),
        (Lt, 1.0, &["-1", "0"]),
        (Le, 1.0, &["-1", "0", "1"]),
        (Gt, 0.0, &["1", "1.5"]),
        (Ge, 0.0, &["0", "1", "1.5"]),
        (Gt, 1.5, &[]),
        (Lt, -1.0, &[]),
    ];
    for (compare, number, names) in cases {
        let filter = is(*compare, Scalar::Number(*number));
        probe.expect_names(filter, names).await;
    }
}

pub(super) async fn every_comparison_of_booleans(factory: &dyn StoreFactory) {
    let probe = one_of_each(factory).await;
    let cases: &[(Compare, bool, &[&str])] = &[
        (Eq, true, &["true"]),
        (Eq, false, &["false"]),
        (Ne, true, &["false"]),
        (Ne, false, &["true"]),
        (Lt, true, &["false"]),
        (Lt, false, &[]),
        (Le, true, &["false", "true"]),
        (Gt, false, &["true"]),
        (Gt, true, &[]),
        (Ge, true, &["true"]),
    ];
    for (compare, flag, names) in cases {
        probe
            .expect_names(is(*compare, Scalar::Bool(*flag)), names)
            .await;
    }
    let set = probe.names(Filter::flag("field", true)).await;
    assert_eq!(set, ["true"]);
    let unset = probe.count(Kind::Node, &Filter::flag("field", false)).await;
    assert_eq!(unset, 18, "all that is not true");
}

pub(super) async fn null_and_absent_are_the_same(factory: &dyn StoreFactory) {
    let probe = one_of_each(factory).await;
    let null = Filter::Null("field".into());
    let names = ["absent", "null"];
    probe.expect_names(null.clone(), &names).await;
    let count = probe.count(Kind::Node, &not(null)).await;
    assert_eq!(count, 17, "all that is not null");
    for compare in [Eq, Ne, Lt, Le, Gt, Ge] {
        let scalars = [Scalar::Bool(false), Scalar::Number(0.0), string("")];
        for scalar in scalars {
            let filter = is(compare, scalar);
            let matched = probe.names(filter.clone()).await;
            let null = matched.iter().any(|name| names.contains(&name.as_str()));
            assert!(!null, "{filter:?} matches null");
            // Not a comparison is true where the comparison is false, of null too.
            let matched = probe.names(not(filter.clone())).await;
            let null = names.iter().all(|n| matched.iter().any(|m| m == n));
            assert!(null, "not {filter:?} does not match null");
        }
    }
}

pub(super) async fn one_of_several(factory: &dyn StoreFactory) {
    let probe = one_of_each(factory).await;
    let among = |scalars: Vec<Scalar>| Filter::In("field".into(), scalars);
    probe.expect_names(among(vec![]), &[]).await;
    let mixed = vec![
        string("a"),
        Scalar::Number(1.0),
        Scalar::Bool(false),
        string("1"),
        string("nowhere"),
        Scalar::Number(1.0),
    ];
    let names = ["false", "1", "'1'", "'a'"];
    probe.expect_names(among(mixed.clone()), &names).await;
    let others = probe.count(Kind::Node, &not(among(mixed))).await;
    assert_eq!(others, 15);
    let mut many: Vec<_> = (0..40_000).map(|n| string(&format!("x{n}"))).collect();
    many.push(string("B"));
    probe.expect_names(among(many), &["'B'"]).await;
    let many = (1..2_000).map(|n| Scalar::Number(f64::from(n) / 2.0));
    let names = ["1", "1.5"];
    probe.expect_names(among(many.collect()), &names).await;
}

pub(super) async fn arrays_and_objects_contain(factory: &dyn StoreFactory) {
    let probe = one_of_each(factory).await;
    probe.put_field(50, "[[a]]", json!([["a"], {"a": 1}])).await;
    probe.put_field(51, "['1',0]", json!(["1", 0.0])).await;
    probe.put_field(52, "{1:..}", json!({"1": "a"})).await;
    let contains = |scalar| Filter::Contains("field".into(), scalar);
    let (array, object) = ("[1,a,true,null]", "{a:1,b:null}");
    for (scalar, names) in [
        (string("a"), vec![array, object]),
        (string("b"), vec![object]),
        (string("1"), vec!["['1',0]", "{1:..}"]),
        (string(""), vec![]),
        (string("null"), vec![]),
        (string("true"), vec![]),
        (Scalar::Number(1.0), vec![array]),
        (Scalar::Number(0.0), vec!["['1',0]"]),
        (Scalar::Number(2.0), vec![]),
        (Scalar::Bool(true), vec![array]),
        (Scalar::Bool(false), vec![]),
    ] {
        probe.expect_names(contains(scalar.clone()), &names).await;
        let others = probe
            .count(Kind::Node, &not(contains(scalar.clone())))
            .await;
        assert_eq!(others, 22 - names.len() as u64, "without {scalar:?}");
    }
}

pub(super) async fn texts_have_parts(factory: &dyn StoreFactory) {
    let probe = Probe::fresh(factory).await;
    let values = [
        json!("Rack-1"),
        json!("rack_2 100%"),
        json!("RÄCK"),
        json!("räck\\3"),
        json!("a\nb*c?[d]"),
        json!(""),
        json!(1234),
        json!(["rack"]),
        json!({"rack": "rack"}),
        Value::Null,
    ];
    let names: Vec<_> = (0..).take(values.len()).map(|n| n.to_string()).collect();
    for (n, (name, value)) in (0..).zip(names.iter().zip(values)) {
        probe.put_field(n, name, value).await;
    }
    for (part, expected) in [
        ("rack", vec!["0", "1"]),
        ("RACK", vec!["0", "1"]),
        ("ck", vec!["0", "1", "2", "3"]),
        ("%", vec!["1"]),
        ("k%1", vec![]),
        ("_", vec!["1"]),
        ("k_1", vec![]),
        ("*", vec!["4"]),
        ("[D]", vec!["4"]),
        ("A\nB", vec!["4"]),
        ("\\", vec!["3"]),
        // Beyond ASCII, case counts.
        ("räck", vec!["3"]),
        ("RÄCK", vec!["2"]),
        ("rÄck", vec!["2"]),
        ("23", vec![]),
        ("", vec!["0", "1", "2", "3", "4", "5"]),
        ("rack-1 and more", vec![]),
        ("'", vec![]),
    ] {
        let filter = Filter::Like("field".into(), part.into());
        probe.expect_names(filter, &expected).await;
    }
}

pub(super) async fn filters_combine(factory: &dyn StoreFactory) {
    let probe = Probe::fresh(factory).await;
    for (n, name) in (1..).zip(["a", "b", "c", "d"]) {
        let body = json!({"name": name, "even": n % 2 == 0, "half": n > 2});
        probe.put(record(Kind::Node, id(n), body)).await;
    }
    let named = |name: &str| Filter::text("name", name);
    let even = || Filter::flag("even", true);
    let half = || Filter::flag("half", true);
    let all: &[&str] = &["a", "b", "c", "d"];
    for (filter, names) in [
        (Filter::All, all),
        (Filter::And(vec![]), all),
        (Filter::Or(vec![]), &[]),
        (not(Filter::All), &[]),
        (not(Filter::And(vec![])), &[]),
        (not(Filter::Or(vec![])), all),
        (Filter::And(vec![even(), half()]), &["d"]),
        (Filter::Or(vec![even(), half()]), &["b", "c", "d"]),
        (not(Filter::Or(vec![even(), half()])), &["a"]),
        (not(not(named("a"))), &["a"]),
        (Filter::And(vec![Filter::All, not(even())]), &["a", "c"]),
        (
            Filter::Or(vec![
                Filter::And(vec![not(even()), not(half())]),
                Filter::And(vec![even(), Filter::Or(vec![named("d"), named("c")])]),
            ]),
            &["a", "d"],
        ),
        (even().and(named("b")).and(Filter::All), &["b"]),
        (
            Filter::Or(vec![named("a"), not(Filter::Null("x".into()))]),
            &["a"],
        ),
    ] {
        probe.expect_names(filter, names).await;
    }
    // Deeper than anybody asks by hand.
    let deep = (0..50).fold(named("a"), |filter, _| not(not(filter)));
    probe.expect_names(deep, &["a"]).await;
    let wide = (0..300).map(|n| named(&format!("x{n}")));
    let wide = Filter::Or(wide.chain([named("c")]).collect());
    probe.expect_names(wide, &["c"]).await;
}

pub(super) async fn paths_lead_through_objects(factory: &dyn StoreFactory) {
    let probe = Probe::fresh(factory).await;
    let bodies = [
        json!({"name": "1", "a": {"b": {"c": "x"}}}),
        json!({"name": "2", "a": {"b": "x"}}),
        json!({"name": "3", "a": [{"b": "x"}]}),
        json!({"name": "4", "a.b": "x", "b": "x"}),
        json!({"name": "5", "a": {"0": "x", "b": null}}),
        json!({"name": "6", "a": ["x"]}),
        json!({"name": "7", "a": "{\"b\": \"x\"}"}),
        json!({"name": "8", "a": {"b": {"c": {"d": ["x", "y"]}}}}),
    ];
    for (n, body) in (1..).zip(bodies) {
        probe.put(record(Kind::Node, id(n), body)).await;
    }
    for (path, names) in [
        ("a.b.c", vec!["1"]),
        ("a.b", vec!["2"]),
        ("b", vec!["4"]),
        ("a.0", vec!["5"]),
        ("a[0]", vec![]),
        ("a[0].b", vec![]),
        ("a.0.b", vec![]),
        ("$.a.b", vec![]),
        ("a.b.c.d", vec![]),
    ] {
        probe.expect_names(Filter::text(path, "x"), &names).await;
    }
    let null = Filter::Null("a.b".into());
    let names = ["3", "4", "5", "6", "7"];
    probe.expect_names(null, &names).await;
    let contains = Filter::Contains("a.b.c.d".into(), string("y"));
    probe.expect_names(contains, &["8"]).await;
    let member = Filter::Contains("a.b".into(), string("c"));
    probe.expect_names(member, &["1", "8"]).await;
}

pub(super) async fn unknown_fields_are_null(factory: &dyn StoreFactory) {
    let probe = Probe::fresh(factory).await;
    for (n, name) in (1..).zip(["a", "b"]) {
        probe.put_field(n, name, json!(n)).await;
    }
    let both = &["a", "b"];
    let unknown = || Filter::text("unknown", "x");
    probe.expect_names(unknown(), &[]).await;
    probe.expect_names(not(unknown()), both).await;
    probe
        .expect_names(Filter::Null("unknown".into()), both)
        .await;
    probe
        .expect_names(Filter::Null("name.x.y".into()), both)
        .await;
    let contains = || Filter::Contains("unknown".into(), string("x"));
    probe.expect_names(contains(), &[]).await;
    probe.expect_names(not(contains()), both).await;
    let like = || Filter::Like("unknown".into(), String::new());
    probe.expect_names(like(), &[]).await;
    probe.expect_names(not(like()), both).await;
    let sorted = Query::all(Kind::Node).sort_by("unknown", true);
    assert_eq!(probe.sorted(&sorted).await, both);
}

pub(super) async fn a_count_agrees_with_the_list(factory: &dyn StoreFactory) {
    let probe = one_of_each(factory).await;
    assert_eq!(probe.count(Kind::Node, &Filter::All).await, 19);
    assert_eq!(probe.count(Kind::Port, &Filter::All).await, 0);
    for filter in [
        Filter::All,
        Filter::Null("field".into()),
        Filter::Contains("field".into(), string("a")),
        is(Gt, string("A")),
        not(is(Gt, Scalar::Number(0.0))),
    ] {
        let listed = probe.names(filter.clone()).await.len() as u64;
        let counted = probe.count(Kind::Node, &filter).await;
        assert_eq!(counted, listed, "{filter:?}");
    }
}

/// Every field of every kind that stores have an index over, through all that can become of it.
pub(super) async fn what_matches_follows_what_is_written(factory: &dyn StoreFactory) {
    let probe = Probe::fresh(factory).await;
    for kind in Kind::ALL {
        for field in kind.indexed_fields() {
            for value in [
                json!("a"),
                json!("b"),
                json!("a"),
                json!(true),
                Value::Null,
                json!(1),
                json!(["a"]),
                json!("a"),
            ] {
                let one = record(*kind, id(1), json!({ (*field): value }));
                probe.put(one).await;
                expect_as_written(&probe, *kind, field, &value).await;
            }
            // One batch frees a value and gives it to another.
            let ops = vec![
                put(record(*kind, id(1), json!({}))),
                put(record(*kind, id(2), json!({ (*field): "a" }))),
            ];
            probe.commit(ops).await;
            let query = Query::all(*kind).filter(Filter::text(field, "a"));
            assert_eq!(probe.ids(&query).await, [id(2)], "{kind} by {field}");
            let ops = [1, 2].map(|n| delete(*kind, id(n)));
            probe.commit(ops.to_vec()).await;
            expect_as_written(&probe, *kind, field, &Value::Null).await;
        }
    }
}

/// Of one record with this value: whether it is found by each of several.
async fn expect_as_written(probe: &Probe, kind: Kind, field: &str, value: &Value) {
    for asked in [json!("a"), json!("b"), json!(true), json!(false), json!(1)] {
        let scalar = match &asked {
            Value::String(text) => string(text),
            Value::Bool(flag) => Scalar::Bool(*flag),
            _ => Scalar::Number(1.0),
        };
        let expected = u64::from(asked == *value);
        let one_of = Filter::In(field.into(), vec![scalar.clone(), string("c")]);
        for filter in [Filter::Is(field.into(), Eq, scalar), one_of] {
            let counted = probe.count(kind, &filter).await;
            assert_eq!(counted, expected, "{kind} with {value} by {filter:?}");
            let listed = probe.list(&Query::all(kind).filter(filter.clone())).await;
            assert_eq!(listed.len() as u64, expected, "{value} by {filter:?}");
        }
    }
}

/// Conditions on indexed fields, joined with each other and with conditions that no index knows.
pub(super) async fn an_index_narrows_and_does_not_decide(factory: &dyn StoreFactory) {
    let probe = Probe::fresh(factory).await;
    for n in 0..60_u32 {
        let body = json!({
            "name": format!("{n:02}"),
            "driver": (["ipmi", "redfish"][(n % 2) as usize]),
            "owner": (["a", "b", "c"][(n % 3) as usize]),
            "maintenance": n % 5 == 0,
            "rank": n,
        });
        probe.put(record(Kind::Node, id(n.into()), body)).await;
    }
    let ipmi = || Filter::text("driver", "ipmi");
    let owner = |owner| Filter::text("owner", owner);
    let above = |n| Filter::Is("rank".into(), Gt, Scalar::Number(n));
    let cases: &[(Filter, &[&str])] = &[
        (ipmi().and(owner("b")).and(above(40.0)), &["46", "52", "58"]),
        (
            ipmi().and(above(50.0)).and(not(owner("a"))),
            &["52", "56", "58"],
        ),
        (
            Filter::Or(vec![Filter::text("name", "07"), above(57.0)]),
            &["07", "58", "59"],
        ),
        (
            Filter::Or(vec![Filter::text("name", "07"), Filter::text("name", "03")])
                .and(owner("a")),
            &["03"],
        ),
        (
            Filter::flag("maintenance", true)
                .and(ipmi())
                .and(owner("a")),
            &["00", "30"],
        ),
        (ipmi().and(Filter::text("name", "07")), &[]),
        (ipmi().and(Filter::Or(Vec::new())), &[]),
        (
            Filter::And(Vec::new()).and(Filter::text("name", "07")),
            &["07"],
        ),
    ];
    for (filter, names) in cases {
        probe.expect_names(filter.clone(), names).await;
        let counted = probe.count(Kind::Node, filter).await;
        assert_eq!(counted, names.len() as u64, "{filter:?}");
    }
    // The marker matches neither condition, and counts nevertheless.
    let query = Query::all(Kind::Node).filter(ipmi().and(owner("b")));
    let page = query.clone().after(id(41)).limit(2);
    assert_eq!(probe.sorted(&page).await, ["46", "52"]);
    let from_above = query.sort_by("rank", true).after(id(49)).limit(2);
    assert_eq!(probe.sorted(&from_above).await, ["46", "40"]);
}
