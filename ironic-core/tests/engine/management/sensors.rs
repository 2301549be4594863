use std::sync::{Arc, Mutex};
use std::time::Duration;

use ironic_core::Error;
use ironic_core::driver::fake::{FakeOperation, FakeRule};
use ironic_core::model::JsonMap;
use ironic_core::notify::{Notification, Notifier, SensorReadings, SensorSource};
use ironic_core::states::{ProvisionState, Verb};
use serde_json::json;
use tokio::time::sleep;
use uuid::Uuid;

use crate::house::{House, available, go};

/// Keeps what sensors have read.
#[derive(Debug, Default)]
struct Readings(Mutex<Vec<SensorReadings>>);

impl Notifier for Readings {
    fn notify(&self, _: &Notification) {}

    fn sensors(&self, readings: &SensorReadings) {
        self.0.lock().unwrap().push(readings.clone());
    }
}

impl Readings {
    fn take(&self) -> Vec<SensorReadings> {
        std::mem::take(&mut self.0.lock().unwrap())
    }

    /// The nodes told of, each as often as it was.
    fn nodes(&self) -> Vec<Uuid> {
        let taken = self.take();
        let node = |readings: &SensorReadings| match &readings.source {
            SensorSource::Node { node, .. } => Some(*node),
            _ => None,
        };
        taken.iter().filter_map(node).collect()
    }
}

fn house() -> (House, Arc<Readings>) {
    let mut house = House::new();
    let readings = Arc::new(Readings::default());
    house.notifier = readings.clone();
    let sensors = &mut house.config.sensors;
    sensors.enabled = true;
    sensors.interval = Duration::from_secs(60);
    sensors.wait_timeout = Duration::from_secs(20);
    (house, readings)
}

fn warm() -> JsonMap {
    let readings = json!({
        "Temperature": {"CPU": {"Sensor Reading": "40 degrees C"}},
        "Fan": {"Fan 1": {"Sensor Reading": "4000 RPM"}},
    });
    readings.as_object().unwrap().clone()
}

#[tokio::test(start_paused = true)]
async fn machines_with_an_instance_are_read_at_intervals_and_told_of() {
    let (mut house, readings) = house();
    house.config.sensors.data_types = vec!["temperature".to_owned()];
    let conductor = house.conductor("cond-a").await;
    let client = house.client(&conductor);
    let (deployed, spare) = (available(&client).await, available(&client).await);
    go(&client, deployed, Verb::Deploy, ProvisionState::Active).await;
    for node in [deployed, spare] {
        house.fakes.set_sensors(node, warm());
    }
    sleep(Duration::from_secs(61)).await;
    let told = readings.take();
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(told[0].event_type(), "hardware.fake-hardware.metrics");
    let wire = told[0].to_wire(Uuid::from_u128(1));
    assert_eq!(wire["event_type"], "hardware.fake-hardware.metrics.update");
    assert_eq!(wire["node_uuid"], json!(deployed));
    assert_eq!(
        wire["payload"],
        json!({"Temperature": {"CPU": {"Sensor Reading": "40 degrees C"}}})
    );
    sleep(Duration::from_secs(120)).await;
    assert_eq!(readings.nodes(), [deployed, deployed]);
    client.set_maintenance(deployed, true, None).await.unwrap();
    sleep(Duration::from_secs(60)).await;
    assert!(
        readings.take().is_empty(),
        "a node in maintenance is left alone"
    );
    conductor.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn one_bmc_that_hangs_keeps_no_round_from_ending_and_no_other_machine_from_being_read() {
    let (mut house, readings) = house();
    house.config.sensors.for_undeployed_nodes = true;
    house.config.sensors.for_conductor = false;
    let conductor = house.conductor("cond-a").await;
    let client = house.client(&conductor);
    let mut nodes = Vec::new();
    for _ in 0..5 {
        let node = available(&client).await;
        house.fakes.set_sensors(node, warm());
        nodes.push(node);
    }
    house
        .fakes
        .add(FakeRule::hangs(FakeOperation::Sensors).on(nodes[0]));
    let failure = Error::driver("fake", "no sensors today");
    house
        .fakes
        .add(FakeRule::fails(FakeOperation::Sensors, failure).on(nodes[1]));
    sleep(Duration::from_secs(130)).await;
    let mut told = readings.nodes();
    told.sort_unstable();
    let mut expected = [&nodes[2..], &nodes[2..]].concat();
    expected.sort_unstable();
    assert_eq!(told, expected);
    conductor.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_conductor_tells_of_itself_unless_told_not_to_and_nothing_is_read_by_default() {
    for (enabled, for_conductor, expected) in [(true, true, 1), (true, false, 0), (false, true, 0)]
    {
        let (mut house, readings) = house();
        house.config.sensors.enabled = enabled;
        house.config.sensors.for_conductor = for_conductor;
        house.config.sensors.for_nodes = false;
        house.config.sensors.for_undeployed_nodes = true;
        let conductor = house.conductor("cond-a").await;
        let client = house.client(&conductor);
        house.fakes.set_sensors(available(&client).await, warm());
        sleep(Duration::from_secs(61)).await;
        let told = readings.take();
        assert_eq!(told.len(), expected, "{told:?}");
        if let [own] = &told[..] {
            let wire = own.to_wire(Uuid::from_u128(1));
            assert_eq!(wire["event_type"], "ironic.metrics.update");
            assert_eq!(wire["hostname"], "cond-a");
            assert!(wire["payload"]["conductor"].is_object());
        }
        conductor.stop().await.unwrap();
    }
}
