//! The Bare Metal API as the agent uses it: version, lookup, heartbeat.

mod lookup;

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use reqwest::header::{ACCEPT, CONTENT_TYPE};
use reqwest::{Method, Response, StatusCode};
use serde_json::{Map, Value, json};

pub(crate) use lookup::{Lookup, TokenOffer};

/// Version header of the Bare Metal API.
const VERSION_HEADER: &str = "X-OpenStack-Ironic-API-Version";
/// Longest answer that is read, in bytes.
const MOST: usize = 16 << 20;

/// An API microversion.
pub(crate) type ApiVersion = (u32, u32);

/// Spoken when the service does not say what it speaks.
const OLDEST: ApiVersion = (1, 31);
/// First version whose heartbeat has `agent_version`.
const WITH_AGENT_VERSION: ApiVersion = (1, 36);
/// First version with agent tokens, and the one that lookups ask for.
const WITH_TOKEN: ApiVersion = (1, 62);
/// Newest version that this agent knows (`agent_verify_ca`).
const NEWEST: ApiVersion = (1, 68);

/// Reads `1.68`.
pub(crate) fn parse_version(text: &str) -> Option<ApiVersion> {
    let (major, minor) = text.split_once('.')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

/// Why a call to the API failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ApiError {
    /// No answer.
    #[error("no answer from the API: {0}")]
    Unreachable(#[source] reqwest::Error),
    /// The node is locked by somebody.
    #[error("the API reports a conflict: {0}")]
    Conflict(String),
    /// Any other refusal.
    #[error("the API answered {status}: {reason}")]
    Refused {
        /// HTTP status.
        status: u16,
        /// What the API says.
        reason: String,
    },
    /// An answer that makes no sense.
    #[error("the API's answer makes no sense: {0}")]
    Malformed(String),
}

/// One service under one or more URLs.
pub(crate) struct IronicApi {
    http: reqwest::Client,
    urls: Mutex<Vec<String>>,
    version: Mutex<Option<ApiVersion>>,
    timeout: Duration,
    request_id: Option<String>,
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl IronicApi {
    pub(crate) fn new(http: reqwest::Client, config: &crate::AgentConfig) -> Self {
        Self {
            http,
            urls: Mutex::new(config.api_urls.clone()),
            version: Mutex::new(config.api_version),
            timeout: config.request_timeout,
            request_id: config.request_id.clone(),
        }
    }

    pub(crate) fn urls(&self) -> Vec<String> {
        lock(&self.urls).clone()
    }

    /// Whether anything answers under `url`, whatever it says.
    pub(crate) async fn is_reachable(&self, url: &str) -> bool {
        self.http
            .get(url)
            .timeout(self.timeout)
            .send()
            .await
            .is_ok()
    }

    /// Keeps only these URLs.
    pub(crate) fn keep(&self, urls: Vec<String>) {
        *lock(&self.urls) = urls;
    }

    /// Asks one URL after the other until one answers; that one is asked first from then on.
    async fn request(
        &self,
        method: Method,
        path: &str,
        version: Option<ApiVersion>,
        body: Option<&Value>,
    ) -> Result<Response, ApiError> {
        let urls = self.urls();
        let mut last = None;
        for (index, url) in urls.iter().enumerate() {
            let mut request = self
                .http
                .request(method.clone(), format!("{url}{path}"))
                .timeout(self.timeout)
                .header(CONTENT_TYPE, "application/json")
                .header(ACCEPT, "application/json");
            if let Some((major, minor)) = version {
                request = request.header(VERSION_HEADER, format!("{major}.{minor}"));
            }
            if let Some(id) = &self.request_id {
                request = request.header("X-OpenStack-Request-ID", id);
            }
            if let Some(body) = body {
                request = request.body(body.to_string());
            }
            match request.send().await {
                Ok(response) => {
                    let mut current = lock(&self.urls);
                    if *current == urls {
                        current.rotate_left(index);
                    }
                    return Ok(response);
                }
                Err(error) => {
                    tracing::warn!(url, %error, "no answer from the API");
                    last = Some(ApiError::Unreachable(error));
                }
            }
        }
        Err(last.unwrap_or_else(|| ApiError::Malformed("no URL of the API is known".to_owned())))
    }

    /// The newest version the service speaks; asked once, and the oldest if it does not say.
    async fn version(&self) -> ApiVersion {
        if let Some(version) = *lock(&self.version) {
            return version;
        }
        let found = async {
            let response = self.request(Method::GET, "/", None, None).await.ok()?;
            let body: Value = serde_json::from_slice(&read(response).await.ok()?).ok()?;
            parse_version(body.pointer("/default_version/version")?.as_str()?)
        }
        .await;
        if let Some(version) = found {
            *lock(&self.version) = Some(version);
        } else {
            tracing::warn!("the API does not tell its version, going on with the oldest");
        }
        found.unwrap_or(OLDEST)
    }

    /// Tells the conductor that the agent is there and where.
    ///
    /// # Errors
    /// [`ApiError`]; the next heartbeat may get through.
    pub(crate) async fn heartbeat(
        &self,
        node: &str,
        callback_url: &str,
        token: Option<&str>,
    ) -> Result<(), ApiError> {
        let version = self.version().await;
        let mut body = Map::new();
        body.insert("callback_url".to_owned(), json!(callback_url));
        if version >= WITH_TOKEN {
            body.insert("agent_token".to_owned(), json!(token));
        }
        if version >= WITH_AGENT_VERSION {
            body.insert("agent_version".to_owned(), json!(crate::VERSION));
        }
        let response = self
            .request(
                Method::POST,
                &format!("/v1/heartbeat/{node}"),
                Some(version.min(NEWEST)),
                Some(&Value::Object(body)),
            )
            .await?;
        match response.status() {
            StatusCode::ACCEPTED => Ok(()),
            _ => Err(refusal(response).await),
        }
    }

    /// Asks for the node that has one of these MAC addresses.
    async fn lookup(&self, addresses: &[String], node: Option<&str>) -> Result<Lookup, ApiError> {
        let mut path = format!("/v1/lookup?addresses={}", quote(&addresses.join(",")));
        if let Some(node) = node {
            path.push_str("&node_uuid=");
            path.push_str(&quote(node));
        }
        let version = self.version().await.min(WITH_TOKEN);
        let response = self
            .request(Method::GET, &path, Some(version), None)
            .await?;
        if response.status() != StatusCode::OK {
            return Err(refusal(response).await);
        }
        Lookup::parse(&read(response).await?)
    }
}

/// Percent-encodes a query value (RFC 3986 §2.1).
fn quote(text: &str) -> String {
    use std::fmt::Write as _;

    let mut out = String::with_capacity(text.len() * 3);
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            out.push(char::from(byte));
        } else {
            let _infallible = write!(out, "%{byte:02X}");
        }
    }
    out
}

async fn refusal(response: Response) -> ApiError {
    let status = response.status();
    let body = read(response).await.unwrap_or_default();
    let reason = reason(&body);
    if status == StatusCode::CONFLICT {
        return ApiError::Conflict(reason);
    }
    ApiError::Refused {
        status: status.as_u16(),
        reason,
    }
}

/// What an error body says: `error_message` is an object, or, of old, an object in a text.
fn reason(body: &[u8]) -> String {
    let text = |value: &Value| {
        ["faultstring", "title"]
            .iter()
            .find_map(|key| value.get(key)?.as_str().map(str::to_owned))
    };
    let parsed: Value = serde_json::from_slice(body).unwrap_or_default();
    let inner = parsed.get("error_message").unwrap_or(&parsed);
    let found = match inner {
        Value::String(nested) => serde_json::from_str(nested)
            .ok()
            .and_then(|nested: Value| text(&nested)),
        other => text(other),
    };
    found
        .unwrap_or_else(|| String::from_utf8_lossy(body).into_owned())
        .chars()
        .take(500)
        .collect()
}

/// Reads a body of bounded length.
pub(crate) async fn read(response: Response) -> Result<Vec<u8>, ApiError> {
    read_at_most(response, MOST)
        .await
        .map_err(|error| match error {
            ReadError::Broken(error) => ApiError::Unreachable(error),
            ReadError::TooLong => ApiError::Malformed("longer than is sensible".to_owned()),
        })
}

pub(crate) enum ReadError {
    Broken(reqwest::Error),
    TooLong,
}

/// Reads a body of at most `most` bytes.
pub(crate) async fn read_at_most(
    mut response: Response,
    most: usize,
) -> Result<Vec<u8>, ReadError> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(ReadError::Broken)? {
        if body.len() + chunk.len() > most {
            return Err(ReadError::TooLong);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

#[cfg(test)]
mod tests {
    use super::{parse_version, quote, reason};

    #[test]
    fn versions_are_numbers_and_not_texts() {
        assert!(parse_version("1.9") < parse_version("1.62"));
        for bad in ["", "1", "1.x", "1.2.3", "-1.2"] {
            assert_eq!(parse_version(bad), None, "{bad}");
        }
    }

    #[test]
    fn addresses_are_quoted_as_the_original_does() {
        assert_eq!(quote("52:54:00,a-b"), "52%3A54%3A00%2Ca-b");
    }

    #[test]
    fn the_reason_stands_in_one_of_three_places() {
        for (body, said) in [
            (r#"{"error_message": {"faultstring": "gone"}}"#, "gone"),
            (
                r#"{"error_message": "{\"faultstring\": \"gone\"}"}"#,
                "gone",
            ),
            (r#"{"title": "gone"}"#, "gone"),
            ("<html>", "<html>"),
            ("[1", "[1"),
        ] {
            assert_eq!(reason(body.as_bytes()), said);
        }
    }
}
