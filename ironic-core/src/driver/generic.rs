//! What works on most machines: for hardware types to begin with.

use crate::states::InterfaceKind;

/// What works on any machine that has a BMC of some sort, the preferred one first: for hardware
/// types to begin with. Power and management have nothing that works everywhere.
pub fn supported(kind: InterfaceKind) -> &'static [&'static str] {
    match kind {
        InterfaceKind::Bios => &["no-bios"],
        InterfaceKind::Boot => &["ipxe", "pxe", "http-ipxe", "http"],
        InterfaceKind::Console => &["no-console", "fake-graphical"],
        InterfaceKind::Deploy => &[
            "autodetect",
            "direct",
            "ansible",
            "ramdisk",
            "anaconda",
            "bootc",
            "custom-agent",
        ],
        InterfaceKind::Firmware => &["no-firmware"],
        InterfaceKind::Inspect => &["agent", "no-inspect"],
        InterfaceKind::Management | InterfaceKind::Power => &[],
        InterfaceKind::Network => &["flat", "neutron", "ironic-networking", "noop"],
        InterfaceKind::Raid => &["no-raid", "agent"],
        InterfaceKind::Rescue => &["no-rescue", "agent"],
        InterfaceKind::Storage => &["noop", "cinder", "external"],
        InterfaceKind::Vendor => &["no-vendor"],
    }
}
