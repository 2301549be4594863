//! In-band inspection: a ramdisk reports what the machine is made of.

mod agent;
mod hooks;

pub use agent::AgentInspect;
