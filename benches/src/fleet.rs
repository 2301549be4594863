use std::sync::Arc;
use std::time::Duration;

use ironic_core::driver::{fake, noop};
use ironic_core::transport::ProvisionArgs;
use ironic_core::{
    Client, Conductor, Config, Entropy, Error, Node, OsEntropy, ProvisionState, Registry, Store,
    Verb,
};
use tokio::task::JoinSet;

use crate::states::{States, Watched};

/// How long a node may take for one verb when it is polled.
const PATIENCE: Duration = Duration::from_secs(60);

/// How a node is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Waiting {
    /// A [`Notifier`](ironic_core::notify::Notifier) tells.
    Told,
    /// [`Client::wait_for`] asks, less and less often: what is measured includes its pauses.
    Polled,
}

/// A conductor over a store, and fake machines that do everything at once.
///
/// Its settings are the defaults but for these: nodes are not cleaned, power is not read in
/// between, and there are workers for 1,000 nodes at once.
#[derive(Debug, Clone)]
pub struct Fleet {
    conductor: Conductor,
    client: Client,
    states: States,
}

impl Fleet {
    /// Starts the conductor on the current runtime.
    ///
    /// # Errors
    /// As [`ironic_core::conductor::ConductorBuilder::start`].
    pub async fn start(store: Arc<dyn Store>) -> Result<Self, Error> {
        let mut config = Config::default();
        config.workers = 1024;
        // The limits are counted all the same; they are not what is measured.
        config.max_concurrent_deploy = 1024;
        config.max_concurrent_clean = 1024;
        config.policy.automated_clean = false;
        config.sync_power_state_interval = Duration::ZERO;
        let drivers = noop::register(Registry::builder());
        let drivers = fake::register(drivers, &fake::FakeBehaviour::new());
        let states = States::default();
        let conductor = Conductor::builder()
            .store(store)
            .registry(Arc::new(drivers.build()?))
            .config(config)
            .notifier(Arc::new(states.clone()))
            .start()
            .await?;
        Ok(Self {
            client: Client::local(&conductor),
            conductor,
            states,
        })
    }

    /// Takes this many nodes through their lives, all at once: enrolled, managed, provided,
    /// deployed (one step), undeployed, removed.
    ///
    /// # Errors
    /// The first error of any of them.
    pub async fn live(&self, nodes: usize, waiting: Waiting) -> Result<(), Error> {
        let mut lives = JoinSet::new();
        for _ in 0..nodes {
            let fleet = self.clone();
            lives.spawn(async move { fleet.live_once(waiting).await });
        }
        while let Some(life) = lives.join_next().await {
            life.map_err(|error| Error::driver("fleet", error.to_string()))??;
        }
        Ok(())
    }

    async fn live_once(&self, waiting: Waiting) -> Result<(), Error> {
        let node = OsEntropy.uuid();
        let mut watched = match waiting {
            Waiting::Told => Some(self.states.watch(node)),
            Waiting::Polled => None,
        };
        self.client
            .create_node(Node::new(node, "fake-hardware"))
            .await?;
        for (verb, state) in [
            (Verb::Manage, ProvisionState::Manageable),
            (Verb::Provide, ProvisionState::Available),
            (Verb::Deploy, ProvisionState::Active),
            (Verb::Undeploy, ProvisionState::Available),
        ] {
            let args = ProvisionArgs::default();
            self.client.provision(node, verb, args).await?;
            match &mut watched {
                Some(watched) => Watched::reach(watched, state).await?,
                None => drop(self.client.wait_for(node, state, PATIENCE).await?),
            }
        }
        self.client.delete_node(node).await
    }

    /// Stops the conductor.
    ///
    /// # Errors
    /// As [`Conductor::stop`].
    pub async fn stop(&self) -> Result<(), Error> {
        self.conductor.stop().await
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use ironic_core::store::{Filter, Kind};
    use ironic_core::{MemoryStore, Store};

    use super::{Fleet, Waiting};

    #[tokio::test]
    async fn lives_are_lived_to_their_end_and_leave_nothing() {
        let store = Arc::new(MemoryStore::new());
        let fleet = Fleet::start(store.clone()).await.unwrap();
        for waiting in [Waiting::Told, Waiting::Polled] {
            fleet.live(16, waiting).await.unwrap();
            for kind in [Kind::Node, Kind::Lock, Kind::Flow, Kind::History] {
                assert_eq!(store.count(kind, &Filter::All).await.unwrap(), 0, "{kind}");
            }
        }
        fleet.stop().await.unwrap();
    }
}
