//! The light by which people find the machine.

use serde_json::json;

use super::System;
use crate::client::Until;
use crate::error::RedfishError;
use crate::model::IndicatorLed;

impl System {
    /// The indicator, read now: `IndicatorLED`, or its successor `LocationIndicatorActive`.
    ///
    /// # Errors
    ///
    /// As [`Client::get`](crate::Client::get), and [`RedfishError::MissingAttribute`] when the
    /// machine shows neither.
    pub async fn indicator(&mut self) -> Result<IndicatorLed, RedfishError> {
        self.refresh().await?;
        let active = self.resource().location_indicator_active;
        let led = self.resource().indicator_led.clone();
        led.or_else(|| active.map(of_flag))
            .ok_or_else(|| self.missing("IndicatorLED"))
    }

    /// Sets the indicator, by the member that the machine shows; `IndicatorLED` when both.
    ///
    /// # Errors
    ///
    /// As [`Client::patch`](crate::Client::patch), and [`RedfishError::NotAllowed`] when only
    /// `LocationIndicatorActive` is there and `led` is neither lit, blinking nor off.
    pub async fn set_indicator(&mut self, led: &IndicatorLed) -> Result<(), RedfishError> {
        self.refresh().await?;
        let resource = self.resource();
        let body = match (&resource.indicator_led, resource.location_indicator_active) {
            (None, Some(_)) => json!({"LocationIndicatorActive": flag_of(led)?}),
            _ => json!({"IndicatorLED": led.as_str()}),
        };
        let reply = self.client.patch(self.path(), self.etag(), &body).await?;
        self.client.finish(reply, Until::Done).await?;
        Ok(())
    }
}

pub(super) const fn of_flag(active: bool) -> IndicatorLed {
    if active {
        IndicatorLed::Lit
    } else {
        IndicatorLed::Off
    }
}

/// The flag knows no pattern: an active location indicator blinks or not as the machine is built.
pub(super) fn flag_of(led: &IndicatorLed) -> Result<bool, RedfishError> {
    match led {
        IndicatorLed::Lit | IndicatorLed::Blinking => Ok(true),
        IndicatorLed::Off => Ok(false),
        other => Err(RedfishError::NotAllowed {
            parameter: "LocationIndicatorActive",
            value: other.to_string(),
            allowed: vec!["Lit".to_owned(), "Blinking".to_owned(), "Off".to_owned()],
        }),
    }
}
