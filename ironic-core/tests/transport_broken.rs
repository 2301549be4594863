//! The conformance suite bites: transports that break the contract in one way each are caught by
//! the cases that were written for it.

#![allow(
    clippy::panic,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a failing test panics"
)]

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use ironic_core::testing::{LocalCluster, TransportCluster, run_transport_case};
use ironic_core::transport::{Handler, Request, RequestContext, Response, Transport};
use ironic_core::{Error, ErrorKind, WireError};
use serde_json::Value;
use tokio::sync::oneshot;

/// What is wrong with a transport.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Fault {
    /// Nothing: the wrapper alone changes nothing.
    None,
    /// Tries again what was refused for now.
    Retries,
    /// Asks once more when an answer takes long.
    Hedges,
    /// Sends what its caller has dropped once more, to be sure.
    RepeatsDropped,
    /// Answers a request that it has seen before from memory.
    Deduplicates,
    /// Forgets who asks.
    LosesContext,
    /// Puts its own version in.
    LosesVersion,
    /// Makes a text of every error.
    Flattens,
    /// Carries kind, code and text of an error, but not the details.
    LosesDetails,
    /// Finds names without regard to case.
    FoldsNames,
    /// Gives what is for nobody to somebody.
    Misroutes,
    /// Takes one call at a time.
    OneAtATime,
    /// Takes one call at a time for each conductor.
    OneEach,
    /// Keeps the conductor that first had a name.
    KeepsTheFirst,
    /// Waits for an answer whatever happens.
    WaitsForEver,
    /// Waits until a conductor is back and asks once more.
    Redelivers,
    /// Has no room for more than a MiB.
    SmallFrames,
    /// Takes every number for a float.
    Floats,
    /// Runs a conductor's panic in its caller.
    PassesPanics,
    /// Does without a conductor that has panicked once.
    ShunsPanickers,
    /// Gives each answer to whoever asked first.
    AnswersInTurn,
    /// Says what it could not deliver.
    TellsAll,
    /// Answers before the conductor does.
    AnswersEarly,
}

#[derive(Default)]
struct Shared {
    inner: LocalCluster,
    handlers: Mutex<BTreeMap<String, Arc<dyn Handler>>>,
    seen: Mutex<Vec<(Value, Response)>>,
    waiting: Mutex<VecDeque<oneshot::Sender<Result<Response, Error>>>>,
    busy: tokio::sync::Mutex<()>,
    busy_each: Mutex<BTreeMap<String, Arc<tokio::sync::Mutex<()>>>>,
}

#[derive(Clone)]
struct Broken {
    shared: Arc<Shared>,
    fault: Fault,
}

/// Sends a request once more when it is dropped.
struct Repeat(Option<(Broken, String, Request)>);

impl Drop for Repeat {
    fn drop(&mut self) {
        if let Some((broken, conductor, request)) = self.0.take() {
            tokio::spawn(async move { broken.plain(&conductor, request).await });
        }
    }
}

fn as_floats(value: &mut Value) {
    match value {
        Value::Number(number) => *value = number.as_f64().into(),
        Value::Array(items) => items.iter_mut().for_each(as_floats),
        Value::Object(map) => map.values_mut().for_each(as_floats),
        _ => {}
    }
}

impl Broken {
    async fn plain(&self, conductor: &str, request: Request) -> Result<Response, Error> {
        self.shared.inner.transport().call(conductor, request).await
    }

    async fn remembered(&self, conductor: &str, request: Request) -> Result<Response, Error> {
        let written = serde_json::to_value(&request).unwrap();
        let known = |(seen, _): &&(Value, Response)| *seen == written;
        let found = self.shared.seen.lock().unwrap().iter().find(known).cloned();
        if let Some((_, response)) = found {
            return Ok(response);
        }
        let response = self.plain(conductor, request).await?;
        let mut seen = self.shared.seen.lock().unwrap();
        seen.push((written, response.clone()));
        Ok(response)
    }

    async fn misrouted(&self, conductor: &str, request: Request) -> Result<Response, Error> {
        let first = {
            let handlers = self.shared.handlers.lock().unwrap();
            let known = handlers.contains_key(conductor);
            handlers.keys().next().filter(|_| !known).cloned()
        };
        let to = first.as_deref().unwrap_or(conductor);
        self.plain(to, request).await
    }

    async fn in_turn(&self, conductor: &str, request: Request) -> Result<Response, Error> {
        let (answer, answered) = oneshot::channel();
        self.shared.waiting.lock().unwrap().push_back(answer);
        let (broken, conductor) = (self.clone(), conductor.to_owned());
        tokio::spawn(async move {
            let answer = broken.plain(&conductor, request).await;
            let first = broken.shared.waiting.lock().unwrap().pop_front();
            let _ = first.unwrap().send(answer);
        });
        answered.await.unwrap()
    }

    async fn redelivered(&self, conductor: &str, request: Request) -> Result<Response, Error> {
        let mut answer = self.plain(conductor, request.clone()).await;
        for _ in 0..50 {
            match &answer {
                Err(Error::Unreachable { .. }) => {}
                _ => break,
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
            answer = self.plain(conductor, request.clone()).await;
        }
        answer
    }

    /// What goes wrong on the way there.
    fn spoil(&self, mut request: Request) -> Result<Request, Error> {
        match self.fault {
            Fault::LosesContext => {
                let id = request.context.request_id;
                request.context = RequestContext::default();
                request.context.request_id = id;
            }
            Fault::LosesVersion => request.version = Request::VERSION,
            Fault::SmallFrames if serde_json::to_vec(&request).unwrap().len() > 1 << 20 => {
                return Err(Error::internal("the request is too large"));
            }
            Fault::Floats => {
                let mut written = serde_json::to_value(&request).unwrap();
                if let Some(extra) = written.pointer_mut("/call/node/extra") {
                    as_floats(extra);
                }
                request = serde_json::from_value(written).unwrap();
            }
            _ => {}
        }
        Ok(request)
    }

    /// What goes wrong on the way back.
    fn spoil_error(&self, error: Error, sent: &Request) -> Error {
        match self.fault {
            Fault::Flattens => Error::internal(error.to_string()),
            Fault::LosesDetails => {
                let mut wire = WireError::from(&error);
                wire.details = Value::Null;
                wire.into()
            }
            Fault::TellsAll if error.kind() == ErrorKind::Unreachable => Error::Unreachable {
                what: error.to_string(),
                message: serde_json::to_string(sent).unwrap(),
            },
            _ => error,
        }
    }

    async fn spoilt_call(&self, conductor: &str, request: Request) -> Result<Response, Error> {
        match self.fault {
            Fault::Retries => match self.plain(conductor, request.clone()).await {
                Err(error) if error.is_retryable() => self.plain(conductor, request).await,
                answer => answer,
            },
            Fault::Hedges => {
                let first = self.plain(conductor, request.clone());
                match tokio::time::timeout(Duration::from_millis(100), first).await {
                    Ok(answer) => answer,
                    Err(_) => self.plain(conductor, request).await,
                }
            }
            Fault::RepeatsDropped => {
                let repeat = (self.clone(), conductor.to_owned(), request.clone());
                let mut repeat = Repeat(Some(repeat));
                let answer = self.plain(conductor, request).await;
                repeat.0 = None;
                answer
            }
            Fault::Deduplicates => self.remembered(conductor, request).await,
            Fault::FoldsNames => self.plain(&conductor.to_lowercase(), request).await,
            Fault::Misroutes => self.misrouted(conductor, request).await,
            Fault::OneAtATime => {
                let _alone = self.shared.busy.lock().await;
                self.plain(conductor, request).await
            }
            Fault::OneEach => {
                let busy = {
                    let mut each = self.shared.busy_each.lock().unwrap();
                    Arc::clone(each.entry(conductor.to_owned()).or_default())
                };
                let _alone = busy.lock().await;
                self.plain(conductor, request).await
            }
            Fault::WaitsForEver => match self.plain(conductor, request).await {
                Err(error) if error.to_string().contains("taken away") => {
                    std::future::pending().await
                }
                answer => answer,
            },
            Fault::Redelivers => self.redelivered(conductor, request).await,
            Fault::PassesPanics => {
                let handler = self.shared.handlers.lock().unwrap().get(conductor).cloned();
                match handler {
                    Some(handler) => handler.handle(request).await,
                    None => self.plain(conductor, request).await,
                }
            }
            Fault::ShunsPanickers => {
                let answer = self.plain(conductor, request).await;
                if matches!(&answer, Err(error) if error.to_string().contains("panicked")) {
                    self.shared.inner.take_away(conductor).await;
                }
                answer
            }
            Fault::AnswersInTurn => self.in_turn(conductor, request).await,
            Fault::AnswersEarly => {
                let (broken, conductor) = (self.clone(), conductor.to_owned());
                tokio::spawn(async move { broken.plain(&conductor, request).await });
                Ok(Response::Done)
            }
            _ => self.plain(conductor, request).await,
        }
    }
}

#[async_trait]
impl Transport for Broken {
    async fn call(&self, conductor: &str, request: Request) -> Result<Response, Error> {
        let sent = self.spoil(request)?;
        let answer = self.spoilt_call(conductor, sent.clone()).await;
        answer.map_err(|error| self.spoil_error(error, &sent))
    }
}

#[async_trait]
impl TransportCluster for Broken {
    fn transport(&self) -> Arc<dyn Transport> {
        Arc::new(self.clone())
    }

    async fn start(&self, conductor: &str, handler: Arc<dyn Handler>) {
        let first = {
            let mut handlers = self.shared.handlers.lock().unwrap();
            let known = handlers.insert(conductor.to_owned(), handler.clone());
            known.is_none()
        };
        if first || self.fault != Fault::KeepsTheFirst {
            self.shared.inner.start(conductor, handler).await;
        }
    }

    async fn take_away(&self, conductor: &str) {
        self.shared.handlers.lock().unwrap().remove(conductor);
        self.shared.inner.take_away(conductor).await;
    }
}

/// Runs a case against a transport with a fault; gives what it panicked with.
async fn run(fault: Fault, case: &'static str) -> Option<String> {
    let make = move || Broken {
        shared: Arc::default(),
        fault,
    };
    let case = tokio::spawn(async move { run_transport_case(case, &make).await });
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
    retries: Retries by "a_refusal_is_not_tried_again";
    hedged_requests: Hedges by "a_slow_answer_is_not_asked_for_again";
    repeated_drops: RepeatsDropped by "a_call_dropped_at_any_poll_is_not_repeated";
    deduplication: Deduplicates by "equal_calls_are_all_delivered";
    lost_context: LosesContext by "the_context_arrives";
    lost_version: LosesVersion by "another_version_arrives";
    flat_errors: Flattens by
        "every_error_comes_back_as_it_was_given",
        "every_kind_comes_back",
        "an_unknown_conductor_is_unreachable";
    lost_details: LosesDetails by
        "the_facts_of_an_error_come_back",
        "an_error_that_came_from_afar_goes_further";
    folded_names: FoldsNames by "names_are_exact", "an_unknown_conductor_is_unreachable";
    misrouting: Misroutes by
        "an_unknown_conductor_is_unreachable",
        "a_newcomer_is_found";
    one_at_a_time: OneAtATime by
        "a_hundred_calls_at_once",
        "a_slow_conductor_holds_no_other_up",
        "conductors_call_each_other_while_they_answer";
    one_at_a_time_each: OneEach by "a_slow_call_holds_nobody_up";
    stale_conductors: KeepsTheFirst by "a_successor_gets_what_comes_later";
    endless_calls: WaitsForEver by
        "a_conductor_that_goes_in_mid_call_ends_the_call",
        "the_others_stay";
    redelivery: Redelivers by "nothing_is_repeated_when_it_comes_back";
    small_frames: SmallFrames by "large_requests_arrive";
    float_numbers: Floats by "odd_values_arrive";
    passed_panics: PassesPanics by "a_panic_is_an_error";
    shunned_panickers: ShunsPanickers by "a_panic_leaves_other_calls_alone";
    answers_in_turn: AnswersInTurn by
        "answers_in_any_order_find_their_callers",
        "a_dropped_call_leaves_no_answer_behind";
    told_secrets: TellsAll by "a_failed_call_tells_no_secret";
    early_answers: AnswersEarly by "a_call_is_delivered_before_it_is_answered";
}
