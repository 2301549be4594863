//! Sensors' records (IPMI 2.0 §43.1, §43.2).

use super::{Analog, Scale};
use crate::codec::{CodecError, reader::Reader};

/// Of a full sensor record.
const FULL: u8 = 0x01;
/// Of a compact one.
const COMPACT: u8 = 0x02;
/// Bytes before the body: record id, version, type, length of the body.
pub(super) const HEADER: usize = 5;
/// The version of the format (IPMI 2.0 §43.1).
const VERSION: u8 = 0x51;
/// The reading type of a sensor with thresholds (IPMI 2.0 table 42-1).
const THRESHOLD: u8 = 0x01;
/// A BMC's address (IPMI 2.0 §5.5).
const BMC: u8 = 0x20;
/// The longest name that fits into a record.
const LONGEST_NAME: usize = 16;

/// A sensor as its BMC describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SensorRecord {
    /// The address of the controller that has the sensor; a BMC's is 20h.
    pub owner: u8,
    /// The owner's logical unit, 0 to 3.
    pub lun: u8,
    /// The channel that the owner is reached by; 0 is the primary one.
    pub channel: u8,
    /// The sensor's number with its owner.
    pub number: u8,
    /// What it is a sensor of: the kind of thing (IPMI 2.0 table 43-13) and which of them.
    pub entity: (u8, u8),
    /// Whether thresholds are set from this record as the BMC starts.
    pub sets_thresholds: bool,
    /// How its events are switched on and off.
    pub event_control: EventControl,
    /// What can be done with its thresholds.
    pub threshold_access: ThresholdAccess,
    /// What it measures (IPMI 2.0 table 42-3).
    pub sensor_type: u8,
    /// What its reading is (IPMI 2.0 table 42-1): 1 a number with thresholds, else states.
    pub reading_type: u8,
    /// Masks of beginnings of events, of their ends, and of what can be read.
    pub masks: [u16; 3],
    /// The bytes of its unit: how the parts are put together, the base unit, the modifier.
    pub units: [u8; 3],
    /// How its bytes become numbers, and what numbers are usual; none in a compact record.
    pub numbers: Option<Thresholds>,
    /// Positive and negative hysteresis, not converted.
    pub hysteresis: (u8, u8),
    /// The maker's.
    pub oem: u8,
    /// Its name.
    pub name: String,
}

/// How a sensor's bytes become numbers, and which are usual; these are bytes, not converted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Thresholds {
    /// The conversion.
    pub scale: Scale,
    /// What is nominal, if that is known.
    pub nominal: Option<u8>,
    /// The highest that is normal, if that is known.
    pub normal_max: Option<u8>,
    /// The lowest that is normal, if that is known.
    pub normal_min: Option<u8>,
    /// The highest that it can read.
    pub max: u8,
    /// The lowest that it can read.
    pub min: u8,
    /// The upper thresholds: non-recoverable, critical, non-critical.
    pub upper: [u8; 3],
    /// The lower thresholds: non-recoverable, critical, non-critical.
    pub lower: [u8; 3],
}

/// How a sensor's events are switched (IPMI 2.0 table 43-1, byte 12, bits 1:0).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum EventControl {
    /// Each for itself.
    #[default]
    PerState,
    /// All of a sensor together.
    EntireSensor,
    /// All of a BMC together.
    Global,
    /// It has none.
    None,
}

/// What can be done with a sensor's thresholds (IPMI 2.0 table 43-1, byte 12, bits 3:2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ThresholdAccess {
    /// It has none.
    #[default]
    None,
    /// They can be read as far as the mask says.
    Readable,
    /// They can be read and set as far as the mask says.
    Settable,
    /// They cannot even be read.
    Fixed,
}

impl SensorRecord {
    /// A sensor of a BMC's with a number: its type, what it is a sensor of, its unit (IPMI 2.0
    /// §43.17), and how its byte becomes a number. The name is cut to 16 bytes.
    #[must_use]
    pub fn analog(
        number: u8,
        name: &str,
        sensor_type: u8,
        entity: (u8, u8),
        unit: u8,
        scale: Scale,
    ) -> Self {
        let numbers = Thresholds {
            scale,
            max: 0xff,
            ..Thresholds::default()
        };
        Self {
            units: [scale.analog.bits(), unit, 0],
            numbers: Some(numbers),
            ..Self::discrete(number, name, sensor_type, entity, THRESHOLD)
        }
    }

    /// A sensor of a BMC's with states: its type, what it is a sensor of, and which states these
    /// are (IPMI 2.0 table 42-1). The name is cut to 16 bytes.
    #[must_use]
    pub fn discrete(
        number: u8,
        name: &str,
        sensor_type: u8,
        entity: (u8, u8),
        reading_type: u8,
    ) -> Self {
        Self {
            owner: BMC,
            lun: 0,
            channel: 0,
            number,
            entity,
            sets_thresholds: false,
            event_control: EventControl::None,
            threshold_access: ThresholdAccess::None,
            sensor_type,
            reading_type,
            masks: [0; 3],
            units: [Analog::None.bits(), 0, 0],
            numbers: None,
            hysteresis: (0, 0),
            oem: 0,
            name: name.chars().take(LONGEST_NAME).collect(),
        }
    }

    /// The same sensor with upper thresholds: non-recoverable, critical, non-critical.
    #[must_use]
    pub fn upper(mut self, thresholds: [u8; 3]) -> Self {
        if let Some(numbers) = &mut self.numbers {
            numbers.upper = thresholds;
        }
        self.readable(0x38)
    }

    /// The same sensor with lower thresholds: non-recoverable, critical, non-critical.
    #[must_use]
    pub fn lower(mut self, thresholds: [u8; 3]) -> Self {
        if let Some(numbers) = &mut self.numbers {
            numbers.lower = thresholds;
        }
        self.readable(0x07)
    }

    fn readable(mut self, bits: u16) -> Self {
        let [_, _, mask] = &mut self.masks;
        *mask |= bits;
        self.sets_thresholds = true;
        self.threshold_access = ThresholdAccess::Readable;
        self
    }

    /// Whether its reading is a number with thresholds.
    #[must_use]
    pub const fn has_thresholds(&self) -> bool {
        self.reading_type == THRESHOLD
    }

    /// Whether its reading is a number that can be converted.
    #[must_use]
    pub fn is_analog(&self) -> bool {
        let analog = |numbers: Thresholds| numbers.scale.analog != Analog::None;
        self.has_thresholds() && self.numbers.is_some_and(analog)
    }

    /// Whether the BMC itself has it, so that it can be asked without a bridge.
    #[must_use]
    pub const fn is_of_bmc(&self) -> bool {
        self.owner == BMC && self.channel == 0
    }

    /// Reads a whole record, header included; none if it is not a sensor's.
    ///
    /// # Errors
    /// It ends early.
    pub fn decode(record: &[u8]) -> Result<Option<Self>, CodecError> {
        let mut reader = Reader::new(record, "sensor record");
        let [_, _, _, kind, _] = reader.array()?;
        match kind {
            FULL => Self::decode_body(&mut reader, true).map(Some),
            COMPACT => Self::decode_body(&mut reader, false).map(Some),
            _ => Ok(None),
        }
    }

    /// Whether a header begins the record of a sensor.
    pub(super) const fn is_sensor(kind: u8) -> bool {
        matches!(kind, FULL | COMPACT)
    }

    fn decode_body(reader: &mut Reader<'_>, full: bool) -> Result<Self, CodecError> {
        let [owner, lun, number, entity, instance, init, capabilities] = reader.array()?;
        let [sensor_type, reading_type] = reader.array()?;
        let masks = [reader.u16()?, reader.u16()?, reader.u16()?];
        let units = reader.array()?;
        let [how, _, _] = units;
        let numbers = if full {
            Some(Thresholds::decode(how, reader)?)
        } else {
            let _sharing: [u8; 2] = reader.array()?;
            None
        };
        let hysteresis = (reader.u8()?, reader.u8()?);
        let _reserved = reader.take(if full { 2 } else { 3 })?;
        let oem = reader.u8()?;
        let code = reader.u8()?;
        // Some BMCs' records end before their names do.
        let name = reader.rest();
        let name = name.get(..usize::from(code & 0x1f)).unwrap_or(name);
        Ok(Self {
            owner,
            lun: lun & 0x03,
            channel: lun >> 4,
            number,
            entity: (entity, instance & 0x7f),
            sets_thresholds: init & 0x10 != 0,
            event_control: EventControl::of(capabilities),
            threshold_access: ThresholdAccess::of(capabilities),
            sensor_type,
            reading_type,
            masks,
            units,
            numbers,
            hysteresis,
            oem,
            name: text(code >> 6, name),
        })
    }

    /// Writes the record under this id: a full one if it has numbers, else a compact one.
    #[must_use]
    pub fn encode(&self, id: u16) -> Vec<u8> {
        let (entity, instance) = self.entity;
        let mut body = vec![self.owner, (self.channel << 4) | self.lun];
        body.extend_from_slice(&[self.number, entity, instance]);
        body.push(if self.sets_thresholds { 0x7f } else { 0x6f });
        body.push(self.event_control as u8 | ((self.threshold_access as u8) << 2) | 0x40);
        body.extend_from_slice(&[self.sensor_type, self.reading_type]);
        body.extend(self.masks.iter().flat_map(|mask| mask.to_le_bytes()));
        body.extend_from_slice(&self.units);
        match &self.numbers {
            Some(numbers) => numbers.encode(&mut body),
            None => body.extend_from_slice(&[1, 0]),
        }
        body.extend_from_slice(&[self.hysteresis.0, self.hysteresis.1]);
        let reserved = if self.numbers.is_some() { 2 } else { 3 };
        body.extend(std::iter::repeat_n(0, reserved));
        body.push(self.oem);
        // Eight-bit text (IPMI 2.0 §43.15).
        let name = self.name.chars().map(|c| u8::try_from(c).unwrap_or(b'?'));
        let name: Vec<u8> = name.take(LONGEST_NAME).collect();
        body.push(0xc0 | u8::try_from(name.len()).unwrap_or(0));
        body.extend_from_slice(&name);
        let kind = if self.numbers.is_some() {
            FULL
        } else {
            COMPACT
        };
        let [low, high] = id.to_le_bytes();
        // A body of at most 43 bytes and a name of 16.
        let len = u8::try_from(body.len()).unwrap_or(u8::MAX);
        let mut out = vec![low, high, VERSION, kind, len];
        out.append(&mut body);
        out
    }
}

impl Thresholds {
    fn decode(units: u8, reader: &mut Reader<'_>) -> Result<Self, CodecError> {
        let scale = Scale::decode(units, reader)?;
        let [known, nominal, normal_max, normal_min] = reader.array()?;
        let [max, min] = reader.array()?;
        let if_known = |bit: u8, value| (known & bit != 0).then_some(value);
        Ok(Self {
            scale,
            nominal: if_known(0x01, nominal),
            normal_max: if_known(0x02, normal_max),
            normal_min: if_known(0x04, normal_min),
            max,
            min,
            upper: reader.array()?,
            lower: reader.array()?,
        })
    }

    fn encode(&self, body: &mut Vec<u8>) {
        let normal = [self.nominal, self.normal_max, self.normal_min];
        let known = normal.iter().zip([1, 2, 4]);
        let known = known.fold(0, |all, (value, bit)| match value {
            Some(_) => all | bit,
            None => all,
        });
        body.push(self.scale.linearization);
        body.extend_from_slice(&self.scale.factors());
        body.push(known);
        body.extend(normal.map(|value| value.unwrap_or(0)));
        body.extend_from_slice(&[self.max, self.min]);
        body.extend_from_slice(&self.upper);
        body.extend_from_slice(&self.lower);
    }
}

impl EventControl {
    const fn of(capabilities: u8) -> Self {
        match capabilities & 0x03 {
            0 => Self::PerState,
            1 => Self::EntireSensor,
            2 => Self::Global,
            _ => Self::None,
        }
    }
}

impl ThresholdAccess {
    const fn of(capabilities: u8) -> Self {
        match (capabilities >> 2) & 0x03 {
            0 => Self::None,
            1 => Self::Readable,
            2 => Self::Settable,
            _ => Self::Fixed,
        }
    }
}

/// A name by its encoding (IPMI 2.0 §43.15), without what cannot be printed.
fn text(encoding: u8, bytes: &[u8]) -> String {
    const BCD: [char; 16] = [
        '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', ' ', '-', '.', ':', ',', '_',
    ];
    let raw: String = match encoding {
        0 => String::from_utf8_lossy(bytes).into_owned(),
        1 => {
            let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 0x0f]);
            digits
                .filter_map(|digit| BCD.get(usize::from(digit)))
                .collect()
        }
        2 => bytes.chunks(3).flat_map(six_bits).collect(),
        _ => bytes.iter().copied().map(char::from).collect(),
    };
    let ended = raw.split('\0').next().unwrap_or_default();
    ended.replace(char::is_control, " ").trim().to_owned()
}

/// Up to four characters in three bytes, the first in the lowest bits.
fn six_bits(bytes: &[u8]) -> Vec<char> {
    let shifted = bytes.iter().zip([0, 8, 16]);
    let bits = shifted.fold(0, |bits, (byte, by)| bits | (u32::from(*byte) << by));
    let count = bytes.len() * 8 / 6;
    let letter = |index: usize| u8::try_from((bits >> (index * 6)) & 0x3f).unwrap_or(0) + b' ';
    (0..count).map(letter).map(char::from).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_full_record_is_laid_out_as_the_standard_says() {
        let scale = Scale::linear(100, 0);
        let fan = SensorRecord::analog(3, "Fan1", 4, (29, 1), 18, scale).upper([0xa0, 0x90, 0x80]);
        let bytes = fan.encode(0x1234);
        assert_eq!(bytes[..5], [0x34, 0x12, 0x51, 0x01, 47]);
        assert_eq!((bytes[7], bytes[8], bytes[9]), (3, 29, 1));
        assert_eq!(bytes[21], 18, "byte 22 is the unit");
        assert_eq!(bytes[24], 100, "byte 25 is M");
        assert_eq!(bytes[36..39], [0xa0, 0x90, 0x80], "bytes 37 to 39");
        assert_eq!(bytes[47..], [0xc4, b'F', b'a', b'n', b'1']);
        assert_eq!(SensorRecord::decode(&bytes), Ok(Some(fan)));
    }

    #[test]
    fn a_compact_record_is_laid_out_as_the_standard_says() {
        let watchdog = SensorRecord::discrete(0, "Watchdog", 0x23, (7, 1), 0x6f);
        let bytes = watchdog.encode(1);
        assert_eq!(bytes[3], 0x02);
        assert_eq!(bytes[31], 0xc8, "byte 32 is the name's length");
        assert_eq!(SensorRecord::decode(&bytes), Ok(Some(watchdog)));
    }

    #[test]
    fn names_are_text_in_any_encoding() {
        for (encoding, bytes, expected) in [
            (3, &b"CPU Temp"[..], "CPU Temp"),
            (3, b"Temp\0\0\0", "Temp"),
            (3, b" a\nb", "a b"),
            (1, &[0x12, 0xab, 0xc5], "12 -.5"),
            (2, &[0x29, 0xdc, 0xa6], "IPMI"),
            (2, &[0x29], "I"),
            (0, "é".as_bytes(), "é"),
        ] {
            assert_eq!(text(encoding, bytes), expected);
        }
    }

    proptest! {
        #[test]
        fn random_bytes_are_an_error_or_a_record(bytes: Vec<u8>, kind in 0_u8..4, full: bool) {
            let _ = SensorRecord::decode(&bytes);
            let mut record = vec![0, 0, VERSION, if full { FULL } else { kind }, 0];
            record.extend_from_slice(&bytes);
            if let Ok(Some(read)) = SensorRecord::decode(&record) {
                prop_assert!(read.name.chars().count() <= 62);
                prop_assert!(!read.name.contains(char::is_control));
            }
        }
    }
}
