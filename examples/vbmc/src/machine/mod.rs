//! The machine behind the virtual BMC.

mod agent;
mod builder;
mod error;
mod event;
mod firmware;
mod hardware;
mod life;
mod reporter;
mod simulated;
mod timings;

pub use builder::SimulatedMachineBuilder;
pub use error::MachineError;
pub use event::{MachineEvent, MachineReport};
pub use firmware::{BootSource, Firmware};
pub use simulated::{MachineState, SimulatedMachine};
pub use timings::Timings;

pub(crate) use reporter::Reporter;
