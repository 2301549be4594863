//! What a sensor says, in the words that consumers of sensor data know.

use ironic_core::model::JsonMap;
use serde_json::Value;

use crate::command::{EventEnable, SensorReading};
use crate::sensor::{
    Analog, EventControl, SensorRecord, ThresholdAccess, Thresholds, entity, first_word,
    sensor_type, unit,
};

/// What there is to tell of a sensor.
#[derive(Debug, PartialEq)]
pub(super) struct Report {
    /// The first word of its type, by which sensors are grouped.
    pub(super) group: String,
    /// Its name and number.
    pub(super) id: String,
    /// The rest, under names that consumers know.
    pub(super) details: JsonMap,
}

/// The thresholds in the order in which they are listed, each with its bit in masks.
const THRESHOLDS: [(&str, u16); 6] = [
    ("lnr", 0x04),
    ("lcr", 0x02),
    ("lnc", 0x01),
    ("unc", 0x08),
    ("ucr", 0x10),
    ("unr", 0x20),
];

/// What each bit of a mask of events of thresholds stands for (IPMI 2.0 table 42-2).
const EVENTS: [&str; 12] = [
    "lnc-", "lnc+", "lcr-", "lcr+", "lnr-", "lnr+", "unc-", "unc+", "ucr-", "ucr+", "unr-", "unr+",
];

const ASSERTIONS: &str = "Assertions Enabled";

pub(super) fn report(
    record: &SensorRecord,
    reading: &SensorReading,
    events: &EventEnable,
) -> Report {
    let name = sensor_type(record.sensor_type);
    let id = format!("{} (0x{:x})", record.name, record.number);
    let (kind, instance) = record.entity;
    let mut details = Details(JsonMap::new());
    details.add("Sensor ID", id.clone());
    details.add("Entity ID", format!("{kind}.{instance} ({})", entity(kind)));
    let typed = format!("{name} (0x{:02x})", record.sensor_type);
    if record.has_thresholds() {
        details.add("Sensor Type (Threshold)", typed);
        details.thresholds(record, reading, events);
    } else {
        details.add("Sensor Type (Discrete)", typed);
        details.discrete(name, record, reading, events);
    }
    Report {
        group: first_word(name).to_owned(),
        id,
        details: details.0,
    }
}

struct Details(JsonMap);

impl Details {
    fn add(&mut self, name: &str, value: impl Into<Value>) {
        self.0.insert(name.to_owned(), value.into());
    }

    fn thresholds(&mut self, record: &SensorRecord, reading: &SensorReading, events: &EventEnable) {
        self.add("Sensor Reading", measured(record, reading));
        self.add("Status", status(reading));
        if let Some(numbers) = &record.numbers {
            self.usual(numbers);
            if record.sets_thresholds {
                self.limits(record, numbers);
            }
            self.hysteresis(record, numbers);
            self.range(numbers);
        }
        self.add("Event Message Control", control(record.event_control));
        self.access(record);
        for (name, mask) in [
            (ASSERTIONS, events.assertions),
            ("Deassertions Enabled", events.deassertions),
        ] {
            let bits = EVENTS.iter().enumerate();
            let enabled: Vec<_> = bits
                .filter(|(bit, _)| mask >> bit & 1 == 1)
                .map(|(_, event)| *event)
                .collect();
            let always = name == ASSERTIONS && events.scanning;
            if always || !enabled.is_empty() {
                self.add(name, enabled.join(" "));
            }
        }
    }

    fn usual(&mut self, numbers: &Thresholds) {
        for (name, raw) in [
            ("Nominal Reading", numbers.nominal),
            ("Normal Minimum", numbers.normal_min),
            ("Normal Maximum", numbers.normal_max),
        ] {
            if let Some(raw) = raw {
                self.add(name, number(numbers, raw));
            }
        }
    }

    fn limits(&mut self, record: &SensorRecord, numbers: &Thresholds) {
        let [upper_nr, upper_cr, upper_nc] = numbers.upper;
        let [lower_nr, lower_cr, lower_nc] = numbers.lower;
        let [_, _, readable] = record.masks;
        for (name, raw, bit) in [
            ("Upper non-recoverable", upper_nr, 0x20),
            ("Upper critical", upper_cr, 0x10),
            ("Upper non-critical", upper_nc, 0x08),
            ("Lower non-recoverable", lower_nr, 0x04),
            ("Lower critical", lower_cr, 0x02),
            ("Lower non-critical", lower_nc, 0x01),
        ] {
            if readable & bit != 0 {
                self.add(name, number(numbers, raw));
            }
        }
    }

    fn hysteresis(&mut self, record: &SensorRecord, numbers: &Thresholds) {
        let (positive, negative) = record.hysteresis;
        for (name, raw) in [
            ("Positive Hysteresis", positive),
            ("Negative Hysteresis", negative),
        ] {
            let said = match raw {
                0x00 | 0xff => "Unspecified".to_owned(),
                raw if numbers.scale.analog == Analog::None => format!("0x{raw:02X}"),
                raw => format!("{:.3}", numbers.scale.hysteresis(raw)),
            };
            self.add(name, said);
        }
    }

    fn range(&mut self, numbers: &Thresholds) {
        let unlimited = numbers.scale.analog.unlimited();
        // As of old, a limit of zero is none either.
        let said = |raw: u8, without: Option<u8>| match without {
            Some(without) if without == raw || numbers.scale.reading(raw) == 0.0 => {
                "Unspecified".to_owned()
            }
            _ => number(numbers, raw),
        };
        let min = said(numbers.min, unlimited.map(|(min, _)| min));
        let max = said(numbers.max, unlimited.map(|(_, max)| max));
        self.add("Minimum sensor range", min);
        self.add("Maximum sensor range", max);
    }

    fn access(&mut self, record: &SensorRecord) {
        let [assertions, deassertions, access] = record.masks;
        let listed = |mask: u16| {
            let names = THRESHOLDS.iter().filter(|(_, bit)| mask & bit != 0);
            names.map(|(name, _)| *name).collect::<Vec<_>>().join(" ")
        };
        let [readable, settable] = match record.threshold_access {
            ThresholdAccess::None => ["No Thresholds"; 2].map(str::to_owned),
            ThresholdAccess::Fixed => ["Thresholds Fixed"; 2].map(str::to_owned),
            _ => [access & 0x3f, access >> 8].map(listed),
        };
        self.add("Readable Thresholds", readable);
        self.add("Settable Thresholds", settable);
        // The highest bits of the masks of events say which thresholds a reading is compared with.
        let compared = listed((assertions >> 12 & 0x07) | (deassertions >> 9 & 0x38));
        if !compared.is_empty() {
            self.add("Threshold Read Mask", compared);
        }
    }

    fn discrete(
        &mut self,
        name: &str,
        record: &SensorRecord,
        reading: &SensorReading,
        events: &EventEnable,
    ) {
        let said = reading.raw.map(|raw| format!("{raw:x}h"));
        let said = said.unwrap_or_else(|| "No Reading".to_owned());
        self.add("Sensor Reading", said);
        self.add("Event Message Control", control(record.event_control));
        for (what, mask) in [
            ("States Asserted", reading.states),
            (ASSERTIONS, events.assertions),
            ("Deassertions Enabled", events.deassertions),
        ] {
            if mask != 0 {
                self.add(what, name);
            }
        }
        self.add("OEM", format!("{:X}", record.oem));
    }
}

/// The reading of a sensor with thresholds, with what it may be wrong by, and its unit.
fn measured(record: &SensorRecord, reading: &SensorReading) -> String {
    let Some(raw) = reading.raw else {
        return "No Reading".to_owned();
    };
    match &record.numbers {
        Some(numbers) if numbers.scale.analog != Analog::None => {
            let (value, wrong) = (numbers.scale.reading(raw), numbers.scale.tolerance());
            let unit = unit(record.units);
            format!("{} (+/- {}) {unit}", short(value), short(wrong))
        }
        numbers => {
            let wrong = numbers.map_or(0, |numbers| numbers.scale.tolerance);
            format!("0x{raw:02X} (+/- 0x{wrong:02X})")
        }
    }
}

/// A number without decimals where it has none and is not huge, else with three.
fn short(value: f64) -> String {
    let whole = value.fract() == 0.0 && value.abs() <= f64::from(i32::MAX);
    if whole {
        format!("{value:.0}")
    } else {
        format!("{value:.3}")
    }
}

/// A threshold, or another usual number.
fn number(numbers: &Thresholds, raw: u8) -> String {
    match numbers.scale.analog {
        Analog::None => format!("0x{raw:02X}"),
        _ => format!("{:.3}", numbers.scale.reading(raw)),
    }
}

/// The worst threshold that is passed.
fn status(reading: &SensorReading) -> &'static str {
    if reading.raw.is_none() {
        return "Not Available";
    }
    let passed = [
        (0x04, "Lower Non-Recoverable"),
        (0x20, "Upper Non-Recoverable"),
        (0x02, "Lower Critical"),
        (0x10, "Upper Critical"),
        (0x01, "Lower Non-Critical"),
        (0x08, "Upper Non-Critical"),
    ];
    let mut passed = passed
        .into_iter()
        .filter(|(bit, _)| reading.states & bit != 0);
    passed.next().map_or("ok", |(_, name)| name)
}

const fn control(control: EventControl) -> &'static str {
    match control {
        EventControl::PerState => "Per-threshold",
        EventControl::EntireSensor => "Entire Sensor Only",
        EventControl::Global => "Global Disable Only",
        EventControl::None => "No Events From Sensor",
    }
}
