//! Reading a machine's sensors: their records once, their readings each time.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ironic_core::Error;
use ironic_core::driver::SharedTask;
use ironic_core::model::JsonMap;
use serde_json::{Map, Value};

use super::IpmiDriver;
use super::connection::Line;
use super::sensor_report::{Report, report};
use crate::codec::CompletionCode;
use crate::command::{
    EventEnable, GetDeviceId, GetEventEnable, GetReadingFactors, GetSdrInfo, GetSensorReading,
    SdrInfo, SensorReading,
};
use crate::console::{IpmiError, Request};
use crate::sensor::{SdrSource, SdrWalk, SdrWalkError, SensorRecord};

/// For how many BMCs records are kept; those of a BMC take some tens of kilobytes.
const MOST_KEPT: usize = 1024;
/// The BMC has an SDR repository (IPMI 2.0 table 20-2, byte 7).
const HAS_REPOSITORY: u8 = 0x02;

/// What is known of the sensors of BMCs.
#[derive(Debug, Default)]
pub(super) struct Sensors(Mutex<BTreeMap<String, Known>>);

#[derive(Debug, Clone)]
struct Known {
    /// How the repository was; the records hold as long as it is so.
    info: SdrInfo,
    sensors: Arc<Vec<Sensor>>,
}

/// A sensor, and of what it writes events.
#[derive(Debug)]
struct Sensor {
    record: SensorRecord,
    events: EventEnable,
}

impl Sensors {
    /// The readings of a node's machine, by type and name.
    pub(super) async fn read(
        &self,
        driver: &IpmiDriver,
        task: &SharedTask,
    ) -> Result<JsonMap, Error> {
        let mut line = driver.line(task)?;
        let sensors = match self.sensors(&mut line).await {
            Err(Failure::Unsupported) => {
                return Err(Error::Unsupported {
                    driver: task.node().driver.clone(),
                    extension: "sensors".to_owned(),
                });
            }
            Err(Failure::Other(error)) => return Err(error),
            Ok(sensors) => sensors,
        };
        let mut readings = JsonMap::new();
        for sensor in sensors.iter() {
            let Report { group, id, details } = read_one(&mut line, sensor).await?;
            let of_group = readings.entry(group).or_insert_with(|| Map::new().into());
            if let Value::Object(of_group) = of_group {
                of_group.insert(id, details.into());
            }
        }
        Ok(readings)
    }

    /// The machine's sensors: those that are known, where the repository has not changed.
    async fn sensors(&self, line: &mut Line<'_>) -> Result<Arc<Vec<Sensor>>, Failure> {
        let device = line.ask(async |bmc| bmc.command(&GetDeviceId).await);
        let device = device.await?.map_err(|error| line.error(&error))?;
        let source = if device.support & HAS_REPOSITORY == 0 && device.has_device_sdrs {
            SdrSource::Device
        } else {
            SdrSource::Repository
        };
        let info = match source {
            SdrSource::Repository => repository_info(line).await?,
            SdrSource::Device => None,
        };
        let known = self.known().get(line.name()).cloned();
        if let Some(known) = known.filter(|known| Some(known.info) == info) {
            return Ok(known.sensors);
        }
        let sensors = Arc::new(read_records(line, source).await?);
        if let Some(info) = info {
            let mut known = self.known();
            if known.len() >= MOST_KEPT && !known.contains_key(line.name()) {
                known.pop_first();
            }
            let sensors = Arc::clone(&sensors);
            known.insert(line.name().to_owned(), Known { info, sensors });
        }
        Ok(sensors)
    }

    fn known(&self) -> MutexGuard<'_, BTreeMap<String, Known>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Why there are no sensors.
enum Failure {
    /// The BMC knows nothing of sensors.
    Unsupported,
    Other(Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Other(error)
    }
}

/// How the repository is; none where the BMC does not say.
async fn repository_info(line: &mut Line<'_>) -> Result<Option<SdrInfo>, Failure> {
    match line.ask(async |bmc| bmc.command(&GetSdrInfo).await).await? {
        Ok(info) => Ok(Some(info)),
        Err(error) if refusal(&error) == Some(CompletionCode::INVALID_COMMAND) => {
            Err(Failure::Unsupported)
        }
        Err(IpmiError::Completion { .. } | IpmiError::Protocol(_)) => Ok(None),
        Err(error) => Err(line.error(&error).into()),
    }
}

async fn read_records(line: &mut Line<'_>, source: SdrSource) -> Result<Vec<Sensor>, Failure> {
    let mut walk = SdrWalk::new(source);
    while let Some(request) = walk.request() {
        let answer = match line.ask(async |bmc| bmc.execute(request).await).await? {
            Ok(data) => Ok(data),
            Err(error) => Err(refusal(&error).ok_or_else(|| line.error(&error))?),
        };
        walk.answer(answer).map_err(|error| match error {
            SdrWalkError::Refused { code } if code == CompletionCode::INVALID_COMMAND => {
                Failure::Unsupported
            }
            other => Error::driver("ipmitool", format!("BMC {}: {other}", line.name())).into(),
        })?;
    }
    let mut sensors = Vec::new();
    for record in walk.into_records() {
        let events = if record.is_of_bmc() {
            let request = of_sensor(&record, Request::of(&GetEventEnable(record.number)));
            answered::<GetEventEnable>(line, request).await?
        } else {
            None
        };
        let events = events.unwrap_or_default();
        sensors.push(Sensor { record, events });
    }
    Ok(sensors)
}

async fn read_one(line: &mut Line<'_>, sensor: &Sensor) -> Result<Report, Error> {
    let record = &sensor.record;
    if !record.is_of_bmc() {
        // Asking another controller would take a bridge.
        return Ok(report(record, &SensorReading::default(), &sensor.events));
    }
    let request = of_sensor(record, Request::of(&GetSensorReading(record.number)));
    let reading = answered::<GetSensorReading>(line, request).await?;
    let mut reading = reading.unwrap_or_default();
    let mut record = std::borrow::Cow::Borrowed(record);
    let nonlinear = record
        .numbers
        .filter(|numbers| numbers.scale.is_nonlinear());
    if let (Some(mut numbers), Some(raw)) = (nonlinear, reading.raw) {
        let number = record.number;
        let request = Request::of(&GetReadingFactors { number, raw });
        match answered::<GetReadingFactors>(line, of_sensor(&record, request)).await? {
            Some(factors) => {
                numbers.scale.take_factors(factors);
                record.to_mut().numbers = Some(numbers);
            }
            None => reading.raw = None,
        }
    }
    Ok(report(&record, &reading, &sensor.events))
}

/// What the BMC answers, unless it refuses: one sensor that cannot be asked is no reason to have none.
async fn answered<C: crate::command::Command>(
    line: &mut Line<'_>,
    request: Request,
) -> Result<Option<C::Response>, Error> {
    match line.ask(async |bmc| bmc.execute(request).await).await? {
        Ok(data) => Ok(C::decode_response(&data).ok()),
        Err(error) => match refusal(&error) {
            Some(code) => {
                tracing::debug!(bmc = line.name(), %code, "a sensor is not told of");
                Ok(None)
            }
            None => Err(line.error(&error)),
        },
    }
}

fn of_sensor(record: &SensorRecord, mut request: Request) -> Request {
    request.lun = record.lun;
    request
}

/// The completion code of a refusal that is about the command, not about who asks.
fn refusal(error: &IpmiError) -> Option<CompletionCode> {
    match error {
        IpmiError::Completion { code, .. } if *code != CompletionCode::INSUFFICIENT_PRIVILEGE => {
            Some(*code)
        }
        _ => None,
    }
}
