use async_trait::async_trait;
use ironic_core::Error;
use ironic_core::driver::{BootDeviceState, Interface, Management, Properties, SharedTask, Task};
use ironic_core::model::MacAddress;
use ironic_core::states::{BootDevice, BootMode};
use serde_json::Value;

use super::bmc::Bmc;
use super::{RedfishDriver, properties, restore};
use crate::error::RedfishError;
use crate::model::{BootSource, OverrideMode};
use crate::system::{BootState, BootVendor, ModeChange, Persistence, SecureBootChange, System};

/// Where a boot interface leaves the URL that the next UEFI HTTP boot is to fetch.
const HTTP_URL: &str = "redfish_uefi_http_url";

/// `redfish`: boot device, boot mode, secure boot, NMI, MAC addresses.
///
/// A BMC that keeps no boot device is given it anew before every start by the power interface of
/// the same name. Nothing here switches power: a change of boot mode or secure boot that the BMC
/// applies at a restart is applied at the next one.
#[derive(Debug)]
pub struct RedfishManagement {
    driver: RedfishDriver,
}

impl RedfishManagement {
    /// The interface, over what `driver` shares.
    pub fn new(driver: &RedfishDriver) -> Self {
        Self {
            driver: driver.clone(),
        }
    }

    async fn open<'task>(&self, task: &'task SharedTask) -> Result<(Bmc<'task>, System), Error> {
        let mut bmc = Bmc::open(&self.driver, task).await?;
        let system = bmc.system().await?;
        Ok((bmc, system))
    }

    async fn boot(&self, task: &SharedTask) -> Result<BootState, Error> {
        let (mut bmc, system) = self.open(task).await?;
        bmc.run(system.boot_as_read()).await
    }

    async fn write_boot_device(
        &self,
        task: &SharedTask,
        source: BootSource,
        persistent: bool,
        url: Option<&str>,
    ) -> Result<Persistence, Error> {
        let (mut bmc, mut system) = self.open(task).await?;
        let vendor = bmc.vendor();
        let mode = if vendor == BootVendor::Supermicro {
            bmc.run(system.boot_as_read()).await?.boot.mode
        } else {
            None
        };
        let set = system.set_boot_device(source, persistent, url, vendor);
        let persistence = bmc.run(set).await?;
        if let Some(mode) = mode {
            keep_mode(&mut bmc, &mut system, mode).await?;
        }
        Ok(persistence)
    }
}

/// Takes back what a change of boot device did to the boot mode: Supermicro's fall back to BIOS.
async fn keep_mode(
    bmc: &mut Bmc<'_>,
    system: &mut System,
    mode: OverrideMode,
) -> Result<(), Error> {
    let now = bmc.run(system.boot()).await?.boot.mode;
    if now.as_ref() != Some(&mode) {
        tracing::debug!(%mode, "the boot mode changed with the boot device, setting it again");
        let vendor = bmc.vendor();
        bmc.run(system.set_boot_mode(mode, vendor)).await?;
    }
    Ok(())
}

#[async_trait]
impl Interface for RedfishManagement {
    fn properties(&self) -> Properties {
        properties::properties()
    }

    async fn validate(&self, task: &SharedTask) -> Result<(), Error> {
        self.driver.settings(task.node()).map(|_| ())
    }
}

#[async_trait]
impl Management for RedfishManagement {
    /// Those that Redfish has names for; which of them this machine has, it says when one is set.
    async fn supported_boot_devices(&self, _task: &SharedTask) -> Result<Vec<BootDevice>, Error> {
        let named = |device: &BootDevice| BootSource::for_device(*device).is_some();
        Ok(BootDevice::ALL.iter().copied().filter(named).collect())
    }

    async fn get_boot_device(&self, task: &SharedTask) -> Result<BootDeviceState, Error> {
        let (source, persistent) = self.boot(task).await?.device();
        let device = source.and_then(|source| source.to_device());
        Ok(BootDeviceState::new(device, persistent))
    }

    async fn set_boot_device(
        &self,
        task: &mut Task,
        device: BootDevice,
        persistent: bool,
    ) -> Result<(), Error> {
        let source = BootSource::for_device(device)
            .ok_or_else(|| Error::invalid(format!("boot device {device} is unknown to Redfish")))?;
        let url = task.node().driver_internal_info.get(HTTP_URL);
        let url = url.and_then(Value::as_str).map(str::to_owned);
        restore::remember(task.node_mut(), None);
        task.node_mut().set_internal(HTTP_URL, Value::Null);
        let persistence = self
            .write_boot_device(task, source, persistent, url.as_deref())
            .await?;
        if persistence == Persistence::OnceOnly {
            let node = task.node_id();
            tracing::warn!(%node, %device, "the BMC keeps no boot device, it is set before every start");
            restore::remember(task.node_mut(), Some(device));
        }
        Ok(())
    }

    async fn get_boot_mode(&self, task: &SharedTask) -> Result<Option<BootMode>, Error> {
        let mode = self.boot(task).await?.boot.mode;
        Ok(mode.and_then(|mode| mode.to_mode()))
    }

    async fn set_boot_mode(&self, task: &mut Task, mode: BootMode) -> Result<(), Error> {
        let wanted = OverrideMode::for_mode(mode)
            .ok_or_else(|| Error::invalid(format!("boot mode {mode} is unknown to Redfish")))?;
        let (mut bmc, mut system) = self.open(task).await?;
        let vendor = bmc.vendor();
        match bmc.attempt(system.set_boot_mode(wanted, vendor)).await? {
            Ok(ModeChange::InEffect) => Ok(()),
            Ok(change) => {
                let node = task.node_id();
                tracing::info!(%node, %mode, ?change, "the boot mode is set, and not seen yet");
                Ok(())
            }
            Err(RedfishError::MissingAttribute { .. }) => Err(bmc.unsupported("set_boot_mode")),
            Err(error) => Err(bmc.convert(error)),
        }
    }

    async fn get_secure_boot(&self, task: &SharedTask) -> Result<Option<bool>, Error> {
        let (mut bmc, system) = self.open(task).await?;
        match bmc.attempt(system.secure_boot()).await? {
            Ok(on) => Ok(on),
            Err(RedfishError::MissingAttribute { .. }) => Ok(None),
            Err(error) => Err(bmc.convert(error)),
        }
    }

    async fn set_secure_boot(&self, task: &mut Task, on: bool) -> Result<(), Error> {
        let (mut bmc, mut system) = self.open(task).await?;
        match bmc.attempt(system.set_secure_boot(on)).await? {
            Ok(SecureBootChange::NeedsRestart) => {
                let node = task.node_id();
                tracing::info!(%node, on, "secure boot changes at the next restart");
                Ok(())
            }
            Ok(_) => Ok(()),
            Err(RedfishError::MissingAttribute { .. }) => Err(bmc.unsupported("set_secure_boot")),
            Err(error) => Err(bmc.convert(error)),
        }
    }

    async fn inject_nmi(&self, task: &mut Task) -> Result<(), Error> {
        let (mut bmc, mut system) = self.open(task).await?;
        bmc.run(system.inject_nmi()).await
    }

    async fn mac_addresses(&self, task: &SharedTask) -> Result<Vec<MacAddress>, Error> {
        let (mut bmc, system) = self.open(task).await?;
        let macs = bmc.run(system.enabled_macs()).await?;
        let parse = |mac: String| match mac.parse() {
            Ok(mac) => Some(mac),
            Err(_) => {
                tracing::debug!(node = %task.node().uuid, mac, "not the address of a port");
                None
            }
        };
        Ok(macs.into_iter().filter_map(parse).collect())
    }
}
