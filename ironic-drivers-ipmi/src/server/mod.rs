//! The BMC's side: a protocol machine without I/O, and a loop that serves it on a socket.

mod bmc;
mod boot;
mod config;
mod dispatch;
mod handshake;
mod machine;
mod powered;
mod replies;
mod sensors;
mod serial;
mod session;
mod shell;

pub use bmc::{BmcServer, Operation, OperationToken, Transmit};
pub use config::{BmcConfig, BmcConfigError, User};
pub use machine::{Machine, MachineAnswer, MachineRequest};
pub use powered::PoweredMachine;
pub use shell::serve;

/// The UDP port of RMCP (IPMI 2.0 §13.1.2).
const RMCP_PORT: u16 = 623;
