use async_trait::async_trait;
use ironic_core::Error;
use ironic_core::driver::{
    BootDeviceState, Component, IndicatorState, Indicators, Interface, Management, Properties,
    SharedTask, Task, VirtualMediaDevice, VirtualMediaSlot,
};
use ironic_core::model::{JsonMap, MacAddress};
use ironic_core::states::{BootDevice, BootMode, Health};
use serde_json::{Value, json};

use super::bmc::Bmc;
use super::{RedfishDriver, lights, properties, restore};
use crate::error::RedfishError;
use crate::model::{BootSource, OverrideMode};
use crate::system::{
    BootState, BootVendor, ModeChange, Persistence, SecureBootChange, System, VirtualMedia,
};

/// Where a boot interface leaves the URL that the next UEFI HTTP boot is to fetch.
const HTTP_URL: &str = "redfish_uefi_http_url";

/// `redfish`: boot device, boot mode, secure boot, NMI, sensors, lights, virtual media, MAC
/// addresses.
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

/// The types of slots in which a device can be, the best first.
const fn media_types(device: VirtualMediaDevice) -> &'static [&'static str] {
    match device {
        VirtualMediaDevice::Disk => &["USBStick"],
        VirtualMediaDevice::Cdrom => &["CD", "DVD"],
        VirtualMediaDevice::Floppy => &["Floppy"],
        _ => &[],
    }
}

fn shown(slot: &VirtualMedia) -> VirtualMediaSlot {
    let details = [
        ("id", json!(slot.id)),
        ("media_types", json!(slot.media_types)),
        ("inserted", json!(slot.is_full())),
        ("image", json!(slot.image)),
        ("image_name", json!(slot.image_name)),
    ];
    let details = details.map(|(name, value)| (name.to_owned(), value));
    VirtualMediaSlot::new(details.into_iter().collect())
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

    async fn health(&self, task: &SharedTask) -> Result<Option<Health>, Error> {
        let (_bmc, system) = self.open(task).await?;
        let status = system.resource().status.as_ref();
        let health = status.and_then(|status| status.health.as_deref());
        // A word that Redfish does not have for it says nothing.
        Ok(health.and_then(|health| health.parse().ok()))
    }

    async fn inject_nmi(&self, task: &mut Task) -> Result<(), Error> {
        let (mut bmc, mut system) = self.open(task).await?;
        bmc.run(system.inject_nmi()).await
    }

    async fn sensors(&self, task: &SharedTask) -> Result<JsonMap, Error> {
        let (mut bmc, system) = self.open(task).await?;
        bmc.run(system.sensors()).await
    }

    async fn supported_indicators(&self, task: &SharedTask) -> Result<Indicators, Error> {
        let (mut bmc, mut system) = self.open(task).await?;
        let lights = bmc.run(lights::all(&mut system)).await?;
        Ok(lights::supported(&lights))
    }

    async fn get_indicator(
        &self,
        task: &SharedTask,
        component: Component,
        name: &str,
    ) -> Result<IndicatorState, Error> {
        let (mut bmc, mut system) = self.open(task).await?;
        let lights = bmc.run(lights::of(&mut system, component)).await?;
        lights::find(lights, component, name).map(|light| light.state())
    }

    async fn set_indicator(
        &self,
        task: &mut Task,
        component: Component,
        name: &str,
        state: IndicatorState,
    ) -> Result<(), Error> {
        let led = lights::led(state)?;
        let (mut bmc, mut system) = self.open(task).await?;
        let lights = bmc.run(lights::of(&mut system, component)).await?;
        let light = lights::find(lights, component, name)?;
        bmc.run(light.set(&mut system, &led)).await
    }

    async fn virtual_media(&self, task: &SharedTask) -> Result<Vec<VirtualMediaSlot>, Error> {
        let (mut bmc, system) = self.open(task).await?;
        match bmc.attempt(system.virtual_media()).await? {
            Ok(slots) => Ok(slots.iter().map(shown).collect()),
            Err(RedfishError::MissingAttribute { .. }) => Err(bmc.unsupported("get_virtual_media")),
            Err(error) => Err(bmc.convert(error)),
        }
    }

    async fn attach_virtual_media(
        &self,
        task: &mut Task,
        device: VirtualMediaDevice,
        image_url: &str,
    ) -> Result<(), Error> {
        let (mut bmc, system) = self.open(task).await?;
        let inserted = system.insert_media(media_types(device), image_url);
        match bmc.attempt(inserted).await? {
            Ok(()) => Ok(()),
            Err(RedfishError::MissingAttribute { .. }) => {
                Err(bmc.unsupported("attach_virtual_media"))
            }
            Err(RedfishError::NotAllowed { allowed, .. }) => Err(Error::invalid(format!(
                "the BMC has no slot for virtual media of the kind {device}: it has slots for {}",
                allowed.join(", ")
            ))),
            Err(error) => Err(bmc.convert(error)),
        }
    }

    async fn detach_virtual_media(
        &self,
        task: &mut Task,
        devices: &[VirtualMediaDevice],
    ) -> Result<(), Error> {
        let (mut bmc, system) = self.open(task).await?;
        let types = devices.iter().flat_map(|device| media_types(*device));
        let types: Vec<_> = types.copied().collect();
        match bmc.attempt(system.eject_media(&types)).await? {
            Ok(()) => Ok(()),
            Err(RedfishError::MissingAttribute { .. }) => {
                Err(bmc.unsupported("detach_virtual_media"))
            }
            Err(error) => Err(bmc.convert(error)),
        }
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
