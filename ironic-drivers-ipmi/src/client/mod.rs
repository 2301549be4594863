//! The client: all BMCs over one socket for each address family.

mod endpoint;
mod handle;
mod task;

pub use endpoint::{Endpoint, RMCP_PORT};
pub use handle::{Bmc, IpmiClient};
