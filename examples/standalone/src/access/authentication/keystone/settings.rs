//! Where the Identity service is, and as whom this service asks it.

use std::path::PathBuf;
use std::time::Duration;

use ironic_core::Secret;
use serde_json::{Map, Value, json};

/// Where tokens are validated, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeystoneSettings {
    /// The URL of the Identity service, without `/v3` at its end.
    pub auth_url: String,
    /// Where clients that have no token are sent. Default: the URL above.
    pub www_authenticate_uri: String,
    /// As whom this service asks about the tokens of others.
    pub login: KeystoneLogin,
    /// Certificates to trust, in PEM. Default: those of the system.
    pub ca_file: Option<PathBuf>,
    /// Whether any certificate is good enough. Default false.
    pub insecure: bool,
    /// How long one request may take. Default 10 s.
    pub timeout: Duration,
    /// How often a request is sent, at least 1, until there is an answer. Default 3.
    pub attempts: u32,
    /// How long a token is taken for good that was; 0 is not at all. Default 300 s.
    pub cache_time: Duration,
    /// How many tokens are remembered. Default 10000.
    pub cache_size: usize,
    /// The roles of which a service has one, in lower case, that acts for users with
    /// `X-Service-Token`. Default `service`.
    pub service_token_roles: Vec<String>,
    /// Whether the tokens of other services are refused there. Default true.
    pub service_token_roles_required: bool,
    /// What access rules call this service. Default `baremetal`.
    pub service_type: String,
}

impl KeystoneSettings {
    /// The service at this URL, with or without `/v3`, asked by this user.
    #[must_use]
    pub fn new(auth_url: &str, login: KeystoneLogin) -> Self {
        let url = auth_url.trim_end_matches('/');
        let bare = url.strip_suffix("/v3").unwrap_or(url);
        Self {
            auth_url: bare.trim_end_matches('/').to_owned(),
            www_authenticate_uri: auth_url.to_owned(),
            login,
            ca_file: None,
            insecure: false,
            timeout: Duration::from_secs(10),
            attempts: 3,
            cache_time: Duration::from_secs(300),
            cache_size: 10_000,
            service_token_roles: vec!["service".to_owned()],
            service_token_roles_required: true,
            service_type: "baremetal".to_owned(),
        }
    }
}

/// A name within a domain, or an id, which needs none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Named {
    Id(String),
    Name {
        name: String,
        domain: Box<Named>,
    },
    /// A domain by its name.
    Domain(String),
}

impl Named {
    fn json(&self) -> Map<String, Value> {
        let (key, text, domain) = match self {
            Self::Id(id) => ("id", id, None),
            Self::Name { name, domain } => ("name", name, Some(domain.json())),
            Self::Domain(name) => ("name", name, None),
        };
        let mut members = Map::new();
        members.insert(key.to_owned(), text.as_str().into());
        if let Some(domain) = domain {
            members.insert("domain".to_owned(), domain.into());
        }
        members
    }
}

/// What a token of this service's own is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeystoneScope(Scope);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Scope {
    System,
    Project(Named),
}

impl KeystoneScope {
    /// The whole system.
    #[must_use]
    pub fn system() -> Self {
        Self(Scope::System)
    }

    /// The project of this id.
    #[must_use]
    pub fn project(id: &str) -> Self {
        Self::named_project(Named::Id(id.to_owned()))
    }

    pub(crate) fn named_project(project: Named) -> Self {
        Self(Scope::Project(project))
    }

    fn json(&self) -> Value {
        match &self.0 {
            Scope::System => json!({"system": {"all": true}}),
            Scope::Project(project) => json!({"project": project.json()}),
        }
    }
}

/// As whom this service has a token of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeystoneLogin(Login);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Login {
    Password {
        user: Named,
        password: Secret<String>,
        scope: KeystoneScope,
    },
    ApplicationCredential {
        credential: Named,
        user: Option<Named>,
        secret: Secret<String>,
    },
}

impl KeystoneLogin {
    /// The user of this name in the domain of that name, by password.
    #[must_use]
    pub fn password(
        user: &str,
        domain: &str,
        password: Secret<String>,
        scope: KeystoneScope,
    ) -> Self {
        let user = Named::Name {
            name: user.to_owned(),
            domain: Box::new(Named::Domain(domain.to_owned())),
        };
        Self::named_password(user, password, scope)
    }

    pub(crate) fn named_password(
        user: Named,
        password: Secret<String>,
        scope: KeystoneScope,
    ) -> Self {
        Self(Login::Password {
            user,
            password,
            scope,
        })
    }

    /// The application credential of this id.
    #[must_use]
    pub fn application_credential(id: &str, secret: Secret<String>) -> Self {
        Self(Login::ApplicationCredential {
            credential: Named::Id(id.to_owned()),
            user: None,
            secret,
        })
    }

    pub(crate) fn named_application_credential(
        name: &str,
        user: Named,
        secret: Secret<String>,
    ) -> Self {
        Self(Login::ApplicationCredential {
            credential: Named::Domain(name.to_owned()),
            user: Some(user),
            secret,
        })
    }

    /// The body of `POST /v3/auth/tokens`. It has the secret in it.
    pub(super) fn request(&self) -> Value {
        match &self.0 {
            Login::Password {
                user,
                password,
                scope,
            } => {
                let mut user = user.json();
                user.insert("password".to_owned(), password.expose().as_str().into());
                json!({"auth": {
                    "identity": {"methods": ["password"], "password": {"user": user}},
                    "scope": scope.json(),
                }})
            }
            Login::ApplicationCredential {
                credential,
                user,
                secret,
            } => {
                let mut credential = credential.json();
                credential.insert("secret".to_owned(), secret.expose().as_str().into());
                if let Some(user) = user {
                    credential.insert("user".to_owned(), user.json().into());
                }
                json!({"auth": {"identity": {
                    "methods": ["application_credential"],
                    "application_credential": credential,
                }}})
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use ironic_core::Secret;
    use serde_json::json;

    use super::{KeystoneLogin, KeystoneScope, KeystoneSettings};

    #[test]
    fn the_url_is_taken_with_its_version_and_without() {
        let login = KeystoneLogin::application_credential("c1", Secret::new("secret".to_owned()));
        for url in [
            "http://k:5000",
            "http://k:5000/",
            "http://k:5000/v3",
            "http://k:5000/v3/",
        ] {
            let settings = KeystoneSettings::new(url, login.clone());
            assert_eq!(settings.auth_url, "http://k:5000", "{url}");
        }
        let printed = format!("{:?}", KeystoneSettings::new("http://k", login.clone()));
        assert!(
            printed.contains("***") && !printed.contains("secret: \"secret"),
            "{printed}"
        );
        assert_eq!(
            login.request()["auth"]["identity"]["application_credential"],
            json!({"id": "c1", "secret": "secret"})
        );
    }

    #[test]
    fn a_password_is_for_a_scope() {
        let secret = Secret::new("hush".to_owned());
        let login = KeystoneLogin::password("ironic", "Default", secret, KeystoneScope::system());
        assert!(!format!("{login:?}").contains("hush"));
        let wanted = json!({"auth": {
            "identity": {
                "methods": ["password"],
                "password": {"user": {
                    "name": "ironic", "domain": {"name": "Default"}, "password": "hush",
                }},
            },
            "scope": {"system": {"all": true}},
        }});
        assert_eq!(login.request(), wanted);
    }
}
