//! The lights of the machine's chassis and drives.

use serde_json::{Value, json};

use super::System;
use super::indicator::{flag_of, of_flag};
use super::part::text;
use crate::client::{Resource, Until};
use crate::error::RedfishError;
use crate::model::IndicatorLed;

/// A light of a part of the machine, as it was when read.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Light {
    /// Its name: a chassis' UUID, or else its id; of a drive `storage:drive`.
    pub name: String,
    /// What it does.
    pub led: IndicatorLed,
    path: String,
    etag: Option<String>,
    by_flag: bool,
}

impl Light {
    /// The light of a resource that has one.
    fn of(name: String, resource: Resource<Value>) -> Option<Self> {
        let value = &resource.value;
        let active = value
            .get("LocationIndicatorActive")
            .and_then(Value::as_bool);
        let led = text(value, "IndicatorLED").map(IndicatorLed::from);
        let by_flag = led.is_none();
        Some(Self {
            name,
            led: led.or_else(|| active.map(of_flag))?,
            path: resource.path,
            etag: resource.etag,
            by_flag,
        })
    }
}

impl System {
    /// The lights of the chassis that the machine is in.
    ///
    /// # Errors
    ///
    /// As [`Client::get`](crate::Client::get), when the BMC cannot be spoken to.
    pub async fn chassis_lights(&self) -> Result<Vec<Light>, RedfishError> {
        let lights = self.chassis().await?.into_iter().filter_map(|chassis| {
            let name = text(&chassis.value, "UUID").or_else(|| text(&chassis.value, "Id"));
            Light::of(name?.to_owned(), chassis)
        });
        Ok(lights.collect())
    }

    /// The lights of the machine's drives.
    ///
    /// # Errors
    ///
    /// As [`chassis_lights`](Self::chassis_lights).
    pub async fn drive_lights(&self) -> Result<Vec<Light>, RedfishError> {
        let mut lights = Vec::new();
        for storage in self.own("Storage").await?.unwrap_or_default() {
            let of = text(&storage.value, "Id").unwrap_or_default();
            for drive in self.drives(&storage).await? {
                let name = text(&drive.value, "Id").map(|id| format!("{of}:{id}"));
                lights.extend(name.and_then(|name| Light::of(name, drive)));
            }
        }
        Ok(lights)
    }

    /// Sets a light, by the member that the resource shows.
    ///
    /// # Errors
    ///
    /// As [`Client::patch`](crate::Client::patch), and [`RedfishError::NotAllowed`] when only
    /// `LocationIndicatorActive` is there and `led` is neither lit, blinking nor off.
    pub async fn set_light(&self, light: &Light, led: &IndicatorLed) -> Result<(), RedfishError> {
        let body = if light.by_flag {
            json!({"LocationIndicatorActive": flag_of(led)?})
        } else {
            json!({"IndicatorLED": led.as_str()})
        };
        let etag = light.etag.as_deref();
        let reply = self.client.patch(&light.path, etag, &body).await?;
        self.client.finish(reply, Until::Done).await?;
        Ok(())
    }
}
