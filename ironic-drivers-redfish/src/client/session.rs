//! Logging in, staying in, logging out.

use std::time::Duration;

use base64::Engine as _;
use http::{HeaderMap, HeaderValue, Method, header};
use serde_json::json;

use super::Client;
use super::exchange::Call;
use crate::connection::AuthMethod;
use crate::error::{RedfishError, StatusError};
use crate::http::HttpResponse;
use crate::model::ServiceRoot;

const TOKEN: &str = "x-auth-token";

/// How long a logout may take; nobody needs its answer.
const LOGOUT_TIMEOUT: Duration = Duration::from_secs(10);

/// What the client knows about its own standing with the BMC.
#[derive(Default)]
pub(super) struct SessionState {
    standing: Standing,
    /// Rises with every login, so that a refused token is known to be the present one or an older.
    generation: u64,
    /// Once a session was had, basic is no longer an alternative: a service that suddenly has no
    /// sessions is not the one that was there before.
    had_session: bool,
}

#[derive(Default)]
enum Standing {
    #[default]
    Unknown,
    Basic,
    Session {
        /// Marked sensitive.
        token: HeaderValue,
        /// Where it is ended, when the BMC said so.
        path: Option<String>,
    },
}

/// Neither token nor path is shown.
impl std::fmt::Debug for SessionState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self.standing {
            Standing::Unknown => "not logged in",
            Standing::Basic => "basic",
            Standing::Session { .. } => "session",
        })
    }
}

/// What a request proves its sender with.
pub(super) enum Ticket {
    Anonymous,
    Basic(HeaderValue),
    Session { token: HeaderValue, generation: u64 },
}

impl Ticket {
    pub(super) fn sign(&self, headers: &mut HeaderMap) {
        match self {
            Self::Anonymous => {}
            Self::Basic(value) => {
                headers.insert(header::AUTHORIZATION, value.clone());
            }
            Self::Session { token, .. } => {
                headers.insert(TOKEN, token.clone());
            }
        }
    }
}

impl Client {
    /// The present ticket; logs in when there is none yet.
    pub(super) async fn ticket(&self) -> Result<Ticket, RedfishError> {
        let Some(username) = &self.connection.username else {
            return Ok(Ticket::Anonymous);
        };
        match self.connection.auth {
            AuthMethod::None => return Ok(Ticket::Anonymous),
            AuthMethod::Basic => return self.basic(username),
            AuthMethod::Session | AuthMethod::Auto => {}
        }
        // Held during the login: everybody else waits for this one rather than making their own.
        let mut state = self.session.lock().await;
        if matches!(state.standing, Standing::Unknown) {
            state.standing = match self.log_in(username).await {
                Ok(session) => {
                    state.had_session = true;
                    session
                }
                Err(error)
                    if self.connection.auth == AuthMethod::Auto
                        && !state.had_session
                        && has_no_sessions(&error) =>
                {
                    tracing::debug!(bmc = self.connection.base.host(), %error, "no session to be had, using basic authentication");
                    Standing::Basic
                }
                Err(error) => return Err(error),
            };
            state.generation += 1;
        }
        match &state.standing {
            Standing::Session { token, .. } => Ok(Ticket::Session {
                token: token.clone(),
                generation: state.generation,
            }),
            Standing::Basic | Standing::Unknown => self.basic(username),
        }
    }

    /// After a 401: forgets the session that `ticket` is of. Whether trying again makes sense.
    pub(super) async fn expire(&self, ticket: &Ticket) -> bool {
        let Ticket::Session { generation, .. } = ticket else {
            return false;
        };
        let mut state = self.session.lock().await;
        if state.generation == *generation && matches!(state.standing, Standing::Session { .. }) {
            state.standing = Standing::Unknown;
        }
        true
    }

    fn basic(&self, username: &str) -> Result<Ticket, RedfishError> {
        if username.contains(':') {
            return Err(RedfishError::InvalidSettings {
                reason: "a user name for basic authentication has no colon".to_owned(),
            });
        }
        let pair = format!("{username}:{}", self.connection.password.expose());
        let pair = base64::engine::general_purpose::STANDARD.encode(pair);
        let mut value = HeaderValue::try_from(format!("Basic {pair}")).map_err(|_| {
            RedfishError::InvalidSettings {
                reason: "the credentials are no header value".to_owned(),
            }
        })?;
        value.set_sensitive(true);
        Ok(Ticket::Basic(value))
    }

    async fn log_in(&self, username: &str) -> Result<Standing, RedfishError> {
        let path = self.sessions_path().await?;
        let body = json!({"UserName": username, "Password": self.connection.password.expose()});
        // A login that got lost leaves a session behind that times out; that is no harm.
        let call = Call::new(Method::POST, path).json(&body).repeatable(true);
        let response = self.attempt(&call, &Ticket::Anonymous).await?;
        if response.status.as_u16() >= 400 {
            return Err(
                StatusError::new(Method::POST, call.path, response.status, &response.body).into(),
            );
        }
        let Some(mut token) = response.headers.get(TOKEN).cloned() else {
            return Err(RedfishError::NoToken { path: call.path });
        };
        token.set_sensitive(true);
        Ok(Standing::Session {
            token,
            path: self.session_of(&response),
        })
    }

    /// The Sessions collection: `Links/Sessions` of the root, else where it usually is.
    async fn sessions_path(&self) -> Result<String, RedfishError> {
        let call = Call::new(Method::GET, self.connection.root.clone());
        let response = self.attempt(&call, &Ticket::Anonymous).await?;
        let root: ServiceRoot = match serde_json::from_slice(&response.body) {
            Ok(root) if response.status.is_success() => root,
            _ => ServiceRoot::default(),
        };
        match root
            .links
            .and_then(|links| links.sessions)
            .and_then(|link| link.id)
        {
            Some(link) => self.connection.base.resolve(&link),
            None => Ok(format!("{}SessionService/Sessions", self.connection.root)),
        }
    }

    /// Where the new session is ended: `Location`, else `@odata.id`. A link that leads elsewhere is
    /// not followed; the session then ends by its own time-out.
    fn session_of(&self, response: &HttpResponse) -> Option<String> {
        let body: serde_json::Value = serde_json::from_slice(&response.body).unwrap_or_default();
        let links = [
            response.header("location"),
            body.get("@odata.id").and_then(serde_json::Value::as_str),
        ];
        links
            .into_iter()
            .flatten()
            .find_map(|link| self.connection.base.resolve(link).ok())
    }

    /// Ends the session, if there is one; a later request logs in again. Sent once, and what the
    /// BMC answers does not matter: a session that stays ends by its own time-out.
    pub async fn close(&self) {
        let mut state = self.session.lock().await;
        let generation = state.generation;
        if let Standing::Session {
            token,
            path: Some(path),
        } = std::mem::take(&mut state.standing)
        {
            let ticket = Ticket::Session { token, generation };
            let call = Call::new(Method::DELETE, path);
            let (outcome, _) = self.once(&call, &ticket, LOGOUT_TIMEOUT).await;
            if outcome.is_err() {
                tracing::debug!(
                    bmc = self.connection.base.host(),
                    "the session could not be ended"
                );
            }
        }
    }
}

/// Whether the failed login means that basic authentication is to be used: anything the BMC said,
/// but not that it could not be reached.
const fn has_no_sessions(error: &RedfishError) -> bool {
    matches!(
        error,
        RedfishError::Status(_) | RedfishError::NoToken { .. }
    )
}
