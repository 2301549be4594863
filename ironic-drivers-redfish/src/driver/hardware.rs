use ironic_core::driver::{HardwareType, generic};
use ironic_core::states::InterfaceKind;

use super::NAME;

/// `redfish`: machines whose BMC speaks Redfish.
#[derive(Debug, Clone, Copy, Default)]
pub struct RedfishHardware;

impl HardwareType for RedfishHardware {
    fn name(&self) -> &str {
        NAME
    }

    fn supported(&self, kind: InterfaceKind) -> &[&str] {
        match kind {
            InterfaceKind::Bios => &["redfish", "no-bios"],
            // Virtual media are last: not many machines are good at them.
            InterfaceKind::Boot => &[
                "ipxe",
                "pxe",
                "http-ipxe",
                "http",
                "redfish-virtual-media",
                "redfish-https",
            ],
            InterfaceKind::Console => &[
                "redfish-graphical",
                "ipmitool-socat",
                "no-console",
                "fake-graphical",
            ],
            InterfaceKind::Firmware => &["redfish", "no-firmware"],
            InterfaceKind::Inspect => &["redfish", "agent", "no-inspect"],
            InterfaceKind::Management => &["redfish", "noop"],
            InterfaceKind::Power => &["redfish"],
            InterfaceKind::Raid => &["redfish", "no-raid", "agent"],
            InterfaceKind::Vendor => &["redfish", "no-vendor"],
            _ => generic::supported(kind),
        }
    }
}

#[cfg(test)]
mod tests {
    use ironic_core::driver::HardwareType as _;
    use ironic_core::states::InterfaceKind;
    use serde_json::{Value, json};

    use super::RedfishHardware;

    #[test]
    fn the_interfaces_are_the_originals() {
        let path = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../ironic-core/tests/vectors/api_surface.json"
        );
        let surface: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        let table = &surface["hardware_types"]["redfish"]["interfaces"];
        for kind in InterfaceKind::ALL {
            let names = json!(RedfishHardware.supported(*kind));
            assert_eq!(names, table[kind.as_str()], "{kind}");
        }
    }
}
