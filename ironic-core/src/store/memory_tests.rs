//! What queries cost, and that the index answers as reading every record does.

use futures::FutureExt as _;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::value::to_raw_value;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    Batch, Compare, Expect, Filter, Kind, MemoryStore, Op, Query, Record, Revision, Scalar, Sort,
    Store as _, StoreError,
};

fn now<T>(call: impl Future<Output = Result<T, StoreError>>) -> T {
    call.now_or_never().unwrap().unwrap()
}

fn put(id: u128, body: &Value) -> Op {
    let record = Record {
        kind: Kind::Node,
        id: Uuid::from_u128(id),
        created: Revision::default(),
        revision: Revision::default(),
        schema: 1,
        keys: Vec::new(),
        body: to_raw_value(body).unwrap().into(),
    };
    let expect = Expect::Any;
    Op::Put { record, expect }
}

fn commit(store: &MemoryStore, ops: Vec<Op>) {
    now(store.commit(Batch { fence: None, ops }));
}

/// How many bodies a count and a list of the same read.
fn cost(store: &MemoryStore, filter: &Filter) -> [u64; 2] {
    let before = store.bodies_read();
    let count = now(store.count(Kind::Node, filter));
    let between = store.bodies_read();
    let listed = now(store.list(&Query::all(Kind::Node).filter(filter.clone())));
    assert_eq!(listed.len() as u64, count);
    [between - before, store.bodies_read() - between]
}

#[test]
fn a_hundred_of_thousands_cost_a_hundred() {
    let store = MemoryStore::new();
    for n in 0..13_500_u32 {
        let state = match n % 135 {
            0 => "deploying",
            _ => "active",
        };
        let body = json!({
            "provision_state": state,
            "driver": (["ipmi", "redfish"][(n % 2) as usize]),
            "name": n.to_string(),
            "serial": n,
        });
        commit(&store, vec![put(n.into(), &body)]);
    }
    let deploying = || Filter::text("provision_state", "deploying");
    // The index counts by itself.
    assert_eq!(cost(&store, &deploying()), [0, 100]);
    let states = ["deploying", "wait call-back"].map(|state| Scalar::String(state.into()));
    let one_of = Filter::In("provision_state".into(), states.to_vec());
    assert_eq!(cost(&store, &one_of), [0, 100]);
    // Of a conjunction the condition that fewest meet, wherever it stands.
    let ipmi = || Filter::text("driver", "ipmi");
    for both in [ipmi().and(deploying()), deploying().and(ipmi())] {
        assert_eq!(cost(&store, &both), [100, 100]);
    }
    let one = ipmi().and(Filter::text("name", "8"));
    assert_eq!(cost(&store, &one), [1, 1]);
    let either = Filter::Or(vec![deploying(), Filter::text("name", "8")]);
    assert_eq!(cost(&store, &either), [101, 101]);
    // No index knows the field, or what is asked of it.
    let serial = Filter::Is("serial".into(), Compare::Eq, Scalar::Number(8.0));
    for unknown in [
        serial.clone(),
        Filter::Not(Box::new(ipmi())),
        Filter::Or(vec![deploying(), serial]),
    ] {
        assert_eq!(cost(&store, &unknown), [13_500, 13_500]);
    }
}

/// Of three indexed fields, one indexed flag and a field that is in no index.
const FIELDS: &[&str] = &["driver", "owner", "name", "maintenance", "extra"];

fn scalars() -> impl Strategy<Value = Scalar> {
    prop_oneof![
        any::<bool>().prop_map(Scalar::Bool),
        select(&[0.0, 1.0][..]).prop_map(Scalar::Number),
        select(&["", "a", "b", "true"][..]).prop_map(|text| Scalar::String(text.to_owned())),
    ]
}

fn values() -> impl Strategy<Value = Value> {
    prop_oneof![
        6 => scalars().prop_map(|scalar| match scalar {
            Scalar::Bool(flag) => json!(flag),
            Scalar::Number(number) => json!(number),
            Scalar::String(text) => json!(text),
        }),
        1 => Just(json!(null)),
        1 => Just(json!(["a"])),
        1 => Just(json!({"a": "a"})),
    ]
}

fn bodies() -> impl Strategy<Value = Value> {
    vec((select(FIELDS), values()), 0..5).prop_map(|members| {
        let members = members.into_iter();
        Value::Object(
            members
                .map(|(field, value)| (field.to_owned(), value))
                .collect(),
        )
    })
}

fn filters() -> impl Strategy<Value = Filter> {
    let field = || select(FIELDS).prop_map(str::to_owned);
    let compares = select(&[Compare::Eq, Compare::Eq, Compare::Ne, Compare::Gt][..]);
    let leaf = prop_oneof![
        4 => (field(), compares, scalars()).prop_map(|(f, compare, s)| Filter::Is(f, compare, s)),
        3 => (field(), vec(scalars(), 0..3)).prop_map(|(f, some)| Filter::In(f, some)),
        1 => field().prop_map(Filter::Null),
        1 => Just(Filter::All),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            3 => vec(inner.clone(), 0..4).prop_map(Filter::And),
            2 => vec(inner.clone(), 0..4).prop_map(Filter::Or),
            1 => inner.prop_map(|filter| Filter::Not(Box::new(filter))),
        ]
    })
}

fn queries() -> impl Strategy<Value = Query> {
    let sort = (select(FIELDS), any::<bool>());
    let sort = sort.prop_map(|(field, descending)| Sort {
        field: field.to_owned(),
        descending,
    });
    let marker = proptest::option::weighted(0.3, 0..40_u128);
    let limit = proptest::option::of(0..6_u32);
    (filters(), vec(sort, 0..2), marker, limit).prop_map(|(filter, sort, marker, limit)| Query {
        sort,
        marker: marker.map(Uuid::from_u128),
        limit,
        ..Query::all(Kind::Node).filter(filter)
    })
}

proptest! {
    #[test]
    fn the_index_answers_as_reading_everything_does(
        writes in vec((0..40_u128, bodies(), proptest::bool::weighted(0.2)), 1..80),
        queries in vec(queries(), 1..12),
    ) {
        let store = MemoryStore::new();
        for (id, body, removed) in &writes {
            let op = match removed {
                true => Op::Delete {
                    kind: Kind::Node,
                    id: Uuid::from_u128(*id),
                    expect: Expect::Any,
                },
                false => put(*id, body),
            };
            commit(&store, vec![op]);
        }
        let all = now(store.list(&Query::all(Kind::Node)));
        for query in queries {
            let answer = store.list(&query).now_or_never().unwrap();
            let ids = |records: Vec<Record>| records.iter().map(|r| (r.id, r.revision)).collect::<Vec<_>>();
            prop_assert_eq!(answer.map(ids), query.select(all.clone()).map(ids), "{:?}", query);
            let matching = all.iter().filter(|record| query.filter.matches(&record.body).unwrap());
            let matching = matching.count() as u64;
            prop_assert_eq!(now(store.count(Kind::Node, &query.filter)), matching);
        }
    }
}

#[test]
fn the_last_of_members_of_one_name_counts() {
    let store = MemoryStore::new();
    let Op::Put { mut record, expect } = put(1, &json!({})) else {
        unreachable!("it is put")
    };
    let twice = r#"{"owner":"a","owner":"b","dri\u0076er":"ipmi"}"#;
    record.body = serde_json::value::RawValue::from_string(twice.to_owned())
        .unwrap()
        .into();
    commit(&store, vec![Op::Put { record, expect }]);
    for (field, value, count) in [("owner", "a", 0), ("owner", "b", 1), ("driver", "ipmi", 1)] {
        let filter = Filter::text(field, value);
        assert_eq!(
            now(store.count(Kind::Node, &filter)),
            count,
            "{field} {value}"
        );
    }
}
