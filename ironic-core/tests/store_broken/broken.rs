use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use ironic_core::store::{
    Batch, Compare, Expect, Filter, Kind, MemoryStore, Op, Query, Record, Revision, Scalar, Store,
    StoreError, UniqueKey,
};
use serde_json::value::to_raw_value;
use serde_json::{Value, json};
use uuid::Uuid;

/// What is wrong with a store.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Fault {
    /// Nothing: the wrapper alone changes nothing.
    None,
    /// Writes whatever is there.
    IgnoresExpectations,
    /// Looks first and writes later.
    ChecksThenActs,
    /// Lets every fence through.
    IgnoresFences,
    /// Looks at the fence only after it has found out what else is wrong.
    ChecksFencesLast,
    /// Applies one operation after the other.
    AppliesPiecemeal,
    /// Takes `not (field = x)` for false where the field is null, as SQL does.
    ThreeValued,
    /// Takes null for unequal to everything.
    NullIsUnequal,
    /// Takes an absent field for something else than null.
    AbsentIsNoNull,
    /// Lists what was written last at the end.
    OrdersByRevision,
    /// Breaks ties the other way round when it sorts downwards.
    ReversesTies,
    /// Looks for the marker among the records that match.
    LosesUnmatchedMarkers,
    /// Looks for unique keys without regard to case.
    FoldsKeys,
    /// Takes `%` for anything.
    LikeHasWildcards,
    /// Answers a failed commit with the first record of the batch.
    BlamesTheFirst,
    /// Takes a lock that nobody holds for held, if the epoch is right.
    IgnoresHolders,
    /// Counts the revisions of each kind by itself.
    CountsEachKind,
    /// Gives what was there when it was last asked.
    ReadsBehind,
    /// Goes on from the beginning where the marker is gone.
    StartsOverWithoutMarker,
    /// Pages by position.
    PagesByOffset,
    /// Folds the case of all letters there are.
    FoldsUnicode,
    /// Composes what is decomposed.
    Normalises,
    /// Leaves U+0000 out.
    DropsNul,
    /// Keeps all numbers as floats.
    KeepsFloats,
    /// Has no room for large records.
    IsNarrow,
    /// Takes so many operations and leaves the rest.
    CutsBatches,
    /// Finds a record by what it was before it was last written, too.
    IndexesWhatWas,
    /// Takes what it finds by one condition of several for what meets all.
    DecidesByOne,
    /// Gives a page of a thousand at most, asked or not.
    CapsLists,
    /// Forgets the last commit when it is closed.
    ForgetsTheLast,
    /// Counts from what is there when it is opened.
    CountsAnew,
    /// Writes the last commit out when it is closed.
    WritesAtTheEnd,
    /// Keeps what is there by itself once it is opened.
    OpensApart,
}

/// A store in memory with a fault.
#[derive(Debug)]
pub(crate) struct Broken {
    pub(crate) inner: Arc<MemoryStore>,
    pub(crate) fault: Fault,
    /// What has been committed, for who opens it again.
    pub(crate) log: Arc<Mutex<Vec<Batch>>>,
    by_kind: BTreeMap<Kind, MemoryStore>,
    seen: Mutex<BTreeMap<(Kind, Uuid), Option<Record>>>,
    positions: Mutex<BTreeMap<Uuid, usize>>,
}

impl Broken {
    pub(crate) fn new(inner: Arc<MemoryStore>, fault: Fault, log: Arc<Mutex<Vec<Batch>>>) -> Self {
        let by_kind = Kind::ALL.iter().map(|kind| (*kind, MemoryStore::new()));
        Self {
            inner,
            fault,
            log,
            by_kind: by_kind.collect(),
            seen: Mutex::default(),
            positions: Mutex::default(),
        }
    }

    fn of(&self, kind: Kind) -> &MemoryStore {
        match self.fault {
            Fault::CountsEachKind => &self.by_kind[&kind],
            _ => &self.inner,
        }
    }

    fn spoil(&self, filter: &Filter) -> Filter {
        let all = |filters: &[Filter]| filters.iter().map(|f| self.spoil(f)).collect();
        match (filter, self.fault) {
            (Filter::Not(inner), Fault::ThreeValued) => {
                let not = Filter::Not(inner.clone());
                match &**inner {
                    Filter::Is(path, ..) | Filter::In(path, _) | Filter::Like(path, _) => {
                        not.and(Filter::Not(Box::new(Filter::Null(path.clone()))))
                    }
                    _ => not,
                }
            }
            (Filter::Is(path, Compare::Ne, scalar), Fault::NullIsUnequal) => Filter::Not(Box::new(
                Filter::Is(path.clone(), Compare::Eq, scalar.clone()),
            )),
            (Filter::Null(_), Fault::AbsentIsNoNull) => Filter::Or(Vec::new()),
            (Filter::Like(path, part), Fault::LikeHasWildcards) if part.contains('%') => {
                Filter::And(
                    part.split('%')
                        .map(|part| Filter::Like(path.clone(), part.into()))
                        .collect(),
                )
            }
            (Filter::Like(path, part), Fault::FoldsUnicode) => {
                let folded = [part.clone(), part.to_lowercase(), part.to_uppercase()];
                let like = |part| Filter::Like(path.clone(), part);
                Filter::Or(folded.map(like).to_vec())
            }
            (Filter::And(filters), Fault::DecidesByOne) => {
                let by_text = filters
                    .iter()
                    .find(|filter| matches!(filter, Filter::Is(_, Compare::Eq, Scalar::String(_))));
                by_text.cloned().unwrap_or(Filter::And(all(filters)))
            }
            (Filter::And(filters), _) => Filter::And(all(filters)),
            (Filter::Or(filters), _) => Filter::Or(all(filters)),
            (Filter::Not(filter), _) => Filter::Not(Box::new(self.spoil(filter))),
            (filter, _) => filter.clone(),
        }
    }

    fn fold(&self, key: &UniqueKey) -> UniqueKey {
        match self.fault {
            Fault::FoldsKeys => UniqueKey::new(key.field.clone(), key.value.to_lowercase()),
            _ => key.clone(),
        }
    }

    /// Sorted downwards, with the ties in the wrong order: everything sorted upwards, reversed.
    async fn reversed(&self, query: &Query) -> Result<Vec<Record>, StoreError> {
        let mut upwards = Query::all(query.kind).filter(query.filter.clone());
        for sort in &query.sort {
            upwards = upwards.sort_by(sort.field.clone(), !sort.descending);
        }
        let mut records = self.inner.list(&upwards).await?;
        records.reverse();
        Ok(records)
    }

    /// What matches, and then what did.
    async fn with_what_was(&self, query: &Query) -> Result<Vec<Record>, StoreError> {
        let mut found = self.inner.list(query).await?;
        let before = self.seen.lock().unwrap().clone();
        for ((kind, id), before) in before {
            let matched = before.is_some_and(|it| query.filter.matches(&it.body).unwrap());
            if kind == query.kind && matched && found.iter().all(|record| record.id != id) {
                found.extend(self.inner.get(kind, id).await?);
            }
        }
        Ok(found)
    }

    /// Everything from the position on at which the marker was when it was last seen.
    async fn by_offset(&self, query: &Query) -> Result<Vec<Record>, StoreError> {
        let mut whole = query.clone();
        (whole.marker, whole.limit) = (None, None);
        let all = self.inner.list(&whole).await?;
        let mut positions = self.positions.lock().unwrap();
        let known = query.marker.and_then(|id| positions.get(&id));
        let from = known.map_or(0, |position| position + 1);
        let limit = query.limit.map_or(usize::MAX, |limit| limit as usize);
        let page: Vec<_> = all.into_iter().skip(from).take(limit).collect();
        positions.extend((from..).zip(&page).map(|(n, record)| (record.id, n)));
        Ok(page)
    }

    /// What a record becomes on its way in.
    fn bend(&self, record: &mut Record) {
        let body: Value = serde_json::from_str(record.body.get()).unwrap();
        let body = match self.fault {
            Fault::DropsNul => json!(body).to_string().replace("\\u0000", ""),
            Fault::Normalises => body.to_string().replace("e\u{301}", "é"),
            Fault::KeepsFloats => floats(body).to_string(),
            _ => return,
        };
        let body: Value = serde_json::from_str(&body).unwrap();
        record.body = to_raw_value(&body).unwrap().into();
    }

    async fn check_then_act(&self, mut batch: Batch) -> Result<Vec<Revision>, StoreError> {
        for op in &mut batch.ops {
            let (kind, id) = op.target();
            let current = self.get(kind, id).await?.map(|record| record.revision);
            if !op.expect().is_met_by(current) {
                return Err(StoreError::Conflict { kind, id });
            }
            expect_anything(op);
        }
        tokio::task::yield_now().await;
        self.apply(batch).await
    }

    /// Has the store in memory do it, and takes down what it has done.
    async fn apply(&self, batch: Batch) -> Result<Vec<Revision>, StoreError> {
        let kept = batch.clone();
        let answer = self.inner.commit(batch).await?;
        self.log.lock().unwrap().push(kept);
        Ok(answer)
    }

    async fn one_by_one(&self, batch: Batch) -> Result<Vec<Revision>, StoreError> {
        let mut revisions = Vec::new();
        for op in batch.ops {
            let one = Batch {
                fence: batch.fence,
                ops: vec![op],
            };
            revisions.extend(self.apply(one).await?);
            tokio::task::yield_now().await;
        }
        Ok(revisions)
    }
}

/// Large numbers as a reader sees them that knows floats alone.
fn floats(value: Value) -> Value {
    match value {
        Value::Number(n) if n.as_u64().is_some_and(|n| n > 1 << 53) => json!(n.as_f64()),
        Value::Array(all) => all.into_iter().map(floats).collect(),
        Value::Object(all) => {
            let all = all.into_iter().map(|(name, value)| (name, floats(value)));
            Value::Object(all.collect())
        }
        other => other,
    }
}

fn expect_anything(op: &mut Op) {
    match op {
        Op::Put { expect, .. } | Op::Delete { expect, .. } => *expect = Expect::Any,
    }
}

#[async_trait]
impl Store for Broken {
    async fn get(&self, kind: Kind, id: Uuid) -> Result<Option<Record>, StoreError> {
        let now = self.of(kind).get(kind, id).await?;
        if self.fault == Fault::ReadsBehind {
            let before = self.seen.lock().unwrap().insert((kind, id), now.clone());
            return Ok(before.unwrap_or(now));
        }
        Ok(now)
    }

    async fn find(&self, kind: Kind, key: &UniqueKey) -> Result<Option<Record>, StoreError> {
        self.of(kind).find(kind, &self.fold(key)).await
    }

    async fn list(&self, query: &Query) -> Result<Vec<Record>, StoreError> {
        let mut query = query.clone();
        query.filter = self.spoil(&query.filter);
        let descends = query.sort.iter().any(|sort| sort.descending);
        match (self.fault, query.marker) {
            (Fault::ReversesTies, None) if descends && query.limit.is_none() => {
                self.reversed(&query).await
            }
            (Fault::OrdersByRevision, None) if query.sort.is_empty() => {
                let mut records = self.inner.list(&query).await?;
                records.sort_by_key(|record| record.revision);
                Ok(records)
            }
            (Fault::LosesUnmatchedMarkers, Some(marker)) => {
                let mut whole = query.clone();
                (whole.marker, whole.limit) = (None, None);
                let matching = self.inner.list(&whole).await?;
                if matching.iter().any(|record| record.id == marker) {
                    self.inner.list(&query).await
                } else {
                    Ok(Vec::new())
                }
            }
            (Fault::PagesByOffset, _) => self.by_offset(&query).await,
            (Fault::IndexesWhatWas, None) => self.with_what_was(&query).await,
            (Fault::StartsOverWithoutMarker, Some(_)) => match self.inner.list(&query).await {
                Err(StoreError::NoMarker { .. }) => {
                    query.marker = None;
                    self.inner.list(&query).await
                }
                answer => answer,
            },
            (Fault::CapsLists, _) => {
                query.limit = Some(query.limit.unwrap_or(1000).min(1000));
                self.inner.list(&query).await
            }
            _ => self.of(query.kind).list(&query).await,
        }
    }

    async fn count(&self, kind: Kind, filter: &Filter) -> Result<u64, StoreError> {
        self.of(kind).count(kind, &self.spoil(filter)).await
    }

    async fn commit(&self, batch: Batch) -> Result<Vec<Revision>, StoreError> {
        self.spoilt(batch).await
    }
}

impl Broken {
    async fn spoilt(&self, mut batch: Batch) -> Result<Vec<Revision>, StoreError> {
        match self.fault {
            Fault::IgnoresExpectations => batch.ops.iter_mut().for_each(expect_anything),
            Fault::IgnoresFences => batch.fence = None,
            Fault::FoldsKeys => {
                for op in &mut batch.ops {
                    if let Op::Put { record, .. } = op {
                        record.keys = record.keys.iter().map(|key| self.fold(key)).collect();
                    }
                }
            }
            Fault::IgnoresHolders => {
                if let Some(fence) = batch.fence {
                    let lock = self.inner.get(Kind::Lock, fence.node).await?;
                    let lock = lock.map(|lock| serde_json::from_str::<Value>(lock.body.get()));
                    let epoch = lock.and_then(|lock| lock.unwrap()["epoch"].as_u64());
                    if epoch == Some(fence.epoch) {
                        batch.fence = None;
                    }
                }
            }
            Fault::CutsBatches => batch.ops.truncate(500),
            _ => {}
        }
        for op in &mut batch.ops {
            if let Op::Put { record, .. } = op {
                self.bend(record);
                if self.fault == Fault::IsNarrow && record.body.get().len() > 1 << 20 {
                    let message = "too large".to_owned();
                    return Err(StoreError::Unavailable { message });
                }
            }
        }
        if self.fault == Fault::IndexesWhatWas {
            for op in &batch.ops {
                let (kind, id) = op.target();
                let before = self.inner.get(kind, id).await?;
                self.seen.lock().unwrap().insert((kind, id), before);
            }
        }
        match self.fault {
            Fault::CountsEachKind => match batch.ops.first() {
                Some(op) => self.by_kind[&op.target().0].commit(batch).await,
                None => Ok(Vec::new()),
            },
            Fault::ChecksThenActs => self.check_then_act(batch).await,
            Fault::AppliesPiecemeal => self.one_by_one(batch).await,
            Fault::ChecksFencesLast => {
                for op in &batch.ops {
                    let (kind, id) = op.target();
                    let current = self.get(kind, id).await?.map(|record| record.revision);
                    if !op.expect().is_met_by(current) {
                        return Err(StoreError::Conflict { kind, id });
                    }
                }
                self.apply(batch).await
            }
            Fault::BlamesTheFirst => {
                let first = batch.ops.first().map(Op::target);
                match (self.apply(batch).await, first) {
                    (Err(StoreError::Conflict { .. }), Some((kind, id))) => {
                        Err(StoreError::Conflict { kind, id })
                    }
                    (answer, _) => answer,
                }
            }
            _ => self.apply(batch).await,
        }
    }
}
