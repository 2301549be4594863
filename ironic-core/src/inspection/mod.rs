//! In-band inspection: a ramdisk reports what the machine is made of.

mod agent;
mod hooks;
mod interfaces;

pub use agent::AgentInspect;
