//! Random operations on a store and on a model of it; what fails is made as short as it can be.

use proptest::collection::vec;
use proptest::option::weighted;
use proptest::prelude::{Just, Strategy, any, prop_oneof};
use proptest::sample::select;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::{Value, json};
use uuid::Uuid;

use super::StoreFactory;
use super::judge::value;
use super::model::Model;
use super::probe::{body, delete_if, id, put_if, record};
use crate::store::{
    Batch, Compare, Expect, Fence, Filter, Kind, Query, Record, Revision, Scalar, Sort, Store,
    StoreError, UniqueKey,
};

/// How many histories, and how long one is at most.
const HISTORIES: u32 = 40;
const STEPS: usize = 100;

/// How many shorter histories are tried when one fails.
const SHRINKS: u32 = 400;

pub(super) async fn random_operations_agree_with_the_model(factory: &dyn StoreFactory) {
    agree(factory, false).await;
}

pub(super) async fn random_operations_survive_reopening(factory: &dyn StoreFactory) {
    agree(factory, true).await;
}

async fn agree(factory: &dyn StoreFactory, reopening: bool) {
    // The same histories at each run: a store that fails fails again.
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    for _ in 0..HISTORIES {
        let tree = vec(step(), 1..STEPS).new_tree(&mut runner);
        let Ok(mut tree) = tree else {
            panic!("no strategy here refuses a value")
        };
        if let Err(error) = live(factory, &tree.current(), reopening).await {
            let (steps, error) = shortest(factory, &mut tree, reopening, error).await;
            panic!("after these {} steps {error}\n{steps:#?}", steps.len());
        }
    }
}

/// The shortest history that is found to fail as well, and how.
async fn shortest(
    factory: &dyn StoreFactory,
    tree: &mut (impl ValueTree<Value = Vec<Step>> + Send),
    reopening: bool,
    mut error: String,
) -> (Vec<Step>, String) {
    let mut steps = tree.current();
    let mut further = tree.simplify();
    for _ in 0..SHRINKS {
        if !further {
            break;
        }
        further = match live(factory, &tree.current(), reopening).await {
            Err(simpler) => {
                (steps, error) = (tree.current(), simpler);
                tree.simplify()
            }
            Ok(()) => tree.complicate(),
        };
    }
    (steps, error)
}

/// Lives through a history with a new store; half-way it is dropped and opened once more.
async fn live(factory: &dyn StoreFactory, steps: &[Step], reopening: bool) -> Result<(), String> {
    let mut store = factory.fresh().await;
    let mut model = Model::default();
    for (n, step) in steps.iter().enumerate() {
        if reopening && n == steps.len() / 2 {
            drop(store);
            store = factory.reopen().await.ok_or("the store is not reopened")?;
        }
        match step {
            Step::Commit(fence, planned) => {
                commit(&*store, &mut model, *fence, planned).await?;
                for op in planned {
                    get(&*store, &model, op.record.kind, op.record.id).await?;
                }
            }
            Step::List(query) => list(&*store, &model, query).await?,
        }
    }
    for kind in [Kind::Node, Kind::Port, Kind::Lock] {
        list(&*store, &model, &Query::all(kind)).await?;
        find(&*store, &model, kind).await?;
    }
    Ok(())
}

async fn commit(
    store: &dyn Store,
    model: &mut Model,
    fence: Option<Fence>,
    planned: &[Planned],
) -> Result<(), String> {
    let ops = planned.iter().map(|op| {
        let Record { kind, id, .. } = op.record;
        let expect = match (op.expect, model.get(kind, id)) {
            (Expected::Any, _) => Expect::Any,
            (Expected::Absent, _) | (Expected::Current, None) => Expect::Absent,
            (Expected::Current, Some(record)) => Expect::Revision(record.revision),
            (Expected::At(revision), _) => Expect::Revision(Revision(revision)),
        };
        if op.deletes {
            delete_if(kind, id, expect)
        } else {
            put_if(op.record.clone(), expect)
        }
    });
    let batch = Batch {
        fence,
        ops: ops.collect(),
    };
    let expected = model.commit(&batch);
    match (store.commit(batch).await, expected) {
        (Ok(revisions), Ok(())) => model.took(&revisions),
        (got, expected) if got.as_ref().err() == expected.as_ref().err() => Ok(()),
        (got, expected) => Err(format!(
            "the last commit gives {got:?}; the model says {expected:?}"
        )),
    }
}

/// All that a record is, but for the spelling of its body.
type Whole = (Uuid, Revision, Revision, u16, Vec<UniqueKey>, Value);

fn whole(record: &Record) -> Whole {
    let Record {
        id,
        created,
        revision,
        schema,
        keys,
        ..
    } = record.clone();
    (id, created, revision, schema, keys, body(record))
}

async fn list(store: &dyn Store, model: &Model, query: &Query) -> Result<(), String> {
    let got = store.list(query).await;
    let got: Result<Vec<_>, _> = got.map(|records| records.iter().map(whole).collect());
    let expected: Result<Vec<_>, StoreError> = model
        .list(query)
        .map(|records| records.into_iter().map(whole).collect());
    if got != expected {
        return Err(format!(
            "{query:?}\ngives {got:?}\nthe model says {expected:?}"
        ));
    }
    let (kind, filter) = (query.kind, &query.filter);
    let counted = store.count(kind, filter).await;
    let matching = model.matching(kind, filter).len() as u64;
    if counted == Ok(matching) {
        return Ok(());
    }
    Err(format!(
        "the count of {filter:?} is {counted:?}; the model says {matching}"
    ))
}

async fn get(store: &dyn Store, model: &Model, kind: Kind, id: Uuid) -> Result<(), String> {
    let expected = model.get(kind, id).map(whole);
    let got = store.get(kind, id).await;
    let got = got.map(|record| record.as_ref().map(whole));
    if got == Ok(expected) {
        return Ok(());
    }
    Err(format!("{kind} {id} is {got:?}"))
}

/// Each record by its identity, and each key.
async fn find(store: &dyn Store, model: &Model, kind: Kind) -> Result<(), String> {
    for n in 0..IDS {
        get(store, model, kind, id(n)).await?;
    }
    for value in NAMES {
        let key = UniqueKey::new("name", value);
        let mut records = model.records.iter();
        let expected = records.find(|r| r.kind == kind && r.keys.contains(&key));
        let got = store.find(kind, &key).await;
        let got = got.map(|record| record.as_ref().map(whole));
        if got != Ok(expected.map(whole)) {
            return Err(format!("the {kind} of {key} is {got:?}"));
        }
    }
    Ok(())
}

#[derive(Debug, Clone)]
enum Step {
    Commit(Option<Fence>, Vec<Planned>),
    List(Query),
}

/// An operation that does not know the revisions yet.
#[derive(Debug, Clone)]
struct Planned {
    record: Record,
    deletes: bool,
    expect: Expected,
}

#[derive(Debug, Clone, Copy)]
enum Expected {
    Any,
    Absent,
    /// What is there, or that nothing is.
    Current,
    At(u64),
}

/// A strategy that can be held over an await.
trait Random<T>: Strategy<Value = T, Tree: Send> + Clone + Send + Sync {}

impl<T, S: Strategy<Value = T, Tree: Send> + Clone + Send + Sync> Random<T> for S {}

// A small world, so that things meet often.
const IDS: u128 = 8;
const NAMES: &[&str] = &["a", "b", "c", "d", "e"];
/// Of these `name` is an indexed field of all kinds here that are listed, `owner` of one.
const PATHS: &[&str] = &["x", "y", "x.a", "y.b", "z", "name", "owner"];

fn step() -> impl Random<Step> {
    let fence = (ids(), 0..3_u64).prop_map(|(node, epoch)| Fence { node, epoch });
    let commit = (weighted(0.25, fence), vec(planned(), 0..5));
    prop_oneof![
        commit.prop_map(|(fence, ops)| Step::Commit(fence, ops)),
        query().prop_map(Step::List),
    ]
}

fn ids() -> impl Random<Uuid> {
    (0..IDS).prop_map(id)
}

fn planned() -> impl Random<Planned> {
    let expect = prop_oneof![
        2 => Just(Expected::Any),
        1 => Just(Expected::Absent),
        3 => Just(Expected::Current),
        1 => (0..40_u64).prop_map(Expected::At),
    ];
    let deletes = proptest::bool::weighted(0.25);
    (records(), deletes, expect).prop_map(|(record, deletes, expect)| Planned {
        record,
        deletes,
        expect,
    })
}

fn records() -> impl Random<Record> {
    let lock = (0..3_u64, any::<bool>()).prop_map(|(epoch, free)| match free {
        true => json!({ "epoch": epoch }),
        false => json!({ "epoch": epoch, "holder": "c" }),
    });
    let other = vec(values(), 4);
    let other = other.prop_map(|v| json!({"x": v[0], "y": v[1], "name": v[2], "owner": v[3]}));
    let of_kind = prop_oneof![
        2 => (Just(Kind::Node), other.clone()),
        1 => (Just(Kind::Port), other),
        1 => (Just(Kind::Lock), lock),
    ];
    let names = vec(select(NAMES), 0..2);
    (of_kind, ids(), 1..3_u16, names).prop_map(|((kind, body), id, schema, names)| {
        let mut record = record(kind, id, body);
        record.schema = schema;
        record.keys = names.iter().map(|n| UniqueKey::new("name", n)).collect();
        record
    })
}

fn scalars() -> impl Random<Scalar> {
    prop_oneof![
        any::<bool>().prop_map(Scalar::Bool),
        select(&[-1.0, 1.0, 1.5][..]).prop_map(Scalar::Number),
        select(&["", "1", "a", "B"][..]).prop_map(|text| Scalar::String(text.to_owned())),
    ]
}

fn values() -> impl Random<Value> {
    let scalar = || scalars().prop_map(|scalar| value(&scalar));
    prop_oneof![
        3 => scalar(),
        1 => Just(Value::Null),
        1 => (0..3_u8).prop_map(|number| json!(number)),
        1 => vec(scalar(), 0..3).prop_map(Value::Array),
        1 => (scalar(), scalar()).prop_map(|(a, b)| json!({ "a": a, "b": b })),
    ]
}

fn paths() -> impl Random<String> {
    select(PATHS).prop_map(str::to_owned)
}

fn compares() -> impl Random<Compare> {
    use Compare::{Eq, Ge, Gt, Le, Lt, Ne};
    select(&[Eq, Ne, Lt, Le, Gt, Ge][..])
}

fn leaves() -> impl Random<Filter> {
    let is = (paths(), compares(), scalars());
    let parts = select(&["", "a", "A", "1"][..]);
    prop_oneof![
        3 => is.prop_map(|(path, compare, scalar)| Filter::Is(path, compare, scalar)),
        1 => paths().prop_map(Filter::Null),
        1 => (paths(), vec(scalars(), 0..4)).prop_map(|(path, any)| Filter::In(path, any)),
        1 => (paths(), scalars()).prop_map(|(path, scalar)| Filter::Contains(path, scalar)),
        1 => (paths(), parts).prop_map(|(path, part)| Filter::Like(path, part.to_owned())),
    ]
}

/// Three levels by hand: what `prop_recursive` gives cannot be held over an await.
fn filters() -> impl Random<Filter> {
    prop_oneof![
        1 => Just(Filter::All),
        2 => combined(combined(leaves())),
    ]
}

fn combined(inner: impl Random<Filter>) -> impl Random<Filter> {
    prop_oneof![
        3 => inner.clone(),
        1 => vec(inner.clone(), 0..3).prop_map(Filter::And),
        1 => vec(inner.clone(), 0..3).prop_map(Filter::Or),
        2 => inner.prop_map(|filter| Filter::Not(Box::new(filter))),
    ]
}

fn query() -> impl Random<Query> {
    let kinds = prop_oneof![3 => Just(Kind::Node), 1 => Just(Kind::Port)];
    let sort = (paths(), any::<bool>());
    let sort = sort.prop_map(|(field, descending)| Sort { field, descending });
    let limit = weighted(0.3, select(&[0, 1, 2, 5][..]));
    let parts = (
        kinds,
        filters(),
        vec(sort, 0..3),
        weighted(0.3, ids()),
        limit,
    );
    parts.prop_map(|(kind, filter, sort, marker, limit)| Query {
        kind,
        filter,
        sort,
        marker,
        limit,
        fields: None,
    })
}
