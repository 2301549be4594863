use async_trait::async_trait;

use super::FakeOperation;
use super::power::endpoint;
use crate::Error;
use crate::driver::{BootDeviceState, Management, SharedTask, Task};
use crate::model::JsonMap;
use crate::states::BootDevice;

plain_fake_interface! {
    /// `fake`: a machine that can boot from the network and from nothing else, whatever is set,
    /// and that has no sensors. Like a driver of a BMC it sends nothing without a permit.
    FakeManagement, ValidateManagement
}

#[async_trait]
impl Management for FakeManagement {
    async fn supported_boot_devices(&self, _task: &SharedTask) -> Result<Vec<BootDevice>, Error> {
        Ok(vec![BootDevice::Pxe])
    }

    async fn get_boot_device(&self, task: &SharedTask) -> Result<BootDeviceState, Error> {
        let _permit = task.bmc_permit(&endpoint(task)).await?;
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
        if device != BootDevice::Pxe {
            return Err(Error::invalid(format!(
                "boot device {device} is not supported: only pxe is"
            )));
        }
        let _permit = task.bmc_permit(&endpoint(task)).await?;
        let operation = FakeOperation::SetBootDevice;
        self.behaviour.perform(task, operation, &device).await?;
        Ok(())
    }

    async fn sensors(&self, task: &SharedTask) -> Result<JsonMap, Error> {
        let _permit = task.bmc_permit(&endpoint(task)).await?;
        let operation = FakeOperation::Sensors;
        self.behaviour.at_once(task, operation).await?;
        Ok(JsonMap::new())
    }
}
