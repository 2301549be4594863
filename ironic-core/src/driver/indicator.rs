use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::Error;

string_enum! {
    /// A part of a machine that may have lights.
    #[non_exhaustive]
    pub enum Component("component") {
        /// The enclosure.
        Chassis = "chassis",
        /// The machine as such.
        System = "system",
        /// A drive.
        Disk = "disk",
        /// A power supply.
        Power = "power",
        /// A network interface.
        Nic = "nic",
    }
}

string_enum! {
    /// What a light does.
    #[non_exhaustive]
    pub enum IndicatorState("indicator state") {
        /// It is dark.
        Off = "off",
        /// It is lit.
        On = "on",
        /// It blinks.
        Blinking = "blinking",
        /// Nobody knows.
        Unknown = "unknown",
    }
}

/// A light of a machine: what it can do, not what it does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Indicator {
    /// Whether it can only be looked at.
    pub readonly: bool,
    /// The states that it knows.
    pub states: Vec<IndicatorState>,
}

impl Indicator {
    /// A light that knows these states.
    pub fn new(readonly: bool, states: &[IndicatorState]) -> Self {
        Self {
            readonly,
            states: states.to_vec(),
        }
    }
}

/// The lights of a machine, by the part that they are on and their name there.
pub type Indicators = BTreeMap<Component, BTreeMap<String, Indicator>>;

/// The light of this name on this part.
///
/// # Errors
/// [`Error::InvalidParameter`] that names what there is instead.
pub fn find_indicator<'a>(
    indicators: &'a Indicators,
    component: Component,
    name: &str,
) -> Result<&'a Indicator, Error> {
    let Some(lights) = indicators.get(&component) else {
        let known: Vec<_> = indicators.keys().map(|known| known.as_str()).collect();
        return Err(Error::invalid(format!(
            "the machine has no indicators on the component {component}: it has some on {}",
            known.join(", ")
        )));
    };
    lights.get(name).ok_or_else(|| {
        let known: Vec<_> = lights.keys().map(String::as_str).collect();
        Error::invalid(format!(
            "the component {component} has no indicator {name}: it has {}",
            known.join(", ")
        ))
    })
}
