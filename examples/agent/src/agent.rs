//! The life of an agent: inspect, look up, serve, heartbeat.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use ironic_core::{Clock, Entropy, OsEntropy, SystemClock};
use tokio::net::{TcpListener, UdpSocket};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::api::{ApiError, TokenOffer};
use crate::command::CommandReport;
use crate::config::AgentConfig;
use crate::hardware::Hardware;
use crate::heartbeat::HeartbeatSchedule;
use crate::node::Node;
use crate::shared::{Observer, Shared};
use crate::{inspection, server};

/// How long to wait for a network interface, and the pause between two looks.
const NETWORK_WAIT: Duration = Duration::from_secs(60);
const NETWORK_PAUSE: Duration = Duration::from_secs(5);
/// How long open requests may take to end once the agent stops.
const LINGER: Duration = Duration::from_secs(2);

/// Why an agent ended of itself.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AgentError {
    /// The node was not found in time.
    #[error("the node was not found: {0}")]
    Lookup(#[source] ApiError),
    /// Somebody has the node's token already, and this agent has none.
    #[error("the node's token was handed out before")]
    TokenTaken,
    /// No port to listen on.
    #[error("listening on {address}: {source}")]
    Listen {
        /// What was to be listened on.
        address: SocketAddr,
        /// Why it was not.
        source: io::Error,
    },
    /// No address of this machine reaches the API.
    #[error("no address of this machine reaches the API")]
    NoAddress,
    /// The server of the command API ended.
    #[error("the command server ended: {0}")]
    Serve(#[source] io::Error),
}

impl AgentError {
    /// Whether starting again may help.
    #[must_use]
    pub const fn is_retryable(&self) -> bool {
        !matches!(self, Self::TokenTaken)
    }
}

/// Makes an [`Agent`].
#[must_use]
pub struct AgentBuilder {
    config: AgentConfig,
    hardware: Arc<dyn Hardware>,
    http: reqwest::Client,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    observer: Observer,
    stop: CancellationToken,
}

impl AgentBuilder {
    /// Sets the clock; the system's otherwise.
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Sets the source of chance; the system's otherwise.
    pub fn entropy(mut self, entropy: Arc<dyn Entropy>) -> Self {
        self.entropy = entropy;
        self
    }

    /// Sets what is told of every command that has ended; it must not block.
    pub fn on_command(mut self, observer: impl Fn(&CommandReport) + Send + Sync + 'static) -> Self {
        self.observer = Arc::new(observer);
        self
    }

    /// Sets what ends the agent from outside, as pulling the plug of its machine does.
    pub fn stop(mut self, stop: CancellationToken) -> Self {
        self.stop = stop;
        self
    }

    /// The agent, not yet running.
    pub fn build(self) -> Agent {
        Agent(Arc::new(Shared::new(
            self.config,
            self.hardware,
            self.http,
            self.clock,
            self.entropy,
            self.observer,
            // A child: what ends inside the agent stays inside.
            self.stop.child_token(),
        )))
    }
}

/// One agent on one machine; any number of them run in one process.
#[must_use]
pub struct Agent(Arc<Shared>);

impl Agent {
    /// Starts the description of an agent. `http` reaches the API and the image servers, and
    /// brings whatever TLS they need.
    pub fn builder(
        config: AgentConfig,
        hardware: Arc<dyn Hardware>,
        http: reqwest::Client,
    ) -> AgentBuilder {
        AgentBuilder {
            config,
            hardware,
            http,
            clock: Arc::new(SystemClock),
            entropy: Arc::new(OsEntropy),
            observer: Arc::new(|_| {}),
            stop: CancellationToken::new(),
        }
    }

    /// Runs until the token given to the builder is cancelled, or until the machine has been given
    /// to the rescue user; every task of the agent has ended on return.
    ///
    /// # Errors
    /// [`AgentError`] when the agent cannot go on.
    pub async fn run(self) -> Result<(), AgentError> {
        let shared = self.0;
        let outcome = tokio::select! {
            biased;
            () = shared.stop.cancelled() => Ok(()),
            outcome = live(&shared) => outcome,
        };
        shared.stop.cancel();
        shared.tasks.close();
        // A caller that keeps its connection open does not keep the agent.
        let _expired = tokio::time::timeout(LINGER, shared.tasks.wait()).await;
        outcome
    }
}

async fn live(shared: &Arc<Shared>) -> Result<(), AgentError> {
    shared
        .journal
        .info(&format!("agent {} started", crate::VERSION));
    if shared.hardware.is_rescued().await {
        shared
            .journal
            .info("this ramdisk has been given to the rescue user");
        return std::future::pending().await;
    }
    tokio::time::sleep(shared.config.hardware_delay).await;
    wait_for_network(shared).await;
    shared.wait_for_root_disk().await;
    let uuid = inspection::inspect(shared).await.unwrap_or_else(|error| {
        shared.journal.warn(&format!("inspection failed: {error}"));
        None
    });
    if shared.config.api_urls.is_empty() {
        shared
            .journal
            .warn("no ipa-api-url: neither lookup nor heartbeat");
        let (_, server) = serve(shared).await?;
        return server.await;
    }
    let timeout = look_up(shared, uuid.as_deref()).await?;
    let (port, server) = serve(shared).await?;
    let heartbeats = async {
        let url = callback_url(shared, port).await?;
        shared.journal.info(&format!("callback URL is {url}"));
        heartbeat(shared, &url, timeout).await;
        Ok(())
    };
    tokio::select! {
        biased;
        outcome = server => {
            if shared.locked.is_cancelled() {
                shared.journal.info("locked until the machine restarts");
                // Whoever started the agent would start another one if it ended.
                return std::future::pending().await;
            }
            outcome
        }
        outcome = heartbeats => outcome,
    }
}

async fn wait_for_network(shared: &Shared) {
    let started = Instant::now();
    while shared.addresses().await.is_empty() {
        if started.elapsed() >= NETWORK_WAIT {
            shared
                .journal
                .warn("no network interface, the lookup will probably fail");
            return;
        }
        tokio::time::sleep(NETWORK_PAUSE).await;
    }
}

/// Finds the node; the answer's time-out sets the rhythm of heartbeats.
async fn look_up(shared: &Shared, uuid: Option<&str>) -> Result<Duration, AgentError> {
    let lookup = shared
        .api
        .lookup_until(
            &shared.addresses().await,
            uuid,
            shared.config.lookup_timeout,
            shared.config.lookup_interval,
            &*shared.entropy,
        )
        .await
        .map_err(AgentError::Lookup)?;
    shared
        .journal
        .info(&format!("lookup found node {}", lookup.node.uuid()));
    match lookup.token {
        TokenOffer::Token(token) => shared.set_token(token),
        TokenOffer::Taken if shared.token().is_none() => return Err(AgentError::TokenTaken),
        TokenOffer::Taken | TokenOffer::None => {}
    }
    if let Some(enabled) = lookup.md5_enabled {
        shared.set_md5_enabled(enabled);
    }
    shared.cache_node(lookup.node).await;
    Ok(lookup.heartbeat_timeout)
}

/// Starts the command API; returns its port and what runs until it ends.
async fn serve(
    shared: &Arc<Shared>,
) -> Result<(u16, impl Future<Output = Result<(), AgentError>> + use<>), AgentError> {
    let listener = listen(shared.config.listen_host, shared.config.listen_port).await?;
    let port = listener.local_addr().map_err(AgentError::Serve)?.port();
    // Ends with the agent, too: it is a child of the agent's own token.
    let stop = shared.rescued.clone();
    let router = server::router(Arc::clone(shared));
    let server = shared.tasks.spawn(async move {
        axum::serve(listener, router)
            .with_graceful_shutdown(stop.cancelled_owned())
            .await
    });
    Ok((port, async {
        server
            .await
            .map_err(io::Error::other)
            .and_then(|served| served)
            .map_err(AgentError::Serve)
    }))
}

/// Listens on the host given, else on both families, else on IPv4.
async fn listen(host: Option<IpAddr>, port: u16) -> Result<TcpListener, AgentError> {
    let (first, second) = match host {
        Some(host) => (host, host),
        None => (
            IpAddr::V6(Ipv6Addr::UNSPECIFIED),
            IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        ),
    };
    if let Ok(listener) = TcpListener::bind((first, port)).await {
        return Ok(listener);
    }
    let address = SocketAddr::new(second, port);
    TcpListener::bind(address)
        .await
        .map_err(|source| AgentError::Listen { address, source })
}

/// The URL by which the conductor reaches the command API.
async fn callback_url(shared: &Shared, port: u16) -> Result<String, AgentError> {
    let config = &shared.config;
    let host = match &config.advertise_host {
        Some(host) => host.clone(),
        None => routable_address(shared).await?.to_string(),
    };
    let host = if host.contains(':') {
        format!("[{host}]")
    } else {
        host
    };
    let port = config.advertise_port.unwrap_or(port);
    Ok(format!("{}://{host}:{port}", config.advertise_protocol))
}

/// The address from which the kernel would reach the API. URLs that nobody answers are dropped.
async fn routable_address(shared: &Shared) -> Result<IpAddr, AgentError> {
    let mut reachable = Vec::new();
    for url in shared.api.urls() {
        if shared.api.is_reachable(&url).await {
            reachable.push(url);
        }
    }
    if !reachable.is_empty() {
        shared.api.keep(reachable);
    }
    for attempt in 0..shared.config.ip_lookup_attempts {
        if attempt > 0 {
            tokio::time::sleep(shared.config.ip_lookup_pause).await;
        }
        for url in shared.api.urls() {
            if let Some(address) = source_address(&url).await {
                return Ok(address);
            }
        }
    }
    Err(AgentError::NoAddress)
}

/// The local end of a connection to `url`'s host; connecting a datagram socket sends nothing.
async fn source_address(url: &str) -> Option<IpAddr> {
    let url = reqwest::Url::parse(url).ok()?;
    let port = url.port_or_known_default()?;
    let host = url.host_str()?.trim_matches(['[', ']']).to_owned();
    for peer in tokio::net::lookup_host((host, port)).await.ok()? {
        let any = match peer {
            SocketAddr::V4(_) => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            SocketAddr::V6(_) => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
        };
        let Ok(socket) = UdpSocket::bind((any, 0)).await else {
            continue;
        };
        if socket.connect(peer).await.is_err() {
            continue;
        }
        match socket.local_addr().map(|local| local.ip()) {
            Ok(IpAddr::V4(v4)) if !v4.is_link_local() => return Some(v4.into()),
            Ok(IpAddr::V6(v6)) if !v6.is_unicast_link_local() => return Some(v6.into()),
            _ => {}
        }
    }
    None
}

/// Sends heartbeats for ever.
async fn heartbeat(shared: &Shared, callback_url: &str, timeout: Duration) {
    let mut schedule = HeartbeatSchedule::new(timeout, shared.config.min_heartbeat_interval);
    loop {
        let due = schedule.due(Instant::now());
        tokio::select! {
            biased;
            () = tokio::time::sleep_until(due) => {}
            () = shared.news.notified() => {
                schedule.force();
                continue;
            }
        }
        let node = shared.node();
        let uuid = node.as_ref().map_or("", Node::uuid);
        let token = shared.token();
        let sent = shared
            .api
            .heartbeat(
                uuid,
                callback_url,
                token.as_ref().map(|t| t.expose().as_str()),
            )
            .await;
        if let Err(error) = &sent {
            shared.journal.warn(&format!("heartbeat failed: {error}"));
        }
        schedule.sent(Instant::now(), sent.is_ok(), &*shared.entropy);
    }
}
