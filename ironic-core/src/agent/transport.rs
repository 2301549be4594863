use std::time::Duration;

use async_trait::async_trait;
use serde_json::Value;

use crate::Error;

/// One HTTP exchange with an agent's command server.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct AgentRequest {
    /// The whole URL; its query may hold the agent's token.
    pub url: String,
    /// The body of a POST; `None` makes it a GET.
    pub body: Option<Value>,
    /// The certificate (PEM) that the agent has made for itself; `None` for plain HTTP, or to
    /// trust what the transport trusts.
    pub certificate: Option<String>,
    /// How long the exchange may take.
    pub timeout: Duration,
}

impl AgentRequest {
    /// A request.
    pub fn new(
        url: String,
        body: Option<Value>,
        certificate: Option<String>,
        timeout: Duration,
    ) -> Self {
        Self {
            url,
            body,
            certificate,
            timeout,
        }
    }
}

impl std::fmt::Debug for AgentRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let plain = self.url.split('?').next().unwrap_or_default();
        f.debug_struct("AgentRequest")
            .field("url", &plain)
            .finish_non_exhaustive()
    }
}

/// What an agent answers.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct AgentAnswer {
    /// The HTTP status.
    pub status: u16,
    /// The JSON body; null when there is none.
    pub body: Value,
}

impl AgentAnswer {
    /// An answer.
    pub fn new(status: u16, body: Value) -> Self {
        Self { status, body }
    }
}

/// Reaches agents.
///
/// # Contract
/// - **Who calls.** [`AgentClient`](super::AgentClient): commands under the node's lock, questions
///   under it or not. From any thread, many at once; no call waits for another.
/// - **Once.** One exchange for each call, nothing is repeated here: the client repeats a command
///   that got no answer up to `agent_max_command_attempts` times, and looks in between whether the
///   agent has it.
/// - **Any answer** of the agent is an [`AgentAnswer`], whatever its status. No redirect is
///   followed, and no more than 16 MiB of an answer is read.
/// - **Time.** The exchange is over after the request's `timeout`.
/// - **Trust.** With a `certificate`, that one is trusted and no other.
/// - **Secrets.** The URL's query may hold the agent's token: neither a log nor an error shows it.
/// - **Dropped.** The request may or may not have reached the agent. After a crash the same command
///   may be given again; the client knows by the agent's list of commands.
///
/// **Checked by** no suite; the HTTP one (feature `http`) talks to this project's own agent in
/// the tests of the reference host.
///
/// ```
/// use async_trait::async_trait;
/// use ironic_core::Error;
/// use ironic_core::agent::{AgentAnswer, AgentRequest, AgentTransport};
/// use serde_json::json;
///
/// /// For tests: an agent that has done everything already.
/// #[derive(Debug)]
/// struct Eager;
///
/// #[async_trait]
/// impl AgentTransport for Eager {
///     async fn send(&self, request: AgentRequest) -> Result<AgentAnswer, Error> {
///         let name = request.body.as_ref().and_then(|body| body.get("name"));
///         let done = json!({"id": "1", "command_name": name, "command_status": "SUCCEEDED"});
///         Ok(AgentAnswer::new(200, done))
///     }
/// }
/// ```
#[async_trait]
pub trait AgentTransport: Send + Sync + std::fmt::Debug + 'static {
    /// Sends a request.
    ///
    /// # Errors
    /// [`Error::Unreachable`] or [`Error::Timeout`] when there was no answer,
    /// [`Error::Driver`] when it was no JSON.
    async fn send(&self, request: AgentRequest) -> Result<AgentAnswer, Error>;
}
