use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use super::{Interface, SharedTask, Task};
use crate::Error;

/// How to reach a console.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ConsoleInfo {
    /// What sort, such as `socat`.
    pub kind: String,
    /// Where.
    pub url: String,
}

impl ConsoleInfo {
    /// A console of this sort at this address.
    pub fn new(kind: impl Into<String>, url: impl Into<String>) -> Self {
        Self {
            kind: kind.into(),
            url: url.into(),
        }
    }
}

/// Opens a machine's console.
///
/// # Contract
/// Besides what [`Interface`] asks for:
///
/// | method | who calls it, and when | lock |
/// |---|---|---|
/// | [`start`](Self::start) | a request, after its answer; a deployment that has succeeded; the conductor to which a node with an enabled console has come | held |
/// | [`stop`](Self::stop) | a request, after its answer; a tear-down; the removal of the node; the conductor from which it has gone, and every conductor as it stops | held |
/// | [`get`](Self::get) | a request, where the console is enabled | no |
///
/// - **Again.** To start one that runs or to stop one that does not is no error. `stop` is also
///   called on a conductor that never started it.
/// - **Where it runs.** In this conductor's process or beside it. It does not outlive the
///   conductor's `stop`; after a crash the next conductor starts another, and whatever the former
///   left must not be in its way.
/// - **It goes on by itself.** What `start` leaves running holds no lock, ends when `stop` is
///   called, and is bounded in memory, whoever reads from it and however slowly.
/// - **Errors.** After a request that failed the console is recorded as it was before, and
///   `last_error` says why. One that does not start after a deployment or a take-over is disabled
///   and fails nothing; one that does not stop fails the tear-down.
/// - **Crash.** A request that was under way is forgotten; the console stays as it was recorded.
///
/// **Checked by** `driver_conformance!`: `a_console_may_be_asked_for_again`.
///
/// ```
/// use async_trait::async_trait;
/// use ironic_core::Error;
/// use ironic_core::driver::{Console, ConsoleInfo, Interface, SharedTask, Task};
///
/// /// Consoles behind a terminal server, which are always there.
/// struct Terminals;
///
/// # #[async_trait]
/// # impl Interface for Terminals {
/// #     async fn validate(&self, _task: &SharedTask) -> Result<(), Error> { Ok(()) }
/// # }
/// #[async_trait]
/// impl Console for Terminals {
///     async fn start(&self, _task: &mut Task) -> Result<(), Error> {
///         Ok(())
///     }
///
///     async fn stop(&self, _task: &mut Task) -> Result<(), Error> {
///         Ok(())
///     }
///
///     async fn get(&self, task: &SharedTask) -> Result<ConsoleInfo, Error> {
///         Ok(ConsoleInfo::new("socat", format!("tcp://192.0.2.9:{}", 2000 + task.ports().len())))
///     }
/// }
/// ```
#[async_trait]
pub trait Console: Interface {
    /// Starts it.
    ///
    /// # Errors
    /// Why it cannot.
    async fn start(&self, task: &mut Task) -> Result<(), Error>;

    /// Stops it.
    ///
    /// # Errors
    /// Why it cannot.
    async fn stop(&self, task: &mut Task) -> Result<(), Error>;

    /// How to reach it.
    ///
    /// # Errors
    /// Why it cannot tell.
    async fn get(&self, task: &SharedTask) -> Result<ConsoleInfo, Error>;
}
