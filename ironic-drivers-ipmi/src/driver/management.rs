use std::sync::Arc;

use async_trait::async_trait;
use ironic_core::Error;
use ironic_core::driver::{BootDeviceState, Interface, Management, Properties, SharedTask, Task};
use ironic_core::model::JsonMap;
use ironic_core::model::lenient::truth;
use ironic_core::states::{BootDevice, BootMode};
use serde_json::{Value, json};

use super::IpmiDriver;
use super::connection::properties;
use super::sensors::Sensors;
use crate::client::Bmc;
use crate::codec::CompletionCode;
use crate::command::{self, BootFlags, BootParameter, ChassisAction};
use crate::console::IpmiError;

/// Where the device is kept that is set again before each power on.
const KEPT: &str = "persistent_boot_device";

/// Do not clear the valid bit of the boot flags when a chassis command does not lead to a boot
/// within 60 seconds (IPMI 2.0 table 28-14, parameter 3).
const KEEP_ON_TIMEOUT: u8 = 0x08;

/// The management interface `ipmitool`.
#[derive(Debug, Clone)]
pub struct IpmiManagement {
    driver: IpmiDriver,
    sensors: Arc<Sensors>,
}

impl IpmiManagement {
    /// A management interface over this driver.
    pub fn new(driver: IpmiDriver) -> Self {
        Self {
            driver,
            sensors: Arc::default(),
        }
    }
}

#[async_trait]
impl Interface for IpmiManagement {
    fn properties(&self) -> Properties {
        properties()
    }

    async fn validate(&self, task: &SharedTask) -> Result<(), Error> {
        IpmiDriver::validate(task)
    }
}

#[async_trait]
impl Management for IpmiManagement {
    async fn supported_boot_devices(&self, _task: &SharedTask) -> Result<Vec<BootDevice>, Error> {
        Ok(vec![
            BootDevice::Pxe,
            BootDevice::Disk,
            BootDevice::Cdrom,
            BootDevice::Bios,
            BootDevice::Safe,
        ])
    }

    async fn get_boot_device(&self, task: &SharedTask) -> Result<BootDeviceState, Error> {
        if let Some(kept) = kept_device(task) {
            return Ok(BootDeviceState::new(Some(kept), Some(true)));
        }
        let flags = self
            .driver
            .ask(task, async |bmc| bmc.boot_flags().await)
            .await?;
        let device = match flags.device() {
            command::BootDevice::Pxe => Some(BootDevice::Pxe),
            command::BootDevice::Disk => Some(BootDevice::Disk),
            command::BootDevice::SafeMode => Some(BootDevice::Safe),
            command::BootDevice::Cdrom => Some(BootDevice::Cdrom),
            command::BootDevice::Setup => Some(BootDevice::Bios),
            command::BootDevice::Floppy => Some(BootDevice::Floppy),
            _ => None,
        };
        Ok(BootDeviceState::new(
            device.filter(|_| flags.is_valid()),
            Some(flags.is_persistent()),
        ))
    }

    async fn set_boot_device(
        &self,
        task: &mut Task,
        device: BootDevice,
        persistent: bool,
    ) -> Result<(), Error> {
        let flags = flags(task, device, persistent)?;
        let keep = task
            .node()
            .driver_info
            .get("ipmi_disable_boot_timeout")
            .filter(|value| !value.is_null())
            .is_none_or(|value| truth(value).unwrap_or(false));
        self.driver
            .ask(task, async |bmc| set(&bmc, flags, keep).await)
            .await?;
        let forced = task
            .node()
            .driver_info
            .get("ipmi_force_boot_device")
            .is_some_and(|value| truth(value).unwrap_or(false));
        let kept = if forced && persistent {
            json!(device)
        } else {
            Value::Null
        };
        task.node_mut().set_internal(KEPT, kept);
        Ok(())
    }

    async fn sensors(&self, task: &SharedTask) -> Result<JsonMap, Error> {
        self.sensors.read(&self.driver, task).await
    }

    async fn inject_nmi(&self, task: &mut Task) -> Result<(), Error> {
        self.driver
            .ask(task, async |bmc| {
                bmc.chassis_control(ChassisAction::DiagnosticInterrupt)
                    .await
            })
            .await
    }
}

/// The device that the engine itself remembers, for a BMC that forgets.
fn kept_device(task: &SharedTask) -> Option<BootDevice> {
    task.node().internal_str(KEPT)?.parse().ok()
}

/// Sets the remembered boot device again, if there is one.
pub(super) async fn restore_boot_device(
    driver: &IpmiDriver,
    task: &SharedTask,
) -> Result<(), Error> {
    let Some(device) = kept_device(task) else {
        return Ok(());
    };
    let flags = flags(task, device, true)?;
    driver
        .ask(task, async |bmc| bmc.set_boot_flags(flags).await)
        .await
}

fn flags(task: &SharedTask, device: BootDevice, persistent: bool) -> Result<BootFlags, Error> {
    let selector = match device {
        BootDevice::Pxe => command::BootDevice::Pxe,
        BootDevice::Disk => command::BootDevice::Disk,
        BootDevice::Cdrom => command::BootDevice::Cdrom,
        BootDevice::Bios => command::BootDevice::Setup,
        BootDevice::Safe => command::BootDevice::SafeMode,
        other => {
            return Err(Error::invalid(format!(
                "the boot device \"{other}\" is not supported over IPMI"
            )));
        }
    };
    let efi = task.node().wanted_boot_mode() == BootMode::Uefi;
    Ok(BootFlags::next_boot(selector)
        .persistent(persistent)
        .efi(efi))
}

async fn set(bmc: &Bmc, flags: BootFlags, keep: bool) -> Result<(), IpmiError> {
    if keep {
        match bmc
            .set_boot_option(BootParameter::ValidClearing(KEEP_ON_TIMEOUT))
            .await
        {
            // A BMC without the parameter has no such time-out, or cannot be helped.
            Err(IpmiError::Completion { code, .. }) => {
                tracing::debug!(%code, refused = code != CompletionCode::OK, "the boot flags may time out");
            }
            other => other?,
        }
    }
    bmc.set_boot_flags(flags).await
}
