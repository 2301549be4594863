//! What the parts of one agent have in common.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use ironic_core::{Clock, Entropy, Secret, Timestamp};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::api::IronicApi;
use crate::command::{CommandReport, CommandTable, Standby};
use crate::config::AgentConfig;
use crate::fault::{Fault, FaultKind};
use crate::hardware::{BlockDevice, Hardware, Inventory};
use crate::journal::Journal;
use crate::node::Node;
use crate::root_device;

/// Is told of every command that has ended.
pub(crate) type Observer = Arc<dyn Fn(&CommandReport) + Send + Sync>;

pub(crate) struct Shared {
    pub(crate) config: AgentConfig,
    pub(crate) hardware: Arc<dyn Hardware>,
    pub(crate) http: reqwest::Client,
    pub(crate) api: IronicApi,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Arc<dyn Entropy>,
    pub(crate) journal: Journal,
    pub(crate) started: Timestamp,
    pub(crate) commands: CommandTable,
    pub(crate) observer: Observer,
    pub(crate) standby: Mutex<Standby>,
    /// A command ended that the conductor should hear of.
    pub(crate) news: Notify,
    pub(crate) stop: CancellationToken,
    /// The machine has been given to the rescue user, and the agent has nothing left to do.
    pub(crate) rescued: CancellationToken,
    /// The same, before the machine restarts into its instance.
    pub(crate) locked: CancellationToken,
    pub(crate) tasks: TaskTracker,
    node: Mutex<Option<Node>>,
    token: Mutex<Option<Secret<String>>>,
    md5_enabled: AtomicBool,
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    pub(crate) fn new(
        config: AgentConfig,
        hardware: Arc<dyn Hardware>,
        http: reqwest::Client,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
        observer: Observer,
        stop: CancellationToken,
    ) -> Self {
        Self {
            api: IronicApi::new(http.clone(), &config),
            journal: Journal::new(Arc::clone(&clock)),
            started: clock.now(),
            commands: CommandTable::default(),
            observer,
            standby: Mutex::default(),
            news: Notify::new(),
            tasks: TaskTracker::new(),
            node: Mutex::new(None),
            token: Mutex::new(config.agent_token.clone()),
            md5_enabled: AtomicBool::new(config.md5_enabled),
            config,
            hardware,
            http,
            clock,
            entropy,
            rescued: stop.child_token(),
            locked: CancellationToken::new(),
            stop,
        }
    }

    pub(crate) fn node(&self) -> Option<Node> {
        lock(&self.node).clone()
    }

    /// Keeps the node; a new one gets time for its root disk to appear.
    pub(crate) async fn cache_node(&self, node: Node) {
        let is_new = {
            let mut current = lock(&self.node);
            let is_new = current.as_ref().is_none_or(|old| old.uuid() != node.uuid());
            *current = Some(node);
            is_new
        };
        if is_new {
            self.wait_for_root_disk().await;
        }
    }

    pub(crate) fn token(&self) -> Option<Secret<String>> {
        lock(&self.token).clone()
    }

    pub(crate) fn set_token(&self, token: Secret<String>) {
        *lock(&self.token) = Some(token);
    }

    /// Whether `given` is the agent's token; without one, nothing is.
    pub(crate) fn is_token(&self, given: &str) -> bool {
        lock(&self.token).as_ref().is_some_and(|token| {
            !given.is_empty()
                && ironic_core::secret::constant_time_eq(
                    token.expose().as_bytes(),
                    given.as_bytes(),
                )
        })
    }

    pub(crate) fn md5_enabled(&self) -> bool {
        self.md5_enabled.load(Ordering::Relaxed)
    }

    pub(crate) fn set_md5_enabled(&self, enabled: bool) {
        self.md5_enabled.store(enabled, Ordering::Relaxed);
    }

    /// The machine as it is now.
    pub(crate) async fn inventory(&self) -> Result<Inventory, Fault> {
        let mut inventory = self
            .hardware
            .inventory()
            .await
            .map_err(|error| Fault::new(FaultKind::CommandExecutionError, error.to_string()))?;
        inventory.boot.pxe_interface = self.config.params.get("BOOTIF").map(str::to_owned);
        Ok(inventory)
    }

    /// The disks that are the agent's to write to.
    pub(crate) async fn disks(&self, node: Option<&Node>) -> Result<Vec<BlockDevice>, Fault> {
        let mut disks = self.inventory().await?.disks;
        disks.retain(|disk| !disk.reserved);
        root_device::without_skipped(disks, node).map_err(|error| {
            Fault::new(
                FaultKind::CommandExecutionError,
                format!("the disks to skip are not clear: {error}"),
            )
        })
    }

    /// MAC addresses, in the machine's order.
    pub(crate) async fn addresses(&self) -> Vec<String> {
        let interfaces = self
            .inventory()
            .await
            .map(|inventory| inventory.interfaces)
            .unwrap_or_default();
        interfaces
            .into_iter()
            .map(|nic| nic.mac_address)
            .filter(|mac| !mac.is_empty())
            .collect()
    }

    /// Waits until a disk shows up that an instance could go to, but not forever.
    pub(crate) async fn wait_for_root_disk(&self) {
        let attempts = self.config.disk_wait_attempts;
        for attempt in 1..=attempts {
            let node = self.node();
            let found = self
                .disks(node.as_ref())
                .await
                .and_then(|disks| root_device::install_device(&disks, node.as_ref()).map(|_| ()));
            match found {
                Ok(()) => return,
                Err(fault) if attempt == attempts => {
                    self.journal.warn(&format!("no root disk: {fault}"));
                }
                Err(_) => tokio::time::sleep(self.config.disk_wait_delay).await,
            }
        }
    }

    /// Asks the API for the node again; what is known stays when there is no answer.
    pub(crate) async fn refresh_node(&self) {
        let known = self.node();
        let found = self
            .api
            .lookup_until(
                &self.addresses().await,
                known.as_ref().map(Node::uuid),
                self.config.lookup_timeout,
                self.config.lookup_interval,
                &*self.entropy,
            )
            .await;
        match found {
            Ok(lookup) => self.cache_node(lookup.node).await,
            Err(error) => self
                .journal
                .warn(&format!("the node's record was not refreshed: {error}")),
        }
    }
}
