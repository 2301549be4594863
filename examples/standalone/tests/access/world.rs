//! The API over the records that the tables are about.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use axum::Router;
use axum::body::{Body, to_bytes};
use http::Request as HttpRequest;
use ironic_core::Error;
use ironic_core::client::Client;
use ironic_core::driver::Registry;
use ironic_core::driver::fake::{self, FakeBehaviour};
use ironic_core::membership::Membership;
use ironic_core::model::{
    Allocation, AllocationState, BiosSetting, Chassis, ConductorRecord, FirmwareComponent,
    HistoryEvent, Inventory, Lock, Node, NodeTrait, Port, Portgroup, Severity, VolumeConnector,
    VolumeTarget,
};
use ironic_core::states::{InterfaceKind, ProvisionState};
use ironic_core::steps::{DeployTemplate, Runbook, RunbookStep, UserStep};
use ironic_core::store::{MemoryStore, Persistent, Repository};
use ironic_core::transport::{Request, Response, Transport};
use ironic_standalone::access::{Identity, Policies};
use ironic_standalone::api::{self, ApiSettings};
use serde_json::{Value, json};
use tower::ServiceExt;
use uuid::Uuid;

/// The project that owns the nodes of the project-scoped table, and the one that leases one.
pub(crate) const OWNER: &str = "70e5e25a-2ca2-4cb1-8ae8-7d8739cee205";
pub(crate) const LESSEE: &str = "f11853c7-fa9c-4db3-a477-c9d8e0dbbf13";

/// The nodes of those.
pub(crate) const OWNED: &str = "1ab63b9e-66d7-4cd7-8618-dddd0f9f7881";
pub(crate) const LEASED: &str = "38d5abed-c585-4fce-a57e-a2ffc2a2ec6f";

/// Which records there are.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Records {
    System,
    Project,
}

/// A conductor that is never free.
struct Busy;

#[async_trait]
impl Transport for Busy {
    async fn call(&self, host: &str, _: Request) -> Result<Response, Error> {
        Err(Error::NoFreeWorker {
            host: host.to_owned(),
        })
    }
}

/// What a request was answered.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Value,
}

/// The API over the records.
pub(crate) struct World {
    router: Router,
}

impl World {
    pub(crate) async fn new(records: Records, own_nodes: bool, services: Option<&str>) -> Self {
        let mut policies = Policies::default();
        if let Some(project) = services {
            policies = policies.with_elevated_services_of(project);
        }
        let mut settings = ApiSettings::default();
        settings.projects_manage_own_nodes = own_nodes;
        Self::with(records, settings, policies).await
    }

    pub(crate) async fn with(records: Records, settings: ApiSettings, policies: Policies) -> Self {
        let repository = Repository::new(Arc::new(MemoryStore::new()));
        let mut conductor = ConductorRecord::new("test-conductor-node", Uuid::from_u128(1));
        conductor.drivers = vec!["fake-hardware".to_owned()];
        let world = Fill(&repository);
        world.put(&conductor).await;
        match records {
            Records::System => world.system().await,
            Records::Project => world.project().await,
        }
        let hour = Duration::from_secs(3600);
        let membership = Arc::new(Membership::new(repository.clone(), hour, hour));
        membership.refresh().await.unwrap();
        let client = Client::new(repository, membership, Arc::new(Busy));
        let builder = fake::register(Registry::builder(), &FakeBehaviour::new());
        let registry = Arc::new(builder.build().unwrap());
        Self {
            router: api::guarded_router(client, registry, settings, Arc::new(policies)),
        }
    }

    pub(crate) async fn ask(
        &self,
        who: &Identity,
        method: &str,
        path: &str,
        body: Option<&Value>,
    ) -> Answer {
        let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
        let request = HttpRequest::builder()
            .method(method)
            .uri(path)
            .header("X-OpenStack-Ironic-API-Version", "latest")
            .header("Content-Type", "application/json")
            .extension(who.clone())
            .body(body)
            .unwrap();
        let response = self.router.clone().oneshot(request).await.unwrap();
        let status = response.status().as_u16();
        let bytes = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        Answer {
            status,
            body: serde_json::from_slice(&bytes).unwrap_or(Value::Null),
        }
    }
}

fn id(text: &str) -> Uuid {
    text.parse().unwrap()
}

/// An identifier of those that `make_cases.py` gives.
fn numbered(number: u32) -> Uuid {
    id(&format!("00000000-0000-4000-8000-{number:012}"))
}

struct Fill<'a>(&'a Repository);

impl Fill<'_> {
    async fn put<T: Persistent>(&self, record: &T) {
        self.0.create(record).await.unwrap();
    }

    async fn node(&self, uuid: Uuid, edit: impl FnOnce(&mut Node)) {
        let mut node = Node::new(uuid, "fake-hardware");
        node.provision_state = ProvisionState::Available;
        node.driver_info = object(json!({"foo": "bar", "fake_password": "fakepass"}));
        node.driver_internal_info = object(json!({"private_state": "secret value"}));
        node.instance_info = object(json!({
            "configdrive": "TG9yZW0gaXBzdW0gZG9sb3Igc2l0IGFtZXQ=",
            "image_url": "http://example.com/test_image_url",
            "foo": "bar",
        }));
        edit(&mut node);
        self.put(&node).await;
    }

    async fn port(&self, uuid: Uuid, node: Uuid, address: &str) {
        self.put(&Port::new(uuid, node, address.parse().unwrap()))
            .await;
    }

    async fn group(&self, uuid: Uuid, node: Uuid, name: &str, address: &str) {
        let mut group = Portgroup::new(uuid, node);
        group.name = Some(name.to_owned());
        group.address = Some(address.parse().unwrap());
        self.put(&group).await;
    }

    async fn volume(&self, target: Uuid, connector: Uuid, node: Uuid, iqn: &str) {
        let mut volume = VolumeTarget::new(target, node, "iscsi", "12345678", 0);
        volume.properties = object(json!({"target_iqn": "iqn.foo"}));
        self.put(&volume).await;
        self.put(&VolumeConnector::new(connector, node, "iqn", iqn))
            .await;
    }

    async fn allocation(&self, uuid: Uuid, class: &str, owner: Option<&str>, node: Uuid) {
        let mut allocation = Allocation::new(uuid, class);
        allocation.owner = owner.map(str::to_owned);
        allocation.node_uuid = Some(node);
        allocation.state = AllocationState::Active;
        self.put(&allocation).await;
    }

    async fn history(&self, uuid: Uuid, node: Uuid) {
        let mut event =
            HistoryEvent::new(node, Severity::Error, "provisioning", "driver", "it failed");
        event.uuid = uuid;
        self.put(&event).await;
        let inventory = object(json!({"inventory": "test"}));
        let plugins = object(json!({"pdata": {"plugin": "data"}}));
        self.put(&Inventory::new(node, inventory, plugins)).await;
    }

    async fn runbook(&self, uuid: Uuid, owner: Option<&str>) {
        let mut step = UserStep::new(InterfaceKind::Raid, "create_configuration");
        step.args = object(json!({"logical_disks": []}));
        let mut runbook = Runbook::new("CUSTOM_DT1", vec![RunbookStep::new(step, 1)]);
        runbook.uuid = uuid;
        runbook.owner = owner.map(str::to_owned);
        self.put(&runbook).await;
    }

    async fn system(&self) {
        let node = id("1be26c0b-03f2-4d2e-ae87-c02d7f33c123");
        let allocated = id("22e26c0b-03f2-4d2e-ae87-c02d7f33c000");
        let owned = |node: &mut Node| node.owner = Some("z".to_owned());
        self.node(node, owned).await;
        self.node(allocated, |node| {
            owned(node);
            node.allocation_uuid = Some(numbered(2));
        })
        .await;
        // One to which port groups are added.
        self.node(id("18a552fb-dcd2-43bf-9302-e4c93287be11"), |_| {})
            .await;
        self.allocation(numbered(2), "CUSTOM_TEST", None, allocated)
            .await;
        let port = id("1be26c0b-03f2-4d2e-ae87-c02d7f33c781");
        self.port(port, node, "52:54:00:cf:2d:31").await;
        let group = id("6eb02b44-18a3-4659-8c0b-8d2802581ae4");
        self.group(group, node, "fooname", "52:54:00:cf:2d:31")
            .await;
        self.volume(
            numbered(4),
            numbered(5),
            node,
            "iqn.2012-06.com.example:initiator",
        )
        .await;
        self.history(id("6f8a5d5c-0f2d-4b2c-a62a-a38e300e3f31"), node)
            .await;
        self.runbook(numbered(3), None).await;
        let mut step = UserStep::new(InterfaceKind::Raid, "create_configuration");
        step.priority = Some(10);
        let mut template = DeployTemplate::new("CUSTOM_DT1", vec![step]);
        template.uuid = numbered(1);
        self.put(&template).await;
        self.put(&Chassis::new(id("e74c40e0-d825-11e2-a28f-0800200c9a66")))
            .await;
        let setting = "FAKE_SETTING";
        self.put(&BiosSetting::new(node, setting, Some(setting.to_owned())))
            .await;
        self.put(&NodeTrait::new(node, "CUSTOM_TRAIT1")).await;
        self.put(&FirmwareComponent::new(node, "bmc", "v1.0.0"))
            .await;
    }

    async fn project(&self) {
        let (owned, leased) = (id(OWNED), id(LEASED));
        let busy = |node: &mut Node| {
            node.owner = Some(OWNER.to_owned());
            node.last_error = Some("meow".to_owned());
        };
        self.node(numbered(10), |_| {}).await;
        self.node(owned, |node| {
            busy(node);
            node.allocation_uuid = Some(numbered(16));
        })
        .await;
        self.node(leased, |node| {
            busy(node);
            node.lessee = Some(LESSEE.to_owned());
            node.allocation_uuid = Some(numbered(17));
        })
        .await;
        for node in [owned, leased] {
            let mut lock = Lock::free(node);
            lock.holder = Some("lolcats".to_owned());
            self.put(&lock).await;
        }
        self.node(id("2b3b8adb-add7-4fd0-8e82-dcb714d848e7"), |child| {
            child.parent_node = Some(owned);
        })
        .await;
        self.node(id("3c3b8adb-edd7-3ed0-8e82-aab714d8411a"), |child| {
            child.parent_node = Some(owned);
            child.owner = Some(OWNER.to_owned());
        })
        .await;
        let other = id("573208e5-cd41-4e26-8f06-ef44022b3793");
        self.node(other, |_| {}).await;
        for (port, node, address) in [
            (
                "ebe30f19-358d-41e1-8d28-fd7357a0164c",
                owned,
                "00:00:00:00:00:01",
            ),
            (
                "21a3c5a7-1e14-44dc-a9dd-0c84d5477a57",
                owned,
                "00:00:00:00:00:02",
            ),
            (
                "00000000-0000-4000-8000-000000000013",
                leased,
                "52:54:00:cf:2d:31",
            ),
            (
                "abfd8dbb-1732-449a-b760-2224035c6b99",
                other,
                "00:00:00:00:00:ff",
            ),
        ] {
            self.port(id(port), node, address).await;
        }
        for (group, node, name, address) in [
            (
                "b16efcf3-2990-41a1-bc1d-5e2c16f3d5fc",
                owned,
                "magicfoo",
                "01:03:09:ff:01:01",
            ),
            (
                "00000000-0000-4000-8000-000000000014",
                leased,
                "fooname",
                "52:54:00:cf:2d:31",
            ),
            (
                "5810f41c-6585-41fc-b9c9-a94f50d421b5",
                other,
                "elsewhere",
                "ff:ff:ff:ff:ff:0f",
            ),
        ] {
            self.group(id(group), node, name, address).await;
        }
        let target = id("a265e2f0-e97f-4177-b1c0-8298add53086");
        let connector = id("65ea0296-219b-4635-b0c8-a6e055da878d");
        self.volume(target, connector, owned, "iqn.2012-06.org.openstack.magic")
            .await;
        self.volume(
            numbered(11),
            numbered(12),
            leased,
            "iqn.2012-06.com.example:initiator",
        )
        .await;
        self.allocation(numbered(16), "CUSTOM_TEST", Some(OWNER), owned)
            .await;
        self.allocation(numbered(17), "CUSTOM_LEASED", Some(LESSEE), leased)
            .await;
        self.history(numbered(18), owned).await;
        self.history(numbered(19), leased).await;
        self.runbook(numbered(15), Some(OWNER)).await;
    }
}

fn object(value: Value) -> serde_json::Map<String, Value> {
    value.as_object().cloned().unwrap()
}
