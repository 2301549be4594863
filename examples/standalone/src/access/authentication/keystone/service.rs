//! Requests to the Identity service.

use std::sync::Arc;
use std::time::Duration;

use http::{HeaderValue, StatusCode};
use ironic_core::{Clock, Error, Timestamp};
use reqwest::{Client, RequestBuilder, Response};
use tokio::sync::{Mutex, Semaphore};
use tokio::time::Instant;

use super::settings::{KeystoneLogin, KeystoneSettings};
use super::token::Token;

/// The largest answer that is read, in bytes.
const LARGEST_ANSWER: usize = 1 << 20;
/// The pause before a request is sent again; it doubles.
const PAUSE: Duration = Duration::from_millis(200);
/// How long nothing is asked after this service's own credentials were refused: a user who fails
/// too often is locked out.
const AFTER_REFUSAL: Duration = Duration::from_secs(10);
/// How long before its end this service's own token is renewed.
const RENEWED_BEFORE: Duration = Duration::from_secs(60);
/// How many requests there are at a time, and how many wait for their turn at most.
const MOST_REQUESTS: usize = 32;
const MOST_WAITING: usize = 1024;

/// Why it is not known whether a token holds.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Outage {
    #[error("the Identity service cannot be reached: {0}")]
    Unreachable(String),
    #[error("the Identity service refuses this service's own credentials (401)")]
    Refused,
    #[error("the Identity service does not let this service validate tokens (403)")]
    Forbidden,
    #[error("the Identity service answers {0}")]
    Status(StatusCode),
    #[error("the Identity service answers what is no description of a token")]
    Nonsense,
    #[error("too many tokens are being validated")]
    Busy,
}

/// The Identity service, as this service uses it.
pub(super) struct IdentityService {
    http: Client,
    validations: String,
    ended: String,
    login: KeystoneLogin,
    attempts: u32,
    clock: Arc<dyn Clock>,
    own: Mutex<Own>,
    turns: Semaphore,
    waiting: Semaphore,
}

/// This service's own token.
#[derive(Default)]
struct Own {
    token: Option<(HeaderValue, Timestamp)>,
    refused: Option<Instant>,
}

impl IdentityService {
    pub(super) fn new(settings: &KeystoneSettings, clock: Arc<dyn Clock>) -> Result<Self, Error> {
        if rustls::crypto::CryptoProvider::get_default().is_none() {
            return Err(Error::invalid(
                "tokens are validated over HTTP, and no rustls crypto provider is installed in \
                 this process",
            ));
        }
        let mut http = Client::builder()
            .user_agent(concat!("ironic/", env!("CARGO_PKG_VERSION")))
            .timeout(settings.timeout)
            // Tokens go to the service of the settings and nowhere else.
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .tls_danger_accept_invalid_certs(settings.insecure);
        if let Some(path) = &settings.ca_file {
            let wrong = |why: String| {
                let path = path.display();
                Error::invalid(format!("ca_file in [keystone], {path}: {why}"))
            };
            let pem = std::fs::read(path).map_err(|error| wrong(error.to_string()))?;
            let trusted = reqwest::Certificate::from_pem_bundle(&pem);
            let trusted = trusted.map_err(|error| wrong(error.to_string()))?;
            if trusted.is_empty() {
                return Err(wrong("there is no certificate in it".to_owned()));
            }
            http = http.tls_certs_only(trusted);
        }
        let http = http.build();
        let tokens = format!("{}/v3/auth/tokens", settings.auth_url);
        Ok(Self {
            http: http.map_err(|error| Error::internal(error.to_string()))?,
            // The catalogue of services would be most of each answer.
            validations: format!("{tokens}?nocatalog"),
            ended: format!("{tokens}?nocatalog&allow_expired=1"),
            login: settings.login.clone(),
            attempts: settings.attempts,
            clock,
            own: Mutex::default(),
            turns: Semaphore::new(MOST_REQUESTS),
            waiting: Semaphore::new(MOST_WAITING),
        })
    }

    /// What the service says of a token. None when it does not hold.
    pub(super) async fn validate(
        &self,
        subject: &HeaderValue,
        even_ended: bool,
    ) -> Result<Option<Arc<Token>>, Outage> {
        let _waiting = self.waiting.try_acquire().map_err(|_| Outage::Busy)?;
        let _turn = self.turns.acquire().await.map_err(|_| Outage::Busy)?;
        let url = if even_ended {
            &self.ended
        } else {
            &self.validations
        };
        let mut own = self.own_token(None).await?;
        for last in [false, true] {
            let request = self
                .http
                .get(url)
                .header("x-auth-token", &own)
                .header("x-subject-token", subject)
                // Without this word the service tells nothing of tokens that have access rules.
                .header("openstack-identity-access-rules", "1");
            let response = self.send(&request).await?;
            match response.status() {
                StatusCode::OK => {
                    let token = Token::parse(&body(response).await?).ok_or(Outage::Nonsense)?;
                    return Ok(Some(Arc::new(token)));
                }
                StatusCode::NOT_FOUND => return Ok(None),
                StatusCode::UNAUTHORIZED if !last => own = self.own_token(Some(&own)).await?,
                StatusCode::UNAUTHORIZED => break,
                StatusCode::FORBIDDEN => return Err(Outage::Forbidden),
                status => return Err(Outage::Status(status)),
            }
        }
        Err(Outage::Refused)
    }

    /// This service's own token: the last one, if it still holds and is not the one that was
    /// refused, else a new one. One at a time gets it for all.
    async fn own_token(&self, refused: Option<&HeaderValue>) -> Result<HeaderValue, Outage> {
        let mut own = self.own.lock().await;
        if let Some((token, ends)) = &own.token {
            let holds = ends.since(self.clock.now()) > RENEWED_BEFORE;
            if holds && refused != Some(token) {
                return Ok(token.clone());
            }
        }
        let again = own.refused.map(|refused| refused + AFTER_REFUSAL);
        if again.is_some_and(|again| Instant::now() < again) {
            return Err(Outage::Refused);
        }
        own.token = None;
        let login = self
            .http
            .post(&self.validations)
            .json(&self.login.request());
        let response = self.send(&login).await?;
        match response.status() {
            StatusCode::CREATED | StatusCode::OK => {}
            StatusCode::UNAUTHORIZED => {
                own.refused = Some(Instant::now());
                return Err(Outage::Refused);
            }
            status => return Err(Outage::Status(status)),
        }
        let token = response.headers().get("x-subject-token").cloned();
        let mut token = token.ok_or(Outage::Nonsense)?;
        token.set_sensitive(true);
        let described = Token::parse(&body(response).await?).ok_or(Outage::Nonsense)?;
        own.refused = None;
        own.token = Some((token.clone(), described.ends));
        tracing::info!(ends = %described.ends, "the Identity service knows this service");
        Ok(token)
    }

    /// Sends a request until there is an answer to it, where nobody listens for the moment. One
    /// who listens and says nothing has had time enough.
    async fn send(&self, request: &RequestBuilder) -> Result<Response, Outage> {
        let mut pause = PAUSE;
        let mut attempt = 1;
        loop {
            let request = request.try_clone().ok_or(Outage::Nonsense)?;
            let (outage, passes) = match request.send().await {
                Ok(response) => match response.status() {
                    status @ (StatusCode::BAD_GATEWAY
                    | StatusCode::SERVICE_UNAVAILABLE
                    | StatusCode::GATEWAY_TIMEOUT) => (Outage::Status(status), true),
                    _ => return Ok(response),
                },
                Err(error) => {
                    let passes = error.is_connect() && !error.is_timeout();
                    // Without the address: it may have a name and a password.
                    (Outage::Unreachable(innermost(&error.without_url())), passes)
                }
            };
            if attempt >= self.attempts || !passes {
                return Err(outage);
            }
            tracing::warn!(attempt, error = %outage, "asked again");
            tokio::time::sleep(pause).await;
            pause *= 2;
            attempt += 1;
        }
    }
}

/// The body of an answer, if it is not too large.
async fn body(mut response: Response) -> Result<Vec<u8>, Outage> {
    let mut body = Vec::new();
    loop {
        let chunk = response.chunk().await;
        let chunk = chunk.map_err(|error| Outage::Unreachable(innermost(&error.without_url())))?;
        let Some(chunk) = chunk else {
            return Ok(body);
        };
        if body.len() + chunk.len() > LARGEST_ANSWER {
            return Err(Outage::Nonsense);
        }
        body.extend_from_slice(&chunk);
    }
}

/// The error at the bottom of others, which says most.
fn innermost(error: &(dyn std::error::Error + 'static)) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}
