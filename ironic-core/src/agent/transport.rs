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
/// Any answer of the agent is an [`AgentAnswer`], whatever its status. No redirect is followed,
/// and no more than 16 MiB of an answer is read. A dropped call may or may not have reached the
/// agent.
#[async_trait]
pub trait AgentTransport: Send + Sync + std::fmt::Debug + 'static {
    /// Sends a request.
    ///
    /// # Errors
    /// [`Error::Unreachable`] or [`Error::Timeout`] when there was no answer,
    /// [`Error::Driver`] when it was no JSON.
    async fn send(&self, request: AgentRequest) -> Result<AgentAnswer, Error>;
}
