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
/// Besides what [`Interface`] asks for:
///
/// | methods | who calls them, and when | lock |
/// |---|---|---|
/// | [`supported_boot_devices`](Self::supported_boot_devices), [`get_boot_device`](Self::get_boot_device), [`supported_indicators`](Self::supported_indicators), [`get_indicator`](Self::get_indicator), [`virtual_media`](Self::virtual_media) | a request | no |
/// | [`set_boot_device`](Self::set_boot_device), [`inject_nmi`](Self::inject_nmi), [`set_indicator`](Self::set_indicator) | a request, which waits for it; boot interfaces, for the boot device | held |
/// | [`set_boot_mode`](Self::set_boot_mode), [`set_secure_boot`](Self::set_secure_boot), [`attach_virtual_media`](Self::attach_virtual_media), [`detach_virtual_media`](Self::detach_virtual_media) | a request, after its answer; boot interfaces, for the former two | held |
/// | [`get_boot_mode`](Self::get_boot_mode), [`get_secure_boot`](Self::get_secure_boot) | unasked, when a node has been verified and around cleaning and servicing; before each is set; boot interfaces | held |
/// | [`sensors`](Self::sensors), [`health`](Self::health) | unasked, at the interval of the sensors and after each reading of power | no |
/// | [`mac_addresses`](Self::mac_addresses) | inspect interfaces that want to; none of the engine's own does | either way |
///
/// - **Accepted, not obeyed.** A setter that has returned has been accepted by the BMC; that the
///   machine obeys shows at its next boot. To set what is set is no error. None of them switches
///   power or restarts the machine.
/// - **Only what is listed.** A boot device, a light or a slot that the machine does not have is
///   [`Error::InvalidParameter`], before anything is sent.
/// - **What a BMC cannot say** is `None`; what a driver cannot do at all is [`Error::Unsupported`],
///   which is the default of all but the boot device.
/// - **Errors.** Those of a request go to its caller, or where it has been answered already, into
///   `last_error` and the node's history. What is read unasked and cannot be read stays as it was.
///   A round of sensors that takes longer than `wait_timeout` drops the readings under way.
/// - **Crash.** A request is forgotten: whether it was carried out shows when the BMC is asked.
///   What a boot interface had asked for, it asks for again.
///
/// **Checked by** `driver_conformance!`: the room `management`, among others
/// `each_boot_device_is_set_and_read`, `setting_a_boot_device_switches_no_power` and
/// `virtual_media_come_and_go_or_unsupported`.
///
/// A BMC that knows nothing but what to boot next ([Writing a
/// driver](crate::guide::writing_a_driver) has one that is spoken to):
///
/// ```
/// use async_trait::async_trait;
/// use ironic_core::Error;
/// use ironic_core::driver::{BootDeviceState, Interface, Management, SharedTask, Task};
/// use ironic_core::states::BootDevice;
///
/// # use std::sync::Mutex;
/// struct Jumper(Mutex<BootDevice>);
///
/// # #[async_trait]
/// # impl Interface for Jumper {
/// #     async fn validate(&self, _task: &SharedTask) -> Result<(), Error> { Ok(()) }
/// # }
/// #[async_trait]
/// impl Management for Jumper {
///     async fn supported_boot_devices(&self, _task: &SharedTask) -> Result<Vec<BootDevice>, Error> {
///         Ok(vec![BootDevice::Pxe, BootDevice::Disk])
///     }
///
///     async fn get_boot_device(&self, _task: &SharedTask) -> Result<BootDeviceState, Error> {
///         let device = *self.0.lock().map_err(|_| Error::internal("the jumper is broken"))?;
///         Ok(BootDeviceState::new(Some(device), Some(true)))
///     }
///
///     async fn set_boot_device(&self, task: &mut Task, device: BootDevice, _: bool) -> Result<(), Error> {
///         if !self.supported_boot_devices(task).await?.contains(&device) {
///             return Err(Error::invalid(format!("there is no jumper for {device}")));
///         }
///         *self.0.lock().map_err(|_| Error::internal("the jumper is broken"))? = device;
///         Ok(())
///     }
/// }
/// ```
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
