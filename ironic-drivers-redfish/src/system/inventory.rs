//! What the machine is made of.

use super::System;
use crate::error::RedfishError;
use crate::model::EthernetInterface;

/// What the BMC says about the machine as a thing.
#[derive(Debug, Clone, PartialEq, Default)]
#[non_exhaustive]
pub struct AssetInfo {
    /// Manufacturer of the machine.
    pub manufacturer: Option<String>,
    /// Model.
    pub model: Option<String>,
    /// Serial number.
    pub serial_number: Option<String>,
    /// Part number.
    pub part_number: Option<String>,
    /// Stock-keeping unit.
    pub sku: Option<String>,
    /// Asset tag that the owner gave.
    pub asset_tag: Option<String>,
    /// UUID of the machine (SMBIOS).
    pub uuid: Option<String>,
    /// Version of the system firmware.
    pub bios_version: Option<String>,
    /// Host name that the operating system told the BMC.
    pub host_name: Option<String>,
    /// Installed memory in MiB.
    pub memory_mib: Option<u64>,
    /// Processor sockets in use.
    pub processors: Option<u64>,
    /// Logical processors.
    pub logical_processors: Option<u64>,
    /// Model of the processors.
    pub processor_model: Option<String>,
}

impl System {
    /// What the resource, as it was when last read, says about the machine.
    pub fn asset_info(&self) -> AssetInfo {
        let system = self.resource();
        let processors = system.processor_summary.clone().unwrap_or_default();
        AssetInfo {
            manufacturer: system.manufacturer.clone(),
            model: system.model.clone(),
            serial_number: system.serial_number.clone(),
            part_number: system.part_number.clone(),
            sku: system.sku.clone(),
            asset_tag: system.asset_tag.clone(),
            uuid: system.uuid.clone(),
            bios_version: system.bios_version.clone(),
            host_name: system.host_name.clone(),
            memory_mib: system
                .memory_summary
                .as_ref()
                .and_then(|memory| mib(memory.total_gib?)),
            processors: processors.count,
            logical_processors: processors.logical_processor_count,
            processor_model: processors.model,
        }
    }

    /// The vendor: that of the service root, else the machine's manufacturer.
    ///
    /// # Errors
    ///
    /// As [`Client::get`](crate::Client::get).
    pub async fn vendor(&self) -> Result<Option<String>, RedfishError> {
        let root = self.client.root().await?;
        Ok(root
            .value
            .vendor
            .or_else(|| self.resource().manufacturer.clone()))
    }

    /// The MAC addresses of the ports that are enabled and healthy, in lower case with colons, in
    /// the BMC's order, each once. Empty when the machine has no `EthernetInterfaces`.
    ///
    /// # Errors
    ///
    /// As [`Client::get`](crate::Client::get) and [`Client::members`](crate::Client::members).
    pub async fn enabled_macs(&self) -> Result<Vec<String>, RedfishError> {
        let Some(link) = self
            .resource()
            .ethernet_interfaces
            .as_ref()
            .and_then(|link| link.id.as_deref())
        else {
            return Ok(Vec::new());
        };
        let mut macs = Vec::new();
        for path in self.client.members(link).await? {
            let port = self.client.get::<EthernetInterface>(&path).await?.value;
            if let Some(mac) = port.enabled_mac().filter(|mac| !macs.contains(mac)) {
                macs.push(mac);
            }
        }
        Ok(macs)
    }
}

/// Whole MiB of a number of GiB; nothing for nonsense (less than 0, more than 2^40 GiB).
fn mib(gib: f64) -> Option<u64> {
    let mib = (gib * 1024.0).round();
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "bounded by the range"
    )]
    (0.0..=(1_u64 << 50) as f64)
        .contains(&mib)
        .then_some(mib as u64)
}

#[cfg(test)]
mod tests {
    use super::mib;

    #[test]
    fn memory() {
        for (gib, expected) in [
            (96.0, Some(98304)),
            (93.132_257, Some(95367)),
            (0.0, Some(0)),
            (-1.0, None),
            (1e300, None),
        ] {
            assert_eq!(mib(gib), expected);
        }
    }
}
