//! The lights of a machine, of its chassis and of its drives, in the engine's terms.

use std::collections::BTreeMap;

use ironic_core::Error;
use ironic_core::driver::{Component, Indicator, IndicatorState, Indicators};

use crate::error::RedfishError;
use crate::model::IndicatorLed;
use crate::system::{Light, System};

/// A light, and what it does.
pub(super) enum Found {
    /// The machine's own, named by its UUID as in the original.
    Own { name: String, led: IndicatorLed },
    /// That of a part.
    Part(Light),
}

/// Lights by what they are on.
pub(super) type Lights = BTreeMap<Component, Vec<Found>>;

impl Found {
    fn name(&self) -> &str {
        match self {
            Self::Own { name, .. } => name,
            Self::Part(light) => &light.name,
        }
    }

    pub(super) fn state(&self) -> IndicatorState {
        let led = match self {
            Self::Own { led, .. } => led,
            Self::Part(light) => &light.led,
        };
        match led {
            IndicatorLed::Lit => IndicatorState::On,
            IndicatorLed::Blinking => IndicatorState::Blinking,
            IndicatorLed::Off => IndicatorState::Off,
            _ => IndicatorState::Unknown,
        }
    }

    pub(super) async fn set(
        &self,
        system: &mut System,
        led: &IndicatorLed,
    ) -> Result<(), RedfishError> {
        match self {
            Self::Own { .. } => system.set_indicator(led).await,
            Self::Part(light) => system.set_light(light, led).await,
        }
    }
}

/// The lights of all parts that have some.
pub(super) async fn all(system: &mut System) -> Result<Lights, RedfishError> {
    let mut lights = Lights::new();
    for component in [Component::System, Component::Chassis, Component::Disk] {
        lights.append(&mut of(system, component).await?);
    }
    Ok(lights)
}

/// The lights of one sort of part.
pub(super) async fn of(system: &mut System, component: Component) -> Result<Lights, RedfishError> {
    let found = match component {
        Component::System => own(system).await?.into_iter().collect(),
        Component::Chassis => parts(system.chassis_lights().await?),
        Component::Disk => parts(system.drive_lights().await?),
        _ => Vec::new(),
    };
    if found.is_empty() {
        return Ok(Lights::new());
    }
    Ok(Lights::from([(component, found)]))
}

fn parts(lights: Vec<Light>) -> Vec<Found> {
    lights.into_iter().map(Found::Part).collect()
}

async fn own(system: &mut System) -> Result<Option<Found>, RedfishError> {
    let led = match system.indicator().await {
        Ok(led) => led,
        Err(RedfishError::MissingAttribute { .. }) => return Ok(None),
        Err(error) => return Err(error),
    };
    let name = system.resource().uuid.clone();
    Ok(name.map(|name| Found::Own { name, led }))
}

/// What the lights can do.
pub(super) fn supported(lights: &Lights) -> Indicators {
    use IndicatorState as S;
    let of_part = |(component, found): (&Component, &Vec<Found>)| {
        let named = found.iter().map(|light| {
            let light_can = Indicator::new(false, &[S::Blinking, S::Off, S::On]);
            (light.name().to_owned(), light_can)
        });
        (*component, named.collect())
    };
    lights.iter().map(of_part).collect()
}

/// The light of this name on this part.
///
/// # Errors
/// [`Error::InvalidParameter`] that names what there is instead.
pub(super) fn find(lights: Lights, component: Component, name: &str) -> Result<Found, Error> {
    let known: Vec<_> = lights
        .values()
        .flatten()
        .map(|light| light.name().to_owned())
        .collect();
    let mut lights = lights.into_values().flatten();
    lights.find(|light| light.name() == name).ok_or_else(|| {
        let there = match known.is_empty() {
            true => "none".to_owned(),
            false => known.join(", "),
        };
        Error::invalid(format!(
            "the component {component} has no indicator {name}: it has {there}"
        ))
    })
}

/// What a light is to be told.
///
/// # Errors
/// [`Error::InvalidParameter`] for what no light can be told.
pub(super) fn led(state: IndicatorState) -> Result<IndicatorLed, Error> {
    match state {
        IndicatorState::On => Ok(IndicatorLed::Lit),
        IndicatorState::Blinking => Ok(IndicatorLed::Blinking),
        IndicatorState::Off => Ok(IndicatorLed::Off),
        other => Err(Error::invalid(format!(
            "an indicator cannot be set to {other}"
        ))),
    }
}
