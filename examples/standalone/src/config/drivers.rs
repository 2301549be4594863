//! `[drivers]`: which drivers nodes may have.

use ironic_core::driver::RegistryBuilder;
use ironic_core::states::InterfaceKind;

use super::sections::section;
use super::value::Names;

section! {
    /// `[drivers]`: which drivers nodes may have, by the original's names. Of a kind of which
    /// nothing is said nodes get what their hardware types prefer.
    pub struct DriverSettings("DRIVERS") {
        /// The hardware types that nodes may have.
        enabled_hardware_types: Names,
        /// The drivers of before there were hardware types that nodes may have
        /// (`pxe_ipmitool`, …); each is a hardware type with fixed interfaces.
        enabled_drivers: Names,
        /// The `bios` interfaces that nodes may have.
        enabled_bios_interfaces: Names,
        /// The `bios` interface of nodes that name none.
        default_bios_interface: String,
        /// The `boot` interfaces that nodes may have.
        enabled_boot_interfaces: Names,
        /// The `boot` interface of nodes that name none.
        default_boot_interface: String,
        /// The `console` interfaces that nodes may have.
        enabled_console_interfaces: Names,
        /// The `console` interface of nodes that name none.
        default_console_interface: String,
        /// The `deploy` interfaces that nodes may have.
        enabled_deploy_interfaces: Names,
        /// The `deploy` interface of nodes that name none.
        default_deploy_interface: String,
        /// The `firmware` interfaces that nodes may have.
        enabled_firmware_interfaces: Names,
        /// The `firmware` interface of nodes that name none.
        default_firmware_interface: String,
        /// The `inspect` interfaces that nodes may have.
        enabled_inspect_interfaces: Names,
        /// The `inspect` interface of nodes that name none.
        default_inspect_interface: String,
        /// The `management` interfaces that nodes may have.
        enabled_management_interfaces: Names,
        /// The `management` interface of nodes that name none.
        default_management_interface: String,
        /// The `network` interfaces that nodes may have.
        enabled_network_interfaces: Names,
        /// The `network` interface of nodes that name none.
        default_network_interface: String,
        /// The `power` interfaces that nodes may have.
        enabled_power_interfaces: Names,
        /// The `power` interface of nodes that name none.
        default_power_interface: String,
        /// The `raid` interfaces that nodes may have.
        enabled_raid_interfaces: Names,
        /// The `raid` interface of nodes that name none.
        default_raid_interface: String,
        /// The `rescue` interfaces that nodes may have.
        enabled_rescue_interfaces: Names,
        /// The `rescue` interface of nodes that name none.
        default_rescue_interface: String,
        /// The `storage` interfaces that nodes may have.
        enabled_storage_interfaces: Names,
        /// The `storage` interface of nodes that name none.
        default_storage_interface: String,
        /// The `vendor` interfaces that nodes may have.
        enabled_vendor_interfaces: Names,
        /// The `vendor` interface of nodes that name none.
        default_vendor_interface: String,
    }
}

impl DriverSettings {
    /// Whether nodes may have a hardware type, by its own name or by an old one.
    pub fn has_hardware_type(&self, name: &str) -> bool {
        let types = self.enabled_hardware_types.iter().flat_map(|t| t.iter());
        let old = self
            .enabled_drivers
            .iter()
            .flat_map(|drivers| drivers.iter());
        types
            .map(String::as_str)
            .chain(old.map(|old| stands_for(old)))
            .any(|has| has == name)
    }

    /// The interfaces of a kind that are enabled, where it is said.
    pub fn enabled(&self, kind: InterfaceKind) -> Option<&[String]> {
        let names = match kind {
            InterfaceKind::Bios => &self.enabled_bios_interfaces,
            InterfaceKind::Boot => &self.enabled_boot_interfaces,
            InterfaceKind::Console => &self.enabled_console_interfaces,
            InterfaceKind::Deploy => &self.enabled_deploy_interfaces,
            InterfaceKind::Firmware => &self.enabled_firmware_interfaces,
            InterfaceKind::Inspect => &self.enabled_inspect_interfaces,
            InterfaceKind::Management => &self.enabled_management_interfaces,
            InterfaceKind::Network => &self.enabled_network_interfaces,
            InterfaceKind::Power => &self.enabled_power_interfaces,
            InterfaceKind::Raid => &self.enabled_raid_interfaces,
            InterfaceKind::Rescue => &self.enabled_rescue_interfaces,
            InterfaceKind::Storage => &self.enabled_storage_interfaces,
            InterfaceKind::Vendor => &self.enabled_vendor_interfaces,
            _ => return None,
        };
        names.as_deref()
    }

    /// The interface of a kind that is preferred, where it is said.
    pub fn default_interface(&self, kind: InterfaceKind) -> Option<&str> {
        let name = match kind {
            InterfaceKind::Bios => &self.default_bios_interface,
            InterfaceKind::Boot => &self.default_boot_interface,
            InterfaceKind::Console => &self.default_console_interface,
            InterfaceKind::Deploy => &self.default_deploy_interface,
            InterfaceKind::Firmware => &self.default_firmware_interface,
            InterfaceKind::Inspect => &self.default_inspect_interface,
            InterfaceKind::Management => &self.default_management_interface,
            InterfaceKind::Network => &self.default_network_interface,
            InterfaceKind::Power => &self.default_power_interface,
            InterfaceKind::Raid => &self.default_raid_interface,
            InterfaceKind::Rescue => &self.default_rescue_interface,
            InterfaceKind::Storage => &self.default_storage_interface,
            InterfaceKind::Vendor => &self.default_vendor_interface,
            _ => return None,
        };
        name.as_deref()
    }

    /// Enables and prefers in a registry what the settings say.
    pub(crate) fn apply(&self, mut builder: RegistryBuilder) -> RegistryBuilder {
        if let Some(drivers) = &self.enabled_drivers {
            builder = builder.enable_aliases(drivers.iter());
        }
        if let Some(types) = &self.enabled_hardware_types {
            builder = builder.enable_hardware_types(types.iter());
        }
        for kind in InterfaceKind::ALL.iter().copied() {
            if let Some(names) = self.enabled(kind) {
                builder = builder.enable(kind, names);
            }
            if let Some(name) = self.default_interface(kind) {
                builder = builder.default_interface(kind, name);
            }
        }
        builder
    }
}

/// The hardware type of an old driver, of which there are two here.
fn stands_for(driver: &str) -> &str {
    if driver == "fake" || driver.starts_with("fake_") {
        "fake-hardware"
    } else {
        "ipmi"
    }
}
