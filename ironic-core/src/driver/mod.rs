//! What a machine's driver is made of: thirteen interface traits, and the tasks they act through.

mod bare;
mod hardware;
mod interfaces;
mod task;

pub use bare::BareDriver;
pub use hardware::HardwareType;
pub use interfaces::{
    Bios, Boot, BootDeviceState, Console, ConsoleInfo, Deploy, Firmware, Inspect, Interface,
    Management, Network, NetworkRole, Power, Properties, Raid, RamdiskParams, Rescue, Storage,
    Vendor, VendorMethod,
};
pub use task::{SharedTask, Task, TaskContext};
pub(crate) use task::{TaskCore, TaskEnd};
