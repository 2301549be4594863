//! The BMC's sensor records: what there is, in parts, under reservations.

use crate::{
    codec::CompletionCode,
    command::{EventEnable, GetSdr, SdrInfo, SdrPart, ThresholdValues},
    sensor::SensorRecord,
};

/// The longest part of a record that is given at once: as little as small BMCs have room for, so that
/// consoles show whether they can go on from there.
const LONGEST_PART: usize = 24;

/// The repository of a BMC's sensors.
#[derive(Debug)]
pub(crate) struct Repository {
    sensors: Vec<SensorRecord>,
    /// As they travel; the id of a record is its index and one.
    records: Vec<Vec<u8>>,
    reservation: u16,
}

impl Repository {
    pub(crate) fn new(sensors: &[SensorRecord]) -> Self {
        let ids = 1_u16..;
        Self {
            sensors: sensors.to_vec(),
            records: ids.zip(sensors).map(|(id, s)| s.encode(id)).collect(),
            reservation: 0,
        }
    }

    pub(crate) fn info(&self) -> SdrInfo {
        SdrInfo::of(u16::try_from(self.records.len()).unwrap_or(u16::MAX))
    }

    /// Makes a reservation; those before it are lost.
    pub(crate) fn reserve(&mut self) -> u16 {
        self.reservation = self.reservation.checked_add(1).unwrap_or(1);
        self.reservation
    }

    pub(crate) fn part(&self, get: GetSdr) -> Result<SdrPart, CompletionCode> {
        if get.offset > 0 && get.reservation != self.reservation {
            return Err(CompletionCode::RESERVATION_LOST);
        }
        let index = usize::from(get.record.max(1)) - 1;
        let record = self.records.get(index).ok_or(CompletionCode::ABSENT)?;
        let rest = record
            .get(usize::from(get.offset)..)
            .ok_or(CompletionCode::OUT_OF_RANGE)?;
        let wanted = usize::from(get.count).min(rest.len());
        if wanted > LONGEST_PART {
            return Err(CompletionCode::TOO_MUCH);
        }
        let next = match u16::try_from(index + 2) {
            Ok(next) if index + 1 < self.records.len() => next,
            _ => GetSdr::END,
        };
        let data = rest.get(..wanted).unwrap_or_default();
        Ok(SdrPart::new(next, data.to_vec()))
    }

    fn sensor(&self, number: u8) -> Result<&SensorRecord, CompletionCode> {
        let found = self.sensors.iter().find(|sensor| sensor.number == number);
        found.ok_or(CompletionCode::ABSENT)
    }

    /// Whether there is such a sensor.
    pub(crate) fn check(&self, number: u8) -> Result<(), CompletionCode> {
        self.sensor(number).map(|_| ())
    }

    pub(crate) fn thresholds(&self, number: u8) -> Result<ThresholdValues, CompletionCode> {
        let sensor = self.sensor(number)?;
        let numbers = sensor.numbers.ok_or(CompletionCode::ABSENT)?;
        let [upper_nr, upper_cr, upper_nc] = numbers.upper;
        let [lower_nr, lower_cr, lower_nc] = numbers.lower;
        let [_, _, readable] = sensor.masks;
        let mut bit = 0;
        Ok(
            [lower_nc, lower_cr, lower_nr, upper_nc, upper_cr, upper_nr].map(|value| {
                let is_readable = readable >> bit & 1 == 1;
                bit += 1;
                is_readable.then_some(value)
            }),
        )
    }

    /// The sensors write events of all that their records name.
    pub(crate) fn events(&self, number: u8) -> Result<EventEnable, CompletionCode> {
        let [assertions, deassertions, _] = self.sensor(number)?.masks;
        Ok(EventEnable::new(assertions & 0x0fff, deassertions & 0x0fff))
    }
}
