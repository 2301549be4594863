//! The contracts of the interface traits as code.

mod cancellation;
mod forecasts;
mod hostile;
mod lease;
mod management;
mod others;
mod power;
mod properties;
mod reach;
mod rig;
mod secrets;
mod steps;
mod validation;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use crate::driver::Registry;
use crate::model::{JsonMap, Node, Port};
use crate::states::{BootDevice, InterfaceKind, PowerState};
use crate::steps::StepDef;

/// A machine, real or simulated, that a case has for itself, with the drivers for it.
///
/// # Contract
/// - **Who calls.** One case of [`driver_conformance!`](crate::driver_conformance), which has the
///   machine for itself and drops it at its end.
/// - **Same answers.** All but what is about the machine's present state answers the same every
///   time.
/// - **What a test cannot do** to its machine it leaves out: the default says so. The cases that
///   need it are skipped then, and [`DriverFactory::skips`] has to say so.
/// - **Errors** are panics, which fail the case.
///
/// [Writing a driver](crate::guide::writing_a_driver) has one.
#[async_trait]
pub trait TestMachine: Send + Sync {
    /// The drivers.
    fn registry(&self) -> Arc<Registry>;

    /// A node that works: its `driver_info` leads to this machine.
    fn node(&self) -> Node;

    /// Its ports, for drivers that want some. Whose they are is set by the suite.
    fn ports(&self) -> Vec<Port> {
        Vec::new()
    }

    /// The interfaces under test; the node's other ones are somebody else's.
    fn kinds(&self) -> Vec<InterfaceKind> {
        InterfaceKind::ALL.to_vec()
    }

    /// The members of `driver_info` that no node does without.
    fn required(&self) -> Vec<&'static str> {
        Vec::new()
    }

    /// How many messages the machine's BMC has got so far, if they can be counted.
    fn messages(&self) -> Option<u64> {
        None
    }

    /// Whether the machine has power by its own word, not by its BMC's.
    async fn power(&self) -> Option<PowerState> {
        None
    }

    /// How often the machine has lost its power or restarted so far, if that can be counted.
    fn power_losses(&self) -> Option<u64> {
        None
    }

    /// Switches the machine's power at the machine, behind its BMC's back; false if that cannot
    /// be done.
    async fn press_button(&self, _state: PowerState) -> bool {
        false
    }

    /// Takes the BMC off the network; false if that cannot be done.
    async fn unplug(&self) -> bool {
        false
    }

    /// Puts the BMC back on the network.
    async fn plug_in(&self) {}

    /// A `driver_info` with the right address and wrong credentials.
    fn wrong_credentials(&self) -> Option<JsonMap> {
        None
    }

    /// The boot devices that the machine takes and reads back, where these are fewer than those
    /// that the driver supports.
    fn boot_devices(&self) -> Option<Vec<BootDevice>> {
        None
    }

    /// Whether the machine keeps for how long a boot device was set.
    fn keeps_persistence(&self) -> bool {
        true
    }

    /// Where the BMC can fetch an image of a CD, if it can.
    fn image_url(&self) -> Option<String> {
        None
    }

    /// Arguments to run a step with; `None` leaves the step out. Unless told, those without
    /// required ones are run without any.
    fn step_args(&self, def: &StepDef) -> Option<JsonMap> {
        let needs_none = def.args.values().all(|required| !required);
        needs_none.then(JsonMap::new)
    }

    /// How long a command to the BMC may take.
    fn command_timeout(&self) -> Duration {
        Duration::from_secs(10)
    }

    /// At how many points at most each call is dropped: fewer where the machine is slow.
    fn cancellations(&self) -> usize {
        40
    }
}

/// How the suite comes by the machines that it tests on. A closure that makes a [`TestMachine`]
/// is one, of machines on which no case is skipped.
///
/// # Contract
/// - **Who calls.** Each case, once; cases run at the same time, in one process or in several.
/// - **Apart.** What happens to one machine is not seen on another.
/// - **Honest.** `skips` names exactly the cases that are skipped: one too many fails as one too few
///   does.
/// - **Time.** A case that takes longer than `patience` has failed.
///
/// [Writing a driver](crate::guide::writing_a_driver) has one.
#[async_trait]
pub trait DriverFactory: Send + Sync {
    /// A machine of its own. How it is does not matter.
    async fn machine(&self) -> Box<dyn TestMachine>;

    /// The cases that are skipped on such machines, and why. A case that is skipped and is not
    /// here fails, and so does one that is here and is not skipped.
    fn skips(&self) -> Vec<(&'static str, &'static str)> {
        Vec::new()
    }

    /// How long a case may take before it counts as hanging.
    fn patience(&self) -> Duration {
        Duration::from_secs(120)
    }
}

#[async_trait]
impl<M: TestMachine + 'static, F: Fn() -> M + Send + Sync> DriverFactory for F {
    async fn machine(&self) -> Box<dyn TestMachine> {
        Box::new(self())
    }
}

/// Calls a macro with the names of all cases.
#[doc(hidden)]
#[macro_export]
macro_rules! __driver_cases {
    ([$($then:tt)+] $($args:tt)*) => {
        $($then)+! {
            $($args)*
            properties: every_property_is_documented,
            properties: the_working_node_is_documented,
            properties: properties_never_change,
            validation: the_working_node_is_valid,
            validation: an_empty_driver_info_is_refused_by_name,
            validation: each_required_property_is_missed,
            validation: a_value_of_no_use_is_refused_by_name,
            validation: hostile_values_are_survived,
            validation: random_driver_info_is_survived,
            validation: validating_sends_nothing,
            validation: what_is_not_valid_is_not_sent,
            secrets: every_secret_is_under_a_key_that_is_masked,
            secrets: a_task_prints_no_secret,
            secrets: refusals_tell_no_secret,
            power: the_state_set_is_the_state_read,
            power: setting_what_is_set_is_no_error,
            power: a_reboot_ends_on,
            power: soft_targets_end_where_they_say,
            power: targets_are_listed_once,
            power: unsupported_targets_are_refused,
            power: reading_power_changes_nothing,
            power: what_the_button_did_is_read,
            power: a_timeout_is_kept,
            power: power_changes_nothing_of_the_engines,
            management: boot_devices_are_listed_once,
            management: each_boot_device_is_set_and_read,
            management: the_persistent_flag_is_kept,
            management: unsupported_boot_devices_are_refused,
            management: setting_a_boot_device_switches_no_power,
            management: boot_modes_are_set_and_read_or_unsupported,
            management: secure_boot_is_set_and_read_or_unsupported,
            management: indicators_are_listed_set_and_read_or_unsupported,
            management: virtual_media_come_and_go_or_unsupported,
            management: what_else_can_be_asked_is_answered_or_unsupported,
            management: management_changes_nothing_of_the_engines,
            others: boot_may_be_asked_for_again,
            others: booting_switches_no_power,
            others: deploy_may_be_asked_for_again,
            others: inspection_may_be_asked_for_again,
            others: networks_may_be_asked_for_again,
            others: volumes_may_be_asked_for_again,
            others: a_console_may_be_asked_for_again,
            others: rescue_may_be_asked_for_again,
            others: settings_and_versions_may_be_read_again,
            others: raid_configurations_are_judged,
            others: vendor_methods_are_documented_and_known,
            steps: step_names_are_unique,
            steps: steps_are_the_same_for_the_same_node,
            steps: unknown_steps_are_refused,
            steps: required_arguments_are_missed,
            steps: hostile_arguments_are_survived,
            steps: every_step_can_be_run,
            steps: idempotent_steps_may_run_twice,
            steps: progress_can_be_asked_of_every_step,
            forecasts: forecasts_are_made_without_a_word,
            forecasts: a_forecast_of_lost_power_is_declared,
            forecasts: what_a_step_does_was_foreseen,
            forecasts: what_comes_before_steps_was_foreseen,
            cancellation: dropped_reads_leave_a_working_node,
            cancellation: a_dropped_switch_leaves_a_working_node,
            cancellation: a_dropped_boot_device_leaves_a_working_node,
            lease: nothing_is_sent_without_a_lease,
            lease: a_lost_lease_is_said_to_be_passing,
            lease: a_new_lease_is_enough,
            reach: reads_at_once_agree,
            reach: a_read_during_a_switch_is_answered,
            reach: a_bmc_that_has_gone_is_unreachable,
            reach: a_bmc_that_is_back_is_found,
            reach: wrong_credentials_are_said,
        }
    };
}

/// Runs the contracts of the [interface traits](crate::driver) against a hardware type on a
/// machine, one `#[tokio::test]` per case.
///
/// The argument is an expression that makes a
/// [`DriverFactory`](crate::testing::DriverFactory); each case evaluates it anew. The package
/// that calls this needs tokio with its features `macros` and `rt-multi-thread`. The page
/// [Writing a driver](crate::guide::writing_a_driver) has an example.
#[macro_export]
macro_rules! driver_conformance {
    ($factory:expr) => {
        $crate::__driver_cases!([$crate::__driver_tests] $factory;);
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __driver_tests {
    ($factory:expr; $($room:ident: $case:ident,)+) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn $case() {
                $crate::testing::run_driver_case(stringify!($case), &$factory).await;
            }
        )+

        #[test]
        fn every_skipped_case_is_one() {
            let cases = [$(stringify!($case)),+];
            for (case, _) in $crate::testing::DriverFactory::skips(&$factory) {
                assert!(cases.contains(&case), "there is no case {case}");
            }
        }
    };
}

macro_rules! run_case {
    ($name:ident, $factory:ident; $($room:ident: $case:ident,)+) => {
        match $name {
            $(stringify!($case) => {
                let rig = rig::Rig::new($factory).await;
                Box::pin($room::$case(&rig)).await
            })+
            other => panic!("there is no case {other}"),
        }
    };
}

/// Runs one case of [`driver_conformance!`](crate::driver_conformance) by its name.
///
/// # Panics
/// When a driver does not keep its contract, when the case is skipped and the factory does not
/// say so or the other way round, or when there is no such case.
#[allow(clippy::print_stdout, reason = "what is skipped is to be seen")]
pub async fn run_driver_case(name: &str, factory: &dyn DriverFactory) {
    let patience = factory.patience();
    let case = async { __driver_cases!([run_case] name, factory;) };
    let Ok(verdict) = tokio::time::timeout(patience, case).await else {
        panic!("{name} has not ended after {patience:?}");
    };
    let skips = factory.skips();
    let declared = skips.iter().find(|(case, _)| *case == name);
    match (verdict, declared) {
        (Ok(()), None) => {}
        (Err(lack), Some((_, why))) => println!("skipped: {name}: {lack}: {why}"),
        (Ok(()), Some(_)) => panic!("{name} is declared as skipped, and is not"),
        (Err(lack), None) => {
            panic!("{name} is skipped, as {lack}: say so in the factory's `skips`, and why")
        }
    }
}
