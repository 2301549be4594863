//! An engine with one machine, in virtual time.

use std::sync::Arc;
use std::time::Duration;

use ironic_core::agent::{AgentClient, AgentDeploy};
use ironic_core::driver::fake::{self, FakeBehaviour};
use ironic_core::driver::noop;
use ironic_core::runtime::{ManualClock, SeededEntropy};
use ironic_core::states::InterfaceKind;
use ironic_core::transport::HeartbeatArgs;
use ironic_core::{
    Client, Conductor, Config, Error, MemoryStore, Node, ProvisionState, Registry, Timestamp, Uuid,
    Verb,
};
use serde_json::json;

use crate::agent::Agent;

/// Longer than anything takes.
const LONG: Duration = Duration::from_secs(3600);

pub(crate) struct House {
    pub(crate) machines: FakeBehaviour,
    pub(crate) conductor: Conductor,
    pub(crate) client: Client,
    pub(crate) node: Uuid,
}

impl House {
    /// An engine, and a node that is enrolled. At 2027-01-15, 08:00 UTC.
    pub(crate) async fn new() -> Result<Self, Error> {
        let machines = FakeBehaviour::new();
        let agents = AgentClient::new(Arc::new(Agent));
        let drivers = fake::register(noop::register(Registry::builder()), &machines)
            .deploy("direct", Arc::new(AgentDeploy::new(agents)))
            .enable(InterfaceKind::Deploy, ["direct"])
            .enable(InterfaceKind::Network, ["fake", "noop"])
            .default_interface(InterfaceKind::Network, "fake")
            .default_interface(InterfaceKind::Vendor, "no-vendor");
        let mut config = Config::new("cond-a");
        config.api_url = Some("http://192.0.2.1:6385".to_owned());
        let start = Timestamp::from_micros(1_800_000_000_000_000);
        let conductor = Conductor::builder()
            .store(Arc::new(MemoryStore::new()))
            .registry(Arc::new(drivers.build()?))
            .config(config)
            .clock(Arc::new(ManualClock::new(start)))
            .entropy(Arc::new(SeededEntropy::new(1)))
            .start()
            .await?;
        let client = Client::local(&conductor);
        let mut node = Node::new(Uuid::nil(), "fake-hardware");
        node.name = Some("rack1-u4".to_owned());
        node.instance_info = [
            ("image_source", json!("http://192.0.2.2/image.raw")),
            ("image_disk_format", json!("raw")),
            ("image_checksum", json!("d8e8fca2dc0f896fd7cb4cb0031ba249")),
        ]
        .map(|(key, value)| (key.to_owned(), value))
        .into_iter()
        .collect();
        let node = client.create_node(node).await?.uuid;
        Ok(Self {
            machines,
            conductor,
            client,
            node,
        })
    }

    /// Lets a verb happen; while the node waits, its agent calls.
    pub(crate) async fn go(&self, verb: Verb, state: ProvisionState) -> Result<(), Error> {
        let (client, id) = (&self.client, self.node);
        client.provision(id, verb, Default::default()).await?;
        loop {
            let node = client.node(id).await?;
            if node.provision_state.is_waiting() {
                let token = match node.internal_str("agent_secret_token") {
                    Some(token) => Some(token.to_owned()),
                    None => client.lookup(Some(id), &[]).await?.agent_token,
                };
                let call = HeartbeatArgs::new("http://192.0.2.9:9999", token);
                client.heartbeat(id, call).await?;
            } else if node.provision_state == state || node.provision_state.is_failure() {
                return client.wait_for(id, state, LONG).await.map(drop);
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    }

    /// Brings the machine to where it can be deployed: it has been cleaned once.
    pub(crate) async fn available(&self) -> Result<(), Error> {
        self.go(Verb::Manage, ProvisionState::Manageable).await?;
        self.go(Verb::Provide, ProvisionState::Available).await
    }
}
