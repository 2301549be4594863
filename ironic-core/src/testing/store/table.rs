//! Every operator on every type of field with every type of scalar, judged by the contract.

use serde_json::{Value, json};

use super::StoreFactory;
use super::judge::{matches, sorted, value};
use super::probe::{Probe, body, id, put, record};
use crate::store::{Compare, Filter, Kind, Query, Scalar, Sort};

/// 2^53, up to which every whole number is a float.
const LIMIT: u64 = 1 << 53;

/// What a field may be: of each type the extremes, and what could be taken for another type.
fn fields() -> Vec<Value> {
    let mut fields = vec![Value::Null, json!([]), json!({})];
    for scalar in scalars() {
        let scalar = value(&scalar);
        fields.push(json!([scalar, [scalar], null]));
        fields.push(scalar);
    }
    fields.extend([
        json!(-0.0),
        json!(LIMIT - 1),
        json!(LIMIT + 1),
        json!(i64::MIN),
        json!(i64::MAX),
        json!(u64::MAX),
        json!({"1": 1, "a": "b"}),
        json!({"": null, "true": true, "null": {}}),
        json!(["1", 1, true, {"a": 1}]),
        json!([null, "null", 0, false]),
    ]);
    fields
}

fn scalars() -> Vec<Scalar> {
    let numbers = [
        0.0,
        1.0,
        -1.0,
        1.5,
        9_007_199_254_740_992.0,
        18_446_744_073_709_551_615.0,
        -9_223_372_036_854_775_808.0,
        1e308,
        -1e308,
    ];
    let texts = [
        "", "0", "1", "1.0", "a", "A", "b", "null", "true", "false", "[]", "{}", "é", "1e308",
    ];
    let flags = [false, true].map(Scalar::Bool).into_iter();
    flags
        .chain(numbers.map(Scalar::Number))
        .chain(texts.map(|text| Scalar::String(text.to_owned())))
        .collect()
}

/// Every operator with a scalar.
fn operators(path: &str, scalar: &Scalar) -> Vec<Filter> {
    use Compare::{Eq, Ge, Gt, Le, Lt, Ne};
    let is = |compare| Filter::Is(path.to_owned(), compare, scalar.clone());
    let mut all = [Eq, Ne, Lt, Le, Gt, Ge].map(is).to_vec();
    let one = vec![scalar.clone()];
    let several = vec![
        Scalar::Number(1.5),
        scalar.clone(),
        Scalar::Bool(false),
        Scalar::String("b".to_owned()),
    ];
    all.extend([one, several].map(|scalars| Filter::In(path.to_owned(), scalars)));
    all.push(Filter::Contains(path.to_owned(), scalar.clone()));
    if let Scalar::String(part) = scalar {
        all.push(Filter::Like(path.to_owned(), part.clone()));
    }
    all
}

/// One node for each thing that a field may be, at the top, within an object and where stores
/// have an index, and one without.
async fn one_of_each(factory: &dyn StoreFactory) -> (Probe, Vec<Value>) {
    let probe = Probe::fresh(factory).await;
    let with = |field| json!({"field": field, "in": {"field": field}, "owner": field});
    let mut bodies: Vec<_> = fields().into_iter().map(with).collect();
    bodies.extend([
        json!({}),
        json!({"in": {}}),
        json!({"in": ["field"]}),
        json!({"in": "field"}),
    ]);
    let ops = (0..).zip(&bodies);
    let ops = ops.map(|(n, body)| put(record(Kind::Node, id(n), body.clone())));
    probe.commit(ops.collect()).await;
    (probe, bodies)
}

pub(super) async fn every_operator_on_every_type_of_field(factory: &dyn StoreFactory) {
    let (probe, bodies) = one_of_each(factory).await;
    for path in ["field", "in.field", "owner"] {
        let mut filters: Vec<_> = scalars()
            .iter()
            .flat_map(|scalar| operators(path, scalar))
            .collect();
        filters.push(Filter::Null(path.to_owned()));
        filters.push(Filter::In(path.to_owned(), Vec::new()));
        for filter in filters {
            let not = Filter::Not(Box::new(filter.clone()));
            for filter in [filter, not] {
                let expected = bodies.iter().filter(|body| matches(&filter, body));
                let expected: Vec<_> = expected.cloned().collect();
                let query = Query::all(Kind::Node).filter(filter.clone());
                let mut listed = probe.list(&query).await;
                // One batch made all of them: their order is told by another case.
                listed.sort_by_key(|record| record.id);
                let listed: Vec<_> = listed.iter().map(body).collect();
                assert_eq!(listed, expected, "{filter:?}");
            }
        }
    }
}

pub(super) async fn every_pair_of_values_is_in_order(factory: &dyn StoreFactory) {
    let (probe, bodies) = one_of_each(factory).await;
    for field in ["field", "in.field"] {
        for descending in [false, true] {
            let query = Query::all(Kind::Node).sort_by(field, descending);
            let listed = probe.list(&query).await;
            assert_eq!(listed.len(), bodies.len(), "{field}");
            let sort = Sort {
                field: field.to_owned(),
                descending,
            };
            let sort = [sort];
            for pair in listed.windows(2) {
                let (a, b) = (body(&pair[0]), body(&pair[1]));
                let order = sorted(&sort, &a, &b);
                let by_creation = (pair[0].created, pair[0].id).cmp(&(pair[1].created, pair[1].id));
                assert!(order.then(by_creation).is_lt(), "{sort:?}: {a}, then {b}");
            }
            // From each of them on, what follows it.
            for (n, marker) in listed.iter().enumerate() {
                let rest = probe.ids(&query.clone().after(marker.id)).await;
                let expected = listed[n + 1..].iter().map(|record| record.id);
                assert!(rest.into_iter().eq(expected), "after {}", marker.body);
            }
        }
    }
}
