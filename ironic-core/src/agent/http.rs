use async_trait::async_trait;
use futures::StreamExt as _;
use serde_json::Value;

use super::{AgentAnswer, AgentRequest, AgentTransport};
use crate::Error;

/// The most of an answer that is read.
const LONGEST: usize = 16 << 20;

/// Reaches agents over HTTP, with the certificate that each has made for itself.
#[derive(Debug, Clone)]
pub struct HttpAgentTransport {
    plain: reqwest::Client,
}

impl HttpAgentTransport {
    /// A transport with a pool of its own. For `https` agents the host installs a TLS provider.
    ///
    /// # Errors
    /// [`Error::Internal`] when no client can be made.
    pub fn new() -> Result<Self, Error> {
        Ok(Self {
            plain: build(None)?,
        })
    }
}

fn build(certificate: Option<&str>) -> Result<reqwest::Client, Error> {
    let failed =
        |error: reqwest::Error| Error::internal(format!("no HTTP client for agents: {error}"));
    let mut builder = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy();
    if let Some(pem) = certificate {
        let certificate = reqwest::Certificate::from_pem(pem.as_bytes()).map_err(|error| {
            Error::driver(
                "agent",
                format!("the agent's certificate cannot be read: {error}"),
            )
        })?;
        builder = builder.tls_certs_only([certificate]);
    }
    builder.build().map_err(failed)
}

#[async_trait]
impl AgentTransport for HttpAgentTransport {
    async fn send(&self, request: AgentRequest) -> Result<AgentAnswer, Error> {
        let client = match request.certificate.as_deref() {
            Some(pem) => build(Some(pem))?,
            None => self.plain.clone(),
        };
        let http = match &request.body {
            Some(body) => client.post(&request.url).json(body),
            None => client.get(&request.url),
        };
        let answer = http
            .timeout(request.timeout)
            .send()
            .await
            .map_err(|error| unreachable(&request, error))?;
        let status = answer.status().as_u16();
        let mut bytes = Vec::new();
        let mut stream = answer.bytes_stream();
        while let Some(chunk) = stream.next().await {
            let chunk = chunk.map_err(|error| unreachable(&request, error))?;
            if bytes.len() + chunk.len() > LONGEST {
                return Err(Error::driver(
                    "agent",
                    format!("the agent's answer is longer than {LONGEST} bytes"),
                ));
            }
            bytes.extend_from_slice(&chunk);
        }
        if bytes.is_empty() {
            return Ok(AgentAnswer::new(status, Value::Null));
        }
        let body = serde_json::from_slice(&bytes).map_err(|error| {
            Error::driver(
                "agent",
                format!("the agent's answer with status {status} is no JSON: {error}"),
            )
        })?;
        Ok(AgentAnswer::new(status, body))
    }
}

fn unreachable(request: &AgentRequest, error: reqwest::Error) -> Error {
    let what = request.url.split('?').next().unwrap_or_default().to_owned();
    if error.is_timeout() {
        return Error::Timeout {
            what: format!("the agent at {what}"),
            after: request.timeout,
        };
    }
    // The error's own text would show the URL with the token.
    let mut message = error.without_url().to_string();
    message.truncate(500);
    Error::Unreachable {
        what: format!("the agent at {what}"),
        message,
    }
}
