use async_trait::async_trait;

use crate::Error;
use crate::driver::{BootDeviceState, Interface, Management, SharedTask, Task};
use crate::states::BootDevice;

/// `noop`: the operator has set the machine to boot from the network first and from its disk
/// next. Asking for either is agreed to, and changes nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoopManagement;

#[async_trait]
impl Interface for NoopManagement {
    async fn validate(&self, _task: &SharedTask) -> Result<(), Error> {
        Ok(())
    }
}

#[async_trait]
impl Management for NoopManagement {
    async fn supported_boot_devices(&self, _task: &SharedTask) -> Result<Vec<BootDevice>, Error> {
        Ok(vec![BootDevice::Pxe, BootDevice::Disk])
    }

    async fn get_boot_device(&self, _task: &SharedTask) -> Result<BootDeviceState, Error> {
        Ok(BootDeviceState::new(Some(BootDevice::Pxe), Some(true)))
    }

    async fn set_boot_device(
        &self,
        task: &mut Task,
        device: BootDevice,
        _persistent: bool,
    ) -> Result<(), Error> {
        let supported = self.supported_boot_devices(task).await?;
        if supported.contains(&device) {
            tracing::debug!(node = %task.node_id(), %device, "taken to be set by the operator");
            return Ok(());
        }
        Err(Error::invalid(format!(
            "boot device {device} is not supported: pxe and disk are"
        )))
    }
}
