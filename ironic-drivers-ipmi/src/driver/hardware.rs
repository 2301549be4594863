use ironic_core::driver::{HardwareType, generic};
use ironic_core::states::InterfaceKind;

/// The hardware type `ipmi`.
#[derive(Debug, Clone, Copy, Default)]
pub struct IpmiHardware;

impl HardwareType for IpmiHardware {
    fn name(&self) -> &str {
        "ipmi"
    }

    fn supported(&self, kind: InterfaceKind) -> &[&str] {
        match kind {
            InterfaceKind::Power => &["ipmitool"],
            InterfaceKind::Management => &["ipmitool", "noop"],
            InterfaceKind::Console => &["ipmitool-socat", "no-console", "fake-graphical"],
            InterfaceKind::Vendor => &["ipmitool", "no-vendor"],
            other => generic::supported(other),
        }
    }
}
