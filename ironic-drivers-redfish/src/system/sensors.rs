//! What the machine's sensors read.

use serde_json::{Map, Value, json};

use super::System;
use super::part::{link, optional, text};
use crate::client::Resource;
use crate::error::RedfishError;

type Object = Map<String, Value>;

/// The groups of readings.
const GROUPS: [&str; 4] = ["Fan", "Temperature", "Power", "Drive"];

/// A member of a report: what it is called there, and in the schema.
type Member = (&'static str, &'static str);

/// DSP0268 Thermal.Fans.
const FAN: [Member; 7] = [
    ("identity", "MemberId"),
    ("max_reading_range", "MaxReadingRange"),
    ("min_reading_range", "MinReadingRange"),
    ("reading", "Reading"),
    ("reading_units", "ReadingUnits"),
    ("serial_number", "SerialNumber"),
    ("physical_context", "PhysicalContext"),
];

/// DSP0268 Thermal.Temperatures.
const TEMPERATURE: [Member; 6] = [
    ("identity", "MemberId"),
    ("max_reading_range_temp", "MaxReadingRangeTemp"),
    ("min_reading_range_temp", "MinReadingRangeTemp"),
    ("reading_celsius", "ReadingCelsius"),
    ("physical_context", "PhysicalContext"),
    ("sensor_number", "SensorNumber"),
];

/// DSP0268 Power.PowerSupplies.
const SUPPLY: [Member; 4] = [
    ("power_capacity_watts", "PowerCapacityWatts"),
    ("line_input_voltage", "LineInputVoltage"),
    ("last_power_output_watts", "LastPowerOutputWatts"),
    ("serial_number", "SerialNumber"),
];

/// DSP0268 Drive, and SimpleStorage.Devices.
const DRIVE: [Member; 3] = [
    ("name", "Name"),
    ("model", "Model"),
    ("capacity_bytes", "CapacityBytes"),
];

/// DSP0268 Sensor, told as what it measures was told before there were such resources.
const SENSOR_FAN: [Member; 6] = [
    ("identity", "Id"),
    ("max_reading_range", "ReadingRangeMax"),
    ("min_reading_range", "ReadingRangeMin"),
    ("reading", "Reading"),
    ("reading_units", "ReadingUnits"),
    ("physical_context", "PhysicalContext"),
];
const SENSOR_TEMPERATURE: [Member; 5] = [
    ("identity", "Id"),
    ("max_reading_range_temp", "ReadingRangeMax"),
    ("min_reading_range_temp", "ReadingRangeMin"),
    ("reading_celsius", "Reading"),
    ("physical_context", "PhysicalContext"),
];
const SENSOR_POWER: [Member; 1] = [("last_power_output_watts", "Reading")];

impl System {
    /// What the sensors of the machine's chassis and drives read, by group (`Fan`,
    /// `Temperature`, `Power`, `Drive`) and name, with the machine itself under `Extra`.
    ///
    /// A part that the BMC does not tell of is left out.
    ///
    /// # Errors
    ///
    /// As [`Client::get`](crate::Client::get), when the BMC cannot be spoken to.
    pub async fn sensors(&self) -> Result<Object, RedfishError> {
        let mut readings = Readings::new();
        for chassis in self.chassis().await? {
            self.of_chassis(&chassis, &mut readings).await?;
        }
        self.of_drives(&mut readings).await?;
        let system = self.resource();
        let extra = json!({"Manufacturer": system.manufacturer, "Model": system.model,
            "UUID": system.uuid});
        readings.0.insert("Extra".to_owned(), extra);
        Ok(readings.0)
    }

    async fn of_chassis(
        &self,
        chassis: &Resource<Value>,
        readings: &mut Readings,
    ) -> Result<(), RedfishError> {
        let place = text(&chassis.value, "Id").unwrap_or_default();
        let thermal = self.linked(&chassis.value, "Thermal").await?;
        if let Some(thermal) = &thermal {
            for fan in elements(thermal, "Fans") {
                readings.add("Fan", &named(fan, place), fan, &FAN);
            }
            for temperature in elements(thermal, "Temperatures") {
                let name = named(temperature, place);
                readings.add("Temperature", &name, temperature, &TEMPERATURE);
            }
        }
        let power = self.linked(&chassis.value, "Power").await?;
        if let Some(power) = &power {
            let of = text(power, "Id").unwrap_or_default();
            for supply in elements(power, "PowerSupplies") {
                let place = format!("{of}@{place}");
                let name = format!("{}:{place}", text(supply, "MemberId").unwrap_or_default());
                readings.add("Power", &name, supply, &SUPPLY);
            }
        }
        if thermal.is_some() || power.is_some() {
            return Ok(());
        }
        let Some(sensors) = link(&chassis.value, "Sensors") else {
            return Ok(());
        };
        let sensors = optional(self.client.resources(sensors).await)?;
        for sensor in sensors.into_iter().flatten() {
            readings.add_sensor(&sensor.value, place);
        }
        Ok(())
    }

    async fn linked(&self, of: &Value, member: &str) -> Result<Option<Value>, RedfishError> {
        match link(of, member) {
            Some(link) => {
                let read = optional(self.client.get::<Value>(link).await)?;
                Ok(read.map(|resource| resource.value))
            }
            None => Ok(None),
        }
    }

    /// The drives: of `SimpleStorage` where there is one, as it takes fewer requests.
    async fn of_drives(&self, readings: &mut Readings) -> Result<(), RedfishError> {
        let system = self.resource().id.clone().unwrap_or_default();
        if let Some(storages) = self.own("SimpleStorage").await? {
            for storage in storages {
                for drive in elements(&storage.value, "Devices") {
                    readings.add_drive(drive, &storage, &system);
                }
            }
            return Ok(());
        }
        for storage in self.own("Storage").await?.unwrap_or_default() {
            for drive in self.drives(&storage).await? {
                readings.add_drive(&drive.value, &storage, &system);
            }
        }
        Ok(())
    }
}

struct Readings(Object);

impl Readings {
    fn new() -> Self {
        let empty = GROUPS.map(|group| (group.to_owned(), json!({})));
        Self(empty.into_iter().collect())
    }

    fn add(&mut self, group: &str, name: &str, of: &Value, members: &[Member]) -> &mut Self {
        let mut reading = Object::new();
        for (name, member) in members {
            let value = of.get(*member).cloned().unwrap_or_default();
            reading.insert((*name).to_owned(), value);
        }
        if let Some(status) = of.get("Status").and_then(Value::as_object) {
            for (name, member) in [("state", "State"), ("health", "Health")] {
                let value = status.get(member).cloned().unwrap_or_default();
                reading.insert(name.to_owned(), value);
            }
        }
        if let Some(group) = self.0.get_mut(group).and_then(Value::as_object_mut) {
            group.insert(name.to_owned(), reading.into());
        }
        self
    }

    fn add_drive(&mut self, drive: &Value, storage: &Resource<Value>, system: &str) {
        let of = text(&storage.value, "Id").unwrap_or_default();
        let name = text(drive, "Name").unwrap_or_default();
        let name = format!("{name}:{of}@{system}");
        self.add("Drive", &name, drive, &DRIVE);
        let reading = self
            .0
            .get_mut("Drive")
            .and_then(|group| group.get_mut(&name));
        if let Some(Value::Object(reading)) = reading {
            // HPE's say how a drive is, and not that it is there.
            let silent = reading.get("state").is_none_or(Value::is_null);
            let well = reading
                .get("health")
                .is_some_and(|health| !health.is_null());
            if silent && well {
                reading.insert("state".to_owned(), json!("Enabled"));
            }
        }
    }

    fn add_sensor(&mut self, sensor: &Value, place: &str) {
        let name = format!("{}@{place}", text(sensor, "Id").unwrap_or_default());
        let is_fan = text(sensor, "PhysicalContext") == Some("Fan");
        match text(sensor, "ReadingType") {
            Some("Temperature") => self.add("Temperature", &name, sensor, &SENSOR_TEMPERATURE),
            Some("Rotational") => self.add("Fan", &name, sensor, &SENSOR_FAN),
            Some("Percent") if is_fan => self.add("Fan", &name, sensor, &SENSOR_FAN),
            Some("Power") => self.add("Power", &name, sensor, &SENSOR_POWER),
            _ => self,
        };
    }
}

fn named(sensor: &Value, place: &str) -> String {
    format!("{}@{place}", text(sensor, "MemberId").unwrap_or_default())
}

fn elements<'a>(resource: &'a Value, member: &str) -> impl Iterator<Item = &'a Value> {
    let elements = resource.get(member).and_then(Value::as_array);
    elements.into_iter().flatten()
}
