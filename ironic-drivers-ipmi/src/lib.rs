//! IPMI 2.0 over RMCP+, both ends, in cipher suites 3 and 17.
//!
//! - [`codec`] and [`command`]: bytes to values and back.
//! - [`console`]: the remote console's end of the protocol towards one BMC, without I/O.
//! - [`sensor`]: what sensors are and what their readings mean.
//! - `client` (feature `client`, default): any number of BMCs over one UDP socket, on tokio.
//! - `server` (feature `server`): the BMC's end, without I/O, and a loop that serves it on a socket.
//! - `driver` (with `client`): what a node's `driver_info` says of its BMC.
//!
//! A client and a BMC that meet on the loopback device:
//!
//! ```
//! # #[cfg(feature = "server")]
//! # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
//! use std::sync::Arc;
//!
//! use ironic_core::{Entropy, OsEntropy, Secret};
//! use ironic_drivers_ipmi::{
//!     client::{Endpoint, IpmiClient},
//!     codec::Privilege,
//!     command::{BootDevice, BootFlags, ChassisAction, Guid},
//!     server::{BmcConfig, PoweredMachine, User, serve},
//! };
//!
//! let socket = tokio::net::UdpSocket::bind("127.0.0.1:0").await?;
//! let address = socket.local_addr()?;
//! let admin = User::new("admin", "password", Privilege::Administrator)?;
//! let config = BmcConfig::new(Guid([0; 16]), vec![admin])?;
//! let machine = Arc::new(PoweredMachine::new());
//! tokio::spawn(serve(socket, config, machine.clone(), |out: &mut [u8]| OsEntropy.fill(out)));
//!
//! let client = IpmiClient::new(Arc::new(OsEntropy));
//! let password = Secret::new("password".to_owned());
//! let bmc = client.bmc(Endpoint::new(address, "admin", &password)?);
//! assert!(!bmc.chassis_status().await?.is_powered());
//! bmc.set_boot_flags(BootFlags::next_boot(BootDevice::Pxe).efi(true)).await?;
//! bmc.chassis_control(ChassisAction::PowerUp).await?;
//! assert_eq!(machine.boots(), [BootDevice::Pxe]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # }).unwrap();
//! ```

#[cfg(feature = "client")]
pub mod client;
pub mod codec;
pub mod command;
pub mod console;
#[cfg(feature = "client")]
pub mod driver;
#[cfg(feature = "testing")]
pub mod fuzz;
pub mod sensor;
#[cfg(feature = "server")]
pub mod server;
mod session;

pub use session::{Key, KeyTooLong, MAX_KEY, Random};
