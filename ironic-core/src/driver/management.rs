use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use super::indicator::{Component, IndicatorState, Indicators};
use super::interfaces::unsupported;
use super::virtual_media::{VirtualMediaDevice, VirtualMediaSlot};
use super::{Interface, SharedTask, Task};
use crate::Error;
use crate::model::{JsonMap, MacAddress};
use crate::states::{BootDevice, BootMode, Health};

/// What a machine boots from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct BootDeviceState {
    /// The device; `None` when the machine does not say.
    pub device: Option<BootDevice>,
    /// Whether for every boot; `None` when the machine does not say.
    pub persistent: Option<bool>,
}

impl BootDeviceState {
    /// A known boot device.
    pub fn new(device: Option<BootDevice>, persistent: Option<bool>) -> Self {
        Self { device, persistent }
    }
}

/// Manages everything of a BMC that is not power.
///
/// # Contract
/// A setter that has returned has been accepted by the BMC; that the machine obeys shows at the
/// next boot. Setting what is set already is no error.
#[async_trait]
pub trait Management: Interface {
    /// What the machine could boot from.
    ///
    /// # Errors
    /// When it has to be asked of the BMC, and that does not answer.
    async fn supported_boot_devices(&self, task: &SharedTask) -> Result<Vec<BootDevice>, Error>;

    /// What the machine boots from.
    ///
    /// # Errors
    /// When the BMC does not answer or refuses.
    async fn get_boot_device(&self, task: &SharedTask) -> Result<BootDeviceState, Error>;

    /// Sets what the machine boots from: for every boot, or for the next.
    ///
    /// # Errors
    /// [`Error::InvalidParameter`] for a device that is not supported; else as `get_boot_device`.
    async fn set_boot_device(
        &self,
        task: &mut Task,
        device: BootDevice,
        persistent: bool,
    ) -> Result<(), Error>;

    /// How the machine boots; `None` when the BMC does not say.
    ///
    /// # Errors
    /// As `get_boot_device`.
    async fn get_boot_mode(&self, _task: &SharedTask) -> Result<Option<BootMode>, Error> {
        Ok(None)
    }

    /// Sets how the machine boots.
    ///
    /// # Errors
    /// [`Error::Unsupported`]; else as `get_boot_device`.
    async fn set_boot_mode(&self, task: &mut Task, _mode: BootMode) -> Result<(), Error> {
        unsupported(task, "set_boot_mode")
    }

    /// Whether the firmware checks what it boots; `None` when the BMC does not say.
    ///
    /// # Errors
    /// As `get_boot_device`.
    async fn get_secure_boot(&self, _task: &SharedTask) -> Result<Option<bool>, Error> {
        Ok(None)
    }

    /// Sets whether the firmware checks what it boots.
    ///
    /// # Errors
    /// [`Error::Unsupported`]; else as `get_boot_device`.
    async fn set_secure_boot(&self, task: &mut Task, _on: bool) -> Result<(), Error> {
        unsupported(task, "set_secure_boot")
    }

    /// Interrupts the machine's processor, to make its operating system write a dump.
    ///
    /// # Errors
    /// [`Error::Unsupported`]; else as `get_boot_device`.
    async fn inject_nmi(&self, task: &mut Task) -> Result<(), Error> {
        unsupported(task, "inject_nmi")
    }

    /// The readings of the machine's sensors, by type and name.
    ///
    /// # Errors
    /// [`Error::Unsupported`]; else as `get_boot_device`.
    async fn sensors(&self, task: &SharedTask) -> Result<JsonMap, Error> {
        unsupported(task, "sensors")
    }

    /// How well the machine's hardware is; `None` when the BMC does not say.
    ///
    /// # Errors
    /// [`Error::Unsupported`]; else as `get_boot_device`.
    async fn health(&self, task: &SharedTask) -> Result<Option<Health>, Error> {
        unsupported(task, "get_node_health")
    }

    /// The addresses of the machine's ports, as far as the BMC knows them.
    ///
    /// # Errors
    /// As `get_boot_device`.
    async fn mac_addresses(&self, _task: &SharedTask) -> Result<Vec<MacAddress>, Error> {
        Ok(Vec::new())
    }

    /// The lights of the machine.
    ///
    /// # Errors
    /// [`Error::Unsupported`]; else as `get_boot_device`.
    async fn supported_indicators(&self, task: &SharedTask) -> Result<Indicators, Error> {
        unsupported(task, "get_supported_indicators")
    }

    /// What a light does.
    ///
    /// # Errors
    /// [`Error::Unsupported`]; [`Error::InvalidParameter`] when there is no such light; else as
    /// `get_boot_device`.
    async fn get_indicator(
        &self,
        task: &SharedTask,
        _component: Component,
        _name: &str,
    ) -> Result<IndicatorState, Error> {
        unsupported(task, "get_indicator_state")
    }

    /// Sets what a light does.
    ///
    /// # Errors
    /// As `get_indicator`; [`Error::InvalidParameter`] also for a light that cannot be set, or not
    /// to this.
    async fn set_indicator(
        &self,
        task: &mut Task,
        _component: Component,
        _name: &str,
        _state: IndicatorState,
    ) -> Result<(), Error> {
        unsupported(task, "set_indicator_state")
    }

    /// The slots for virtual media, and what is in them.
    ///
    /// # Errors
    /// [`Error::Unsupported`]; else as `get_boot_device`.
    async fn virtual_media(&self, task: &SharedTask) -> Result<Vec<VirtualMediaSlot>, Error> {
        unsupported(task, "get_virtual_media")
    }

    /// Lets the machine find the image at this URL, which the BMC fetches, in a slot of this kind,
    /// in place of what is there.
    ///
    /// # Errors
    /// [`Error::Unsupported`]; [`Error::InvalidParameter`] when there is no such slot; else as
    /// `get_boot_device`.
    async fn attach_virtual_media(
        &self,
        task: &mut Task,
        _device: VirtualMediaDevice,
        _image_url: &str,
    ) -> Result<(), Error> {
        unsupported(task, "attach_virtual_media")
    }

    /// Empties the slots of these kinds; without any, all.
    ///
    /// # Errors
    /// [`Error::Unsupported`]; else as `get_boot_device`.
    async fn detach_virtual_media(
        &self,
        task: &mut Task,
        _devices: &[VirtualMediaDevice],
    ) -> Result<(), Error> {
        unsupported(task, "detach_virtual_media")
    }
}
