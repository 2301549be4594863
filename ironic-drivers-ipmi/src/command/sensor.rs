use super::Command;
use crate::codec::{CodecError, NetFn, Privilege, reader::Reader};

/// Get Sensor Reading (IPMI 2.0 §35.14).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GetSensorReading(
    /// The sensor's number.
    pub u8,
);

/// What a sensor says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct SensorReading {
    /// The value, not yet converted; none where the sensor is not being read, or nothing is known yet.
    pub raw: Option<u8>,
    /// Which states are there, or, of a sensor with thresholds, which of these are passed: bits 0 to 2 of
    /// the lower ones (non-critical, critical, non-recoverable), 3 to 5 of the upper.
    pub states: u16,
}

impl SensorReading {
    /// A sensor that says this and is in none of its states.
    #[must_use]
    pub const fn of(raw: u8) -> Self {
        Self {
            raw: Some(raw),
            states: 0,
        }
    }

    /// The same in these states.
    #[must_use]
    pub const fn states(mut self, states: u16) -> Self {
        self.states = states;
        self
    }
}

/// Events and scanning are on (IPMI 2.0 table 35-15, byte 3).
const SCANNING: u8 = 0xc0;
const SCANNING_ENABLED: u8 = 0x40;
const UNAVAILABLE: u8 = 0x20;

impl Command for GetSensorReading {
    type Response = SensorReading;

    const NET_FN: NetFn = NetFn::SENSOR;
    const NUMBER: u8 = 0x2d;
    const PRIVILEGE: Privilege = Privilege::User;

    fn encode(&self) -> Vec<u8> {
        vec![self.0]
    }

    fn decode(data: &[u8]) -> Result<Self, CodecError> {
        let mut reader = Reader::new(data, "get sensor reading request");
        let number = reader.u8()?;
        reader.finish()?;
        Ok(Self(number))
    }

    fn encode_response(reading: &SensorReading) -> Vec<u8> {
        let [low, high] = reading.states.to_le_bytes();
        let flags = match reading.raw {
            Some(_) => SCANNING,
            None => SCANNING | UNAVAILABLE,
        };
        vec![reading.raw.unwrap_or(0), flags, low, high]
    }

    fn decode_response(data: &[u8]) -> Result<SensorReading, CodecError> {
        let mut reader = Reader::new(data, "get sensor reading response");
        let [raw, flags] = reader.array()?;
        if flags & SCANNING_ENABLED == 0 {
            return Ok(SensorReading::default());
        }
        // The bytes of states are optional; the highest bit of the second is always set.
        let states = match *reader.rest() {
            [low, high, ..] => u16::from_le_bytes([low, high & 0x7f]),
            [low] => low.into(),
            [] => 0,
        };
        Ok(SensorReading {
            raw: (flags & UNAVAILABLE == 0).then_some(raw),
            states,
        })
    }
}

/// Get Sensor Event Enable (IPMI 2.0 §35.11).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GetEventEnable(
    /// The sensor's number.
    pub u8,
);

/// Of what a sensor writes events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct EventEnable {
    /// Whether the sensor is being read at all.
    pub scanning: bool,
    /// What begins: a bit for each state, or two for each threshold, going low and going high.
    pub assertions: u16,
    /// What ends.
    pub deassertions: u16,
}

impl EventEnable {
    /// Events of these beginnings and these ends.
    #[must_use]
    pub const fn new(assertions: u16, deassertions: u16) -> Self {
        Self {
            scanning: true,
            assertions,
            deassertions,
        }
    }
}

impl Command for GetEventEnable {
    type Response = EventEnable;

    const NET_FN: NetFn = NetFn::SENSOR;
    const NUMBER: u8 = 0x29;
    const PRIVILEGE: Privilege = Privilege::User;

    fn encode(&self) -> Vec<u8> {
        vec![self.0]
    }

    fn decode(data: &[u8]) -> Result<Self, CodecError> {
        let mut reader = Reader::new(data, "get sensor event enable request");
        let number = reader.u8()?;
        reader.finish()?;
        Ok(Self(number))
    }

    fn encode_response(enable: &EventEnable) -> Vec<u8> {
        let mut out = vec![if enable.scanning { SCANNING } else { 0 }];
        out.extend_from_slice(&enable.assertions.to_le_bytes());
        out.extend_from_slice(&enable.deassertions.to_le_bytes());
        out
    }

    fn decode_response(data: &[u8]) -> Result<EventEnable, CodecError> {
        let mut reader = Reader::new(data, "get sensor event enable response");
        let flags = reader.u8()?;
        if flags & SCANNING_ENABLED == 0 {
            return Ok(EventEnable::default());
        }
        // All four bytes of masks are optional, from the end.
        let at = |index: usize, rest: &[u8]| rest.get(index).copied().unwrap_or(0);
        let rest = reader.rest();
        Ok(EventEnable {
            scanning: true,
            assertions: u16::from_le_bytes([at(0, rest), at(1, rest)]),
            deassertions: u16::from_le_bytes([at(2, rest), at(3, rest)]),
        })
    }
}

/// Get Sensor Thresholds (IPMI 2.0 §35.9).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GetThresholds(
    /// The sensor's number.
    pub u8,
);

/// The thresholds that a sensor has now, not yet converted: the lower non-critical, critical and
/// non-recoverable one, then the upper; none where there is none or it cannot be read.
pub type ThresholdValues = [Option<u8>; 6];

impl Command for GetThresholds {
    type Response = ThresholdValues;

    const NET_FN: NetFn = NetFn::SENSOR;
    const NUMBER: u8 = 0x27;
    const PRIVILEGE: Privilege = Privilege::User;

    fn encode(&self) -> Vec<u8> {
        vec![self.0]
    }

    fn decode(data: &[u8]) -> Result<Self, CodecError> {
        let mut reader = Reader::new(data, "get sensor thresholds request");
        let number = reader.u8()?;
        reader.finish()?;
        Ok(Self(number))
    }

    fn encode_response(values: &ThresholdValues) -> Vec<u8> {
        let bits = values.iter().enumerate();
        let mask = bits.fold(0, |mask, (bit, value)| {
            mask | (u8::from(value.is_some()) << bit)
        });
        let mut out = vec![mask];
        out.extend(values.iter().map(|value| value.unwrap_or(0)));
        out
    }

    fn decode_response(data: &[u8]) -> Result<ThresholdValues, CodecError> {
        let mut reader = Reader::new(data, "get sensor thresholds response");
        let mask = reader.u8()?;
        let raw: [u8; 6] = reader.array()?;
        let mut values = [None; 6];
        for (bit, (value, raw)) in values.iter_mut().zip(raw).enumerate() {
            *value = (mask >> bit & 1 == 1).then_some(raw);
        }
        Ok(values)
    }
}

/// Get Sensor Reading Factors (IPMI 2.0 §35.5): how a reading of a sensor that is not linear is converted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GetReadingFactors {
    /// The sensor's number.
    pub number: u8,
    /// The reading.
    pub raw: u8,
}

impl Command for GetReadingFactors {
    /// The six bytes of factors, as in a sensor's record (IPMI 2.0 table 35-6, bytes 3 to 8).
    type Response = [u8; 6];

    const NET_FN: NetFn = NetFn::SENSOR;
    const NUMBER: u8 = 0x23;
    const PRIVILEGE: Privilege = Privilege::User;

    fn encode(&self) -> Vec<u8> {
        vec![self.number, self.raw]
    }

    fn decode(data: &[u8]) -> Result<Self, CodecError> {
        let mut reader = Reader::new(data, "get sensor reading factors request");
        let [number, raw] = reader.array()?;
        reader.finish()?;
        Ok(Self { number, raw })
    }

    fn encode_response(factors: &[u8; 6]) -> Vec<u8> {
        let mut out = vec![0];
        out.extend_from_slice(factors);
        out
    }

    fn decode_response(data: &[u8]) -> Result<[u8; 6], CodecError> {
        let mut reader = Reader::new(data, "get sensor reading factors response");
        let _next_reading = reader.u8()?;
        reader.array()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reading_is_there_or_not() {
        for (bytes, expected) in [
            (
                &[42, 0xc0, 0x18, 0x80][..],
                SensorReading::of(42).states(0x18),
            ),
            (&[42, 0xc0], SensorReading::of(42)),
            (
                &[42, 0xe0, 1],
                SensorReading {
                    raw: None,
                    states: 1,
                },
            ),
            (&[42, 0x80, 1], SensorReading::default()),
        ] {
            assert_eq!(GetSensorReading::decode_response(bytes), Ok(expected));
        }
        assert!(GetSensorReading::decode_response(&[42]).is_err());
        for reading in [SensorReading::of(7).states(0x55), SensorReading::default()] {
            let bytes = GetSensorReading::encode_response(&reading);
            assert_eq!(GetSensorReading::decode_response(&bytes), Ok(reading));
        }
    }

    #[test]
    fn thresholds_round_trip() {
        let values = [Some(1), None, Some(3), Some(4), None, None];
        let bytes = GetThresholds::encode_response(&values);
        assert_eq!(bytes, [0b1101, 1, 0, 3, 4, 0, 0]);
        assert_eq!(GetThresholds::decode_response(&bytes), Ok(values));
    }
}
