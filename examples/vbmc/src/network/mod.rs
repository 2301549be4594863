//! Network boot as firmware and boot loaders do it, over sockets.

mod boot;
mod dhcp;
mod error;
mod fetch;
mod grub;
mod ipxe;
mod program;
mod pxelinux;

pub(crate) use boot::{NetworkBoot, NetworkBooter, NetworkLinux};
pub(crate) use dhcp::DhcpPort;
pub(crate) use error::NetworkError;
