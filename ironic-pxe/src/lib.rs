//! Network boot for ironic-core: DHCP, TFTP, HTTP boot files, pxe and ipxe boot interfaces.
//!
//! - [`boot`] decides: pure functions from a node's record to configuration files, links, DHCP
//!   options and the boot device, equal to the Bare Metal service's.
//! - [`PxeBoot`] does: the engine's boot interfaces `pxe`, `ipxe`, `http` and `http-ipxe`, which
//!   [`register`] gives to a registry of drivers.
//! - [`files`] holds what was decided, in memory or in a folder.
//! - [`dhcp`] and [`tftp`] are codecs and state machines for both ends, without sockets or clocks;
//!   the features `dhcp` and `tftp` add servers over UDP.
//! - `http`, with the feature `http-boot`, is a router for the same files.
//!
//! ```
//! use ironic_pxe::BootInterface;
//! use ironic_pxe::boot::{BootConfig, BootNode, BootPort, BootRequest, RamdiskParams, prepare_ramdisk};
//!
//! let mut config = BootConfig::default();
//! config.http_url = "http://192.0.2.3:8088".into();
//! config.tftp_server = "192.0.2.2".into();
//!
//! let mut node = BootNode::new("2a18b1ad-fd05-49b2-8c72-f78ef9265abb");
//! node.driver_info.insert("deploy_kernel".into(), "http://images/kernel".into());
//! node.driver_info.insert("deploy_ramdisk".into(), "http://images/ramdisk".into());
//! node.ports.push(BootPort::new("52:54:00:0a:0b:0d"));
//!
//! let params = RamdiskParams::new().with("ipa-api-url", "http://192.0.2.4:6385".to_owned());
//! let request = BootRequest::new(&config, &node, BootInterface::Ipxe);
//! let plan = prepare_ramdisk(&request, &params)?;
//! assert!(plan.files.contains_key("/httpboot/pxelinux.cfg/52-54-00-0a-0b-0d"));
//! # Ok::<(), ironic_pxe::boot::BootError>(())
//! ```

pub mod boot;
pub mod dhcp;
pub mod files;
#[cfg(feature = "http-boot")]
pub mod http;
mod interface;
pub mod tftp;

pub use interface::{
    BootImages, BootInterface, BootServices, DhcpHosts, NoDhcp, PxeBoot, ServedImages, register,
};
