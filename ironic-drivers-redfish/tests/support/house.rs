//! A conductor that looks after nodes of type `redfish`; what is no BMC's is fake.

use std::sync::Arc;
use std::time::Duration;

use ironic_core::Timestamp;
use ironic_core::client::Client;
use ironic_core::conductor::Conductor;
use ironic_core::config::Config;
use ironic_core::driver::fake::{self, FakeBehaviour, FakeBoot, FakeDeploy};
use ironic_core::driver::{Registry, SharedTask, Task};
use ironic_core::model::Node;
use ironic_core::runtime::{Clock, ManualClock, SeededEntropy, SystemClock};
use ironic_core::states::InterfaceKind as I;
use ironic_core::store::{MemoryStore, Repository, Store};
use ironic_core::transport::LocalTransport;
use ironic_drivers_redfish::{
    ClientOptions, ClientPool, HttpError, HttpTransport, RedfishDriver, TlsSettings,
    TransportFactory, register,
};
use serde_json::{Value, json};
use uuid::Uuid;

/// Hands out one transport, whatever the settings.
#[derive(Debug)]
pub(crate) struct Only<T>(pub(crate) Arc<T>);

impl<T: HttpTransport + 'static> TransportFactory for Only<T> {
    fn transport(&self, _: &TlsSettings) -> Result<Arc<dyn HttpTransport>, HttpError> {
        Ok(self.0.clone())
    }
}

pub(crate) struct House {
    pub(crate) conductor: Conductor,
    pub(crate) client: Client,
    pub(crate) pool: Arc<ClientPool>,
}

impl House {
    pub(crate) async fn over(factory: impl TransportFactory + 'static) -> Self {
        let clock = ManualClock::new(Timestamp::from_micros(1_800_000_000_000_000));
        Self::with(factory, Arc::new(clock), |driver| driver).await
    }

    /// A house in which time passes, with its driver changed as `change` says.
    pub(crate) async fn live(
        factory: impl TransportFactory + 'static,
        change: impl FnOnce(RedfishDriver) -> RedfishDriver,
    ) -> Self {
        Self::with(factory, Arc::new(SystemClock), change).await
    }

    async fn with(
        factory: impl TransportFactory + 'static,
        clock: Arc<dyn Clock>,
        change: impl FnOnce(RedfishDriver) -> RedfishDriver,
    ) -> Self {
        let pool = ClientPool::new(Arc::new(factory), ClientOptions::new());
        let pool = Arc::new(pool);
        let fakes = FakeBehaviour::new();
        let builder = fake::register(Registry::builder(), &fakes)
            .boot("ipxe", Arc::new(FakeBoot::new(&fakes)))
            .deploy("direct", Arc::new(FakeDeploy::new(&fakes)));
        let registry = register(builder, &change(RedfishDriver::new(pool.clone())))
            .enable_hardware_types(["redfish"])
            .enable(I::Power, ["fake", "redfish"])
            .enable(I::Management, ["fake", "redfish", "noop"])
            .enable(I::Firmware, ["fake", "redfish", "no-firmware"])
            .enable(I::Vendor, ["fake", "redfish", "no-vendor"])
            .enable(I::Boot, ["fake", "ipxe"])
            .enable(I::Deploy, ["fake", "direct"])
            .build()
            .unwrap();
        let mut config = Config::new("cond-a");
        config.sync_power_state_interval = Duration::ZERO;
        let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
        let conductor = Conductor::builder()
            .store(store.clone())
            .registry(Arc::new(registry))
            .config(config)
            .clock(clock)
            .entropy(Arc::new(SeededEntropy::new(1)))
            .start()
            .await
            .unwrap();
        let transport = Arc::new(LocalTransport::new());
        transport.register("cond-a", conductor.handler());
        let membership = Arc::clone(conductor.membership());
        let client = Client::new(Repository::new(store), membership, transport);
        Self {
            conductor,
            client,
            pool,
        }
    }

    /// A node with this `driver_info`, changed as `more` says.
    pub(crate) async fn node(&self, info: Value, more: impl FnOnce(&mut Node)) -> Uuid {
        let mut node = Node::new(Uuid::nil(), "redfish");
        node.driver_info = info.as_object().unwrap().clone();
        more(&mut node);
        self.client.create_node(node).await.unwrap().uuid
    }

    /// A node whose BMC is a script's.
    pub(crate) async fn scripted(&self, more: impl FnOnce(&mut Node)) -> Uuid {
        self.node(scripted_info(), more).await
    }

    pub(crate) async fn task(&self, node: Uuid) -> Task {
        let tasks = self.conductor.tasks();
        tasks.exclusive(node, "a test").await.unwrap()
    }

    pub(crate) async fn look(&self, node: Uuid) -> SharedTask {
        let tasks = self.conductor.tasks();
        tasks.shared(node, "a test").await.unwrap()
    }
}

pub(crate) fn scripted_info() -> Value {
    json!({"redfish_address": "https://bmc.example.org",
        "redfish_system_id": "/redfish/v1/Systems/1"})
}
