//! What a machine's driver is made of: thirteen interface traits, and the tasks they act through.

mod alias;
#[cfg(test)]
mod alias_tests;
mod bare;
mod builder;
mod catalog;
pub mod fake;
mod flat;
pub mod generic;
mod hardware;
#[cfg(test)]
mod harness;
mod indicator;
mod interfaces;
mod keep;
mod management;
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
mod teller;
mod vendor;
mod virtual_media;

pub use crate::states::NetworkRole;
pub use alias::DriverAlias;
pub use bare::BareDriver;
pub use builder::RegistryBuilder;
pub use catalog::{Catalog, Defaults, Enabled};
pub use flat::FlatNetwork;
pub use hardware::HardwareType;
pub use indicator::{Component, Indicator, IndicatorState, Indicators, find_indicator};
pub use interfaces::{
    Bios, Boot, Console, ConsoleInfo, Deploy, Firmware, Inspect, Interface, Network, Power,
    Properties, Raid, RamdiskParams, Rescue, Storage,
};
pub use management::{BootDeviceState, Management};
pub use raid_config::{raid_disk_properties, validate_raid_config};
pub use registry::{Registry, UsableInterfaces};
pub use reservation::Reservation;
pub(crate) use reservation::{Hold, TaskEnd};
pub use resolve::{Resolver, instance_overrides, resolve};
pub use resolve_error::ResolveError;
pub(crate) use task::TaskCore;
pub use task::{SharedTask, Task, TaskContext};
pub(crate) use teller::Teller;
pub use vendor::{Vendor, VendorMethod};
pub use virtual_media::{VirtualMediaDevice, VirtualMediaSlot};
