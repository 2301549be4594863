//! The conformance suite bites: drivers that break a contract in one way each are caught by the
//! cases that were written for it.

#![allow(clippy::panic, reason = "a failing test panics")]

mod toy;

use std::panic::AssertUnwindSafe;

use futures::FutureExt;
use ironic_core::testing::run_driver_case;
use toy::{Fault, Toys};

mod without_a_fault {
    use super::toy::{Fault, Toys};

    ironic_core::driver_conformance!(Toys(Fault::None));
}

/// Runs a case against a driver with a fault; gives what it panicked with.
async fn run(fault: Fault, case: &'static str) -> Option<String> {
    let toys = Toys(fault);
    let case = AssertUnwindSafe(run_driver_case(case, &toys)).catch_unwind();
    let panic = case.await.err()?;
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(|&text| text.to_owned()))
}

/// Asserts that these cases catch a fault, and pass without it.
async fn caught_by(fault: Fault, cases: &[&'static str]) {
    for case in cases {
        let message = run(fault, case).await;
        let message = message.unwrap_or_else(|| panic!("{case} does not catch {fault:?}"));
        for no_finding in ["has not ended", "there is no case", "skipped"] {
            assert!(!message.contains(no_finding), "{case}: {message}");
        }
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
    no_words: SaysNothing by "every_property_is_documented";
    hidden_properties: HidesAProperty by "the_working_node_is_documented";
    nameless_refusals: NamesNothing by
        "an_empty_driver_info_is_refused_by_name",
        "each_required_property_is_missed",
        "a_value_of_no_use_is_refused_by_name";
    no_validation: TakesAnything by
        "an_empty_driver_info_is_refused_by_name",
        "each_required_property_is_missed";
    blind_trust: Believes by
        "hostile_values_are_survived",
        "random_driver_info_is_survived";
    validation_by_trial: TriesOut by "validating_sends_nothing";
    wrong_sort_of_refusal: BlamesTheDriver by
        "an_empty_driver_info_is_refused_by_name",
        "what_is_not_valid_is_not_sent";
    shown_passwords: ShowsThePassword by
        "refusals_tell_no_secret";
    disguised_passwords: DisguisesThePassword by "every_secret_is_under_a_key_that_is_masked";
    no_permit: AsksNobody by
        "nothing_is_sent_without_a_lease",
        "a_lost_lease_is_said_to_be_passing";
    no_effect: LeavesItOn by "the_state_set_is_the_state_read";
    no_patience: DoesNotWait by "the_state_set_is_the_state_read", "a_reboot_ends_on";
    pedantry: RefusesWhatIsSo by "setting_what_is_set_is_no_error";
    half_a_reboot: RebootsHalfway by "a_reboot_ends_on";
    memory: Remembers by "what_the_button_did_is_read";
    always_once: AlwaysOnce by "the_persistent_flag_is_kept";
    refusal_by_bmc: LetsTheBmcRefuse by "unsupported_boot_devices_are_refused";
    restarts: Restarts by "setting_a_boot_device_switches_no_power";
    lights_without_states: DarkLight by
        "indicators_are_listed_set_and_read_or_unsupported";
    dark_lights: KeepsItDark by "indicators_are_listed_set_and_read_or_unsupported";
    any_light_read: ReadsAnyLight by "indicators_are_listed_set_and_read_or_unsupported";
    any_light_set: SetsAnyLight by "indicators_are_listed_set_and_read_or_unsupported";
    missing_light_as_failure: CallsAMissingLightAFailure by
        "indicators_are_listed_set_and_read_or_unsupported";
    two_media: AttachesBeside by "virtual_media_come_and_go_or_unsupported";
    full_slots: RefusesAFullSlot by "virtual_media_come_and_go_or_unsupported";
    no_media: AttachesNothing by "virtual_media_come_and_go_or_unsupported";
    stuck_media: DetachesNothing by "virtual_media_come_and_go_or_unsupported";
    unnamed_media: DetachesByNameOnly by "virtual_media_come_and_go_or_unsupported";
    empty_slots: RefusesAnEmptySlot by "virtual_media_come_and_go_or_unsupported";
    missing_slot_as_failure: CallsAMissingSlotAFailure by
        "virtual_media_come_and_go_or_unsupported";
    busy_for_ever: StaysBusy by
        "dropped_reads_leave_a_working_node",
        "a_dropped_switch_leaves_a_working_node",
        "a_dropped_boot_device_leaves_a_working_node";
    one_reader: OneReader by
        "reads_at_once_agree",
        "a_read_during_a_switch_is_answered";
    endless_waits: WaitsForEver by "a_bmc_that_has_gone_is_unreachable";
    silence_as_failure: CallsSilenceAFailure by "a_bmc_that_has_gone_is_unreachable";
    resignation: GivesUp by "a_bmc_that_is_back_is_found";
    denial_as_silence: CallsDenialSilence by "wrong_credentials_are_said";
    told_passwords: TellsWhatWasDenied by "wrong_credentials_are_said";
    lateness_as_failure: CallsLatenessAFailure by "a_timeout_is_kept";
    written_records: WritesTheRecord by "power_changes_nothing_of_the_engines";
    double_offers: OffersTwice by "step_names_are_unique";
    any_step: RunsAnything by "unknown_steps_are_refused";
    steps_without: RunsWithout by "required_arguments_are_missed";
    counted_steps: Counts by "idempotent_steps_may_run_twice";
    asked_forecasts: AsksToForesee by "forecasts_are_made_without_a_word";
    fickle_forecasts: ForeseesThisAndThat by "forecasts_are_made_without_a_word";
    no_forecasts: ForeseesNothing by
        "what_a_step_does_was_foreseen",
        "what_comes_before_steps_was_foreseen";
    dark_forecasts: ForeseesTheWorst by
        "a_forecast_of_lost_power_is_declared",
        "what_a_step_does_was_foreseen";
    patient_forecasts: ForeseesAWait by
        "what_a_step_does_was_foreseen",
        "what_comes_before_steps_was_foreseen";
    impatient_forecasts: WaitsUnforeseen by
        "what_a_step_does_was_foreseen",
        "what_comes_before_steps_was_foreseen";
    improvised_targets: ImprovisesTargets by "unsupported_targets_are_refused";
}
