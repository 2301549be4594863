//! What a user has of a BMC's other services: sensors, lights, subscriptions, firmware.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that meets the unexpected is to stop there"
)]

mod support;

use std::sync::Arc;
use std::time::Duration;

use ironic_core::driver::{Component, IndicatorState};
use ironic_core::model::{JsonMap, Node};
use ironic_core::states::{FlowKind, InterfaceKind, ProvisionState, Verb};
use ironic_core::steps::UserStep;
use ironic_core::transport::ProvisionArgs;
use ironic_core::{ErrorKind, Uuid};
use ironic_drivers_redfish::RedfishDriver;
use serde_json::{Value, json};
use support::house::{House, Only, scripted_info};
use support::mockup::{Mockup, SYSTEM};

const PATIENCE: Duration = Duration::from_secs(30);

fn object(value: Value) -> JsonMap {
    value.as_object().unwrap().clone()
}

async fn node(house: &House) -> Uuid {
    house.node(scripted_info(), |_| {}).await
}

async fn sensors(resources: Value) -> Value {
    let house = House::over(Only(Mockup::new(resources))).await;
    let node = node(&house).await;
    let task = house.look(node).await;
    let read = task.driver().management.sensors(&task).await.unwrap();
    house.conductor.stop().await.unwrap();
    read.into()
}

#[tokio::test]
async fn sensors_are_told_by_group_and_name() {
    let status = json!({"State": "Enabled", "Health": "OK"});
    let read = sensors(json!({
        "Systems/1": {"Links": {"Chassis": [{"@odata.id": "/redfish/v1/Chassis/C"}]},
            "Storage": {"@odata.id": "/redfish/v1/Systems/1/Storage"}},
        "Chassis/C": {"Id": "C", "Thermal": {"@odata.id": "/redfish/v1/Chassis/C/Thermal"},
            "Power": {"@odata.id": "/redfish/v1/Chassis/C/Power"}},
        "Chassis/C/Thermal": {
            "Fans": [{"MemberId": "F1", "Reading": 2100, "ReadingUnits": "RPM",
                "MinReadingRange": 0, "MaxReadingRange": 5000, "PhysicalContext": "Backplane",
                "Status": status, "Secret": "x"}],
            "Temperatures": [{"MemberId": "T1", "ReadingCelsius": 41, "SensorNumber": 42,
                "Status": status}]},
        "Chassis/C/Power": {"Id": "Power", "PowerSupplies": [{"MemberId": "P0",
            "PowerCapacityWatts": 1450, "LastPowerOutputWatts": 650, "LineInputVoltage": 220,
            "SerialNumber": "S0", "Status": status}]},
        "Systems/1/Storage": {"Members": [{"@odata.id": "/redfish/v1/Systems/1/Storage/S"}]},
        "Systems/1/Storage/S": {"Id": "S", "Drives": [{"@odata.id": "/redfish/v1/D/1"},
            {"@odata.id": "/redfish/v1/D/missing"}]},
        "D/1": {"Id": "1", "Name": "Drive 1", "Model": "C123", "CapacityBytes": 899_527,
            "Status": {"Health": "OK"}},
    }))
    .await;
    let expected = json!({
        "Extra": {"Manufacturer": "Contoso", "Model": "3500", "UUID": "u-1"},
        "Fan": {"F1@C": {"identity": "F1", "max_reading_range": 5000, "min_reading_range": 0,
            "reading": 2100, "reading_units": "RPM", "serial_number": null,
            "physical_context": "Backplane", "state": "Enabled", "health": "OK"}},
        "Temperature": {"T1@C": {"identity": "T1", "max_reading_range_temp": null,
            "min_reading_range_temp": null, "reading_celsius": 41, "physical_context": null,
            "sensor_number": 42, "state": "Enabled", "health": "OK"}},
        "Power": {"P0:Power@C": {"power_capacity_watts": 1450, "line_input_voltage": 220,
            "last_power_output_watts": 650, "serial_number": "S0", "state": "Enabled",
            "health": "OK"}},
        "Drive": {"Drive 1:S@1": {"name": "Drive 1", "model": "C123", "capacity_bytes": 899_527,
            "state": "Enabled", "health": "OK"}},
    });
    assert_eq!(read, expected);
}

#[tokio::test]
async fn newer_bmcs_have_sensors_of_their_own() {
    let read = sensors(json!({
        "Systems/1": {"Links": {"Chassis": [{"@odata.id": "/redfish/v1/Chassis/C"}]},
            "SimpleStorage": {"@odata.id": "/redfish/v1/Systems/1/SimpleStorage"}},
        "Chassis/C": {"Id": "C", "Sensors": {"@odata.id": "/redfish/v1/Chassis/C/Sensors"}},
        // Expanded, as some BMCs give them, or not.
        "Chassis/C/Sensors": {"Members": [
            {"@odata.id": "/redfish/v1/Chassis/C/Sensors/T", "Id": "T", "ReadingType": "Temperature",
                "Reading": 33.5, "ReadingUnits": "Cel"},
            {"@odata.id": "/redfish/v1/Chassis/C/Sensors/F"},
            {"@odata.id": "/redfish/v1/Chassis/C/Sensors/H", "Id": "H", "ReadingType": "Humidity"}]},
        "Chassis/C/Sensors/F": {"Id": "F", "ReadingType": "Percent", "Reading": 40,
            "PhysicalContext": "Fan"},
        "Systems/1/SimpleStorage": {"Members": [{"@odata.id": "/redfish/v1/Systems/1/SimpleStorage/1"}]},
        "Systems/1/SimpleStorage/1": {"Id": "1", "Devices": [{"Name": "SATA 1", "Model": "M",
            "CapacityBytes": 8, "Status": {"State": "Absent"}}]},
    }))
    .await;
    assert_eq!(read["Temperature"]["T@C"]["reading_celsius"], 33.5);
    assert_eq!(read["Fan"]["F@C"]["reading"], 40);
    assert_eq!(read["Power"], json!({}));
    assert_eq!(read["Drive"]["SATA 1:1@1"]["state"], "Absent");
    assert_eq!(read["Drive"]["SATA 1:1@1"]["health"], Value::Null);
}

#[tokio::test]
async fn lights_of_chassis_and_drives_are_told_and_set() {
    let mockup = Mockup::new(json!({
        "Systems/1": {"IndicatorLED": "Off",
            "Links": {"Chassis": [{"@odata.id": "/redfish/v1/Chassis/C"}]},
            "Storage": {"@odata.id": "/redfish/v1/Systems/1/Storage"}},
        "Chassis/C": {"Id": "C", "UUID": "c-1", "LocationIndicatorActive": false},
        "Systems/1/Storage": {"Members": [{"@odata.id": "/redfish/v1/Systems/1/Storage/S"}]},
        "Systems/1/Storage/S": {"Id": "S", "Drives": [{"@odata.id": "/redfish/v1/D/1"},
            {"@odata.id": "/redfish/v1/D/2"}]},
        "D/1": {"Id": "1", "IndicatorLED": "Blinking"},
        "D/2": {"Id": "2"},
    }));
    let house = House::over(Only(Arc::clone(&mockup))).await;
    let (client, node) = (&house.client, node(&house).await);
    let lights = client.indicators(node, None).await.unwrap();
    let named: Vec<_> = lights
        .iter()
        .flat_map(|(part, lights)| lights.keys().map(move |name| format!("{part} {name}")))
        .collect();
    assert_eq!(named, ["chassis c-1", "system u-1", "disk S:1"]);
    let state = async |part, name| client.indicator(node, part, name).await.unwrap();
    assert_eq!(
        state(Component::Disk, "S:1").await,
        IndicatorState::Blinking
    );
    assert_eq!(state(Component::Chassis, "c-1").await, IndicatorState::Off);
    for (part, name) in [
        (Component::Disk, "S:1"),
        (Component::Chassis, "c-1"),
        (Component::System, "u-1"),
    ] {
        let on = IndicatorState::On;
        client.set_indicator(node, part, name, on).await.unwrap();
        assert_eq!(state(part, name).await, on, "{part}");
    }
    assert_eq!(
        mockup.written_to("PATCH /redfish/v1/Chassis/C"),
        [json!({"LocationIndicatorActive": true})]
    );
    let error = client
        .indicator(node, Component::Disk, "S:2")
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidParameter, "{error}");
    house.conductor.stop().await.unwrap();
}

#[tokio::test]
async fn subscriptions_come_and_go() {
    let mockup = Mockup::new(json!({
        "EventService": {"Subscriptions": {"@odata.id": "/redfish/v1/EventService/Subscriptions"},
            "EventTypesForSubscription": ["Alert", "StatusChange"]},
        "EventService/Subscriptions": {"Members": []},
    }));
    let house = House::over(Only(Arc::clone(&mockup))).await;
    let (client, node) = (&house.client, node(&house).await);
    let call = async |method: &str, verb: &str, args: Value| {
        client.call_vendor(node, method, verb, object(args)).await
    };
    let wanted = json!({"Destination": "https://192.0.2.1/events", "EventTypes": ["StatusChange"],
        "HttpHeaders": [{"X-Token": "s3cret"}]});
    let made = call("create_subscription", "POST", wanted).await.unwrap();
    let expected = json!({"Id": "1", "Context": "", "Protocol": "Redfish",
        "Destination": "https://192.0.2.1/events", "EventTypes": ["StatusChange"]});
    assert_eq!(made.value, expected);
    let read = call("get_subscription", "GET", json!({"id": "1"})).await;
    assert_eq!(read.unwrap().value, expected);
    let all = call("get_all_subscriptions", "GET", json!({}))
        .await
        .unwrap();
    assert_eq!(all.value["Members"].as_array().unwrap().len(), 1);

    let unknown = json!({"Destination": "https://192.0.2.1/", "EventTypes": ["Everything"]});
    for (method, verb, args, named) in [
        ("create_subscription", "POST", json!({}), "Destination"),
        ("create_subscription", "POST", unknown, "EventTypes"),
        ("delete_subscription", "DELETE", json!({}), "id"),
        ("get_subscription", "GET", json!({"id": "../1"}), "id"),
    ] {
        let error = call(method, verb, args).await.unwrap_err();
        assert!(error.to_string().contains(named), "{error}");
        let kind = error.kind();
        assert!(
            matches!(
                kind,
                ErrorKind::InvalidParameter | ErrorKind::MissingParameter
            ),
            "{kind}: {error}"
        );
    }
    let gone = call("delete_subscription", "DELETE", json!({"id": "1"})).await;
    assert_eq!(gone.unwrap().value, Value::Null);
    let all = call("get_all_subscriptions", "GET", json!({}))
        .await
        .unwrap();
    assert_eq!(all.value["Members"], json!([]));
    house.conductor.stop().await.unwrap();
}

fn with_firmware() -> Arc<Mockup> {
    Mockup::new(json!({
        "Systems/1": {"BiosVersion": "1.2", "Links": {
            "Chassis": [{"@odata.id": "/redfish/v1/Chassis/C"}],
            "ManagedBy": [{"@odata.id": "/redfish/v1/Managers/B"}]}},
        "Managers/B": {"Id": "B", "FirmwareVersion": "7.0", "Model": "iBMC"},
        "Chassis/C": {"Id": "C", "NetworkAdapters": {"@odata.id": "/redfish/v1/Chassis/C/N"}},
        "Chassis/C/N": {"Members": [{"@odata.id": "/redfish/v1/Chassis/C/N/1"},
            {"@odata.id": "/redfish/v1/Chassis/C/N/2"}]},
        "Chassis/C/N/1": {"Id": "1", "SerialNumber": "NS1", "Manufacturer": "Fabrikam",
            "Model": "X2", "Controllers": [{"FirmwarePackageVersion": "20.5"}]},
        "Chassis/C/N/2": {"Id": "2", "Controllers": [{}]},
        "UpdateService": {"Actions": {"#UpdateService.SimpleUpdate": {
            "target": "/redfish/v1/UpdateService/Actions/SimpleUpdate"}}},
    }))
}

#[tokio::test]
async fn versions_of_firmware_are_kept() {
    let house = House::over(Only(with_firmware())).await;
    let node = node(&house).await;
    let mut task = house.task(node).await;
    let firmware = task.driver().firmware.clone();
    firmware.cache_components(&mut task).await.unwrap();
    let mut kept: Vec<_> = house.client.firmware(node).await.unwrap();
    kept.sort_by(|a, b| a.component.cmp(&b.component));
    let shown: Vec<_> = kept
        .iter()
        .map(|one| {
            let version = one.current_version.as_deref();
            (
                one.component.as_str(),
                version,
                one.vendor.as_deref(),
                one.model.as_deref(),
            )
        })
        .collect();
    let expected = [
        ("bios", Some("1.2"), None, None),
        ("bmc", Some("7.0"), None, Some("iBMC")),
        ("nic:NS1", Some("20.5"), Some("Fabrikam"), Some("X2")),
    ];
    assert_eq!(shown, expected);
}

/// Cleans with updates of these components; the node as it is in the end.
async fn update(mockup: &Arc<Mockup>, components: &[&str]) -> Node {
    let soon = Duration::from_millis(20);
    let change = |driver: RedfishDriver| {
        let driver = driver.firmware_updates(soon, PATIENCE);
        driver.power_timeout(PATIENCE)
    };
    let house = House::live(Only(Arc::clone(mockup)), change).await;
    let (client, node) = (&house.client, node(&house).await);
    let verb = async |verb, args| client.provision(node, verb, args).await.unwrap();
    verb(Verb::Manage, ProvisionArgs::default()).await;
    let managed = client.wait_for(node, ProvisionState::Manageable, PATIENCE);
    managed.await.unwrap();
    let settings: Vec<_> = components
        .iter()
        .map(|component| json!({"component": component, "url": "http://192.0.2.1/fw.bin"}))
        .collect();
    let step = UserStep::new(InterfaceKind::Firmware, "update").with_arg("settings", settings);
    verb(Verb::Clean, ProvisionArgs::default().with_steps(vec![step])).await;
    let ended = |node: &Node| {
        let state = node.provision_state;
        let ended = matches!(
            state,
            ProvisionState::Manageable | ProvisionState::CleanFailed
        );
        ended.then_some(Ok(()))
    };
    let node = client.wait_until(node, PATIENCE, ended).await.unwrap();
    house.conductor.stop().await.unwrap();
    node
}

fn state(name: &str) -> Value {
    json!({"Id": "t", "TaskState": name, "PercentComplete": 10})
}

const UPDATE: &str = "POST /redfish/v1/UpdateService/Actions/SimpleUpdate";
const RESET: &str = "POST /redfish/v1/Systems/1/Actions/ComputerSystem.Reset";

#[tokio::test]
async fn updates_run_one_after_the_other_and_system_firmware_takes_a_restart() {
    let mockup = with_firmware();
    let to_the_end = || vec![state("Running"), state("Running"), state("Completed")];
    // The BMC restarts with its new firmware, and knows nothing of the task any more.
    mockup.state().tasks = vec![to_the_end(), vec![state("Running")]];
    let node = update(&mockup, &["bios", "bmc"]).await;
    assert_eq!(
        node.provision_state,
        ProvisionState::Manageable,
        "{:?}",
        node.last_error
    );
    let image = json!({"ImageURI": "http://192.0.2.1/fw.bin"});
    assert_eq!(mockup.written_to(UPDATE), [image.clone(), image]);
    let lines: Vec<_> = mockup
        .state()
        .written
        .iter()
        .map(|(line, _)| line.clone())
        .collect();
    assert_eq!(
        lines,
        [UPDATE, RESET, RESET, UPDATE],
        "off and on in between"
    );
}

#[tokio::test]
async fn an_update_that_fails_says_why() {
    let mockup = with_firmware();
    let mut failed = state("Exception");
    failed["Messages"] =
        json!([{"MessageId": "Update.1.0.Bad", "Message": "the image is signed by a stranger"}]);
    mockup.state().tasks = vec![vec![state("Running"), failed]];
    let node = update(&mockup, &["bmc"]).await;
    assert_eq!(node.provision_state, ProvisionState::CleanFailed);
    let text = node.last_error.unwrap();
    assert!(
        text.contains("bmc") && text.contains("signed by a stranger"),
        "{text}"
    );
    assert!(mockup.written_to(RESET).is_empty(), "a BMC restarts itself");
}

#[tokio::test]
async fn an_interrupted_update_is_not_taken_for_a_whole_one() {
    let mockup = with_firmware();
    let house = House::over(Only(Arc::clone(&mockup))).await;
    let node = node(&house).await;
    let mut task = house.task(node).await;
    let firmware = task.driver().firmware.clone();
    let def = firmware.steps(task.node(), FlowKind::Clean).remove(0);
    let step = def.planned(JsonMap::new());
    let progress = firmware.step_progress(&task, FlowKind::Clean, &step).await;
    assert_eq!(format!("{:?}", progress.unwrap()), "Unknown");
    let monitor = "/redfish/v1/TaskService/Tasks/9";
    for (last, expected) in [(true, "Done"), (false, "Failed")] {
        let running = json!({"component": "bmc", "monitor": monitor, "last": last});
        task.node_mut().set_internal("redfish_fw_update", running);
        let progress = firmware.step_progress(&task, FlowKind::Clean, &step).await;
        let progress = format!("{:?}", progress.unwrap());
        assert!(progress.starts_with(expected), "{progress}");
    }
    assert_eq!(mockup.state().resources[SYSTEM]["PowerState"], "On");
}
