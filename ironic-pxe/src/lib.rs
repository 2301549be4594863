//! Network boot for ironic-core: DHCP, TFTP, HTTP boot files, pxe and ipxe boot interfaces.

pub mod boot;
mod interface;

pub use interface::BootInterface;
