//! Redfish resources (DSP0268), as much of them as is used, read tolerantly: every member is
//! optional and unknown ones are kept in `rest`.

mod boot;
mod common;
mod computer_system;
mod ethernet_interface;
mod secure_boot;
mod service_root;
mod task;
mod values;
pub(crate) mod tolerant;

pub use boot::Boot;
pub use common::{Action, ActionInfo, ActionParameter, Collection, Link, Settings, Status};
pub use computer_system::{ComputerSystem, MemorySummary, ProcessorSummary, SystemActions, SystemLinks};
pub use ethernet_interface::EthernetInterface;
pub use secure_boot::SecureBoot;
pub use service_root::{ServiceRoot, ServiceRootLinks};
pub use task::Task;
pub use values::{BootSource, IndicatorLed, OverrideEnabled, OverrideMode, PowerState, ResetType};
