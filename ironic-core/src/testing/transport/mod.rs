//! The contract of [`Transport`] as code.

mod bench;
mod concurrency;
mod delivery;
mod errors;
mod gone;
mod local;
mod names;
mod once;
mod panics;
mod samples;
mod secrets;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

pub use local::LocalCluster;

use crate::transport::{Handler, Transport};

/// Conductors that can be reached by one transport.
///
/// # Contract
/// - **Who calls.** One case of [`transport_conformance!`](crate::transport_conformance), from
///   several tasks.
/// - **At once.** When `start` has returned, the conductor can be reached by every clone of
///   `transport`; another of the same name gets nothing more, and may still answer what it was
///   asked.
/// - **As a crash.** When `take_away` has returned, nothing of that name is answered any more, nor
///   is what had been asked. It waits for nobody.
/// - **Errors** are panics, which fail the case; one that hangs fails after a minute.
///
/// ```
/// use ironic_core::testing::{LocalCluster, TransportCluster};
///
/// let cluster = LocalCluster::new();
/// let transport = cluster.transport();
/// # drop(transport);
/// ```
#[async_trait]
pub trait TransportCluster: Send + Sync {
    /// What reaches them.
    fn transport(&self) -> Arc<dyn Transport>;

    /// Starts a conductor, or puts another in place of the one of this name. When this has
    /// returned, it can be reached.
    async fn start(&self, conductor: &str, handler: Arc<dyn Handler>);

    /// Takes a conductor away as a crash does: what it has been asked is not answered any more.
    async fn take_away(&self, conductor: &str);
}

/// How the suite comes by the transports that it tests. A closure that makes a
/// [`TransportCluster`] is one.
///
/// # Contract
/// - **Who calls.** Each case, once; cases run at the same time.
/// - **Apart.** Two clusters share no name and no conductor.
///
/// ```
/// use ironic_core::testing::{LocalCluster, TransportFactory};
///
/// fn is_one(_: impl TransportFactory) {}
/// is_one(LocalCluster::new);
/// ```
#[async_trait]
pub trait TransportFactory: Send + Sync {
    /// A transport of its own, with nobody to reach yet.
    async fn cluster(&self) -> Box<dyn TransportCluster>;
}

#[async_trait]
impl<C: TransportCluster + 'static, F: Fn() -> C + Send + Sync> TransportFactory for F {
    async fn cluster(&self) -> Box<dyn TransportCluster> {
        Box::new(self())
    }
}

/// Calls a macro with the names of all cases.
#[doc(hidden)]
#[macro_export]
macro_rules! __transport_cases {
    ([$($then:tt)+] $($args:tt)*) => {
        $($then)+! {
            $($args)*
            delivery: every_call_arrives_as_it_was_sent,
            delivery: every_response_comes_back_as_it_was_given,
            delivery: every_word_of_a_call_arrives,
            delivery: the_context_arrives,
            delivery: another_version_arrives,
            delivery: odd_values_arrive,
            delivery: large_requests_arrive,
            delivery: large_answers_come_back,
            delivery: large_ones_go_both_ways_at_once,
            errors: every_error_comes_back_as_it_was_given,
            errors: every_kind_comes_back,
            errors: an_error_that_came_from_afar_goes_further,
            errors: odd_texts_come_back,
            errors: the_facts_of_an_error_come_back,
            names: an_unknown_conductor_is_unreachable,
            names: names_are_exact,
            names: each_conductor_gets_its_own,
            once: each_call_is_delivered_once,
            once: equal_calls_are_all_delivered,
            once: a_refusal_is_not_tried_again,
            once: a_slow_answer_is_not_asked_for_again,
            once: a_call_dropped_at_any_poll_is_not_repeated,
            once: a_dropped_call_leaves_no_answer_behind,
            once: a_call_is_delivered_before_it_is_answered,
            gone: a_conductor_that_has_gone_is_unreachable,
            gone: a_conductor_that_goes_in_mid_call_ends_the_call,
            gone: nothing_is_repeated_when_it_comes_back,
            gone: a_restarted_conductor_is_found,
            gone: a_successor_gets_what_comes_later,
            gone: a_newcomer_is_found,
            gone: the_others_stay,
            concurrency: a_hundred_calls_at_once,
            concurrency: answers_in_any_order_find_their_callers,
            concurrency: a_slow_call_holds_nobody_up,
            concurrency: a_slow_conductor_holds_no_other_up,
            concurrency: conductors_call_each_other_while_they_answer,
            concurrency: callers_on_many_threads_get_their_own,
            panics: a_panic_is_an_error,
            panics: a_panic_leaves_other_calls_alone,
            secrets: a_failed_call_tells_no_secret,
            secrets: requests_and_responses_print_no_secret,
        }
    };
}

/// Runs the whole contract of [`Transport`](crate::transport::Transport) against a transport, one
/// `#[tokio::test]` per case.
///
/// The argument is an expression that makes a
/// [`TransportFactory`](crate::testing::TransportFactory); each case evaluates it anew. The
/// package that calls this needs tokio with its features `macros` and `rt-multi-thread`.
///
/// ```
/// ironic_core::transport_conformance!(ironic_core::testing::LocalCluster::new);
/// ```
#[macro_export]
macro_rules! transport_conformance {
    ($factory:expr) => {
        $crate::__transport_cases!([$crate::__transport_tests] $factory;);
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __transport_tests {
    ($factory:expr; $($room:ident: $case:ident,)+) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn $case() {
                $crate::testing::run_transport_case(stringify!($case), &$factory).await;
            }
        )+
    };
}

macro_rules! run_case {
    ($name:ident, $factory:ident; $($room:ident: $case:ident,)+) => {
        match $name {
            $(stringify!($case) => Box::pin($room::$case($factory)).await,)+
            other => panic!("there is no case {other}"),
        }
    };
}

/// How long a case may take before it counts as hanging.
const PATIENCE: Duration = Duration::from_secs(60);

/// Runs one case of [`transport_conformance!`](crate::transport_conformance) by its name.
///
/// # Panics
/// When the transport does not keep the contract, or there is no such case.
pub async fn run_transport_case(name: &str, factory: &dyn TransportFactory) {
    let case = async { __transport_cases!([run_case] name, factory;) };
    let ended = tokio::time::timeout(PATIENCE, case).await;
    assert!(ended.is_ok(), "{name} has not ended after {PATIENCE:?}");
}
