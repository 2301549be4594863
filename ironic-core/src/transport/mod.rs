//! How a request reaches the conductor that looks after the node: one method each way.
//!
//! [`Transport`] carries a [`Request`] to a conductor's [`Handler`] and its answer back.
//! [`LocalTransport`] does so within a process; [Embedding](crate::guide::embedding) shows it with
//! three conductors.

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
/// - **Who calls.** [`Client`](crate::client::Client), with the name of the conductor that the ring
///   says; it asks once and passes on what comes of it. No lock is held on the caller's side.
/// - **At most once.** A request is delivered once or not at all, and never again by the transport
///   itself. An error of kind `Unreachable` or `Timeout` leaves open whether it was.
/// - **Errors.** The conductor's own come back with their kind, code, text and details.
/// - **Names** are compared byte by byte. A name that nobody has is [`Error::Unreachable`].
/// - **Many at once.** No call waits for another, to the same conductor or to another.
/// - **Dropped.** A dropped call may or may not have been delivered; if it was, the conductor
///   carries it out.
/// - **Time.** A transport may end a call with [`Error::Timeout`]; the engine sets no limit but the
///   deadline in the request's [context](RequestContext), which conductors look at before they
///   begin. Most answers come at once, as work goes on behind them; those that wait for a BMC take
///   as long as that.
/// - **Crash.** A conductor that panics over a request ends that call with an error, and so does
///   one that goes before it has answered.
/// - **Secrets** are in requests (rescue passwords, credentials) and in answers. Nothing of either
///   is in an error's text, nor in a log.
///
/// **Checked by** `transport_conformance!` (feature `testing`), which is this contract as tests.
///
/// A transport is mostly a way to send bytes, as requests and answers are `serde` types; this one
/// counts what it passes on:
///
/// ```
/// use std::sync::atomic::{AtomicU64, Ordering};
///
/// use async_trait::async_trait;
/// use ironic_core::Error;
/// use ironic_core::transport::{LocalTransport, Request, Response, Transport};
///
/// struct Counting(LocalTransport, AtomicU64);
///
/// #[async_trait]
/// impl Transport for Counting {
///     async fn call(&self, conductor: &str, request: Request) -> Result<Response, Error> {
///         self.1.fetch_add(1, Ordering::Relaxed);
///         self.0.call(conductor, request).await
///     }
/// }
/// ```
#[async_trait]
pub trait Transport: Send + Sync + 'static {
    /// Asks the conductor of this name.
    ///
    /// # Errors
    /// What the conductor answers; [`Error::Unreachable`] when there is none of that name.
    async fn call(&self, conductor: &str, request: Request) -> Result<Response, Error>;
}

/// Answers requests: what a [`Transport`] delivers to.
///
/// # Contract
/// - **Who calls.** A transport, for each request that has arrived, many at once. Who implements:
///   the conductor ([`Conductor::handler`](crate::conductor::Conductor::handler)); a host does so
///   only to stand between.
/// - **To its end.** A conductor carries a request out even when the call is dropped. It ends early
///   only when the conductor does.
/// - **Refused unread.** A request of another version than [`Request::VERSION`], and one whose
///   deadline has passed, are errors before anything is done.
/// - **Locks, time, crash.** As what is asked for needs: what changes a node takes its lock, waits
///   for it as `node_locked_retry_attempts` and `node_locked_retry_interval` say, and has answered
///   before the work is done that it begins. What had been committed is gone on with after a
///   crash; what had not, has not happened.
///
/// **Checked by** no suite of its own: the suite of transports has handlers that play conductor.
///
/// ```
/// use std::sync::Arc;
///
/// use async_trait::async_trait;
/// use ironic_core::Error;
/// use ironic_core::transport::{Handler, Request, Response};
///
/// /// Lets nothing through that is not asked in the name of somebody.
/// struct Named(Arc<dyn Handler>);
///
/// #[async_trait]
/// impl Handler for Named {
///     async fn handle(&self, request: Request) -> Result<Response, Error> {
///         if request.context.user.is_none() {
///             return Err(Error::invalid("who asks?"));
///         }
///         self.0.handle(request).await
///     }
/// }
/// ```
#[async_trait]
pub trait Handler: Send + Sync + 'static {
    /// Answers one request. The work that it begins may go on after the answer.
    ///
    /// # Errors
    /// Why the request is refused.
    async fn handle(&self, request: Request) -> Result<Response, Error>;
}
