//! What the contract says about filters and orders, written for legibility alone: it shares no
//! code with the evaluation that [`MemoryStore`](crate::store::MemoryStore) uses.

use std::cmp::Ordering;

use serde_json::{Value, json};

use crate::store::{Compare, Filter, Scalar, Sort};

/// The value at a path; what is not there is null.
pub(super) fn at(body: &Value, path: &str) -> Value {
    path.split('.')
        .fold(body.clone(), |value, name| match value {
            Value::Object(mut members) => members.remove(name).unwrap_or_default(),
            _ => Value::Null,
        })
}

/// The type's place in the order of types, and its value as far as it is comparable.
fn rank(value: &Value) -> (u8, f64, String) {
    match value {
        Value::Null | Value::Array(_) | Value::Object(_) => (0, 0.0, String::new()),
        Value::Bool(flag) => (1, f64::from(u8::from(*flag)), String::new()),
        Value::Number(number) => (2, number.as_f64().unwrap_or(f64::NAN), String::new()),
        Value::String(text) => (3, 0.0, text.clone()),
    }
}

fn in_order(a: &Value, b: &Value) -> Ordering {
    rank(a).partial_cmp(&rank(b)).unwrap_or(Ordering::Equal)
}

/// How two bodies are ordered by these fields.
pub(super) fn sorted(sorts: &[Sort], a: &Value, b: &Value) -> Ordering {
    sorts.iter().fold(Ordering::Equal, |so_far, sort| {
        let order = in_order(&at(a, &sort.field), &at(b, &sort.field));
        so_far.then(if sort.descending {
            order.reverse()
        } else {
            order
        })
    })
}

pub(super) fn value(scalar: &Scalar) -> Value {
    match scalar {
        Scalar::Bool(flag) => json!(flag),
        Scalar::Number(number) => json!(number),
        Scalar::String(text) => json!(text),
    }
}

fn is(a: &Value, compare: Compare, scalar: &Scalar) -> bool {
    let b = value(scalar);
    let order = in_order(a, &b);
    rank(a).0 == rank(&b).0
        && match compare {
            Compare::Eq => order.is_eq(),
            Compare::Ne => order.is_ne(),
            Compare::Lt => order.is_lt(),
            Compare::Le => order.is_le(),
            Compare::Gt => order.is_gt(),
            Compare::Ge => order.is_ge(),
        }
}

/// Whether a body matches. Numbers of filters are finite here.
pub(super) fn matches(filter: &Filter, body: &Value) -> bool {
    match filter {
        Filter::All => true,
        Filter::Is(path, compare, scalar) => is(&at(body, path), *compare, scalar),
        Filter::Null(path) => at(body, path).is_null(),
        Filter::In(path, scalars) => {
            let mut scalars = scalars.iter();
            scalars.any(|scalar| is(&at(body, path), Compare::Eq, scalar))
        }
        Filter::Contains(path, scalar) => match (at(body, path), scalar) {
            (Value::Array(all), _) => all.iter().any(|one| is(one, Compare::Eq, scalar)),
            (Value::Object(members), Scalar::String(name)) => members.contains_key(name),
            _ => false,
        },
        Filter::Like(path, part) => at(body, path).as_str().is_some_and(|text| {
            let (text, part) = (text.to_ascii_lowercase(), part.to_ascii_lowercase());
            text.contains(&part)
        }),
        Filter::And(filters) => filters.iter().all(|filter| matches(filter, body)),
        Filter::Or(filters) => filters.iter().any(|filter| matches(filter, body)),
        Filter::Not(filter) => !matches(filter, body),
    }
}
