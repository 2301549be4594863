//! Random operations on a store and on the simplest thing that could be right: a list of records
//! that is copied, changed and kept if nothing is wrong with it.

use std::cmp::Ordering;

use serde_json::{Value, json};
use uuid::Uuid;

use super::StoreFactory;
use super::probe::{Probe, body, delete_if, id, put_if, record};
use crate::runtime::{Entropy, SeededEntropy};
use crate::store::{
    Batch, Compare, Expect, Fence, Filter, Kind, Op, Query, Record, Revision, Scalar, StoreError,
    UniqueKey,
};

const SEEDS: u64 = 12;
const STEPS: u64 = 150;

pub(super) async fn random_operations_agree_with_the_model(factory: &dyn StoreFactory) {
    for seed in 0..SEEDS {
        let probe = Probe::fresh(factory).await;
        let mut model = Model::default();
        let dice = Dice(SeededEntropy::new(seed));
        for step in 0..STEPS {
            let at = format!("seed {seed}, step {step}");
            if dice.one_in(2) {
                let batch = dice.batch(&model);
                let what = format!("{at}: {batch:?}");
                let expected = model.commit(&batch);
                let got = probe.store.commit(batch).await;
                match (&got, &expected) {
                    (Ok(revisions), Ok(())) => model.took(revisions, &what),
                    (Err(got), Err(expected)) => assert_eq!(got, expected, "{what}"),
                    _ => panic!("{what}: the model says {expected:?}, the store {got:?}"),
                }
            } else {
                let query = dice.query();
                let got = probe.store.list(&query).await;
                let got = got.map(|records| records.iter().map(summary).collect());
                let expected: Result<Vec<_>, _> = model.list(&query);
                assert_eq!(got, expected, "{at}: {query:?}");
                let counted = probe.count(query.kind, &query.filter).await;
                let matching = model.matching(&query).count() as u64;
                assert_eq!(counted, matching, "{at}: {:?}", query.filter);
            }
        }
    }
}

type Summary = (Uuid, Revision, Revision, Value, Vec<UniqueKey>);

fn summary(record: &Record) -> Summary {
    (
        record.id,
        record.created,
        record.revision,
        body(record),
        record.keys.clone(),
    )
}

#[derive(Default, Clone)]
struct Model {
    records: Vec<Record>,
    /// What the last batch wrote, waiting for the revisions that the store answers.
    written: Vec<(Kind, Uuid)>,
}

impl Model {
    fn get(&self, kind: Kind, id: Uuid) -> Option<&Record> {
        let mut records = self.records.iter();
        records.find(|r| r.kind == kind && r.id == id)
    }

    fn commit(&mut self, batch: &Batch) -> Result<(), StoreError> {
        if let Some(Fence { node, epoch }) = batch.fence {
            let lock = self.get(Kind::Lock, node).map(body).unwrap_or_default();
            if lock["holder"].is_null() || lock["epoch"] != json!(epoch) {
                return Err(StoreError::Fenced { node, epoch });
            }
        }
        let mut after = self.clone();
        after.written.clear();
        for op in &batch.ops {
            let ((kind, id), current) = (op.target(), self.get_of(op));
            let met = match op.expect() {
                Expect::Absent => current.is_none(),
                Expect::Revision(revision) => current.map(|r| r.revision) == Some(revision),
                Expect::Any => true,
            };
            if !met || after.written.contains(&(kind, id)) {
                return Err(StoreError::Conflict { kind, id });
            }
            after.written.push((kind, id));
            after.records.retain(|r| (r.kind, r.id) != (kind, id));
        }
        for op in &batch.ops {
            let Op::Put { record, .. } = op else { continue };
            for key in &record.keys {
                let mut others = after.records.iter().filter(|r| r.kind == record.kind);
                if others.any(|r| r.keys.contains(key)) {
                    let (kind, key) = (record.kind, key.clone());
                    return Err(StoreError::Duplicate { kind, key });
                }
            }
            let mut record = record.clone();
            record.created = self.get_of(op).map_or(Revision(0), |r| r.created);
            after.records.push(record);
        }
        *self = after;
        Ok(())
    }

    fn get_of(&self, op: &Op) -> Option<&Record> {
        let (kind, id) = op.target();
        self.get(kind, id)
    }

    /// Notes the revisions that the store gave, which have to be higher than all before.
    fn took(&mut self, revisions: &[Revision], what: &str) {
        assert_eq!(revisions.len(), self.written.len(), "{what}");
        let highest = self.records.iter().map(|r| r.revision).max();
        for (target, revision) in self.written.iter().zip(revisions) {
            assert!(Some(*revision) > highest, "{what}: {revision:?}");
            let mut records = self.records.iter_mut();
            if let Some(record) = records.find(|r| (r.kind, r.id) == *target) {
                record.revision = *revision;
                if record.created == Revision(0) {
                    record.created = *revision;
                }
            }
        }
    }

    fn matching(&self, query: &Query) -> impl Iterator<Item = &Record> {
        let of_kind = self.records.iter().filter(|r| r.kind == query.kind);
        of_kind.filter(|record| matches(&query.filter, &body(record)))
    }

    fn list(&self, query: &Query) -> Result<Vec<Summary>, StoreError> {
        let order = |a: &&Record, b: &&Record| {
            let by_fields = query.sort.iter().map(|sort| {
                let order = in_order(&at(&body(a), &sort.field), &at(&body(b), &sort.field));
                if sort.descending {
                    order.reverse()
                } else {
                    order
                }
            });
            let by_creation = (a.created, a.id).cmp(&(b.created, b.id));
            by_fields
                .fold(Ordering::Equal, Ordering::then)
                .then(by_creation)
        };
        let mut found: Vec<_> = self.matching(query).collect();
        if let Some(id) = query.marker {
            let kind = query.kind;
            let marker = self
                .get(kind, id)
                .ok_or(StoreError::NoMarker { kind, id })?;
            found.retain(|record| order(record, &marker) == Ordering::Greater);
        }
        found.sort_by(order);
        let limit = query.limit.map_or(usize::MAX, |limit| limit as usize);
        Ok(found.into_iter().take(limit).map(summary).collect())
    }
}

fn at(body: &Value, path: &str) -> Value {
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

fn value(scalar: &Scalar) -> Value {
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

fn matches(filter: &Filter, body: &Value) -> bool {
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

/// Random things out of a small world, so that they meet often.
struct Dice(SeededEntropy);

impl Dice {
    fn one_in(&self, n: u64) -> bool {
        self.0.below(n) == 0
    }

    fn pick<T: Clone>(&self, from: &[T]) -> T {
        from[self.0.below(from.len() as u64) as usize].clone()
    }

    fn id(&self) -> Uuid {
        id(u128::from(self.0.below(8)))
    }

    fn scalar(&self) -> Scalar {
        let text = |text: &str| Scalar::String(text.to_owned());
        self.pick(&[
            Scalar::Bool(false),
            Scalar::Bool(true),
            Scalar::Number(-1.0),
            Scalar::Number(1.0),
            Scalar::Number(1.5),
            text(""),
            text("1"),
            text("a"),
            text("B"),
        ])
    }

    fn value(&self) -> Value {
        match self.0.below(6) {
            0 => Value::Null,
            1 => json!([value(&self.scalar()), value(&self.scalar())]),
            2 => json!({"a": value(&self.scalar()), "b": value(&self.scalar())}),
            3 => json!(self.0.below(3)),
            _ => value(&self.scalar()),
        }
    }

    fn path(&self) -> String {
        self.pick(&["x", "y", "x.a", "y.b", "z"]).to_owned()
    }

    fn record(&self) -> Record {
        let kind = self.pick(&[Kind::Node, Kind::Node, Kind::Port, Kind::Lock]);
        let body = match kind {
            Kind::Lock if self.one_in(3) => json!({"epoch": self.0.below(3)}),
            Kind::Lock => json!({"epoch": self.0.below(3), "holder": "c"}),
            _ => json!({"x": self.value(), "y": self.value()}),
        };
        let mut record = record(kind, self.id(), body);
        if self.one_in(2) {
            let value = self.pick(&["a", "b", "c", "d", "e"]);
            record.keys.push(UniqueKey::new("name", value));
        }
        record
    }

    fn expect(&self, current: Option<&Record>) -> Expect {
        match (self.0.below(4), current) {
            (0, _) => Expect::Any,
            (1, _) => Expect::Absent,
            (2, _) => Expect::Revision(Revision(self.0.below(50))),
            (_, Some(record)) => Expect::Revision(record.revision),
            (_, None) => Expect::Absent,
        }
    }

    fn op(&self, model: &Model) -> Op {
        let record = self.record();
        let (kind, id) = (record.kind, record.id);
        let expect = self.expect(model.get(kind, id));
        if self.one_in(4) {
            delete_if(kind, id, expect)
        } else {
            put_if(record, expect)
        }
    }

    fn batch(&self, model: &Model) -> Batch {
        let fence = self.one_in(4).then(|| Fence {
            node: self.id(),
            epoch: self.0.below(3),
        });
        let ops = (0..self.pick(&[0, 1, 1, 1, 2, 2, 3, 5])).map(|_| self.op(model));
        let ops = ops.collect();
        Batch { fence, ops }
    }

    fn filter(&self, depth: u64) -> Filter {
        let some = || {
            (0..self.0.below(3))
                .map(|_| self.filter(depth + 1))
                .collect()
        };
        match self.0.below(if depth < 3 { 9 } else { 5 }) {
            0 => Filter::Null(self.path()),
            1 => {
                let scalars = (0..self.0.below(4)).map(|_| self.scalar());
                Filter::In(self.path(), scalars.collect())
            }
            2 => Filter::Contains(self.path(), self.scalar()),
            3 => Filter::Like(self.path(), self.pick(&["", "a", "A", "1"]).to_owned()),
            4 | 5 => {
                use Compare::{Eq, Ge, Gt, Le, Lt, Ne};
                let compare = self.pick(&[Eq, Ne, Lt, Le, Gt, Ge]);
                Filter::Is(self.path(), compare, self.scalar())
            }
            6 => Filter::And(some()),
            7 => Filter::Or(some()),
            _ => Filter::Not(Box::new(self.filter(depth + 1))),
        }
    }

    fn query(&self) -> Query {
        let mut query = Query::all(self.pick(&[Kind::Node, Kind::Node, Kind::Port]));
        if self.one_in(2) {
            query.filter = self.filter(0);
        }
        for _ in 0..self.0.below(3) {
            query = query.sort_by(self.path(), self.one_in(2));
        }
        query.marker = self.one_in(3).then(|| self.id());
        query.limit = self.one_in(3).then(|| self.pick(&[0, 1, 2, 5]));
        query
    }
}
