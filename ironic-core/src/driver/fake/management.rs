use async_trait::async_trait;
use serde_json::json;

use super::FakeOperation;
use super::power::endpoint;
use crate::Error;
use crate::driver::{
    BootDeviceState, Component, Indicator, IndicatorState, Indicators, Management, SharedTask,
    Task, VirtualMediaDevice, VirtualMediaSlot, find_indicator,
};
use crate::model::JsonMap;
use crate::states::{BootDevice, BootMode, Health};

plain_fake_interface! {
    /// `fake`: a machine that can boot from the network and from nothing else, whatever is set,
    /// with two lights, a slot for each kind of virtual media, and the sensors that it was given
    /// ([`FakeBehaviour::set_sensors`](super::FakeBehaviour::set_sensors)), at first none. Like a driver of a BMC it sends nothing without a permit.
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

    async fn get_boot_mode(&self, task: &SharedTask) -> Result<Option<BootMode>, Error> {
        let _permit = task.bmc_permit(&endpoint(task)).await?;
        Ok(self
            .behaviour
            .machine(task.node().uuid, |machine| machine.boot_mode))
    }

    async fn set_boot_mode(&self, task: &mut Task, mode: BootMode) -> Result<(), Error> {
        let _permit = task.bmc_permit(&endpoint(task)).await?;
        let operation = FakeOperation::SetBootMode;
        self.behaviour.perform(task, operation, &mode).await?;
        self.behaviour
            .machine(task.node_id(), |machine| machine.boot_mode = Some(mode));
        Ok(())
    }

    async fn get_secure_boot(&self, task: &SharedTask) -> Result<Option<bool>, Error> {
        let _permit = task.bmc_permit(&endpoint(task)).await?;
        Ok(self
            .behaviour
            .machine(task.node().uuid, |machine| machine.secure_boot))
    }

    async fn set_secure_boot(&self, task: &mut Task, on: bool) -> Result<(), Error> {
        let _permit = task.bmc_permit(&endpoint(task)).await?;
        let operation = FakeOperation::SetSecureBoot;
        self.behaviour.perform(task, operation, &on).await?;
        self.behaviour
            .machine(task.node_id(), |machine| machine.secure_boot = Some(on));
        Ok(())
    }

    async fn inject_nmi(&self, task: &mut Task) -> Result<(), Error> {
        let _permit = task.bmc_permit(&endpoint(task)).await?;
        let operation = FakeOperation::InjectNmi;
        self.behaviour.at_once(task, operation).await
    }

    async fn sensors(&self, task: &SharedTask) -> Result<JsonMap, Error> {
        let _permit = task.bmc_permit(&endpoint(task)).await?;
        let operation = FakeOperation::Sensors;
        self.behaviour.at_once(task, operation).await?;
        Ok(self
            .behaviour
            .machine(task.node().uuid, |machine| machine.sensors.clone()))
    }

    /// A machine of which nobody has said how it is does not say so either.
    async fn health(&self, task: &SharedTask) -> Result<Option<Health>, Error> {
        let said = self
            .behaviour
            .machine(task.node().uuid, |machine| machine.health);
        let Some(health) = said else {
            return Err(Error::Unsupported {
                driver: task.node().driver.clone(),
                extension: "get_node_health".to_owned(),
            });
        };
        let _permit = task.bmc_permit(&endpoint(task)).await?;
        let operation = FakeOperation::GetHealth;
        self.behaviour.at_once(task, operation).await?;
        Ok(health)
    }

    async fn supported_indicators(&self, _task: &SharedTask) -> Result<Indicators, Error> {
        use IndicatorState as S;
        let chassis = Indicator::new(true, &[S::Off, S::On]);
        let system = Indicator::new(false, &[S::Blinking, S::Off, S::On]);
        Ok([
            (Component::Chassis, [("led-0".to_owned(), chassis)].into()),
            (Component::System, [("led".to_owned(), system)].into()),
        ]
        .into())
    }

    async fn get_indicator(
        &self,
        task: &SharedTask,
        component: Component,
        name: &str,
    ) -> Result<IndicatorState, Error> {
        let _permit = task.bmc_permit(&endpoint(task)).await?;
        find_indicator(&self.supported_indicators(task).await?, component, name)?;
        let operation = FakeOperation::GetIndicator;
        self.behaviour.perform(task, operation, &name).await?;
        let set = self.behaviour.machine(task.node().uuid, |machine| {
            machine.lights.get(&(component, name.to_owned())).copied()
        });
        Ok(set.unwrap_or(IndicatorState::On))
    }

    async fn set_indicator(
        &self,
        task: &mut Task,
        component: Component,
        name: &str,
        state: IndicatorState,
    ) -> Result<(), Error> {
        let _permit = task.bmc_permit(&endpoint(task)).await?;
        find_indicator(&self.supported_indicators(task).await?, component, name)?;
        let operation = FakeOperation::SetIndicator;
        self.behaviour.perform(task, operation, &state).await?;
        self.behaviour.machine(task.node_id(), |machine| {
            machine.lights.insert((component, name.to_owned()), state)
        });
        Ok(())
    }

    async fn virtual_media(&self, task: &SharedTask) -> Result<Vec<VirtualMediaSlot>, Error> {
        let _permit = task.bmc_permit(&endpoint(task)).await?;
        let operation = FakeOperation::GetVirtualMedia;
        self.behaviour.at_once(task, operation).await?;
        let media = self
            .behaviour
            .machine(task.node().uuid, |machine| machine.media.clone());
        let slots = VirtualMediaDevice::ALL.iter().map(|device| {
            let image = media.get(device);
            let details = [
                ("media_types".to_owned(), json!([device])),
                ("inserted".to_owned(), json!(image.is_some())),
                ("image".to_owned(), json!(image)),
            ];
            VirtualMediaSlot::new(details.into_iter().collect())
        });
        Ok(slots.collect())
    }

    async fn attach_virtual_media(
        &self,
        task: &mut Task,
        device: VirtualMediaDevice,
        image_url: &str,
    ) -> Result<(), Error> {
        let _permit = task.bmc_permit(&endpoint(task)).await?;
        let operation = FakeOperation::AttachVirtualMedia;
        self.behaviour.perform(task, operation, &device).await?;
        self.behaviour.machine(task.node_id(), |machine| {
            machine.media.insert(device, image_url.to_owned())
        });
        Ok(())
    }

    async fn detach_virtual_media(
        &self,
        task: &mut Task,
        devices: &[VirtualMediaDevice],
    ) -> Result<(), Error> {
        let _permit = task.bmc_permit(&endpoint(task)).await?;
        let operation = FakeOperation::DetachVirtualMedia;
        self.behaviour.at_once(task, operation).await?;
        self.behaviour.machine(task.node_id(), |machine| {
            machine
                .media
                .retain(|device, _| !devices.is_empty() && !devices.contains(device));
        });
        Ok(())
    }
}
