use crate::driver::{HardwareType, generic};
use crate::states::InterfaceKind;

/// `manual-management`: a machine whose power and boot order nobody but the operator can change;
/// the ramdisk at most restarts it.
#[derive(Debug, Clone, Copy, Default)]
pub struct ManualManagement;

impl HardwareType for ManualManagement {
    fn name(&self) -> &str {
        "manual-management"
    }

    fn supported(&self, kind: InterfaceKind) -> &[&str] {
        match kind {
            InterfaceKind::Deploy => &[
                "autodetect",
                "direct",
                "ansible",
                "ramdisk",
                "anaconda",
                "bootc",
                "custom-agent",
                "noop",
            ],
            InterfaceKind::Management => &["noop", "fake"],
            InterfaceKind::Power => &["agent", "fake"],
            other => generic::supported(other),
        }
    }
}
