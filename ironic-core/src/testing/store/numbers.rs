use serde_json::{Value, json};

use super::StoreFactory;
use super::probe::{Probe, id, put, record};
use crate::runtime::{Entropy, SeededEntropy};
use crate::store::{Compare, Filter, Kind, Query, Scalar};

fn is(compare: Compare, number: f64) -> Filter {
    Filter::Is("field".into(), compare, Scalar::Number(number))
}

/// 2^53, up to which every whole number is a float.
const LIMIT: u64 = 1 << 53;

pub(super) async fn numbers_come_back_as_they_were(factory: &dyn StoreFactory) {
    let probe = Probe::fresh(factory).await;
    let numbers = json!([
        0,
        1,
        -1,
        i64::MIN,
        i64::MAX,
        u64::MAX,
        LIMIT + 1,
        0.5,
        -0.0,
        1e-300,
        1e300,
        123456.789,
    ]);
    let body = json!({"name": "numbers", "numbers": numbers});
    probe.put(record(Kind::Node, id(1), body.clone())).await;
    assert_eq!(probe.body(Kind::Node, id(1)).await, body);
}

pub(super) async fn numbers_compare_as_floats(factory: &dyn StoreFactory) {
    let probe = Probe::fresh(factory).await;
    let values: &[(&str, Value)] = &[
        ("min", json!(i64::MIN)),
        ("-1e300", json!(-1e300)),
        ("-0", json!(-0.0)),
        ("0", json!(0)),
        ("tiny", json!(5e-324)),
        ("tenth", json!(0.1)),
        ("one", json!(1)),
        ("one point", json!(1.0)),
        ("limit", json!(LIMIT)),
        ("limit + 1", json!(LIMIT + 1)),
        ("max", json!(u64::MAX)),
        ("1e300", json!(1e300)),
        ("'1'", json!("1")),
        ("true", json!(true)),
    ];
    for (n, (name, value)) in (1..).zip(values) {
        probe.put_field(n, name, value.clone()).await;
    }
    for (number, names) in [
        (1.0, vec!["one", "one point"]),
        (0.0, vec!["-0", "0"]),
        (-0.0, vec!["-0", "0"]),
        (0.1, vec!["tenth"]),
        (5e-324, vec!["tiny"]),
        (9_007_199_254_740_992.0, vec!["limit", "limit + 1"]),
        (18_446_744_073_709_551_615.0, vec!["max"]),
        (-9_223_372_036_854_775_808.0, vec!["min"]),
        (1e300, vec!["1e300"]),
    ] {
        probe.expect_names(is(Compare::Eq, number), &names).await;
        let one_of = Filter::In("field".into(), vec![Scalar::Number(number)]);
        probe.expect_names(one_of, &names).await;
        let ne = probe.count(Kind::Node, &is(Compare::Ne, number)).await;
        assert_eq!(ne, 12 - names.len() as u64, "numbers unequal to {number}");
    }
    let small = ["min", "-1e300"];
    probe.expect_names(is(Compare::Lt, 0.0), &small).await;
    let large = ["limit", "limit + 1", "max", "1e300"];
    probe.expect_names(is(Compare::Gt, 1.0), &large).await;
    let sorted = Query::all(Kind::Node)
        .filter(is(Compare::Ge, -1e301))
        .sort_by("field", false);
    // Equal floats stay in the order of their creation.
    let order = [
        "-1e300",
        "min",
        "-0",
        "0",
        "tiny",
        "tenth",
        "one",
        "one point",
        "limit",
        "limit + 1",
        "max",
        "1e300",
    ];
    assert_eq!(probe.sorted(&sorted).await, order);
}

pub(super) async fn a_scalar_need_not_be_a_json_number(factory: &dyn StoreFactory) {
    let probe = Probe::fresh(factory).await;
    probe.put_field(1, "number", json!(1)).await;
    probe.put_field(2, "string", json!("inf")).await;
    let number = &["number"];
    for (compare, scalar, names) in [
        (Compare::Lt, f64::INFINITY, number as &[&str]),
        (Compare::Ge, f64::INFINITY, &[]),
        (Compare::Gt, f64::NEG_INFINITY, number),
        (Compare::Eq, f64::INFINITY, &[]),
        (Compare::Eq, f64::NAN, &[]),
        (Compare::Lt, f64::NAN, &[]),
        (Compare::Ge, f64::NAN, &[]),
        // Of the same type and not equal: NaN is that to every number.
        (Compare::Ne, f64::NAN, number),
    ] {
        probe.expect_names(is(compare, scalar), names).await;
    }
    let one_of = |number| Filter::In("field".into(), vec![Scalar::Number(number)]);
    probe.expect_names(one_of(f64::NAN), &[]).await;
    probe.expect_names(one_of(f64::INFINITY), &[]).await;
    let not = Filter::Not(Box::new(is(Compare::Eq, f64::NAN)));
    probe.expect_names(not, &["number", "string"]).await;
}

pub(super) async fn floats_are_found_by_their_value(factory: &dyn StoreFactory) {
    let probe = Probe::fresh(factory).await;
    let dice = SeededEntropy::new(53);
    // With up to 17 digits, and exponents up to 60 either way: beyond that, some readers of
    // JSON are off in the last digit.
    let floats: Vec<f64> = (0..400)
        .map(|n| {
            let whole = dice.below(1 << 63) as f64;
            match n % 4 {
                0 => whole,
                1 => whole / 1000.0,
                2 => whole % 1e6 / 997.0,
                _ => whole * 10_f64.powi(dice.below(80) as i32 - 60),
            }
        })
        .collect();
    let ops = (0..).zip(&floats);
    let ops = ops.map(|(n, float)| put(record(Kind::Node, id(n), json!({ "field": float }))));
    probe.commit(ops.collect()).await;
    for (n, float) in (0..).zip(&floats) {
        let query = Query::all(Kind::Node).filter(is(Compare::Eq, *float));
        assert_eq!(probe.ids(&query).await, [id(n)], "{float:?}");
        let less = probe.count(Kind::Node, &is(Compare::Lt, *float)).await;
        let expected = floats.iter().filter(|other| *other < float).count();
        assert_eq!(less, expected as u64, "less than {float:?}");
    }
}
