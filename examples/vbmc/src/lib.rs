//! A virtual BMC, and the machine behind it.
//!
//! The machine is anything that implements [`Machine`]; [`PoweredMachine`] is the plain one, which is on or off.
//!
//! ```
//! use std::sync::Arc;
//! use ironic_vbmc::{PoweredMachine, VirtualBmc};
//!
//! # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
//! let bmc = VirtualBmc::bind("127.0.0.1:0".parse().unwrap(), "admin", "password").await?;
//! println!("ipmitool -I lanplus -H 127.0.0.1 -p {} …", bmc.address().port());
//! let serving = bmc.serve(Arc::new(PoweredMachine::new()));
//! # drop(serving);
//! # Ok::<(), ironic_vbmc::VirtualBmcError>(())
//! # }).unwrap();
//! ```

mod bmc;

pub use bmc::{VirtualBmc, VirtualBmcError};
pub use ironic_drivers_ipmi::server::{Machine, PoweredMachine};
