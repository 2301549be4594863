//! The states of a node and its machine, and the one table of transitions: pure functions.

mod diagram;
mod machine;
mod provision;
mod verb;

pub use diagram::svg as diagram_svg;
pub use machine::{
    BootDevice, BootMode, FlowKind, Health, InterfaceKind, NetworkRole, PowerState, PowerTarget,
};
pub use provision::{Event, ProvisionState, TRANSITIONS};
pub use verb::Verb;

/// A move that the table of transitions does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidTransition {
    /// The state does not take the event.
    #[error("a node in state \"{state}\" does not take the event \"{event}\"")]
    Event {
        /// Where the node is.
        state: ProvisionState,
        /// What was to happen.
        event: Event,
    },
    /// The state cannot be a target.
    #[error("\"{target}\" is not a stable state, so it can be no target")]
    Target {
        /// The state asked for.
        target: ProvisionState,
    },
}
