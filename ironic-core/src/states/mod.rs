//! The states of a node and its machine, and the one table of transitions: pure functions.

mod diagram;
mod machine;
mod provision;
mod verb;

pub use diagram::svg as diagram_svg;
pub use machine::{BootDevice, BootMode, FlowKind, InterfaceKind, PowerState, PowerTarget};
pub use provision::{Event, ProvisionState, TRANSITIONS};
pub use verb::Verb;

/// A name that no value of this sort has.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown {what} {name:?}")]
pub struct UnknownName {
    what: &'static str,
    name: String,
}

impl UnknownName {
    pub(crate) fn new(what: &'static str, name: &str) -> Self {
        Self {
            what,
            name: name.chars().take(64).collect(),
        }
    }
}

impl From<UnknownName> for crate::Error {
    fn from(error: UnknownName) -> Self {
        Self::invalid(error.to_string())
    }
}

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
