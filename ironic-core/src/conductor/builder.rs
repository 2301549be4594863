use std::sync::Arc;

use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::limits::{Turnstile, Workers};
use super::wake::Wakes;
use super::watch::Watch;
use super::{Conductor, Inner};
use crate::Error;
use crate::config::Config;
use crate::driver::{Registry, TaskContext};
use crate::governor::Governor;
use crate::journal::Journal;
use crate::membership::Membership;
use crate::notify::{FromLevel, NoNotifier, Notifier};
use crate::runtime::{Clock, Entropy, OsEntropy, SystemClock};
use crate::store::{Repository, Store};
use crate::task::TaskManager;

/// What a conductor is made of.
#[derive(Default)]
#[must_use = "a builder does nothing until it is started"]
pub struct ConductorBuilder {
    store: Option<Arc<dyn Store>>,
    registry: Option<Arc<Registry>>,
    config: Config,
    notifier: Option<Arc<dyn Notifier>>,
    journal: Option<Arc<dyn Journal>>,
    clock: Option<Arc<dyn Clock>>,
    entropy: Option<Arc<dyn Entropy>>,
}

impl std::fmt::Debug for ConductorBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ConductorBuilder")
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}

impl ConductorBuilder {
    /// Where the records are. Required.
    pub fn store(mut self, store: Arc<dyn Store>) -> Self {
        self.store = Some(store);
        self
    }

    /// Which drivers there are. Required.
    pub fn registry(mut self, registry: impl Into<Arc<Registry>>) -> Self {
        self.registry = Some(registry.into());
        self
    }

    /// The settings. Default: [`Config::default`].
    pub fn config(mut self, config: Config) -> Self {
        self.config = config;
        self
    }

    /// Whom to tell what happens. Default: nobody.
    pub fn notifier(mut self, notifier: Arc<dyn Notifier>) -> Self {
        self.notifier = Some(notifier);
        self
    }

    /// Where decisions are recorded. Default: nowhere.
    pub fn journal(mut self, journal: Arc<dyn Journal>) -> Self {
        self.journal = Some(journal);
        self
    }

    /// Where wall-clock time comes from. Default: the operating system.
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = Some(clock);
        self
    }

    /// Where random numbers come from. Default: the operating system.
    pub fn entropy(mut self, entropy: Arc<dyn Entropy>) -> Self {
        self.entropy = Some(entropy);
        self
    }

    /// Registers the conductor, recovers what an earlier life of the same name left in the
    /// middle, and begins to look after nodes. Needs a tokio runtime with timers: all its work is
    /// done there, also what it is asked for from other runtimes.
    ///
    /// Names are the host's to keep apart: a conductor takes over at once what carries its name,
    /// and another that runs under it gives up at its next keep-alive.
    ///
    /// # Errors
    /// [`Error::MissingParameter`] without store or registry; [`Error::InvalidParameter`] for
    /// settings that make no sense; what the store answers.
    pub async fn start(self) -> Result<Conductor, Error> {
        let store = self
            .store
            .ok_or_else(|| Error::missing("a conductor needs a store"))?;
        let registry = self
            .registry
            .ok_or_else(|| Error::missing("a conductor needs a registry of drivers"))?;
        let config = Arc::new(self.config.build()?);
        let entropy = self.entropy.unwrap_or_else(|| Arc::new(OsEntropy));
        let repository = Repository::new(store);
        let governor = Arc::new(Governor::new(
            config.bmc_concurrency,
            config.bmc_command_timeout,
        ));
        let membership = Membership::new(
            repository.clone(),
            config.take_over_after(),
            config.hash_ring_reset_interval,
        );
        let (exponent, hash) = (config.hash_partition_exponent, config.hash_ring_algorithm);
        let membership = Arc::new(membership.with_ring(exponent, hash));
        let context = Arc::new(TaskContext::new(
            repository,
            self.clock.unwrap_or_else(|| Arc::new(SystemClock)),
            Arc::clone(&entropy),
            Arc::clone(&config),
            governor,
        ));
        let mut notifier = self.notifier.unwrap_or_else(|| Arc::new(NoNotifier));
        if let Some(least) = config.notification_level {
            notifier = Arc::new(FromLevel::new(least, notifier));
        }
        let (manager, ends) = TaskManager::new(context, registry, notifier);
        let inner = Arc::new(Inner {
            manager: manager.with_journal(self.journal),
            membership,
            incarnation: entropy.uuid(),
            workers: Workers::new(&config),
            turnstile: Turnstile::default(),
            watch: Watch::new(&config),
            config,
            wakes: Wakes::default(),
            called: std::sync::Mutex::default(),
            searches: std::sync::Mutex::default(),
            unread: std::sync::Mutex::default(),
            dead: std::sync::Mutex::default(),
            left: std::sync::Mutex::default(),
            runtime: Handle::current(),
            work: TaskTracker::new(),
            loops: TaskTracker::new(),
            stopping: CancellationToken::new(),
            stopped: CancellationToken::new(),
            finished: CancellationToken::new(),
        });
        inner.register().await?;
        inner.start_loops(ends);
        if let Err(error) = inner.recover_own().await {
            inner.abandon().await;
            return Err(error);
        }
        Ok(Conductor::new(inner))
    }
}
