//! The console's side: a protocol machine towards one BMC, without I/O.

mod config;
mod error;
mod open;
mod opening;
mod request;
mod session;
mod sol;

pub use config::{ConsoleConfig, Timing};
pub use error::{AuthenticationFailure, IpmiError};
pub use request::{Outcome, Request, RequestId};
pub use session::ConsoleSession;
pub use sol::{SolConsole, SolEnded};
