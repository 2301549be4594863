//! What a machine's driver is made of: thirteen interface traits, and the tasks they act through.
//!
//! A node is driven by one interface of each of the thirteen kinds. What all of them have in common
//! is on [`Interface`]; each adds what is its own:
//!
//! | | |
//! |---|---|
//! | a BMC of a vendor's own | [`Power`], [`Management`]: most hardware types implement these two, and no others |
//! | what a machine boots, and what is put on it | [`Boot`], [`Deploy`], [`Rescue`], [`Inspect`] |
//! | what surrounds it | [`Network`], [`Storage`], [`Console`] |
//! | what is inside it | [`Bios`], [`Firmware`], [`Raid`] |
//! | what nobody else has | [`Vendor`] |
//!
//! A [`HardwareType`] says which of them fit its machines, and a [`Registry`] which there are.
//! [Writing a driver](crate::guide::writing_a_driver) builds one from nothing.

mod alias;
#[cfg(test)]
mod alias_tests;
mod bare;
mod bios;
mod boot;
mod builder;
mod catalog;
mod console;
mod deploy;
pub mod fake;
mod firmware;
mod flat;
pub mod generic;
mod hardware;
#[cfg(test)]
mod harness;
mod indicator;
mod inspect;
mod interfaces;
mod keep;
mod management;
mod network;
pub mod noop;
mod power;
mod raid;
mod raid_config;
mod registry;
#[cfg(test)]
mod registry_tests;
mod rescue;
mod reservation;
mod resolve;
mod resolve_error;
#[cfg(test)]
mod resolve_tests;
mod similar;
mod storage;
mod task;
mod teller;
mod vendor;
mod virtual_media;

pub use crate::states::NetworkRole;
pub use alias::DriverAlias;
pub use bare::BareDriver;
pub use bios::Bios;
pub use boot::{Boot, RamdiskParams};
pub use builder::RegistryBuilder;
pub use catalog::{Catalog, Defaults, Enabled};
pub use console::{Console, ConsoleInfo};
pub use deploy::Deploy;
pub use firmware::Firmware;
pub use flat::FlatNetwork;
pub use hardware::{HardwareLike, HardwareType};
pub use indicator::{Component, Indicator, IndicatorState, Indicators, find_indicator};
pub use inspect::Inspect;
pub use interfaces::{Interface, Properties};
pub use management::{BootDeviceState, Management};
pub use network::Network;
pub use power::Power;
pub use raid::Raid;
pub use raid_config::{raid_disk_properties, validate_raid_config};
pub use registry::{Registry, UsableInterfaces};
pub use rescue::Rescue;
pub use reservation::Reservation;
pub(crate) use reservation::{Hold, TaskEnd};
pub use resolve::{Resolver, instance_overrides, resolve};
pub use resolve_error::ResolveError;
pub use storage::Storage;
pub(crate) use task::TaskCore;
pub use task::{SharedTask, Task, TaskContext};
pub(crate) use teller::Teller;
pub use vendor::{Vendor, VendorMethod};
pub use virtual_media::{VirtualMediaDevice, VirtualMediaSlot};
