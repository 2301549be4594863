//! A virtual BMC, and the machine behind it.
//!
//! The machine is anything that implements [`Machine`]: [`PoweredMachine`] is on or off, and nothing else;
//! [`SimulatedMachine`] boots what DHCP, TFTP and HTTP servers give it, runs the real agent, and boots what that wrote
//! to its disks. A rack of them fits one process:
//!
//! ```
//! use std::sync::Arc;
//! use ironic_vbmc::{MachineReport, SimulatedMachine, VirtualBmc};
//! use tokio::sync::broadcast;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let _installed = rustls::crypto::ring::default_provider().install_default();
//! # let folder = tempfile::tempdir()?;
//! let http = reqwest::Client::new();
//! let events = broadcast::Sender::<MachineReport>::new(4096);
//! let mut reports = events.subscribe();
//! for number in 1..=3u8 {
//!     let machine = SimulatedMachine::builder([0x52, 0x54, 0, 0, 0, number].into(), http.clone())
//!         .name(format!("machine-{number}"))
//!         .disk(folder.path().join(format!("{number}.img")), 4 << 30)
//!         .dhcp("127.0.0.1:6067".parse()?)
//!         .tftp("127.0.0.1:6069".parse()?)
//!         .events(events.clone())
//!         .build()?;
//!     let bmc = VirtualBmc::bind("127.0.0.1:0".parse()?, "admin", "password").await?;
//!     println!("ipmitool -I lanplus -H 127.0.0.1 -p {} …", bmc.address().port());
//!     tokio::spawn(bmc.serve(Arc::new(machine)));
//! }
//! tokio::spawn(async move {
//!     while let Ok(report) = reports.recv().await {
//!         println!("{}: {}", report.machine, report.event);
//!     }
//! });
//! # Ok(())
//! # }
//! ```

mod bmc;
mod disk;
mod machine;
mod network;
mod script;

pub use bmc::{VirtualBmc, VirtualBmcError};
pub use disk::{ConfigDriveReport, DiskError, DiskReport, ImageDigest, TableKind};
pub use ironic_agent::{CommandReport, Fault, FaultKind};
pub use ironic_drivers_ipmi::server::{Machine, PoweredMachine};
pub use ironic_pxe::dhcp::HardwareAddress;
pub use machine::{
    BootSource, Firmware, MachineError, MachineEvent, MachineReport, MachineState,
    SimulatedMachine, SimulatedMachineBuilder, Timings,
};
