//! The records that a store keeps, and what makes a field valid: plain data, pure checks.

mod conductor;
mod history;
mod inventory;
mod lock;
mod node;
mod port;
mod trait_record;
mod validate;

pub use conductor::ConductorRecord;
pub use history::{HistoryEvent, Severity};
pub use inventory::Inventory;
pub use lock::Lock;
pub use node::{InterfaceNames, JsonMap, Node, NodeInterfaces};
pub use port::Port;
pub use trait_record::NodeTrait;
pub use validate::{MacAddress, is_hostname_safe, is_valid_conductor_group, is_valid_node_name};

/// Whether a value is what a missing member would give, and so need not be stored.
pub(crate) fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
