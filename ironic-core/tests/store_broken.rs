//! The conformance suite bites: stores that break the contract in one way each are caught by the
//! cases that were written for it.

#![allow(clippy::panic, reason = "a failing test panics")]

use std::sync::Arc;

use async_trait::async_trait;
use ironic_core::store::{
    Batch, Compare, Expect, Filter, Kind, MemoryStore, Op, Query, Record, Revision, Store,
    StoreError, UniqueKey,
};
use ironic_core::testing::run_store_case;
use uuid::Uuid;

/// What is wrong with a store.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Fault {
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
}

#[derive(Debug)]
struct Broken {
    inner: MemoryStore,
    fault: Fault,
}

impl Broken {
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
        self.inner.commit(batch).await
    }

    async fn one_by_one(&self, batch: Batch) -> Result<Vec<Revision>, StoreError> {
        let mut revisions = Vec::new();
        for op in batch.ops {
            let one = Batch {
                fence: batch.fence,
                ops: vec![op],
            };
            revisions.extend(self.inner.commit(one).await?);
            tokio::task::yield_now().await;
        }
        Ok(revisions)
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
        self.inner.get(kind, id).await
    }

    async fn find(&self, kind: Kind, key: &UniqueKey) -> Result<Option<Record>, StoreError> {
        self.inner.find(kind, &self.fold(key)).await
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
            _ => self.inner.list(&query).await,
        }
    }

    async fn count(&self, kind: Kind, filter: &Filter) -> Result<u64, StoreError> {
        self.inner.count(kind, &self.spoil(filter)).await
    }

    async fn commit(&self, mut batch: Batch) -> Result<Vec<Revision>, StoreError> {
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
            _ => {}
        }
        match self.fault {
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
                self.inner.commit(batch).await
            }
            Fault::BlamesTheFirst => {
                let first = batch.ops.first().map(Op::target);
                match (self.inner.commit(batch).await, first) {
                    (Err(StoreError::Conflict { .. }), Some((kind, id))) => {
                        Err(StoreError::Conflict { kind, id })
                    }
                    (answer, _) => answer,
                }
            }
            _ => self.inner.commit(batch).await,
        }
    }
}

/// Runs a case against a store with a fault; gives what it panicked with.
async fn run(fault: Fault, case: &'static str) -> Option<String> {
    let make = move || {
        let inner = MemoryStore::new();
        Arc::new(Broken { inner, fault }) as Arc<dyn Store>
    };
    let case = tokio::spawn(async move { run_store_case(case, &make).await });
    let panic = case.await.err()?.into_panic();
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(|&text| text.to_owned()))
}

/// Asserts that these cases catch a fault, and pass without it.
async fn caught_by(fault: Fault, cases: &[&'static str]) {
    for case in cases {
        let message = run(fault, case).await;
        let message = message.unwrap_or_else(|| panic!("{case} does not catch {fault:?}"));
        assert!(!message.contains("has not ended"), "{case}: {message}");
        assert!(!message.contains("there is no case"), "{case}: {message}");
        assert_eq!(run(Fault::None, case).await, None, "{case} without a fault");
    }
}

macro_rules! caught {
    ($($name:ident: $fault:ident by $($case:literal),+;)+) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn $name() {
                caught_by(Fault::$fault, &[$($case),+]).await;
            }
        )+
    };
}

caught! {
    ignored_expectations: IgnoresExpectations by
        "a_lost_update_is_refused",
        "absent_refuses_what_exists",
        "a_deletion_minds_its_expectation",
        "increments_are_never_lost",
        "random_operations_agree_with_the_model";
    check_then_act: ChecksThenActs by
        "increments_are_never_lost",
        "one_of_many_gets_the_lock";
    ignored_fences: IgnoresFences by
        "another_epoch_is_fenced",
        "a_free_or_missing_lock_is_fenced",
        "a_fenced_batch_changes_nothing",
        "random_operations_agree_with_the_model";
    late_fences: ChecksFencesLast by
        "the_fence_goes_before_all_else";
    piecemeal_batches: AppliesPiecemeal by
        "a_refused_batch_changes_nothing",
        "a_refused_duplicate_changes_nothing",
        "keys_swap_within_a_batch",
        "the_fence_is_judged_before_the_batch",
        "readers_see_whole_batches",
        "a_dropped_call_is_whole",
        "random_operations_agree_with_the_model";
    three_valued_logic: ThreeValued by
        "null_and_absent_are_the_same",
        "unknown_fields_are_null",
        "random_operations_agree_with_the_model";
    unequal_null: NullIsUnequal by
        "null_and_absent_are_the_same",
        "every_comparison_of_strings",
        "every_comparison_of_numbers",
        "every_comparison_of_booleans";
    absent_is_no_null: AbsentIsNoNull by
        "null_and_absent_are_the_same",
        "unknown_fields_are_null";
    order_of_writes: OrdersByRevision by
        "created_stays_over_updates",
        "the_default_order_is_creation",
        "random_operations_agree_with_the_model";
    reversed_ties: ReversesTies by
        "descending_reverses_all_but_ties",
        "several_fields_sort_one_after_the_other";
    lost_markers: LosesUnmatchedMarkers by
        "the_marker_need_not_match",
        "random_operations_agree_with_the_model";
    folded_keys: FoldsKeys by
        "keys_are_compared_by_bytes";
    wildcards: LikeHasWildcards by
        "texts_have_parts";
    wrong_blame: BlamesTheFirst by
        "a_conflict_names_the_record";
}
