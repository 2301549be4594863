//! What a host calls.
//!
//! [`Client`] is all of it. [Embedding](crate::guide::embedding) says what it is made of.

mod agents;
mod announce;
mod flows;
mod machine;
mod node_records;
mod nodes;
mod records;
mod vendor;
mod wait;

use std::sync::Arc;

use uuid::Uuid;

use crate::Error;
use crate::conductor::Conductor;
use crate::membership::Membership;
use crate::model::Node;
use crate::notify::{NoNotifier, Notifier};
use crate::runtime::{Clock, Entropy, OsEntropy, SystemClock};
use crate::store::Repository;
use crate::transport::{Call, LocalTransport, Request, RequestContext, Response, Transport};

/// The engine, as its host sees it: reads from the store, asks the conductor that looks after a
/// node for everything else.
#[derive(Clone)]
pub struct Client {
    repository: Repository,
    membership: Arc<Membership>,
    transport: Arc<dyn Transport>,
    context: RequestContext,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    notifier: Arc<dyn Notifier>,
    host: String,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client")
            .field("context", &self.context)
            .finish_non_exhaustive()
    }
}

impl Client {
    /// A client over this store and transport, in system scope. It finds conductors by
    /// `membership`, which a conductor of the same process can share.
    pub fn new(
        repository: Repository,
        membership: Arc<Membership>,
        transport: Arc<dyn Transport>,
    ) -> Self {
        Self {
            repository,
            membership,
            transport,
            context: RequestContext::default(),
            clock: Arc::new(SystemClock),
            entropy: Arc::new(OsEntropy),
            notifier: Arc::new(NoNotifier),
            host: String::new(),
        }
    }

    /// A client of a conductor in this process.
    pub fn local(conductor: &Conductor) -> Self {
        let transport = LocalTransport::new();
        transport.register(conductor.host(), conductor.handler());
        let repository = conductor.tasks().context().repository.clone();
        Self::new(
            repository,
            Arc::clone(conductor.membership()),
            Arc::new(transport),
        )
        .with_runtime(
            Arc::clone(&conductor.tasks().context().clock),
            Arc::clone(&conductor.tasks().context().entropy),
        )
        .with_notifier(Arc::clone(conductor.tasks().notifier()), conductor.host())
    }

    /// The same client, whose records get their times and uuids from these. Default: from the
    /// operating system.
    #[must_use]
    pub fn with_runtime(&self, clock: Arc<dyn Clock>, entropy: Arc<dyn Entropy>) -> Self {
        Self {
            clock,
            entropy,
            ..self.clone()
        }
    }

    /// The same client, which tells of the records that it writes by itself: those that belong to
    /// no node. Of all others the conductors tell that write them. `host` is the name under which
    /// it tells. Default: nobody is told.
    #[must_use]
    pub fn with_notifier(&self, notifier: Arc<dyn Notifier>, host: impl Into<String>) -> Self {
        Self {
            notifier,
            host: host.into(),
            ..self.clone()
        }
    }

    /// The same client, on behalf of somebody.
    #[must_use]
    pub fn with_context(&self, context: RequestContext) -> Self {
        Self {
            context,
            ..self.clone()
        }
    }

    /// The records.
    pub fn repository(&self) -> &Repository {
        &self.repository
    }

    /// Which conductors live.
    pub fn membership(&self) -> &Arc<Membership> {
        &self.membership
    }

    async fn ask_for(&self, node: &Node, call: Call) -> Result<Response, Error> {
        let conductor = self.membership.owner(node).await?;
        self.transport
            .call(&conductor, Request::new(self.context.clone(), call))
            .await
    }

    async fn ask(&self, node: Uuid, call: Call) -> Result<Response, Error> {
        let node = self.node(node).await?;
        self.ask_for(&node, call).await
    }

    /// Asks for a change of the node's record, which needs no driver.
    async fn ask_keeper(&self, node: &Node, call: Call) -> Result<Response, Error> {
        let conductor = self.membership.keeper(node).await?;
        self.transport
            .call(&conductor, Request::new(self.context.clone(), call))
            .await
    }

    async fn done_by_keeper(&self, node: Uuid, call: Call) -> Result<(), Error> {
        let node = self.node(node).await?;
        match self.ask_keeper(&node, call).await? {
            Response::Done => Ok(()),
            other => Err(unexpected(&other)),
        }
    }

    async fn done(&self, node: Uuid, call: Call) -> Result<(), Error> {
        match self.ask(node, call).await? {
            Response::Done => Ok(()),
            other => Err(unexpected(&other)),
        }
    }
}

fn unexpected(response: &Response) -> Error {
    Error::internal(format!(
        "a conductor answered something else than was asked for: {response:?}"
    ))
}
