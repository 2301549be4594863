use crate::driver::{HardwareType, generic};
use crate::states::InterfaceKind;

/// `fake-hardware`: a machine that is not there. A node of this type may be given any enabled
/// interface, so that real ones can be tried out one by one.
#[derive(Debug, Clone, Copy, Default)]
pub struct FakeHardware;

impl HardwareType for FakeHardware {
    fn name(&self) -> &str {
        "fake-hardware"
    }

    fn supported(&self, kind: InterfaceKind) -> &[&str] {
        match kind {
            InterfaceKind::Bios => &["fake", "no-bios"],
            InterfaceKind::Boot => &["fake", "ipxe", "pxe", "http-ipxe", "http"],
            InterfaceKind::Console => &["fake", "no-console", "fake-graphical"],
            InterfaceKind::Deploy => &[
                "fake",
                "autodetect",
                "direct",
                "ansible",
                "ramdisk",
                "anaconda",
                "bootc",
                "custom-agent",
            ],
            InterfaceKind::Firmware => &["fake", "no-firmware"],
            InterfaceKind::Inspect => &["fake", "agent", "no-inspect"],
            InterfaceKind::Management | InterfaceKind::Power => &["fake"],
            InterfaceKind::Raid => &["fake", "no-raid", "agent"],
            InterfaceKind::Rescue => &["fake", "no-rescue", "agent"],
            InterfaceKind::Storage => &["fake", "noop", "cinder", "external"],
            InterfaceKind::Vendor => &["fake", "FakeVendorA", "no-vendor"],
            InterfaceKind::Network => generic::supported(InterfaceKind::Network),
        }
    }

    fn accepts_any(&self) -> bool {
        true
    }
}
