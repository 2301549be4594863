//! What a host is told of, as its notifier hears it.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use ironic_core::client::Client;
use ironic_core::conductor::Conductor;
use ironic_core::driver::fake::{FakeOperation, FakeRule};
use ironic_core::model::{MacAddress, Node, Port, Portgroup, VolumeTarget};
use ironic_core::notify::{
    ChannelNotifier, Event, FromLevel, Level, LogNotifier, Notification, Notifier, Object, Payload,
    RecordChange, Several, Status,
};
use ironic_core::states::{self, PowerState, PowerTarget, ProvisionState, Verb};
use ironic_core::transport::Change;
use ironic_core::{Error, Timestamp};
use serde_json::{Value, json};
use tokio::sync::mpsc::Receiver;
use tokio::time::sleep;
use uuid::Uuid;

use crate::hold::{reaches, steps};
use crate::house::{House, LONG, available, enrolled, go};

struct Heard(Receiver<Notification>);

impl Heard {
    fn all(&mut self) -> Vec<Notification> {
        std::iter::from_fn(|| self.0.try_recv().ok()).collect()
    }

    fn types(&mut self) -> Vec<String> {
        let all = self.all();
        all.iter().map(|it| it.event.event_type()).collect()
    }
}

/// A conductor whose events are heard.
async fn heard(mut house: House) -> (House, Conductor, Client, Heard) {
    let (notifier, events) = ChannelNotifier::new(1000);
    house.notifier = Arc::new(notifier);
    let conductor = house.conductor("cond-a").await;
    let client = house.client(&conductor);
    (house, conductor, client, Heard(events))
}

#[tokio::test(start_paused = true)]
async fn records_that_are_made_changed_and_removed() {
    let (_house, conductor, client, mut heard) = heard(House::new()).await;
    let mut node = Node::new(Uuid::nil(), "fake-hardware");
    node.name = Some("rack1-u4".to_owned());
    node.driver_info
        .insert("fake_password".into(), json!("swordfish"));
    let node = client.create_node(node).await.unwrap().uuid;
    let created = heard.all();
    let types: Vec<_> = created.iter().map(|it| it.event.event_type()).collect();
    assert_eq!(
        types,
        ["baremetal.node.create.start", "baremetal.node.create.end"]
    );
    for told in &created {
        assert_eq!((told.subject, told.level()), (node, Level::Info));
        assert_eq!(told.name.as_deref(), Some("rack1-u4"));
        assert_eq!(told.payload.name, "NodeCRUDPayload");
        assert_eq!(told.payload.data["driver"], "fake-hardware");
        assert_eq!(told.payload.data["driver_info"]["fake_password"], "******");
    }

    let renamed = Change::set("description", "by the door");
    client.update_node(node, vec![renamed]).await.unwrap();
    for told in heard.all() {
        let is = told.event.event_type();
        assert!(is.starts_with("baremetal.node.update."), "{is}");
        assert_eq!(told.payload.data["description"], "by the door", "{is}");
    }

    let mac: MacAddress = "52:54:00:00:00:01".parse().unwrap();
    let port = Port::new(Uuid::nil(), node, mac);
    let port = client.create_port(port.clone()).await.unwrap();
    let again = Port::new(Uuid::nil(), node, port.address.clone());
    client.create_port(again).await.unwrap_err();
    let off = Change::set("pxe_enabled", false);
    client.update_port(port.uuid, vec![off]).await.unwrap();
    client.delete_port(port.uuid).await.unwrap();
    client.delete_node(node).await.unwrap();
    assert_eq!(
        heard.types(),
        [
            "baremetal.port.create.start",
            "baremetal.port.create.end",
            "baremetal.port.create.start",
            "baremetal.port.create.error",
            "baremetal.port.update.start",
            "baremetal.port.update.end",
            "baremetal.port.delete.start",
            "baremetal.port.delete.end",
            "baremetal.node.delete.start",
            "baremetal.node.delete.end",
        ]
    );
    conductor.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn records_of_a_node_and_allocations() {
    let (_house, conductor, client, mut heard) = heard(House::new()).await;
    let node = enrolled(&client).await;
    heard.all();
    let mut target = VolumeTarget::new(Uuid::nil(), node, "iscsi", "volume-7", 0);
    target
        .properties
        .insert("auth_password".to_owned(), json!("swordfish"));
    let target = client.create_record(target).await.unwrap();
    let told = heard.all();
    for told in &told {
        assert_eq!(told.subject, target.uuid);
        assert_eq!(told.payload.data["volume_id"], "volume-7");
        let password = &told.payload.data["properties"]["auth_password"];
        assert_eq!(*password, "******");
    }
    assert_eq!(told.len(), 2);
    let again = VolumeTarget::new(Uuid::nil(), node, "iscsi", "volume-8", 0);
    client.create_record(again).await.unwrap_err();
    let types = heard.types();
    assert_eq!(
        types,
        [
            "baremetal.volumetarget.create.start",
            "baremetal.volumetarget.create.error"
        ]
    );
    let group = Portgroup::new(Uuid::nil(), node);
    let group = client.create_record(group).await.unwrap().uuid;
    let named = vec![Change::set("name", "bond0")];
    client
        .update_record::<Portgroup>(group, named)
        .await
        .unwrap();
    for told in &heard.all()[2..] {
        assert_eq!(told.name.as_deref(), Some("bond0"));
        assert_eq!(told.payload.name, "PortgroupCRUDPayload");
    }
    client.delete_record::<Portgroup>(group).await.unwrap();
    assert_eq!(
        heard.types(),
        [
            "baremetal.portgroup.delete.start",
            "baremetal.portgroup.delete.end"
        ]
    );
    conductor.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn maintenance_that_is_set() {
    let (_house, conductor, client, mut heard) = heard(House::new()).await;
    let node = enrolled(&client).await;
    heard.all();
    let why = Some("new fans".to_owned());
    client.set_maintenance(node, true, why).await.unwrap();
    let told = heard.all();
    let [start, end] = &told[..] else {
        panic!("{told:?}")
    };
    assert_eq!(
        start.event.event_type(),
        "baremetal.node.maintenance_set.start"
    );
    assert_eq!(end.event.event_type(), "baremetal.node.maintenance_set.end");
    assert_eq!(start.payload.data["maintenance"], false);
    assert_eq!(end.payload.data["maintenance"], true);
    assert_eq!(end.payload.data["maintenance_reason"], "new fans");
    conductor.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn power_that_is_switched_or_changes_by_itself() {
    let mut house = House::new();
    house.config.sync_power_state_interval = Duration::from_secs(60);
    house.config.force_power_state_during_sync = false;
    let (house, conductor, client, mut heard) = heard(house).await;
    let node = enrolled(&client).await;
    house.fakes.set_power_state(node, PowerState::Off);
    go(&client, node, Verb::Manage, ProvisionState::Manageable).await;
    heard.all();
    let switched = async || {
        client.set_power(node, PowerTarget::On, None).await.unwrap();
        let done = |node: &Node| node.target_power_state.is_none().then_some(Ok(()));
        client.wait_until(node, LONG, done).await.unwrap();
    };
    switched().await;
    let told = heard.all();
    let types: Vec<_> = told.iter().map(|it| it.event.event_type()).collect();
    assert_eq!(
        types,
        [
            "baremetal.node.power_set.start",
            "baremetal.node.power_set.end"
        ]
    );
    assert_eq!(told[0].payload.data["to_power"], "power on");
    assert_eq!(told[0].payload.data["power_state"], "power off");
    assert_eq!(told[1].payload.data["power_state"], "power on");

    let stuck = Error::driver("fake", "stuck relay");
    house
        .fakes
        .add(FakeRule::fails(FakeOperation::SetPowerState, stuck));
    switched().await;
    let failed = heard.all().pop().unwrap();
    assert_eq!(failed.event.event_type(), "baremetal.node.power_set.error");
    assert_eq!(failed.level(), Level::Error);
    let error = failed.payload.data["last_error"].as_str().unwrap();
    assert!(error.contains("stuck relay"), "{error}");

    house.fakes.set_power_state(node, PowerState::Off);
    sleep(Duration::from_secs(130)).await;
    let corrected = heard.all().pop().unwrap();
    assert_eq!(
        corrected.event.event_type(),
        "baremetal.node.power_state_corrected.success"
    );
    assert_eq!(corrected.payload.data["from_power"], "power on");
    assert_eq!(corrected.payload.data["power_state"], "power off");
    conductor.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn provision_states_from_the_first_to_a_failure() {
    let (house, conductor, client, mut heard) = heard(House::new()).await;
    let node = available(&client).await;
    heard.all();
    let broken = Error::driver("fake", "no such image");
    house
        .fakes
        .add(FakeRule::fails(FakeOperation::PrepareDeploy, broken));
    client
        .provision(node, Verb::Deploy, Default::default())
        .await
        .unwrap();
    client
        .wait_for(node, ProvisionState::Active, LONG)
        .await
        .unwrap_err();
    let told = heard.all();
    let types: Vec<_> = told.iter().map(|it| it.event.event_type()).collect();
    let (first, last) = (told.first().unwrap(), told.last().unwrap());
    assert_eq!(types[0], "baremetal.node.provision_set.start");
    let data = &first.payload.data;
    assert_eq!(data["event"], "deploy");
    assert_eq!(data["previous_provision_state"], "available");
    assert_eq!(data["provision_state"], "deploying");
    assert_eq!(data["target_provision_state"], "active");
    assert_eq!(
        last.event.event_type(),
        "baremetal.node.provision_set.error"
    );
    assert_eq!(last.level(), Level::Error);
    assert_eq!(last.payload.data["provision_state"], "deploy failed");
    assert_eq!(
        last.payload.data["previous_target_provision_state"],
        "active"
    );

    go(&client, node, Verb::Undeploy, ProvisionState::Available).await;
    let types = heard.types();
    let end = "baremetal.node.provision_set.end".to_owned();
    assert_eq!(types.last(), Some(&end), "{types:?}");
    go(&client, node, Verb::Manage, ProvisionState::Manageable).await;
    assert_eq!(heard.types(), ["baremetal.node.provision_set.success"]);
    conductor.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn notification_level_keeps_what_is_less_grave_from_the_notifier() {
    let mut house = House::new();
    house.config.notification_level = Some(Level::Error);
    let (_house, conductor, client, mut heard) = heard(house).await;
    let node = available(&client).await;
    client
        .create_node(client.node(node).await.unwrap())
        .await
        .unwrap_err();
    assert_eq!(heard.types(), ["baremetal.node.create.error"]);
    conductor.stop().await.unwrap();
}

fn notification(status: Status) -> Notification {
    let event = Event::Record {
        object: Object::Chassis,
        change: RecordChange::Create,
        status,
    };
    let body = json!({"uuid": Uuid::from_u128(7), "extra": {"pdu_password": "p"}});
    let payload = Payload::of_record(Object::Chassis, &body);
    Notification::new(Timestamp::EPOCH, "cond-a", event, payload)
}

#[test]
fn what_a_sensitive_rule_does_is_told_to_nobody() {
    let told = |sensitive: bool| {
        let body = json!({
            "uuid": Uuid::from_u128(7), "sensitive": sensitive,
            "actions": [{"op": "set-attribute", "args": ["/extra/community", "s3cret"]}],
            "conditions": [{"op": "eq", "args": ["{node.extra.key}", "s3cret"]}],
        });
        Payload::of_record(Object::InspectionRule, &body).data
    };
    let open = told(false);
    assert_eq!(open["actions"][0]["op"], "set-attribute");
    let sensitive = told(true);
    assert_eq!(sensitive["sensitive"], true);
    assert_eq!(
        (&sensitive["actions"], &sensitive["conditions"]),
        (&json!([]), &json!([]))
    );
}

#[test]
fn a_full_queue_drops_and_counts_and_never_waits() {
    let (queue, mut events) = ChannelNotifier::new(2);
    let queue = Arc::new(queue);
    let notifier = Several::new([
        Arc::new(FromLevel::new(Level::Error, Arc::new(LogNotifier))) as Arc<dyn Notifier>,
        queue.clone(),
    ]);
    for _ in 0..5 {
        notifier.notify(&notification(Status::Start));
    }
    assert_eq!(queue.dropped(), 3);
    assert!(events.try_recv().is_ok() && events.try_recv().is_ok());
    assert!(events.try_recv().is_err());
    assert!(notifier.wants(Level::Debug));
}

#[test]
fn on_the_wire_a_notification_is_the_originals() {
    let wire = notification(Status::Error).to_wire(Uuid::from_u128(9));
    let expected = json!({
        "message_id": Uuid::from_u128(9),
        "publisher_id": "ironic-api.cond-a",
        "event_type": "baremetal.chassis.create.error",
        "priority": "ERROR",
        "timestamp": Timestamp::EPOCH,
        "payload": {
            "ironic_object.namespace": "ironic",
            "ironic_object.name": "ChassisCRUDPayload",
            "ironic_object.version": "1.0",
            "ironic_object.data": {
                "uuid": Uuid::from_u128(7), "description": null, "created_at": null,
                "updated_at": null, "extra": {"pdu_password": "******"},
            },
        },
    });
    assert_eq!(wire, expected);
}

#[tokio::test(start_paused = true)]
async fn power_that_a_flow_switches() {
    let (house, conductor, client, mut heard) = heard(House::new()).await;
    let node = enrolled(&client).await;
    go(&client, node, Verb::Manage, ProvisionState::Manageable).await;
    heard.all();
    let of_power = |heard: &mut Heard| -> Vec<_> {
        let told = heard.all().into_iter();
        told.filter(|told| told.payload.name == "NodeSetPowerStatePayload")
            .map(|told| {
                let status = told.event.status();
                format!("{} {status}", told.payload.data["to_power"])
            })
            .collect()
    };
    let args = || steps(&["power_on", "reboot"]);
    client.provision(node, Verb::Clean, args()).await.unwrap();
    reaches(&client, node, ProvisionState::Manageable).await;
    let (on, again) = ("\"power on\"", "\"rebooting\"");
    let told = [(on, "start"), (on, "end"), (again, "start"), (again, "end")];
    let told = told.map(|(target, status)| format!("{target} {status}"));
    assert_eq!(of_power(&mut heard), told);

    let broken = Error::driver("fake", "no answer");
    let fails = FakeRule::fails(FakeOperation::SetPowerState, broken);
    house.fakes.add(fails.nth(2));
    client.provision(node, Verb::Clean, args()).await.unwrap();
    reaches(&client, node, ProvisionState::CleanFailed).await;
    assert_eq!(of_power(&mut heard)[3], format!("{again} error"));
    conductor.stop().await.unwrap();
}

/// Every payload has the name, the version and the fields of the original's, and each of its
/// notifications has an event here.
#[test]
fn payloads_are_those_of_the_original() {
    let node = Node::new(Uuid::from_u128(1), "ipmi");
    let status = Status::Start;
    let of_nodes = [
        Event::Record {
            object: Object::Node,
            change: RecordChange::Update,
            status,
        },
        Event::MaintenanceSet { status },
        Event::ConsoleSet { status },
        Event::ConsoleRestore { status },
        Event::PowerSet {
            target: PowerTarget::SoftOff,
            status,
        },
        Event::PowerStateCorrected {
            from: None,
            to: PowerState::On,
        },
        Event::ProvisionSet {
            by: states::Event::Manage,
            from: ProvisionState::Enroll,
            previous_target: None,
            to: ProvisionState::Verifying,
            error: None,
        },
    ];
    let mut made: Vec<Payload> = of_nodes
        .iter()
        .map(|event| Payload::of_node(event, &node, &[], None))
        .collect();
    let others = Object::ALL.iter().filter(|object| **object != Object::Node);
    made.extend(others.map(|object| Payload::of_record(*object, &json!({}))));

    let text = std::fs::read_to_string(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/vectors/api_surface.json"
    ))
    .unwrap();
    let surface: Value = serde_json::from_str(&text).unwrap();
    let facts = &surface["notifications"];
    let known = facts["payload_objects"].as_object().unwrap();
    for payload in &made {
        let fact = &known[payload.name];
        assert_eq!(payload.version, fact["version"], "{}", payload.name);
        let fields: BTreeSet<_> = payload.data.keys().map(String::as_str).collect();
        let theirs = fact["fields"].as_array().unwrap().iter();
        let theirs: BTreeSet<_> = theirs.filter_map(Value::as_str).collect();
        assert_eq!(fields, theirs, "{}", payload.name);
    }
    let names: BTreeSet<_> = made.iter().map(|payload| payload.name).collect();
    let theirs: BTreeSet<_> = known.keys().map(String::as_str).collect();
    assert_eq!(names, theirs, "every payload has an event");

    let actions: BTreeSet<_> = of_nodes.iter().map(Event::action).collect();
    let crud = RecordChange::ALL.iter().map(|change| change.as_str());
    let actions: BTreeSet<_> = actions.into_iter().chain(crud).collect();
    let strings = |value: &'static Value| -> BTreeSet<&'static str> {
        value
            .as_array()
            .unwrap()
            .iter()
            .filter_map(Value::as_str)
            .collect()
    };
    let facts: &'static Value = Box::leak(Box::new(facts.clone()));
    assert_eq!(
        actions,
        strings(&facts["event_objects_and_actions"]["node"])
    );
    let objects = Object::ALL.iter().map(|object| object.as_str());
    let objects: BTreeSet<_> = objects.filter(|object| *object != "node").collect();
    assert_eq!(
        objects,
        strings(&facts["event_objects_and_actions"]["others_crud"])
    );
    let levels = Level::ALL.iter().map(|level| level.as_str()).collect();
    assert_eq!(strings(&facts["level_values"]), levels);
    let statuses = Status::ALL.iter().map(|status| status.as_str()).collect();
    assert_eq!(strings(&facts["status_values"]), statuses);
}

#[derive(Debug)]
struct EventsAlone(ChannelNotifier);

impl Notifier for EventsAlone {
    fn notify(&self, notification: &Notification) {
        self.0.notify(notification);
    }

    fn wants_payload(&self) -> bool {
        false
    }
}

/// Whoever follows states alone is spared the making of records that nobody reads.
#[tokio::test(start_paused = true)]
async fn events_without_records() {
    let (all, alone) = (ChannelNotifier::new(1), ChannelNotifier::new(1000));
    let mut house = House::new();
    house.notifier = Arc::new(EventsAlone(alone.0));
    let conductor = house.conductor("cond-a").await;
    let client = house.client(&conductor);
    let node = enrolled(&client).await;
    go(&client, node, Verb::Manage, ProvisionState::Manageable).await;
    let mut heard = Heard(alone.1);
    let moves = heard.all();
    let moves = moves.iter();
    let mut moves = moves.filter(|it| matches!(it.event, Event::ProvisionSet { .. }));
    let told = moves.next().expect("a move is told of");
    assert_eq!(told.payload.data.len(), 2, "{:?}", told.payload.data);
    assert_eq!(told.payload.data["uuid"], node.to_string());
    assert_eq!(told.payload.data["name"], Value::Null);

    // With one among several that wants records, all get them.
    let spared: Arc<dyn Notifier> = Arc::new(EventsAlone(ChannelNotifier::new(1).0));
    let several = Several::new([spared, Arc::new(all.0)]);
    assert!(several.wants_payload());
    let quiet = FromLevel::new(Level::Error, Arc::new(LogNotifier));
    assert!(!quiet.wants_payload());
}
