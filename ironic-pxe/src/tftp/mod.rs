//! TFTP: packets and both ends of a read transfer as state machines, and a server over UDP.

mod error;
mod netascii;
mod options;
mod packet;
mod receive;
mod retry;
mod send;
#[cfg(feature = "tftp")]
mod service;

pub use error::TransferError;
pub use options::{TftpOptions, TransferLimits};
pub use packet::{ErrorCode, Mode, Packet, PacketError, ReadRequest};
pub use receive::{ReceiveConfig, ReceiveTransfer};
pub use retry::RetryPolicy;
pub use send::{SendTransfer, Wanted};
#[cfg(feature = "tftp")]
pub use service::{TftpService, TftpServiceConfig, fetch};
