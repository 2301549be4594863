//! Who is called, and as whom.

use ironic_core::Secret;

use crate::base_url::BaseUrl;
use crate::error::RedfishError;
use crate::http::TlsSettings;

/// Where a service begins unless the BMC says otherwise (DSP0266, "Redfish-defined URIs").
pub const DEFAULT_ROOT: &str = "/redfish/v1/";

/// How the client proves who it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
#[non_exhaustive]
pub enum AuthMethod {
    /// Not at all.
    None,
    /// User name and password with every request (RFC 7617).
    Basic,
    /// A session of the service's (DSP0266, "Redfish session login authentication").
    Session,
    /// A session, or basic where none can be had.
    #[default]
    Auto,
}

impl AuthMethod {
    /// The name, as written in `redfish_auth_type`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Basic => "basic",
            Self::Session => "session",
            Self::Auto => "auto",
        }
    }
}

/// A BMC and the account to use there.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Connection {
    /// Scheme, host and port.
    pub base: BaseUrl,
    /// Path of the service root, with a slash at both ends.
    pub root: String,
    /// User name; without one nothing is proven, whatever `auth` says.
    pub username: Option<String>,
    /// Password.
    pub password: Secret<String>,
    /// How to use them.
    pub auth: AuthMethod,
    /// The TLS side.
    pub tls: TlsSettings,
}

impl Connection {
    /// A BMC at `address` (`https://bmc.example.org:8443`), without an account, with
    /// certificates verified against the default roots.
    ///
    /// # Errors
    ///
    /// [`RedfishError::InvalidSettings`] when the address is not an `http` or `https` authority.
    pub fn new(address: &str) -> Result<Self, RedfishError> {
        Ok(Self {
            base: BaseUrl::parse(address)?,
            root: DEFAULT_ROOT.to_owned(),
            username: None,
            password: Secret::new(String::new()),
            auth: AuthMethod::default(),
            tls: TlsSettings::default(),
        })
    }

    /// Sets the account.
    #[must_use]
    pub fn credentials(mut self, username: impl Into<String>, password: impl Into<String>) -> Self {
        self.username = Some(username.into());
        self.password = Secret::new(password.into());
        self
    }

    /// Sets how the account is used.
    #[must_use]
    pub const fn auth(mut self, auth: AuthMethod) -> Self {
        self.auth = auth;
        self
    }

    /// Sets the TLS side.
    #[must_use]
    pub fn tls(mut self, tls: TlsSettings) -> Self {
        self.tls = tls;
        self
    }

    /// Sets the path of the service root. `/` alone stands for the default: no service begins
    /// there, and an address that ends in a slash means no more than one without.
    #[must_use]
    pub fn root(mut self, root: &str) -> Self {
        let root = root.trim_matches('/');
        self.root = if root.is_empty() {
            DEFAULT_ROOT.to_owned()
        } else {
            format!("/{root}/")
        };
        self
    }
}
