//! The records that a store keeps, and what makes a field valid: plain data, pure checks.

pub mod capabilities;
mod conductor;
mod history;
mod inventory;
mod kernel_params;
pub mod lenient;
mod lock;
mod network;
mod node;
mod node_summary;
mod port;
mod standard_traits;
mod trait_record;
mod validate;

pub use conductor::{ConductorRecord, RegisteredInterfaces};
pub use history::{HistoryEvent, Severity};
pub use inventory::Inventory;
pub use kernel_params::parse_kernel_params;
pub use lock::Lock;
pub use network::{is_http_url, is_loopback, is_valid_no_proxy, network_port};
pub use node::{InterfaceNames, JsonMap, Node, NodeInterfaces};
pub use node_summary::NodeSummary;
pub use port::Port;
pub use trait_record::{NodeTrait, is_valid_trait};
pub use validate::{MacAddress, is_hostname_safe, is_valid_conductor_group, is_valid_node_name};

/// Whether a value is what a missing member would give, and so need not be stored.
pub(crate) fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
