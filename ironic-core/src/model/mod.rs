//! The records that a store keeps, and what makes a field valid: plain data, pure checks.

mod agent_steps;
mod allocation;
mod bios_setting;
pub mod capabilities;
mod chassis;
mod conductor;
mod firmware_component;
mod history;
mod inspection_rule;
mod inventory;
mod kernel_params;
pub mod lenient;
mod lock;
pub(crate) mod managed;
mod network;
mod node;
mod node_summary;
mod port;
mod portgroup;
mod standard_traits;
mod trait_record;
mod validate;
mod volume_connector;
mod volume_target;

pub use allocation::{Allocation, AllocationState};
pub use bios_setting::BiosSetting;
pub use chassis::Chassis;
pub use conductor::{ConductorRecord, RegisteredInterfaces};
pub use firmware_component::FirmwareComponent;
pub use history::{HistoryEvent, Severity};
pub use inspection_rule::{InspectionRule, RuleOperation};
pub use inventory::Inventory;
pub use kernel_params::parse_kernel_params;
pub use lock::Lock;
pub use managed::{Header, Managed};
pub use network::{is_http_url, is_loopback, is_valid_no_proxy, network_port};
pub use node::{InterfaceNames, JsonMap, Node, NodeInterfaces};
pub use node_summary::NodeSummary;
pub use port::Port;
pub use portgroup::Portgroup;
pub use trait_record::{NodeTrait, is_valid_trait};
pub use validate::{MacAddress, is_hostname_safe, is_valid_conductor_group, is_valid_node_name};
pub use volume_connector::VolumeConnector;
pub use volume_target::VolumeTarget;

/// Whether a value is what a missing member would give, and so need not be stored.
pub(crate) fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// What a flag is that is left out where it is set.
fn yes() -> bool {
    true
}

#[allow(
    clippy::trivially_copy_pass_by_ref,
    reason = "the signature that serde asks for"
)]
fn is_yes(value: &bool) -> bool {
    *value
}
