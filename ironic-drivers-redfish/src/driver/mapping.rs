//! The engine's words for power and boot, and Redfish's.

use ironic_core::states::{BootDevice, BootMode, PowerState as NodePower, PowerTarget};

use crate::error::RedfishError;
use crate::model::{BootSource, OverrideMode, PowerState, ResetType};
use crate::system::System;

const RESETS: [(PowerTarget, ResetType); 5] = [
    (PowerTarget::On, ResetType::On),
    (PowerTarget::Off, ResetType::ForceOff),
    (PowerTarget::Reboot, ResetType::ForceRestart),
    (PowerTarget::SoftReboot, ResetType::GracefulRestart),
    (PowerTarget::SoftOff, ResetType::GracefulShutdown),
];

const DEVICES: [(BootDevice, BootSource); 5] = [
    (BootDevice::Pxe, BootSource::Pxe),
    (BootDevice::Disk, BootSource::Hdd),
    (BootDevice::Cdrom, BootSource::Cd),
    (BootDevice::Bios, BootSource::BiosSetup),
    (BootDevice::UefiHttp, BootSource::UefiHttp),
];

impl PowerState {
    /// The node's power state; `None` for what is neither on nor off.
    pub fn to_node(&self) -> Option<NodePower> {
        self.is_on()
            .map(|on| if on { NodePower::On } else { NodePower::Off })
    }
}

impl ResetType {
    /// The reset type that brings `target` about; `None` for targets without one.
    pub fn for_target(target: PowerTarget) -> Option<Self> {
        RESETS
            .into_iter()
            .find(|(known, _)| *known == target)
            .map(|(_, reset)| reset)
    }
}

impl BootSource {
    /// The source that stands for `device`; `None` for devices that Redfish does not have.
    pub fn for_device(device: BootDevice) -> Option<Self> {
        DEVICES
            .into_iter()
            .find(|(known, _)| *known == device)
            .map(|(_, source)| source)
    }

    /// The device that this source stands for; `None` for sources that the engine does not have.
    pub fn to_device(&self) -> Option<BootDevice> {
        DEVICES
            .into_iter()
            .find(|(_, known)| known == self)
            .map(|(device, _)| device)
    }
}

impl OverrideMode {
    /// The override that stands for `mode`; `None` for modes that Redfish does not have.
    pub const fn for_mode(mode: BootMode) -> Option<Self> {
        match mode {
            BootMode::Uefi => Some(Self::Uefi),
            BootMode::Bios => Some(Self::Legacy),
            _ => None,
        }
    }

    /// The boot mode that this override stands for.
    pub const fn to_mode(&self) -> Option<BootMode> {
        match self {
            Self::Uefi => Some(BootMode::Uefi),
            Self::Legacy => Some(BootMode::Bios),
            Self::Other(_) => None,
        }
    }
}

impl System {
    /// Asks for `target`; the machine follows in its own time.
    ///
    /// # Errors
    ///
    /// As [`reset`](Self::reset), and [`RedfishError::InvalidState`] for a target without a reset
    /// type.
    pub async fn request_power(&mut self, target: PowerTarget) -> Result<(), RedfishError> {
        match ResetType::for_target(target) {
            Some(ResetType::On) => self.power_on().await,
            Some(ResetType::ForceOff) => self.force_off().await,
            Some(ResetType::GracefulShutdown) => self.shut_down().await,
            Some(reset) => self.reset(reset).await,
            None => Err(RedfishError::InvalidState {
                reason: "no reset type brings this about",
            }),
        }
    }

    /// The boot devices that the BMC takes, as the engine names them.
    ///
    /// # Errors
    ///
    /// As [`allowed_boot_sources`](Self::allowed_boot_sources).
    pub async fn supported_boot_devices(&mut self) -> Result<Vec<BootDevice>, RedfishError> {
        let allowed = self.allowed_boot_sources().await?;
        Ok(allowed.iter().filter_map(BootSource::to_device).collect())
    }
}

#[cfg(test)]
mod tests {
    use ironic_core::states::{BootDevice, BootMode, PowerTarget};

    use crate::model::{BootSource, OverrideMode, PowerState, ResetType};

    #[test]
    fn every_power_target_has_a_reset_type() {
        let shown: Vec<_> = PowerTarget::ALL
            .iter()
            .map(|target| format!("{target}: {}", ResetType::for_target(*target).unwrap()))
            .collect();
        let expected = [
            "power on: On",
            "power off: ForceOff",
            "rebooting: ForceRestart",
            "soft rebooting: GracefulRestart",
            "soft power off: GracefulShutdown",
        ];
        assert_eq!(shown, expected);
    }

    #[test]
    fn devices_and_modes_go_there_and_back() {
        let devices: Vec<_> = BootDevice::ALL
            .iter()
            .copied()
            .filter(|device| BootSource::for_device(*device).is_some())
            .collect();
        use BootDevice::{Bios, Cdrom, Disk, Pxe, UefiHttp};
        assert_eq!(devices, [Pxe, Disk, Cdrom, Bios, UefiHttp]);
        for device in devices {
            assert_eq!(
                BootSource::for_device(device).unwrap().to_device(),
                Some(device)
            );
        }
        for mode in BootMode::ALL {
            assert_eq!(
                OverrideMode::for_mode(*mode).unwrap().to_mode(),
                Some(*mode)
            );
        }
        assert_eq!(BootSource::UsbCd.to_device(), None);
    }

    #[test]
    fn transitions_count_as_their_end() {
        let states = ["On", "PoweringOn", "Off", "PoweringOff", "Paused", "x"]
            .map(|name| PowerState::from(name).to_node());
        let shown = states.map(|state| state.map(|state| state.as_str()));
        assert_eq!(
            shown,
            [
                Some("power on"),
                Some("power on"),
                Some("power off"),
                Some("power off"),
                None,
                None
            ]
        );
    }
}
