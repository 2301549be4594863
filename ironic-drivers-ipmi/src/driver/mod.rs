//! The `ipmi` hardware type: power and management of machines whose BMC speaks IPMI 2.0.
//!
//! The interfaces are registered under the name `ipmitool`, as in the original, though no such
//! program is run: inventories and habits carry over.

mod alias;
mod connection;
mod console;
mod console_bridge;
mod error;
mod hardware;
mod info;
mod management;
mod power;
mod sensor_report;
mod sensors;
mod vendor;

pub use connection::IpmiDriver;
pub use console::{ConsoleSettings, IpmiConsole};
pub use hardware::IpmiHardware;
pub use info::{Bridging, DriverInfo, DriverInfoError, ProtocolVersion};
pub use management::IpmiManagement;
pub use power::IpmiPower;
pub use vendor::IpmiVendor;

use std::sync::Arc;

use ironic_core::driver::RegistryBuilder;

/// Registers the hardware type `ipmi`, its interfaces, all under `ipmitool`, and the old names of
/// nodes that were driven by IPMI (`pxe_ipmitool`, `agent_ipmitool`, …).
pub fn register(builder: RegistryBuilder, driver: &IpmiDriver) -> RegistryBuilder {
    alias::register(builder)
        .hardware(Arc::new(IpmiHardware))
        .power("ipmitool", Arc::new(IpmiPower::new(driver.clone())))
        .management("ipmitool", Arc::new(IpmiManagement::new(driver.clone())))
        .vendor("ipmitool", Arc::new(IpmiVendor::new(driver.clone())))
}

/// Registers the console interface `ipmitool-socat`.
pub fn register_console(builder: RegistryBuilder, console: IpmiConsole) -> RegistryBuilder {
    builder.console("ipmitool-socat", Arc::new(console))
}
