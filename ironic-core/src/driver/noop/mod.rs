//! Interfaces that do nothing: `no-*` say that a machine has no such thing and refuse everything,
//! `noop` leaves what it stands for to the operator and agrees to everything.

mod absent;
mod deploy;
mod hardware;
mod management;
mod network;
mod storage;
#[cfg(test)]
mod tests;

pub use absent::{NoBios, NoConsole, NoFirmware, NoInspect, NoRaid, NoRescue, NoVendor};
pub use deploy::NoopDeploy;
pub use hardware::ManualManagement;
pub use management::NoopManagement;
pub use network::NoopNetwork;
pub use storage::NoopStorage;

use std::sync::Arc;

use super::{FlatNetwork, RegistryBuilder};

/// Registers every interface of this module under the original's name, the network interface
/// `flat` and the hardware type `manual-management`; enables nothing.
pub fn register(builder: RegistryBuilder) -> RegistryBuilder {
    builder
        .hardware(Arc::new(ManualManagement))
        .bios("no-bios", Arc::new(NoBios))
        .console("no-console", Arc::new(NoConsole))
        .deploy("noop", Arc::new(NoopDeploy))
        .firmware("no-firmware", Arc::new(NoFirmware))
        .inspect("no-inspect", Arc::new(NoInspect))
        .management("noop", Arc::new(NoopManagement))
        .network("noop", Arc::new(NoopNetwork))
        .network("flat", Arc::new(FlatNetwork))
        .raid("no-raid", Arc::new(NoRaid))
        .rescue("no-rescue", Arc::new(NoRescue))
        .storage("noop", Arc::new(NoopStorage))
        .vendor("no-vendor", Arc::new(NoVendor))
}
