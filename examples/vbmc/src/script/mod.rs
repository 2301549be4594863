//! What boot loaders read, as pure state machines: texts go in, what to load and to boot comes out.

mod error;
mod grub;
mod ipxe;
mod location;
mod pxelinux;

pub(crate) use error::ScriptError;
pub(crate) use grub::{GrubSession, GrubStep, configuration_names as grub_configuration_names};
pub(crate) use ipxe::{Answer, Ending, FetchKind, IpxeSession, Settings, Step, Value, is_script};
pub(crate) use location::{Location, LocationError};
pub(crate) use pxelinux::{
    PxelinuxConfig, PxelinuxEntry, configuration_names as pxelinux_configuration_names,
};

/// Most bytes of a script or configuration.
pub(crate) const MAX_SCRIPT: u64 = 1 << 20;

/// A kernel to start, by the names that a configuration gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Linux {
    pub(crate) kernel: String,
    pub(crate) initrds: Vec<String>,
    pub(crate) command_line: String,
}
