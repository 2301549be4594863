#[path = "../checked_journal/mod.rs"]
mod checked_journal;

use std::sync::Arc;
use std::time::Duration;

use ironic_core::client::Client;
use ironic_core::conductor::Conductor;
use ironic_core::config::Config;
use ironic_core::driver::fake::FakeBehaviour;
use ironic_core::driver::{Registry, RegistryBuilder, fake, noop};
use ironic_core::model::{Lock, Node};
use ironic_core::notify::{NoNotifier, Notifier};
use ironic_core::runtime::{ManualClock, SeededEntropy};
use ironic_core::states::{PowerTarget, ProvisionState, Verb};
use ironic_core::store::{Kind, MemoryStore, Query, Repository, Store};
use ironic_core::transport::{LocalTransport, ProvisionArgs};
use ironic_core::{Error, Timestamp};
use uuid::Uuid;

use checked_journal::Checked;

/// A store, fake machines, and conductors that come and go.
pub(crate) struct House {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) fakes: FakeBehaviour,
    pub(crate) config: Config,
    /// Whom its conductors tell what happens.
    pub(crate) notifier: Arc<dyn Notifier>,
    transport: Arc<LocalTransport>,
    clock: Arc<ManualClock>,
    entropy: Arc<SeededEntropy>,
    /// What its conductors decide is decided again.
    journal: Checked,
}

pub(crate) const LONG: Duration = Duration::from_secs(3600);

impl House {
    pub(crate) fn new() -> Self {
        Self::over(Arc::new(MemoryStore::new()))
    }

    pub(crate) fn over(store: Arc<dyn Store>) -> Self {
        let mut config = Config::new("cond-a");
        config.sync_power_state_interval = Duration::ZERO;
        config.policy.automated_clean = true;
        Self {
            store,
            fakes: FakeBehaviour::new(),
            config,
            notifier: Arc::new(NoNotifier),
            transport: Arc::new(LocalTransport::new()),
            clock: Arc::new(ManualClock::new(Timestamp::from_micros(
                1_800_000_000_000_000,
            ))),
            entropy: Arc::new(SeededEntropy::new(1)),
            journal: Checked::default(),
        }
    }

    /// The same house, whose conductors reach the records through this store.
    pub(crate) fn with_store(&self, store: Arc<dyn Store>) -> Self {
        Self {
            store,
            fakes: self.fakes.clone(),
            config: self.config.clone(),
            notifier: Arc::clone(&self.notifier),
            transport: Arc::clone(&self.transport),
            clock: Arc::clone(&self.clock),
            entropy: Arc::clone(&self.entropy),
            journal: Checked(Arc::clone(&self.journal.0)),
        }
    }

    pub(crate) async fn conductor(&self, host: &str) -> Conductor {
        self.conductor_with(host, |builder| builder).await
    }

    /// A conductor with further drivers.
    pub(crate) async fn conductor_with(
        &self,
        host: &str,
        further: impl FnOnce(RegistryBuilder) -> RegistryBuilder,
    ) -> Conductor {
        let builder = fake::register(noop::register(Registry::builder()), &self.fakes);
        let builder = further(builder);
        let mut config = self.config.clone();
        config.host = host.to_owned();
        let conductor = Conductor::builder()
            .store(Arc::clone(&self.store))
            .registry(Arc::new(builder.build().unwrap()))
            .config(config)
            .notifier(Arc::clone(&self.notifier))
            .journal(self.journal.0.clone())
            .clock(self.clock.clone())
            .entropy(self.entropy.clone())
            .start()
            .await
            .unwrap();
        self.transport.register(host, conductor.handler());
        conductor
    }

    pub(crate) fn repository(&self) -> Repository {
        Repository::new(Arc::clone(&self.store))
    }

    /// Every lock that is recorded.
    pub(crate) async fn locks(&self) -> Vec<Lock> {
        let query = Query::all(Kind::Lock);
        let locks = self.repository().list::<Lock>(&query).await.unwrap();
        locks.into_iter().map(|lock| lock.value).collect()
    }

    pub(crate) fn client(&self, conductor: &Conductor) -> Client {
        Client::new(
            self.repository(),
            Arc::clone(conductor.membership()),
            self.transport.clone(),
        )
        .with_notifier(Arc::clone(&self.notifier), "api")
    }
}

pub(crate) async fn enrolled(client: &Client) -> Uuid {
    client
        .create_node(Node::new(Uuid::nil(), "fake-hardware"))
        .await
        .unwrap()
        .uuid
}

pub(crate) async fn ask(client: &Client, node: Uuid, verb: Verb) -> Result<(), Error> {
    client.provision(node, verb, ProvisionArgs::default()).await
}

/// Asks for a verb and waits until the node rests in `state`.
pub(crate) async fn go(client: &Client, node: Uuid, verb: Verb, state: ProvisionState) -> Node {
    ask(client, node, verb).await.unwrap();
    client.wait_for(node, state, LONG).await.unwrap()
}

/// Enrols a node and brings it to `available`.
pub(crate) async fn available(client: &Client) -> Uuid {
    let node = enrolled(client).await;
    go(client, node, Verb::Manage, ProvisionState::Manageable).await;
    go(client, node, Verb::Provide, ProvisionState::Available).await;
    node
}

/// Switches the machine's power, and waits until that is done.
#[allow(dead_code, reason = "for the tests of records")]
pub(crate) async fn powered(client: &Client, node: Uuid, target: PowerTarget) {
    client.set_power(node, target, None).await.unwrap();
    for _ in 0..10_000 {
        let node = client.node(node).await.unwrap();
        if node.target_power_state.is_none() && node.power_state == Some(target.result()) {
            return;
        }
        tokio::task::yield_now().await;
    }
    panic!("node {node} does not get to {target}");
}
