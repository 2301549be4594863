//! Network boot for ironic-core: DHCP, TFTP, HTTP boot files, pxe and ipxe boot interfaces.

pub mod boot;
pub mod dhcp;
pub mod files;
mod interface;
pub mod tftp;

pub use interface::BootInterface;
