//! What the cases say over and over.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use futures::future::BoxFuture;
use serde_json::Value;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinHandle;
use uuid::Uuid;

use super::{TransportCluster, TransportFactory};
use crate::Error;
use crate::error::ErrorKind;
use crate::model::Node;
use crate::transport::{Call, Handler, Request, RequestContext, Response, Transport};

/// How long a small call may take that nothing holds up.
const PROMPT: Duration = Duration::from_secs(5);

/// A cluster in the hands of a case.
pub(super) struct Bench {
    cluster: Box<dyn TransportCluster>,
    pub(super) transport: Arc<dyn Transport>,
}

/// What a conductor of a bench does with a request.
type Answer = dyn Fn(Request) -> BoxFuture<'static, Result<Response, Error>> + Send + Sync;

/// What has arrived at a conductor.
#[derive(Default)]
pub(super) struct Log {
    requests: Mutex<Vec<Request>>,
    count: watch::Sender<usize>,
}

struct Scripted {
    log: Arc<Log>,
    answer: Box<Answer>,
}

#[async_trait]
impl Handler for Scripted {
    async fn handle(&self, request: Request) -> Result<Response, Error> {
        self.log.requests().push(request.clone());
        self.log.count.send_modify(|count| *count += 1);
        (self.answer)(request).await
    }
}

impl Log {
    fn requests(&self) -> MutexGuard<'_, Vec<Request>> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many requests have arrived.
    pub(super) fn len(&self) -> usize {
        self.requests().len()
    }

    /// What has arrived, as it would be written down.
    pub(super) fn written(&self) -> Vec<Value> {
        self.requests().iter().map(written).collect()
    }

    /// How often each request has arrived.
    pub(super) fn deliveries(&self) -> BTreeMap<String, usize> {
        let mut deliveries = BTreeMap::new();
        for request in self.requests().iter() {
            *deliveries.entry(id_of(request)).or_default() += 1;
        }
        deliveries
    }

    /// Waits until so many requests have arrived.
    pub(super) async fn reaches(&self, count: usize) {
        let mut seen = self.count.subscribe();
        let reached = tokio::time::timeout(PROMPT, seen.wait_for(|seen| *seen >= count)).await;
        let arrived = self.len();
        assert!(reached.is_ok(), "only {arrived} of {count} calls arrived");
    }
}

impl Bench {
    pub(super) async fn new(factory: &dyn TransportFactory) -> Self {
        let cluster = factory.cluster().await;
        let transport = cluster.transport();
        Self { cluster, transport }
    }

    /// Starts a conductor that answers so.
    pub(super) async fn start<F>(
        &self,
        conductor: &str,
        answer: impl Fn(Request) -> F + Send + Sync + 'static,
    ) -> Arc<Log>
    where
        F: Future<Output = Result<Response, Error>> + Send + 'static,
    {
        let log = Arc::new(Log::default());
        let scripted = Scripted {
            log: Arc::clone(&log),
            answer: Box::new(move |request| Box::pin(answer(request))),
        };
        self.cluster.start(conductor, Arc::new(scripted)).await;
        log
    }

    /// Starts a conductor that answers each request with a node of the request's name.
    pub(super) async fn start_echo(&self, conductor: &str) -> Arc<Log> {
        self.start(conductor, |request| async move { Ok(echo(&request)) })
            .await
    }

    /// Starts a conductor that answers so once it is let.
    pub(super) async fn start_held(&self, conductor: &str, gate: &Gate) -> Arc<Log> {
        let gate = gate.clone();
        self.start(conductor, move |request| {
            let gate = gate.clone();
            async move {
                gate.pass().await;
                Ok(echo(&request))
            }
        })
        .await
    }

    pub(super) async fn take_away(&self, conductor: &str) {
        self.cluster.take_away(conductor).await;
    }

    pub(super) async fn call(&self, conductor: &str, request: Request) -> Result<Response, Error> {
        self.transport.call(conductor, request).await
    }

    /// Asks, and fails unless the answer is this request's own, and comes at once.
    pub(super) async fn expect_own(&self, conductor: &str, id: &str) {
        let call = tokio::time::timeout(PROMPT, self.call(conductor, request(id)));
        match call.await {
            Ok(answer) => expect_own(&answer, id),
            Err(_) => panic!("{id} is not answered"),
        }
    }

    /// The error of a call to a conductor that cannot be reached.
    pub(super) async fn expect_unreachable(&self, conductor: &str) -> Error {
        let error = match self.call(conductor, request("in vain")).await {
            Ok(response) => panic!("nobody is called {conductor:?}, yet {response:?} came back"),
            Err(error) => error,
        };
        assert_eq!(error.kind(), ErrorKind::Unreachable, "{error}");
        assert!(error.is_retryable(), "{error}");
        let text = error.to_string();
        assert!(
            text.contains(conductor),
            "{text:?} should name {conductor:?}"
        );
        error
    }

    /// Calls on a task of its own.
    pub(super) fn spawn(
        &self,
        conductor: &str,
        request: Request,
    ) -> JoinHandle<Result<Response, Error>> {
        let (transport, conductor) = (Arc::clone(&self.transport), conductor.to_owned());
        tokio::spawn(async move { transport.call(&conductor, request).await })
    }
}

/// Holds answers back until it is opened.
#[derive(Clone)]
pub(super) struct Gate(Arc<Semaphore>);

impl Gate {
    pub(super) fn closed() -> Self {
        Self(Arc::new(Semaphore::new(0)))
    }

    pub(super) async fn pass(&self) {
        // It opens by being closed: then nobody waits at it any more.
        assert!(self.0.acquire().await.is_err(), "the gate has no permits");
    }

    pub(super) fn open(&self) {
        self.0.close();
    }
}

/// A request of this name.
pub(super) fn request(id: &str) -> Request {
    let context = RequestContext {
        request_id: id.to_owned(),
        ..RequestContext::default()
    };
    let node = Uuid::from_u128(1);
    Request::new(context, Call::Validate { node })
}

pub(super) fn id_of(request: &Request) -> String {
    request.context.request_id.clone()
}

/// The answer to a request, which no other has.
pub(super) fn echo(request: &Request) -> Response {
    let mut node = Node::new(Uuid::from_u128(1), "fake-hardware");
    node.name = Some(id_of(request));
    let node = Box::new(node);
    Response::Node { node }
}

/// The end of a spawned call, which has to come soon.
pub(super) async fn ended(call: JoinHandle<Result<Response, Error>>) -> Result<Response, Error> {
    match tokio::time::timeout(PROMPT, call).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(error)) => panic!("a conductor's panic reached its caller: {error}"),
        Err(_) => panic!("a call goes on that nobody answers"),
    }
}

/// Fails unless this is the answer to the request of this name.
pub(super) fn expect_own(answer: &Result<Response, Error>, id: &str) {
    match answer {
        Ok(Response::Node { node }) if node.name.as_deref() == Some(id) => {}
        other => panic!("{id} should get its own answer, and got {other:?}"),
    }
}

/// How a value is written down.
pub(super) fn written(value: &impl serde::Serialize) -> Value {
    serde_json::to_value(value).unwrap_or_else(|error| panic!("it should be JSON: {error}"))
}
