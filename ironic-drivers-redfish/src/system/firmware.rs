//! Which firmware is on the machine.

use serde_json::Value;

use super::System;
use super::part::{link, optional, text};
use crate::client::Resource;
use crate::error::RedfishError;

/// The firmware of a part of the machine.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct FirmwareVersion {
    /// What it is the firmware of: `bios`, `bmc`, `nic:` and a serial number or id.
    pub component: String,
    /// The version.
    pub version: String,
    /// Who made the part.
    pub vendor: Option<String>,
    /// Which model it is.
    pub model: Option<String>,
    /// Its serial number.
    pub serial_number: Option<String>,
}

impl System {
    /// The versions of firmware: of the system, of the first BMC that tells its own, and of the
    /// network adapters in the machine's chassis. What the BMC does not tell of is left out.
    ///
    /// # Errors
    ///
    /// As [`Client::get`](crate::Client::get), when the BMC cannot be spoken to.
    pub async fn firmware(&self) -> Result<Vec<FirmwareVersion>, RedfishError> {
        let mut found = Vec::new();
        let bios = self.resource().bios_version.clone();
        found.extend(
            bios.filter(|version| !version.is_empty())
                .map(|version| FirmwareVersion {
                    component: "bios".to_owned(),
                    version,
                    vendor: None,
                    model: None,
                    serial_number: None,
                }),
        );
        found.extend(self.bmc_firmware().await?);
        for chassis in self.chassis().await? {
            let Some(link) = link(&chassis.value, "NetworkAdapters") else {
                continue;
            };
            let adapters = optional(self.client.resources(link).await)?;
            for adapter in adapters.into_iter().flatten() {
                found.extend(of_adapter(&adapter));
            }
        }
        Ok(found)
    }

    async fn bmc_firmware(&self) -> Result<Option<FirmwareVersion>, RedfishError> {
        let links = self.resource().links.as_ref();
        let managers = links.and_then(|links| links.managed_by.as_ref());
        for manager in managers.into_iter().flatten() {
            let Some(path) = &manager.id else { continue };
            let Some(read) = optional(self.client.get::<Value>(path).await)? else {
                continue;
            };
            let Some(version) = text(&read.value, "FirmwareVersion") else {
                continue;
            };
            return Ok(Some(FirmwareVersion {
                component: "bmc".to_owned(),
                version: version.to_owned(),
                vendor: None,
                model: text(&read.value, "Model").map(str::to_owned),
                serial_number: None,
            }));
        }
        Ok(None)
    }
}

/// The firmware of an adapter: that of its last controller that tells, as all have one.
fn of_adapter(adapter: &Resource<Value>) -> Option<FirmwareVersion> {
    let controllers = adapter.value.get("Controllers").and_then(Value::as_array);
    let versions = controllers.into_iter().flatten();
    let version = versions
        .filter_map(|controller| text(controller, "FirmwarePackageVersion"))
        .next_back()?;
    let member = |name: &str| text(&adapter.value, name).map(str::to_owned);
    let serial_number = member("SerialNumber");
    let name = serial_number.clone().or_else(|| member("Id"))?;
    Some(FirmwareVersion {
        component: format!("nic:{name}"),
        version: version.to_owned(),
        vendor: member("Manufacturer"),
        model: member("Model"),
        serial_number,
    })
}
