//! The contract of [`Store`] as code.

mod cancellation;
mod concurrency;
mod expectations;
mod fences;
mod filters;
mod judge;
mod keys;
mod model;
mod numbers;
mod paging;
mod persistence;
mod probe;
mod random;
mod records;
mod sharing;
mod size;
mod sorting;
mod table;
mod text;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use crate::store::Store;

/// How the suite comes by the stores that it tests. A closure that makes an empty store is one,
/// for stores that keep nothing once they are dropped.
///
/// # Contract
/// - **Who calls.** Each case of [`store_conformance!`](crate::store_conformance) with a factory of
///   its own, so that several stores are open at once; within a case, one after the other.
/// - **Apart.** A `fresh` store is empty, and shares nothing with the one before.
/// - **`reopen`** is called when every handle to the last store has been dropped, **`beside`** while
///   one lives. Both give a handle to the same records, through another connection.
/// - **Errors** are panics, which fail the case; one that hangs fails after two minutes.
///
/// [Writing a store](crate::guide::writing_a_store) has one.
#[async_trait]
pub trait StoreFactory: Send + Sync {
    /// A new, empty store.
    async fn fresh(&self) -> Arc<dyn Store>;

    /// Opens what [`fresh`](StoreFactory::fresh) gave last once more, after that has been dropped.
    /// `None` for stores that keep nothing.
    async fn reopen(&self) -> Option<Arc<dyn Store>> {
        None
    }

    /// Opens what [`fresh`](StoreFactory::fresh) gave last a second time, while that is in use.
    /// `None` for stores that belong to one opening at a time.
    async fn beside(&self) -> Option<Arc<dyn Store>> {
        None
    }
}

#[async_trait]
impl<F: Fn() -> Arc<dyn Store> + Send + Sync> StoreFactory for F {
    async fn fresh(&self) -> Arc<dyn Store> {
        self()
    }
}

/// Calls a macro with the names of all cases: those for every store, those for stores that keep
/// what they are given, those for stores that can be opened twice at once.
#[doc(hidden)]
#[macro_export]
macro_rules! __store_cases {
    ([$($then:tt)+] $($args:tt)*) => {
        $($then)+! {
            $($args)*
            [
                records: nothing_is_there_at_first,
                records: a_record_comes_back_as_it_was_put,
                records: kinds_are_apart,
                records: a_put_replaces_the_whole_body,
                records: the_answer_tells_the_revisions,
                records: revisions_rise_across_kinds,
                records: given_revisions_are_ignored,
                records: created_stays_over_updates,
                records: created_is_new_after_a_deletion,
                records: a_deleted_record_is_gone,
                records: deleting_nothing_is_no_error,
                records: an_empty_batch_does_nothing,
                records: every_schema_is_kept,
                expectations: absent_refuses_what_exists,
                expectations: a_revision_refuses_any_other,
                expectations: any_accepts_everything,
                expectations: a_lost_update_is_refused,
                expectations: a_deletion_minds_its_expectation,
                expectations: a_conflict_names_the_record,
                expectations: a_refused_batch_changes_nothing,
                expectations: a_record_named_twice_is_refused,
                keys: a_key_finds_its_record,
                keys: a_duplicate_names_the_key,
                keys: duplicates_within_a_batch_are_refused,
                keys: keys_are_apart_by_kind_and_field,
                keys: keys_follow_updates,
                keys: a_deletion_frees_keys,
                keys: keys_swap_within_a_batch,
                keys: keys_are_compared_by_bytes,
                keys: conflicts_go_before_duplicates,
                keys: a_refused_duplicate_changes_nothing,
                fences: the_holder_passes,
                fences: another_epoch_is_fenced,
                fences: a_free_or_missing_lock_is_fenced,
                fences: another_nodes_lock_does_not_count,
                fences: the_fence_goes_before_all_else,
                fences: the_fence_is_judged_before_the_batch,
                fences: a_fenced_batch_changes_nothing,
                filters: every_comparison_of_strings,
                filters: every_comparison_of_numbers,
                filters: every_comparison_of_booleans,
                filters: null_and_absent_are_the_same,
                filters: one_of_several,
                filters: arrays_and_objects_contain,
                filters: texts_have_parts,
                filters: filters_combine,
                filters: paths_lead_through_objects,
                filters: unknown_fields_are_null,
                filters: a_count_agrees_with_the_list,
                filters: what_matches_follows_what_is_written,
                filters: an_index_narrows_and_does_not_decide,
                table: every_operator_on_every_type_of_field,
                table: every_pair_of_values_is_in_order,
                numbers: numbers_come_back_as_they_were,
                numbers: numbers_compare_as_floats,
                numbers: floats_are_found_by_their_value,
                numbers: a_scalar_need_not_be_a_json_number,
                text: all_text_is_kept,
                text: all_text_is_compared_by_bytes,
                text: only_ascii_is_folded,
                text: text_is_not_normalised,
                text: escapes_stand_for_their_characters,
                text: every_member_name_can_be_asked_for,
                sorting: the_default_order_is_creation,
                sorting: types_have_an_order,
                sorting: descending_reverses_all_but_ties,
                sorting: several_fields_sort_one_after_the_other,
                sorting: sorting_reaches_into_objects,
                paging: pages_join_to_the_whole,
                paging: the_marker_need_not_match,
                paging: an_unknown_marker_is_an_error,
                paging: a_marker_that_is_deleted_between_pages_is_an_error,
                paging: a_marker_that_has_moved_counts_where_it_is,
                paging: pages_stay_whole_under_writes,
                paging: pages_stay_whole_while_others_write,
                paging: limits_are_kept,
                paging: asked_fields_are_there,
                size: large_records_are_kept,
                size: large_records_travel_together,
                size: nested_bodies_are_kept,
                size: many_operations_make_one_batch,
                size: thousands_of_records_are_listed,
                concurrency: increments_are_never_lost,
                concurrency: one_of_many_gets_the_key,
                concurrency: a_key_that_wanders_is_never_with_two,
                concurrency: one_of_many_gets_the_lock,
                concurrency: readers_see_whole_batches,
                concurrency: commits_never_share_a_revision,
                concurrency: what_begins_after_a_commit_sees_it,
                cancellation: a_dropped_call_is_whole,
                cancellation: a_call_can_be_dropped_at_each_poll,
                random: random_operations_agree_with_the_model,
            ]
            [
                persistence: what_was_committed_is_there_after_reopening,
                persistence: revisions_go_on_after_reopening,
                persistence: a_commit_cut_off_by_the_end_is_whole,
                persistence: random_operations_survive_reopening,
            ]
            [
                sharing: two_openings_are_one_store,
                sharing: openings_lose_no_update_of_each_other,
                sharing: an_opening_sees_what_another_has_not_closed,
            ]
        }
    };
}

/// Runs the whole contract of [`Store`](crate::store::Store) against a store, one
/// `#[tokio::test]` per case.
///
/// The first argument is an expression that makes a
/// [`StoreFactory`](crate::testing::StoreFactory); each case evaluates it anew. The package that
/// calls this needs tokio with its features `macros` and `rt-multi-thread`.
///
/// A store that does less says so, and the cases that it misses are reported as ignored:
/// `volatile` is one that keeps nothing once it is dropped, `exclusive` one that only one opening
/// uses at a time. Without either, the factory has to answer `reopen` and `beside`.
///
/// ```
/// use std::sync::Arc;
/// use ironic_core::store::{MemoryStore, Store};
///
/// ironic_core::store_conformance!(|| Arc::new(MemoryStore::new()) as Arc<dyn Store>, volatile);
/// ```
#[macro_export]
macro_rules! store_conformance {
    ($factory:expr $(,)?) => {
        $crate::__store_cases!([$crate::__store_tests] $factory; [] []);
    };
    ($factory:expr, exclusive) => {
        $crate::__store_cases!([$crate::__store_tests] $factory;
            [] [ignore = "the store has one opening at a time"]);
    };
    ($factory:expr, volatile) => {
        $crate::__store_cases!([$crate::__store_tests] $factory;
            [ignore = "the store keeps nothing"] [ignore = "the store keeps nothing"]);
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __store_tests {
    ($factory:expr; [$($kept:meta)?] [$($shared:meta)?]
        [$($all:tt)+] [$($persistence:tt)+] [$($sharing:tt)+]) => {
        $crate::__store_tests!($factory; [] $($all)+);
        $crate::__store_tests!($factory; [$($kept)?] $($persistence)+);
        $crate::__store_tests!($factory; [$($shared)?] $($sharing)+);
    };
    ($factory:expr; [] $($room:ident: $case:ident,)+) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn $case() {
                $crate::testing::run_store_case(stringify!($case), &$factory).await;
            }
        )+
    };
    ($factory:expr; [$ignore:meta] $($room:ident: $case:ident,)+) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            #[$ignore]
            async fn $case() {
                $crate::testing::run_store_case(stringify!($case), &$factory).await;
            }
        )+
    };
}

macro_rules! run_case {
    ($name:ident, $factory:ident; $([$($room:ident: $case:ident,)+])+) => {
        match $name {
            $($(stringify!($case) => Box::pin($room::$case($factory)).await,)+)+
            other => panic!("there is no case {other}"),
        }
    };
}

macro_rules! names {
    ($([$($room:ident: $case:ident,)+])+) => { &[$($(stringify!($case),)+)+] };
}

/// The names of all cases of [`store_conformance!`](crate::store_conformance).
pub const STORE_CASES: &[&str] = __store_cases!([names]);

/// How long a case may take before it counts as hanging.
const PATIENCE: Duration = Duration::from_secs(120);

/// Runs one case of [`store_conformance!`](crate::store_conformance) by its name.
///
/// # Panics
/// When the store does not keep the contract, or there is no such case.
pub async fn run_store_case(name: &str, factory: &dyn StoreFactory) {
    let case = async { __store_cases!([run_case] name, factory;) };
    let ended = tokio::time::timeout(PATIENCE, case).await;
    assert!(ended.is_ok(), "{name} has not ended after {PATIENCE:?}");
}
