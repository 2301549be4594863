//! Finding out who asks: by HTTP basic authentication, or by a token of the Identity API.

mod basic;
mod keystone;
mod public;
mod recent;
mod refusal;

pub use basic::{BasicAuthenticator, UsersError};
pub use keystone::{KeystoneAuthenticator, KeystoneLogin, KeystoneScope, KeystoneSettings};
pub use refusal::Refusal;

pub(crate) use keystone::Named;
pub(crate) use public::is_public;

use std::sync::Arc;

use async_trait::async_trait;
use http::{HeaderMap, Method, Request};
use ironic_core::{OsEntropy, SystemClock};

use super::Identity;
use crate::config::{HostConfig, Strategy};

/// What a request says of who sends it.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Asked<'a> {
    /// The method.
    pub method: &'a Method,
    /// The path, as it was sent.
    pub path: &'a str,
    /// The headers, credentials among them.
    pub headers: &'a HeaderMap,
}

impl<'a> Asked<'a> {
    /// The head of a request.
    #[must_use]
    pub fn of<B>(request: &'a Request<B>) -> Self {
        Self {
            method: request.method(),
            path: request.uri().path(),
            headers: request.headers(),
        }
    }
}

/// Finds out who sends a request.
///
/// # Contract
/// It is asked once for each request, for many at the same time, and before anything else of the
/// request is looked at; never for the paths that are open to everybody. A request whose client
/// goes away is dropped in the middle of it. What takes processor time for longer than a moment
/// belongs on threads of its own.
#[async_trait]
pub trait Authenticator: Send + Sync + 'static {
    /// Who sends this request.
    ///
    /// # Errors
    /// [`Refusal`] is what is answered instead.
    async fn authenticate(&self, asked: Asked<'_>) -> Result<Identity, Refusal>;
}

/// Why nobody's requests could be authenticated.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AccessError {
    /// The file of users cannot be used.
    #[error(transparent)]
    Users(#[from] UsersError),
    /// The Identity service of the settings cannot be used.
    #[error(transparent)]
    Keystone(#[from] ironic_core::Error),
}

/// The authenticator that the settings ask for, if they ask for any.
///
/// # Errors
/// The file of users, or that of certificates to trust, cannot be used.
pub(crate) fn of(config: &HostConfig) -> Result<Option<Arc<dyn Authenticator>>, AccessError> {
    Ok(match config.access.strategy()? {
        Strategy::NoAuth => None,
        Strategy::HttpBasic(file) => Some(Arc::new(BasicAuthenticator::open(file, &OsEntropy)?)),
        Strategy::Keystone => {
            let settings = config.keystone.settings()?;
            let clock = Arc::new(SystemClock);
            Some(Arc::new(KeystoneAuthenticator::new(settings, clock)?))
        }
    })
}
