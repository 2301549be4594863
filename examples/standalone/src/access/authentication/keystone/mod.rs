//! Authentication by tokens of the Identity API v3, as Keystone serves it.

mod flights;
mod rules;
mod service;
mod settings;
mod token;

pub(crate) use settings::Named;
pub use settings::{KeystoneLogin, KeystoneScope, KeystoneSettings};

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use http::HeaderValue;
use ironic_core::Clock;
use sha2::{Digest as _, Sha256};
use tokio::time::Instant;

use super::recent::{Digest, Recent};
use super::{Asked, Authenticator, Identity, Refusal};
use flights::Flights;
use service::{IdentityService, Outage};
use token::Token;

/// When to try again while the Identity service is away.
const RETRY_AFTER: Duration = Duration::from_secs(5);

/// What came of asking about a token; none for one that does not hold.
type Verdict = Result<Option<Arc<Token>>, Outage>;

/// Lets in who sends a token that the Identity service vouches for, in `X-Auth-Token`.
///
/// Tokens that hold are remembered by their digests, for as long as the settings say and not
/// beyond their end: those go on while the Identity service is away. Of requests that come at
/// once with one token, one asks about it.
pub struct KeystoneAuthenticator {
    service: IdentityService,
    settings: KeystoneSettings,
    clock: Arc<dyn Clock>,
    known: Recent<Arc<Token>>,
    flights: Flights<Verdict>,
}

impl std::fmt::Debug for KeystoneAuthenticator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KeystoneAuthenticator")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

impl KeystoneAuthenticator {
    /// Asks the service of these settings, which is not called before a request comes.
    ///
    /// # Errors
    /// The settings name a file of certificates that cannot be used, or the process has no
    /// provider of cryptography.
    pub fn new(
        settings: KeystoneSettings,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, ironic_core::Error> {
        Ok(Self {
            service: IdentityService::new(&settings, Arc::clone(&clock))?,
            known: Recent::new(settings.cache_size),
            flights: Flights::new(),
            settings,
            clock,
        })
    }

    fn unauthorized(&self) -> Refusal {
        Refusal::Unauthorized {
            message: "this needs a token of the Identity service that holds",
            challenge: format!("Keystone uri=\"{}\"", self.settings.www_authenticate_uri),
        }
    }

    /// What is known of a token, or becomes known now. None for one that does not hold.
    async fn token(
        &self,
        value: &HeaderValue,
        even_ended: bool,
    ) -> Result<Option<Arc<Token>>, Refusal> {
        let text = value.as_bytes().trim_ascii();
        let key: Digest = Sha256::new()
            .chain_update([u8::from(even_ended)])
            .chain_update(text)
            .finalize()
            .into();
        let holds = |token: &Arc<Token>| even_ended || token.ends > self.clock.now();
        if let Some(token) = self.known.get(&key) {
            return Ok(Some(token).filter(holds));
        }
        let Ok(mut subject) = HeaderValue::from_bytes(text) else {
            return Ok(None);
        };
        subject.set_sensitive(true);
        let asking = async {
            let verdict = self.service.validate(&subject, even_ended).await;
            if let Ok(Some(token)) = &verdict {
                let left = token.ends.since(self.clock.now());
                let time = if even_ended {
                    self.settings.cache_time
                } else {
                    self.settings.cache_time.min(left)
                };
                self.known
                    .put(key, Arc::clone(token), Instant::now() + time);
            }
            verdict
        };
        match self.flights.join(key, asking).await {
            Ok(token) => Ok(token.filter(holds)),
            Err(outage) => {
                tracing::error!(error = %outage, "a token cannot be validated");
                Err(Refusal::Unavailable {
                    message: "the Identity service cannot tell about tokens at the moment",
                    retry_after: RETRY_AFTER,
                })
            }
        }
    }

    /// Whether the roles make a token that of another service.
    fn is_of_service(&self, token: &Token) -> bool {
        let wanted = &self.settings.service_token_roles;
        token
            .identity
            .roles
            .iter()
            .any(|role| wanted.contains(role))
    }
}

#[async_trait]
impl Authenticator for KeystoneAuthenticator {
    async fn authenticate(&self, asked: Asked<'_>) -> Result<Identity, Refusal> {
        // A service that acts for a user sends its own token as well. With it the user's may
        // have ended while the service was at work.
        let service = match asked.headers.get("x-service-token") {
            None => None,
            Some(value) => match self.token(value, false).await? {
                Some(token) if !token.bound => Some(token),
                _ => return Err(self.unauthorized()),
            },
        };
        let of_service = service
            .as_ref()
            .is_some_and(|token| self.is_of_service(token));
        if service.is_some() && !of_service && self.settings.service_token_roles_required {
            return Err(self.unauthorized());
        }
        let headers = asked.headers;
        let value = headers
            .get("x-auth-token")
            .or_else(|| headers.get("x-storage-token"));
        let value = value.ok_or_else(|| self.unauthorized())?;
        let token = self.token(value, of_service).await?;
        let token = token.ok_or_else(|| self.unauthorized())?;
        let allowed = service.is_some()
            || (!token.bound
                && token.allows(asked.method, asked.path, &self.settings.service_type));
        if !allowed {
            tracing::info!(user = ?token.identity.user_id, "a token is not for such a request");
            return Err(self.unauthorized());
        }
        Ok(token.identity.clone())
    }
}
