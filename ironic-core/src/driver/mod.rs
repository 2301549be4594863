//! What a machine's driver is made of: thirteen interface traits, and the tasks they act through.

mod alias;
#[cfg(test)]
mod alias_tests;
mod bare;
mod builder;
mod catalog;
pub mod fake;
pub mod generic;
mod hardware;
#[cfg(test)]
mod harness;
mod interfaces;
pub mod noop;
mod raid_config;
mod registry;
#[cfg(test)]
mod registry_tests;
mod reservation;
mod resolve;
mod resolve_error;
#[cfg(test)]
mod resolve_tests;
mod similar;
mod task;

pub use alias::DriverAlias;
pub use bare::BareDriver;
pub use builder::RegistryBuilder;
pub use catalog::{Catalog, Defaults, Enabled};
pub use hardware::HardwareType;
pub use interfaces::{
    Bios, Boot, BootDeviceState, Console, ConsoleInfo, Deploy, Firmware, Inspect, Interface,
    Management, Network, NetworkRole, Power, Properties, Raid, RamdiskParams, Rescue, Storage,
    Vendor, VendorMethod,
};
pub use raid_config::{raid_disk_properties, validate_raid_config};
pub use registry::{Registry, UsableInterfaces};
pub use reservation::Reservation;
pub(crate) use reservation::{Hold, TaskEnd};
pub use resolve::{Resolver, instance_overrides, resolve};
pub use resolve_error::ResolveError;
pub(crate) use task::TaskCore;
pub use task::{SharedTask, Task, TaskContext};
