//! The process that looks after nodes: carries effects out, wakes flows when they are due, keeps
//! power in step, and takes over what others leave behind.
//!
//! A host builds a [`Conductor`] and stops it ([Embedding](crate::guide::embedding)); all else it asks
//! by a [`Client`](crate::client::Client).

mod agent_calls;
mod allocations;
mod announce;
mod builder;
mod caches;
mod chassis;
mod children;
mod cleaning;
mod console;
mod duty;
mod effects;
mod finish;
mod handle;
mod health;
mod history;
mod jobs;
mod keep_alive;
mod lessee;
mod limits;
mod machine;
mod management;
mod media;
mod nodes;
mod panics;
mod pause;
mod plan;
mod power_sync;
mod prepare;
mod queries;
mod record_rules;
mod records;
mod recover;
mod run;
mod searches;
mod sensors;
mod stale;
mod take_over;
mod templates;
mod traits;
mod update;
mod vendor;
mod verbs;
mod vifs;
mod wake;
mod watch;

pub(crate) use announce::applied;
pub use builder::ConductorBuilder;
#[cfg(feature = "testing")]
pub(crate) use panics::PANICKED;
pub(crate) use panics::watched;
pub(crate) use records::changed;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use crate::Error;
use crate::config::Config;
use crate::driver::Registry;
use crate::membership::Membership;
use crate::model::{ConductorRecord, Lock, RegisteredInterfaces};
use crate::states::InterfaceKind;
use crate::store::MemoryStore;
use crate::task::TaskManager;
use crate::transport::Handler;

use wake::Wakes;

/// A running conductor. Dropping it does not stop it; [`Conductor::stop`] does.
#[derive(Clone)]
pub struct Conductor {
    inner: Arc<Inner>,
    handler: Arc<dyn Handler>,
}

impl std::fmt::Debug for Conductor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Conductor")
            .field("host", &self.inner.config.host)
            .finish_non_exhaustive()
    }
}

/// What the parts of a conductor share.
#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) manager: TaskManager,
    pub(crate) membership: Arc<Membership>,
    pub(crate) config: Arc<Config>,
    pub(crate) incarnation: Uuid,
    workers: limits::Workers,
    turnstile: limits::Turnstile,
    wakes: Wakes,
    /// Nodes whose agent called while this conductor was working on them.
    called: Mutex<BTreeSet<Uuid>>,
    /// Allocations for which this conductor is looking for a machine.
    searches: Mutex<BTreeSet<Uuid>>,
    /// How often in a row a node's power could not be read.
    unread: Mutex<BTreeMap<Uuid, u32>>,
    watch: watch::Watch,
    /// The conductors that are known to have died.
    dead: Mutex<BTreeSet<String>>,
    /// The locks of an earlier life that could not be taken back yet.
    left: Mutex<BTreeMap<Uuid, Lock>>,
    /// Where it was started, and works: who asks it for something may do so from elsewhere.
    runtime: Handle,
    /// Work on nodes.
    work: TaskTracker,
    /// Loops that run as long as the conductor does.
    loops: TaskTracker,
    /// No further work is taken.
    stopping: CancellationToken,
    /// Work that still runs is dropped now.
    stopped: CancellationToken,
    /// No work is left; the loops end.
    finished: CancellationToken,
}

impl Conductor {
    /// Begins to build a conductor.
    pub fn builder() -> ConductorBuilder {
        ConductorBuilder::default()
    }

    /// Starts a conductor with default settings over a store in memory: for trials, and for what
    /// need not outlive the process.
    ///
    /// # Errors
    /// As [`ConductorBuilder::start`].
    pub async fn in_memory(registry: impl Into<Arc<Registry>>) -> Result<Self, Error> {
        let store = Arc::new(MemoryStore::new());
        Self::builder()
            .store(store)
            .registry(registry)
            .start()
            .await
    }

    fn new(inner: Arc<Inner>) -> Self {
        let handler = Arc::new(handle::Service {
            inner: Arc::clone(&inner),
        });
        Self { inner, handler }
    }

    /// The conductor as what a transport delivers to. It answers as long as some clone of this
    /// conductor lives.
    pub fn handler(&self) -> &Arc<dyn Handler> {
        &self.handler
    }

    /// Its name.
    pub fn host(&self) -> &str {
        &self.inner.config.host
    }

    /// Which conductors live, as this one sees it.
    pub fn membership(&self) -> &Arc<Membership> {
        &self.inner.membership
    }

    /// Hands out the conductor's nodes, for a host that works on them by itself.
    pub fn tasks(&self) -> &TaskManager {
        &self.inner.manager
    }

    /// Stops: leaves the ring, so that other conductors take what is asked from here on; takes no
    /// further work, and hands out no node; waits for what is running, at most
    /// `graceful_shutdown_timeout`, then drops it; stops the consoles that it runs; gives every
    /// node back and deregisters. What was dropped is recovered by whoever looks after the node next.
    ///
    /// Afterwards no [`Task`](crate::driver::Task) of this conductor exists. One that the host
    /// itself still holds by then has lost its node: nothing can be written by it, and no BMC
    /// command begun.
    ///
    /// # Errors
    /// When the store could not be reached to deregister: others will notice by themselves.
    pub async fn stop(&self) -> Result<(), Error> {
        self.end(self.inner.config.graceful_shutdown_timeout).await
    }

    /// Stops as [`Conductor::stop`] does, with the patience to let long work come to its end: at
    /// most `drain_shutdown_timeout`.
    ///
    /// # Errors
    /// As [`Conductor::stop`].
    pub async fn drain(&self) -> Result<(), Error> {
        self.end(self.inner.config.drain_shutdown_timeout).await
    }

    async fn end(&self, patience: Duration) -> Result<(), Error> {
        let inner = &self.inner;
        if let Err(error) = inner.leave_ring().await {
            tracing::warn!(%error, "the ring could not be left; others will notice by themselves");
        }
        inner.stopping.cancel();
        let quiet = async {
            // Before no node is handed out any more: a console is stopped by who holds its node.
            inner.stop_consoles().await;
            inner.take_no_more();
            inner.work.close();
            inner.work.wait().await;
            inner.manager.idle().await;
        };
        let over = async {
            if patience.is_zero() {
                std::future::pending::<()>().await;
            }
            tokio::time::sleep(patience).await;
        };
        let waited = tokio::select! {
            biased;
            () = quiet => true,
            () = over => false,
        };
        if !waited {
            tracing::warn!(
                running = inner.work.len(),
                nodes = inner.manager.busy(),
                "stopping with work still running; it will be recovered"
            );
        }
        inner.take_no_more();
        inner.work.close();
        inner.stopped.cancel();
        inner.work.wait().await;
        inner.finished.cancel();
        inner.loops.close();
        inner.loops.wait().await;
        inner.manager.context().governor.revoke_lease();
        inner.deregister().await
    }
}

impl Inner {
    /// Runs work on a node in the background; it is dropped when the conductor has to end.
    pub(crate) fn spawn(self: &Arc<Self>, work: impl Future<Output = ()> + Send + 'static) {
        let (stopped, work) = (self.stopped.clone(), watched("on a node", work));
        let work = async move {
            tokio::select! {
                biased;
                () = stopped.cancelled() => {}
                () = work => {}
            }
        };
        self.work.spawn_on(work, &self.runtime);
    }

    /// Ends a conductor that could not be started: nobody is there who could stop it.
    async fn abandon(&self) {
        self.take_no_more();
        self.work.close();
        self.stopped.cancel();
        self.work.wait().await;
        self.finished.cancel();
        self.loops.close();
        self.loops.wait().await;
        self.manager.context().governor.revoke_lease();
        if let Err(error) = self.deregister().await {
            tracing::warn!(%error, "a conductor that could not be started is still registered");
        }
    }

    /// Takes no further work, and hands out no further node.
    fn take_no_more(&self) {
        self.stopping.cancel();
        self.manager.close();
    }

    fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
        mutex.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What nodes of each enabled hardware type may have here.
    fn interfaces_by_type(
        &self,
    ) -> BTreeMap<String, BTreeMap<InterfaceKind, RegisteredInterfaces>> {
        let registry = self.manager.registry();
        let of_type = |hardware_type: &str| {
            let usable = registry.interfaces_of(hardware_type).ok()?;
            let usable = usable.into_iter().map(|(kind, usable)| {
                let registered = RegisteredInterfaces::new(usable.enabled, usable.default);
                (kind, registered)
            });
            Some((hardware_type.to_owned(), usable.collect()))
        };
        registry.hardware_types().filter_map(of_type).collect()
    }

    fn record(&self) -> ConductorRecord {
        let mut record = ConductorRecord::new(&self.config.host, self.incarnation);
        record
            .conductor_group
            .clone_from(&self.config.conductor_group);
        record.drivers = self
            .manager
            .registry()
            .hardware_types()
            .map(str::to_owned)
            .collect();
        record.interfaces = self.interfaces_by_type();
        record.created_at = self.manager.context().clock.now();
        record
    }
}
