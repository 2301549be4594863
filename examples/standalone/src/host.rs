//! Store, drivers, conductor and API in one process.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::{Extension, Router};
use ironic_core::client::Client;
use ironic_core::conductor::Conductor;
use ironic_core::driver::fake::FakeBehaviour;
use ironic_core::driver::{Registry, RegistryBuilder};
use ironic_core::journal::JsonLines;
use ironic_core::notify::{Notifier, Several};
use ironic_core::store::{MemoryStore, Repository, Store};
use ironic_core::transport::LocalTransport;
use ironic_core::{Entropy, OsEntropy};
use ironic_pxe::files::FileStore;
use tokio::net::{TcpListener, TcpSocket};
use tokio_util::sync::CancellationToken;

use crate::access::{
    Access, AccessError, Authenticator, Authorizer, Identity, PolicyError, authenticator_of,
};
use crate::api;
use crate::config::HostConfig;
use crate::drivers;
use crate::front::Front;
use crate::journal_file::JournalFile;
use crate::metrics::{Metrics, Page, Requests};
use crate::serve::{Connections, Serving};
use crate::services::{self, BootServers, Roots, ServiceError};
use crate::store::{OpenError, SqlStore};
use crate::tls::{Tls, TlsError};
use crate::webhook::{WebhookNotifier, WebhookSenders};

/// How long a stop waits for notifications to be taken, and for the journal to be written.
const LAST_NOTIFICATIONS: Duration = Duration::from_secs(10);
/// How many connections may be on their way in, as far as the system allows it (on Linux up to
/// `net.core.somaxconn`). Who comes when there is no room tries again after a second (RFC 6298,
/// section 2).
const BACKLOG: u32 = 4096;
/// How many connections there are at a time to the address of metrics.
const SCRAPERS: usize = 32;

/// Why a host does not run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HostError {
    /// The database cannot be used.
    #[error("the database cannot be used: {0}")]
    Database(#[from] OpenError),
    /// The journal cannot be written.
    #[error("the journal {} cannot be opened for writing: {source}", path.display())]
    Journal {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The engine refuses to start or to stop, or the drivers do not fit together.
    #[error(transparent)]
    Engine(#[from] ironic_core::Error),
    /// No provider of cryptography is there, which HTTP clients do not do without.
    #[error(
        "agents and images are had over HTTP, and no rustls crypto provider is installed in this process"
    )]
    NoTlsProvider,
    /// What machines boot by cannot be served.
    #[error(transparent)]
    Boot(#[from] ServiceError),
    /// The policies of the settings cannot be used.
    #[error(transparent)]
    Policies(#[from] PolicyError),
    /// Nobody's requests could be authenticated.
    #[error(transparent)]
    Access(#[from] AccessError),
    /// TLS cannot be spoken.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The address is taken, or is none of this machine's.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system says.
        source: std::io::Error,
    },
    /// Connections cannot be accepted any more.
    #[error("connections cannot be accepted: {0}")]
    Serve(std::io::Error),
}

/// Adds drivers to those that the host has itself.
type Drivers = Box<dyn FnOnce(RegistryBuilder) -> RegistryBuilder + Send>;

/// What a host is made of, besides its settings.
#[must_use = "a builder does nothing until it is started"]
pub struct HostBuilder {
    config: HostConfig,
    store: Option<Arc<dyn Store>>,
    drivers: Vec<Drivers>,
    routes: Router,
    notifier: Option<Arc<dyn Notifier>>,
    behaviour: FakeBehaviour,
    roots: Option<Roots>,
    authorizer: Option<Arc<dyn Authorizer>>,
    authenticator: Option<Arc<dyn Authenticator>>,
    metrics: Option<Metrics>,
}

impl std::fmt::Debug for HostBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HostBuilder")
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}

impl HostBuilder {
    /// Keeps the records in this store, rather than in the database of the settings.
    pub fn store(mut self, store: Arc<dyn Store>) -> Self {
        self.store = Some(store);
        self
    }

    /// Registers further drivers; the settings say which of all of them are enabled.
    pub fn drivers(
        mut self,
        add: impl FnOnce(RegistryBuilder) -> RegistryBuilder + Send + 'static,
    ) -> Self {
        self.drivers.push(Box::new(add));
        self
    }

    /// Serves these besides the API: boot files, a page of one's own.
    pub fn routes(mut self, routes: Router) -> Self {
        self.routes = self.routes.merge(routes);
        self
    }

    /// Tells somebody what happens to nodes.
    pub fn notifier(mut self, notifier: Arc<dyn Notifier>) -> Self {
        self.notifier = Some(notifier);
        self
    }

    /// Keeps boot files in these stores, rather than in the folders of the settings: what TFTP
    /// serves, and what HTTP serves. What DHCP tells machines is kept in the former.
    pub fn boot_files(mut self, tftp: Arc<dyn FileStore>, http: Arc<dyn FileStore>) -> Self {
        self.roots = Some(Roots { tftp, http });
        self
    }

    /// Lets this decide what callers may do, rather than the policies of the settings.
    pub fn authorizer(mut self, authorizer: Arc<dyn Authorizer>) -> Self {
        self.authorizer = Some(authorizer);
        self
    }

    /// Finds out by this one who sends requests, rather than as the settings say.
    pub fn authenticator(mut self, authenticator: Arc<dyn Authenticator>) -> Self {
        self.authenticator = Some(authenticator);
        self
    }

    /// Counts in these numbers, rather than in some of the host's own; so a program that has made
    /// them the recorder of the process tells what conductors count as well. They are served only
    /// where the settings say so.
    pub fn metrics(mut self, metrics: &Metrics) -> Self {
        self.metrics = Some(metrics.clone());
        self
    }

    /// Makes the fake drivers do as this says.
    pub fn fake_behaviour(mut self, behaviour: &FakeBehaviour) -> Self {
        self.behaviour = behaviour.clone();
        self
    }

    /// Opens the database, starts the servers that machines boot from and the conductor, and
    /// recovers what an earlier process left.
    ///
    /// # Errors
    /// [`HostError`] tells them apart.
    pub async fn start(self) -> Result<Host, HostError> {
        let store: Arc<dyn Store> = match (self.store, self.config.database.as_str()) {
            (Some(store), _) => store,
            (None, "memory:") => Arc::new(MemoryStore::new()),
            (None, url) => Arc::new(SqlStore::open(url).await?),
        };
        let repository = Repository::new(Arc::clone(&store));
        let authorizer = match self.authorizer {
            Some(authorizer) => authorizer,
            None => self.config.access.authorizer()?,
        };
        let tls = self.config.tls.settings()?.map(Tls::open).transpose()?;
        let authenticator = match self.authenticator {
            Some(authenticator) => Some(authenticator),
            None => authenticator_of(&self.config)?,
        };
        let address = self.config.listen;
        if authenticator.is_some() && tls.is_none() && !address.ip().is_loopback() {
            tracing::warn!(
                %address,
                "credentials come in plain text, unless somebody before this service speaks TLS"
            );
        }
        drivers::check(&self.config)?;
        let (files, boot) = match services::start(&self.config, self.roots, &repository).await? {
            Some((files, servers)) => (Some(files), Some(servers)),
            None => (None, None),
        };
        let (mut builder, shared) = drivers::register(
            Registry::builder(),
            &self.config,
            &self.behaviour,
            files.as_ref(),
        )?;
        for add in self.drivers {
            builder = add(builder);
        }
        let registry = Arc::new(self.config.drivers.apply(builder).build()?);
        let mut conductor = Conductor::builder()
            .store(Arc::clone(&store))
            .registry(Arc::clone(&registry))
            .config(self.config.conductor.clone());
        let journal = self.config.journal.as_deref().map(journal).transpose()?;
        if let Some(journal) = &journal {
            conductor = conductor.journal(journal.clone());
        }
        let webhook = webhook(&self.config)?;
        let posts = webhook.as_ref().map(|(notifier, _)| Arc::clone(notifier));
        let posts = posts.map(|notifier| notifier as Arc<dyn Notifier>);
        match (self.notifier, posts) {
            (Some(one), Some(other)) => {
                conductor = conductor.notifier(Arc::new(Several::new([one, other])));
            }
            (Some(only), None) | (None, Some(only)) => conductor = conductor.notifier(only),
            (None, None) => {}
        }
        let conductor = conductor.start().await?;
        let transport = Arc::new(LocalTransport::new());
        transport.register(conductor.host(), conductor.handler());
        let client = Client::new(repository, Arc::clone(conductor.membership()), transport)
            .with_notifier(Arc::clone(conductor.tasks().notifier()), conductor.host());
        let mut settings = self.config.api.clone();
        settings.tls |= tls.is_some();
        let api = api::guarded_router(client.clone(), registry, settings, authorizer);
        let api = match authenticator {
            Some(authenticator) => api.layer(Extension(Access::by(authenticator))),
            // Nobody has to say who they are.
            None => api.layer(Extension(Identity::trusted())),
        };
        let limits = self.config.limits.clone();
        let connections =
            Connections::new(limits.max_connections, limits.max_connections_per_address);
        let counting = self.config.metrics.enabled;
        let metrics = counting.then(|| self.metrics.unwrap_or_default());
        let requests = metrics.as_ref().map(Requests::new).map(Arc::new);
        let page = metrics
            .map(|metrics| Arc::new(Page::new(metrics, client.clone(), Arc::clone(&connections))));
        let beside = self.config.metrics.listen.is_some();
        let front = Front {
            inner: self.routes.fallback_service(api),
            limits,
            cors: Arc::new(self.config.cors.clone()),
            access_log: self.config.access_log,
            entropy: Arc::new(OsEntropy),
            requests,
            page: page.clone().filter(|_| !beside),
        };
        Ok(Host {
            router: front.into_router(),
            connections,
            page: page.filter(|_| beside),
            config: self.config,
            client,
            conductor,
            shared: Arc::new(shared),
            boot: boot.map(Arc::new),
            journal,
            tls: tls.map(Arc::new),
            webhook: webhook.map(|(notifier, senders)| Webhook {
                notifier,
                senders: Arc::new(Mutex::new(Some(senders))),
            }),
        })
    }
}

fn listen(address: SocketAddr) -> Result<TcpListener, HostError> {
    let socket = if address.is_ipv4() {
        TcpSocket::new_v4()
    } else {
        TcpSocket::new_v6()
    };
    let listener = socket.and_then(|socket| {
        // As one that has just ended may still have connections on their way out.
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        socket.listen(BACKLOG)
    });
    listener.map_err(|source| HostError::Listen { address, source })
}

/// A journal that goes on where the file ends.
fn journal(path: &Path) -> Result<Arc<JsonLines>, HostError> {
    let opened = JournalFile::open(path.to_owned()).and_then(JsonLines::to);
    opened.map(Arc::new).map_err(|source| HostError::Journal {
        path: path.to_owned(),
        source,
    })
}

/// The webhook of the settings, and its senders.
fn webhook(
    config: &HostConfig,
) -> Result<Option<(Arc<WebhookNotifier>, WebhookSenders)>, HostError> {
    let Some(settings) = &config.webhook else {
        return Ok(None);
    };
    let http = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .user_agent(concat!("ironic/", env!("CARGO_PKG_VERSION")))
        .build()
        .map_err(|error| ironic_core::Error::internal(error.to_string()))?;
    let entropy: Arc<dyn Entropy> = Arc::new(OsEntropy);
    let (notifier, senders) = WebhookNotifier::start(settings, &http, &entropy);
    Ok(Some((Arc::new(notifier), senders)))
}

/// A running webhook.
#[derive(Debug, Clone)]
struct Webhook {
    notifier: Arc<WebhookNotifier>,
    senders: Arc<Mutex<Option<WebhookSenders>>>,
}

/// A running engine with its API, in one process.
#[derive(Debug, Clone)]
pub struct Host {
    config: HostConfig,
    client: Client,
    conductor: Conductor,
    router: Router,
    connections: Arc<Connections>,
    /// What is served at an address of its own.
    page: Option<Arc<Page>>,
    shared: Arc<drivers::Shared>,
    boot: Option<Arc<BootServers>>,
    journal: Option<Arc<JsonLines>>,
    tls: Option<Arc<Tls>>,
    webhook: Option<Webhook>,
}

impl Host {
    /// Begins to build a host.
    pub fn builder(config: HostConfig) -> HostBuilder {
        HostBuilder {
            config,
            store: None,
            drivers: Vec::new(),
            routes: Router::new(),
            notifier: None,
            behaviour: FakeBehaviour::new(),
            roots: None,
            authorizer: None,
            authenticator: None,
            metrics: None,
        }
    }

    /// The engine, as a program calls it.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// The conductor.
    pub fn conductor(&self) -> &Conductor {
        &self.conductor
    }

    /// What machines boot from, if the settings say anything of it.
    pub fn boot(&self) -> Option<&BootServers> {
        self.boot.as_deref()
    }

    /// Where events are posted to, if the settings say so.
    pub fn webhook(&self) -> Option<&WebhookNotifier> {
        self.webhook.as_ref().map(|webhook| &*webhook.notifier)
    }

    /// The API, and what is served besides, for a server of one's own.
    pub fn router(&self) -> Router {
        self.router.clone()
    }

    /// Whether the API is served by TLS.
    pub fn speaks_tls(&self) -> bool {
        self.tls.is_some()
    }

    /// Reads the files of TLS again, for the connections to come. What is wrong with them is
    /// logged, and those that were read before go on.
    pub async fn reload(&self) {
        let Some(tls) = self.tls.clone() else {
            return;
        };
        let read = tokio::task::spawn_blocking(move || tls.reload()).await;
        if let Err(error) = read {
            tracing::error!(%error, "the files of TLS were not read again");
        }
    }

    /// Takes the address of the settings.
    ///
    /// # Errors
    /// [`HostError::Listen`] when it cannot be had.
    pub async fn listen(&self) -> Result<TcpListener, HostError> {
        listen(self.config.listen)
    }

    /// Takes the address of the settings for what Prometheus scrapes, if they say one.
    ///
    /// # Errors
    /// [`HostError::Listen`] when it cannot be had.
    pub async fn listen_for_metrics(&self) -> Result<Option<TcpListener>, HostError> {
        match self.config.metrics.listen.filter(|_| self.page.is_some()) {
            Some(address) => listen(address).map(Some),
            None => Ok(None),
        }
    }

    /// Serves what Prometheus scrapes until `shutdown` completes.
    ///
    /// # Errors
    /// [`HostError::Serve`].
    pub async fn serve_metrics(
        &self,
        listener: TcpListener,
        shutdown: impl Future<Output = ()> + Send + 'static,
    ) -> Result<(), HostError> {
        let Some(page) = &self.page else {
            return Ok(());
        };
        let stop = CancellationToken::new();
        // Who scrapes takes no place from those who ask.
        let serving = Serving {
            router: page.router(),
            limits: self.config.limits.clone(),
            header_timeout: self.config.header_timeout,
            connections: Connections::new(SCRAPERS, 0),
            tls: None,
        };
        let serving = serving.serve(listener, stop.clone());
        let graceful = async {
            shutdown.await;
            stop.cancel();
            std::future::pending::<()>().await;
        };
        tokio::select! {
            biased;
            served = serving => served.map_err(HostError::Serve),
            () = graceful => Ok(()),
        }
    }

    /// Serves until `shutdown` completes; then takes no further requests, waits for those that
    /// are being answered as long as `graceful_shutdown_timeout` says, and stops the conductor.
    /// The requests are answered on the runtime that awaits this, which may be another one than
    /// that which the host was started on.
    ///
    /// # Errors
    /// [`HostError::Serve`]; [`HostError::Engine`] when the conductor could not deregister.
    pub async fn run(
        self,
        listener: TcpListener,
        shutdown: impl Future<Output = ()> + Send + 'static,
    ) -> Result<(), HostError> {
        let stopping = CancellationToken::new();
        let serving = Serving {
            router: self.router.clone(),
            limits: self.config.limits.clone(),
            header_timeout: self.config.header_timeout,
            connections: Arc::clone(&self.connections),
            tls: self.tls.clone(),
        };
        let serving = serving.serve(listener, stopping.clone());
        let graceful = async {
            shutdown.await;
            stopping.cancel();
            std::future::pending::<()>().await;
        };
        let patience = self.config.conductor.graceful_shutdown_timeout;
        let impatient = async {
            stopping.cancelled().await;
            tokio::time::sleep(patience).await;
        };
        let served = tokio::select! {
            biased;
            served = serving => served.map_err(HostError::Serve),
            () = graceful => Ok(()),
            () = impatient => {
                tracing::warn!("stopping with requests still unanswered");
                Ok(())
            }
        };
        let stopped = self.stop().await;
        served.and(stopped)
    }

    /// Stops the conductor, then the servers that machines boot from, and ends the sessions with
    /// BMCs. Notifications that a webhook has queued have ten seconds to be taken, and decisions
    /// to be written to the journal.
    ///
    /// # Errors
    /// When it could not deregister; others will notice by themselves.
    pub async fn stop(&self) -> Result<(), HostError> {
        let stopped = self.conductor.stop().await;
        if let Some(boot) = &self.boot {
            boot.stop();
        }
        self.shared.close().await;
        if let Some(journal) = &self.journal {
            let written = tokio::time::timeout(LAST_NOTIFICATIONS, journal.flush()).await;
            let missing = journal.dropped();
            if written.is_err() || missing > 0 {
                tracing::warn!(missing, "the journal is not complete");
            }
        }
        if let Some(webhook) = &self.webhook {
            let senders = webhook.senders.lock();
            let senders = senders.unwrap_or_else(PoisonError::into_inner).take();
            if let Some(senders) = senders {
                senders.finish(LAST_NOTIFICATIONS).await;
            }
        }
        Ok(stopped?)
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;
    use std::time::Duration;

    use futures::future::join_all;
    use tokio::net::TcpStream;

    use super::listen;

    /// Who finds no room tries again after a second.
    #[tokio::test]
    async fn a_crowd_may_wait_to_come_in() {
        let listener = listen(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
        let address = listener.local_addr().unwrap();
        let crowd = join_all((0..300).map(|_| TcpStream::connect(address)));
        let within = tokio::time::timeout(Duration::from_millis(900), crowd).await;
        assert!(within.expect("some wait outside").iter().all(Result::is_ok));
    }
}
