//! The conformance suite bites: stores that break the contract in one way each are caught by the
//! cases that were written for it.

#![allow(
    clippy::panic,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a failing test panics"
)]

mod broken;
mod opened;

use broken::Fault;
use ironic_core::testing::run_store_case;
use opened::Openings;

/// Runs a case against a store with a fault; gives what it panicked with.
async fn run(fault: Fault, case: &'static str) -> Option<String> {
    let openings = Openings::new(fault);
    let case = tokio::spawn(async move { run_store_case(case, &openings).await });
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
        "openings_lose_no_update_of_each_other",
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
        "a_call_can_be_dropped_at_each_poll",
        "a_commit_cut_off_by_the_end_is_whole",
        "random_operations_agree_with_the_model";
    three_valued_logic: ThreeValued by
        "null_and_absent_are_the_same",
        "unknown_fields_are_null",
        "every_operator_on_every_type_of_field",
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
    ignored_holders: IgnoresHolders by
        "a_free_or_missing_lock_is_fenced";
    counters_by_kind: CountsEachKind by
        "revisions_rise_across_kinds";
    late_reads: ReadsBehind by
        "what_begins_after_a_commit_sees_it",
        "created_stays_over_updates",
        "random_operations_agree_with_the_model";
    starting_over: StartsOverWithoutMarker by
        "an_unknown_marker_is_an_error",
        "a_marker_that_is_deleted_between_pages_is_an_error",
        "random_operations_agree_with_the_model";
    offsets: PagesByOffset by
        "pages_stay_whole_under_writes",
        "pages_stay_whole_while_others_write";
    folded_text: FoldsUnicode by
        "only_ascii_is_folded",
        "texts_have_parts";
    composed_text: Normalises by
        "text_is_not_normalised",
        "all_text_is_kept";
    text_without_nul: DropsNul by
        "all_text_is_kept";
    floats_for_numbers: KeepsFloats by
        "numbers_come_back_as_they_were",
        "the_holder_passes";
    narrow_records: IsNarrow by
        "large_records_are_kept";
    cut_batches: CutsBatches by
        "many_operations_make_one_batch";
    stale_indexes: IndexesWhatWas by
        "what_matches_follows_what_is_written",
        "random_operations_agree_with_the_model";
    one_condition_of_several: DecidesByOne by
        "an_index_narrows_and_does_not_decide";
    capped_lists: CapsLists by
        "thousands_of_records_are_listed";
    forgotten_commits: ForgetsTheLast by
        "what_was_committed_is_there_after_reopening",
        "random_operations_survive_reopening";
    counting_anew: CountsAnew by
        "revisions_go_on_after_reopening",
        "random_operations_survive_reopening";
    openings_apart: OpensApart by
        "two_openings_are_one_store",
        "openings_lose_no_update_of_each_other";
    writing_at_the_end: WritesAtTheEnd by
        "an_opening_sees_what_another_has_not_closed";
}
