//! The boot interfaces `pxe`, `ipxe`, `http` and `http-ipxe`: what they share, and how each puts a
//! plan into effect.

mod boot_device;
mod boot_mode;
mod dhcp;
mod error;
mod images;
mod kind;
mod node;
mod pxe_boot;
mod services;
mod validate;

pub use dhcp::{DhcpHosts, NoDhcp};
pub use images::{BootImages, ServedImages};
pub use kind::BootInterface;
pub use pxe_boot::{PxeBoot, register};
pub use services::BootServices;
