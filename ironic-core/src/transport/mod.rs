//! How a request reaches the conductor that looks after the node: one method each way.

mod call;
mod local;
mod machine;
mod record;

pub use call::{
    BootDeviceSetting, Call, Change, HeartbeatArgs, InspectionArgs, LookupAnswer, ProvisionArgs,
    Request, RequestContext, Response, Validation,
};
pub use local::LocalTransport;
pub use machine::{DriverCall, MachineAnswer, MachineCall, VendorAnswer};
pub(crate) use record::object_of;
pub use record::{AnyRecord, ClientRecord, WrittenBy};

use async_trait::async_trait;

use crate::Error;

/// Carries requests to conductors by name.
///
/// # Contract
/// A request is delivered at most once; an error of kind `Unreachable` or `Timeout` leaves open
/// whether it was. The conductor's own errors come back with their kind, code, text and details.
/// A dropped call may or may not have been delivered. Names are compared byte by byte. No call
/// waits for another, and a conductor that panics over one ends that call with an error, as does
/// one that goes before it has answered.
///
/// `ironic_core::transport_conformance!` (feature `testing`) is this contract as tests.
#[async_trait]
pub trait Transport: Send + Sync + 'static {
    /// Asks the conductor of this name.
    ///
    /// # Errors
    /// What the conductor answers; [`Error::Unreachable`] when there is none of that name.
    async fn call(&self, conductor: &str, request: Request) -> Result<Response, Error>;
}

/// Answers requests: what a [`Transport`] delivers to.
#[async_trait]
pub trait Handler: Send + Sync + 'static {
    /// Answers one request. The work that it begins may go on after the answer.
    ///
    /// # Errors
    /// Why the request is refused.
    async fn handle(&self, request: Request) -> Result<Response, Error>;
}
