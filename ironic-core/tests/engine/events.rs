//! Every event of the original is told of here because of something that a user does, and each
//! of its errors because of something that goes wrong.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use ironic_core::Error;
use ironic_core::client::Client;
use ironic_core::conductor::Conductor;
use ironic_core::driver::fake::{FakeOperation as Op, FakeRule};
use ironic_core::model::{
    Allocation, Chassis, MacAddress, Node, Port, Portgroup, VolumeConnector, VolumeTarget,
};
use ironic_core::notify::{ChannelNotifier, Notification};
use ironic_core::states::{InterfaceKind as I, PowerState, PowerTarget, ProvisionState as S, Verb};
use ironic_core::steps::{DeployTemplate, Runbook, RunbookStep, UserStep};
use ironic_core::store::MemoryStore;
use ironic_core::testing::FaultyStore;
use ironic_core::transport::{Change, ClientRecord};
use serde_json::Value;
use tokio::sync::mpsc::Receiver;
use tokio::time::sleep;
use uuid::Uuid;

use crate::house::{House, ask, available, enrolled, go, powered};

const INTERVAL: Duration = Duration::from_secs(30);

struct Site {
    house: House,
    store: Arc<FaultyStore>,
    events: Receiver<Notification>,
}

impl Site {
    fn new() -> Self {
        let store = Arc::new(FaultyStore::new(Arc::new(MemoryStore::new())));
        let mut house = House::over(store.clone());
        let (notifier, events) = ChannelNotifier::new(10_000);
        house.notifier = Arc::new(notifier);
        house.config.sync_power_state_interval = INTERVAL;
        house.config.force_power_state_during_sync = false;
        Self {
            house,
            store,
            events,
        }
    }

    /// While no write gets through, this fails; afterwards it does not.
    async fn fails_then_works<T: std::fmt::Debug>(
        &self,
        mut what: impl AsyncFnMut() -> Result<T, Error>,
    ) -> T {
        self.store.fail_after(0);
        what().await.unwrap_err();
        self.store.heal();
        what().await.unwrap()
    }

    async fn record<T: ClientRecord + std::fmt::Debug>(&self, client: &Client, new: T) {
        let create = async || client.create_record(new.clone()).await;
        let id = self.fails_then_works(create).await.id();
        let change = || vec![Change::set("extra/rack", "r7")];
        let update = async || client.update_record::<T>(id, change()).await;
        self.fails_then_works(update).await;
        let delete = async || client.delete_record::<T>(id).await;
        self.fails_then_works(delete).await;
    }

    fn heard(&mut self) -> BTreeSet<String> {
        let heard = std::iter::from_fn(|| self.events.try_recv().ok());
        heard.map(|told| told.event.event_type()).collect()
    }
}

async fn records(site: &Site, client: &Client) {
    let node = available(client).await;
    powered(client, node, PowerTarget::Off).await;
    let nil = Uuid::nil();
    site.record(client, Allocation::new(nil, "gold")).await;
    site.record(client, Chassis::new(nil)).await;
    site.record(client, Portgroup::new(nil, node)).await;
    let connector = VolumeConnector::new(nil, node, "iqn", "iqn.2017-07.org.openstack:01");
    site.record(client, connector).await;
    let target = VolumeTarget::new(nil, node, "iscsi", "v1", 0);
    site.record(client, target).await;
    let step = UserStep::new(I::Bios, "factory_reset");
    let template = DeployTemplate::new("CUSTOM_T", vec![step.clone().with_priority(10)]);
    site.record(client, template).await;
    let runbook = Runbook::new("CUSTOM_R", vec![RunbookStep::new(step, 1)]);
    site.record(client, runbook).await;

    let mac: MacAddress = "52:54:00:00:00:01".parse().unwrap();
    let port = Port::new(nil, node, mac);
    let create = async || client.create_port(port.clone()).await;
    let port = site.fails_then_works(create).await.uuid;
    let change = || vec![Change::set("extra/rack", "r7")];
    let update = async || client.update_port(port, change()).await;
    site.fails_then_works(update).await;
    let delete = async || client.delete_port(port).await;
    site.fails_then_works(delete).await;

    let create = async || client.create_node(Node::new(nil, "fake-hardware")).await;
    let other = site.fails_then_works(create).await.uuid;
    let update = async || client.update_node(other, change()).await;
    site.fails_then_works(update).await;
    let maintain = async || client.set_maintenance(other, true, None).await;
    site.fails_then_works(maintain).await;
    let delete = async || client.delete_node(other).await;
    site.fails_then_works(delete).await;
}

/// What happens to a machine: its power, its states, its console; and then on another conductor.
async fn machines(site: &Site, client: &Client, conductor: Conductor) -> Conductor {
    let fakes = &site.house.fakes;
    let node = available(client).await;
    powered(client, node, PowerTarget::On).await;
    fakes.set_power_state(node, PowerState::Off);
    sleep(3 * INTERVAL).await;
    let broken = || Error::driver("fake", "broken");
    fakes.add(FakeRule::fails(Op::SetPowerState, broken()).on(node).nth(1));
    client.set_power(node, PowerTarget::On, None).await.unwrap();
    sleep(INTERVAL).await;
    fakes.add(FakeRule::fails(Op::Deploy, broken()).on(node).nth(1));
    ask(client, node, Verb::Deploy).await.unwrap();
    sleep(INTERVAL).await;
    go(client, node, Verb::Undeploy, S::Available).await;
    go(client, node, Verb::Manage, S::Manageable).await;

    let stays_off = enrolled(client).await;
    let no_port = FakeRule::fails(Op::StartConsole, broken()).on(stays_off);
    fakes.add(no_port.nth(1));
    for _ in 0..2 {
        client.set_console(stays_off, true).await.unwrap();
        sleep(INTERVAL).await;
    }
    client.set_console(node, true).await.unwrap();
    sleep(INTERVAL).await;
    conductor.stop().await.unwrap();
    let no_port = FakeRule::fails(Op::StartConsole, broken()).on(stays_off);
    fakes.add(no_port.nth(1));
    let next = site.house.conductor("cond-b").await;
    sleep(3 * INTERVAL).await;
    next
}

/// The events of the original: those of records begin and end, or fail; a few others do not.
fn of_the_original() -> BTreeSet<String> {
    let surface = include_str!("../vectors/api_surface.json");
    let surface: Value = serde_json::from_str(surface).unwrap();
    let facts = &surface["notifications"]["event_objects_and_actions"];
    let texts = |value: &Value| -> Vec<String> {
        let items = value.as_array().unwrap().iter();
        items.map(|it| it.as_str().unwrap().to_owned()).collect()
    };
    let mut all = BTreeSet::new();
    for action in texts(&facts["node"]) {
        let statuses: &[&str] = match action.as_str() {
            "power_state_corrected" => &["success"],
            "provision_set" => &["start", "end", "error", "success"],
            _ => &["start", "end", "error"],
        };
        all.extend(
            statuses
                .iter()
                .map(|it| format!("baremetal.node.{action}.{it}")),
        );
    }
    for object in texts(&facts["others_crud"]) {
        // There are no inspection rules yet.
        if object == "inspectionrule" {
            continue;
        }
        for change in ["create", "update", "delete"] {
            let statuses = ["start", "end", "error"].iter();
            all.extend(statuses.map(|it| format!("baremetal.{object}.{change}.{it}")));
        }
    }
    all
}

#[tokio::test(start_paused = true)]
async fn every_event_of_the_original_is_told_of() {
    let mut site = Site::new();
    let conductor = site.house.conductor("cond-a").await;
    let client = site.house.client(&conductor);
    records(&site, &client).await;
    let conductor = machines(&site, &client, conductor).await;
    conductor.stop().await.unwrap();
    let heard = site.heard();
    let missing: Vec<_> = of_the_original().difference(&heard).cloned().collect();
    assert_eq!(missing, [""; 0], "of {heard:#?}");
}

/// What a client writes by itself is told of with the record as it becomes, and by its name.
#[tokio::test(start_paused = true)]
async fn a_client_tells_of_what_it_writes_by_itself() {
    let mut site = Site::new();
    let conductor = site.house.conductor("cond-a").await;
    let client = site.house.client(&conductor);
    let mut new = Chassis::new(Uuid::nil());
    new.extra.insert("pdu_password".to_owned(), "p".into());
    let chassis = client.create_record(new).await.unwrap();
    let change = vec![Change::set("description", "by the door")];
    client
        .update_record::<Chassis>(chassis.uuid, change)
        .await
        .unwrap();
    client.delete_record::<Chassis>(chassis.uuid).await.unwrap();
    let told: Vec<_> = std::iter::from_fn(|| site.events.try_recv().ok()).collect();
    assert_eq!(told.len(), 6);
    for (at, told) in told.iter().enumerate() {
        assert_eq!(told.subject, chassis.uuid);
        assert_eq!(told.payload.name, "ChassisCRUDPayload");
        assert_eq!(told.payload.data["extra"]["pdu_password"], "******");
        let description = told.payload.data["description"].as_str();
        assert_eq!(description, (at > 1).then_some("by the door"), "{at}");
        assert_eq!(told.to_wire(Uuid::nil())["publisher_id"], "ironic-api.api");
    }
    conductor.stop().await.unwrap();
}
