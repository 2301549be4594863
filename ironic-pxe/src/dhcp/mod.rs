//! DHCPv4 for network boot: the codec, a server and a client as state machines, and a server over
//! UDP.

mod address;
mod arch;
mod client;
mod hosts;
mod message;
mod options;
mod server;
#[cfg(feature = "dhcp")]
mod service;

pub use address::HardwareAddress;
pub use arch::ClientArch;
pub use client::{ClientConfig, ClientError, DhcpClient, Lease};
pub use hosts::{BootFiles, ClientInfo, HostConfig, HostTable, MemoryHosts};
pub use message::{DhcpMessage, MessageError, Operation};
pub use options::{DhcpOptions, MessageType, code};
pub use server::{DhcpServer, Reply, ServerConfig, ServerPort};
#[cfg(feature = "dhcp")]
pub use service::DhcpService;

/// Port that DHCP servers listen at (RFC 2131 §4.1).
pub const SERVER_PORT: u16 = 67;
/// Port that DHCP clients listen at (RFC 2131 §4.1).
pub const CLIENT_PORT: u16 = 68;
/// Port that PXE boot servers listen at besides 67 (PXE 2.1 §2.2.1).
pub const PXE_PORT: u16 = 4011;
