use async_trait::async_trait;

use super::FakeOperation;
use crate::Error;
use crate::driver::{BootDeviceState, Management, SharedTask, Task};
use crate::model::JsonMap;
use crate::states::BootDevice;

plain_fake_interface! {
    /// `fake`: a machine that can boot from the network and from nothing else, whatever is set,
    /// and that has no sensors.
    FakeManagement, ValidateManagement
}

#[async_trait]
impl Management for FakeManagement {
    async fn supported_boot_devices(&self, _task: &SharedTask) -> Result<Vec<BootDevice>, Error> {
        Ok(vec![BootDevice::Pxe])
    }

    async fn get_boot_device(&self, task: &SharedTask) -> Result<BootDeviceState, Error> {
        let operation = FakeOperation::GetBootDevice;
        self.behaviour.at_once(task, operation).await?;
        Ok(BootDeviceState::new(Some(BootDevice::Pxe), Some(false)))
    }

    async fn set_boot_device(
        &self,
        task: &mut Task,
        device: BootDevice,
        _persistent: bool,
    ) -> Result<(), Error> {
        let operation = FakeOperation::SetBootDevice;
        self.behaviour.perform(task, operation, &device).await?;
        if device == BootDevice::Pxe {
            return Ok(());
        }
        Err(Error::invalid(format!(
            "boot device {device} is not supported: only pxe is"
        )))
    }

    async fn sensors(&self, task: &SharedTask) -> Result<JsonMap, Error> {
        let operation = FakeOperation::Sensors;
        self.behaviour.at_once(task, operation).await?;
        Ok(JsonMap::new())
    }
}
