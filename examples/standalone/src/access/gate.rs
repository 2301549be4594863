//! What stands before the API.

use std::sync::Arc;

use super::{Asked, Authenticator, Identity, Refusal};

/// Lets in to the API whom an authenticator knows, and everybody to the few paths that are open.
#[derive(Clone)]
pub struct Access {
    authenticator: Arc<dyn Authenticator>,
}

impl std::fmt::Debug for Access {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Access").finish_non_exhaustive()
    }
}

impl Access {
    /// Asks this authenticator.
    #[must_use]
    pub fn by(authenticator: Arc<dyn Authenticator>) -> Self {
        Self { authenticator }
    }

    /// Who sends a request; `public` says whether its path is open to everybody, where nobody is
    /// asked who they are.
    pub(crate) async fn identify(
        &self,
        asked: Asked<'_>,
        public: bool,
    ) -> Result<Identity, Refusal> {
        if public {
            return Ok(Identity::anonymous());
        }
        self.authenticator.authenticate(asked).await
    }
}
