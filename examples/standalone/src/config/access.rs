//! `[access]` and `[keystone]`: who is let in.

use std::path::PathBuf;

use ironic_core::{Error, Secret};

use super::ConfigError;
use super::sections::section;
use super::value::{Names, Seconds};
use crate::access::{KeystoneLogin, KeystoneScope, KeystoneSettings, Named};

section! {
    /// `[access]`: who is let in.
    pub struct AccessSection("ACCESS") {
        /// How it is found out who sends a request: `noauth`, where everybody may do everything;
        /// `http_basic`, by a file of names and passwords; `keystone`, by tokens of the Identity
        /// API. Default `noauth`.
        auth_strategy: String,
        /// The file of names and passwords for `http_basic`, of lines as `htpasswd -B` writes
        /// them: hashed by bcrypt, at a cost from 4 to 16. Whoever is in it may do everything.
        /// A change of it counts at once.
        http_basic_auth_user_file: String,
        /// The operator's own rules of who may do what, over those that there are: a YAML mapping
        /// of names to checks, or a JSON object. A change of it counts after a second; one with
        /// something wrong in it is logged, and changes nothing. Default none.
        policy_file: String,
        /// Whether services of the project below see and do what members of the whole system may.
        /// Default false.
        rbac_service_role_elevated_access: bool,
        /// The name of the project of services. Default `service`.
        rbac_service_project_name: String,
    }
}

section! {
    /// `[keystone]`: the Identity service that vouches for tokens, for the strategy `keystone`.
    pub struct KeystoneSection("KEYSTONE") {
        /// The URL of the Identity service, with or without `/v3` at its end. Needed.
        auth_url: String,
        /// Where clients that have no token are sent. Default: `auth_url`.
        www_authenticate_uri: String,
        /// How this service gets a token of its own, by which it asks about those of others:
        /// `password` or `v3applicationcredential`. Default: `v3applicationcredential` where a
        /// secret of one is given, else `password`.
        auth_type: String,
        /// The user of this service, with its domain.
        username: String,
        /// The same by its id, which needs no domain.
        user_id: String,
        /// The user's password.
        password: Secret<String>,
        /// The name of the user's domain. Default `Default`.
        user_domain_name: String,
        /// The same by its id.
        user_domain_id: String,
        /// The project that the token is for, with its domain.
        project_name: String,
        /// The same by its id, which needs no domain.
        project_id: String,
        /// The name of the project's domain. Default `Default`.
        project_domain_name: String,
        /// The same by its id.
        project_domain_id: String,
        /// `all` for a token that is for the whole system rather than for a project.
        system_scope: String,
        /// The id of the application credential.
        application_credential_id: String,
        /// The name of the application credential, with the user that it is of.
        application_credential_name: String,
        /// The secret of the application credential.
        application_credential_secret: Secret<String>,
        /// Certificates to trust, in PEM. Default: those of the system.
        ca_file: String,
        /// Whether any certificate is good enough. Default `false`.
        insecure: bool,
        /// How long a request to the Identity service may take, more than 0. Default 10.
        timeout: Seconds,
        /// How often such a request is sent until there is an answer, from 1 to 10. Default 3.
        attempts: u32,
        /// How long a token is taken for good that was; 0 is not at all. One that is revoked is
        /// taken as long. Default 300.
        token_cache_time: Seconds,
        /// How many tokens are remembered. Default 10000.
        token_cache_size: usize,
        /// The roles of which a service has one that acts for users with `X-Service-Token`.
        /// Default `service`.
        service_token_roles: Names,
        /// Whether the tokens of those that have none are refused there. Default `true`.
        service_token_roles_required: bool,
        /// What the access rules of application credentials call this service. Default
        /// `baremetal`.
        service_type: String,
    }
}

/// How it is found out who sends a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Strategy {
    /// Not at all.
    NoAuth,
    /// By the users of this file.
    HttpBasic(PathBuf),
    /// By tokens.
    Keystone,
}

/// What is set, and not empty.
pub(super) fn set(setting: Option<&String>) -> Option<&str> {
    setting.map(String::as_str).filter(|text| !text.is_empty())
}

impl AccessSection {
    /// How it is found out who sends a request.
    ///
    /// # Errors
    /// There is no such strategy, or it has no file.
    pub(crate) fn strategy(&self) -> Result<Strategy, Error> {
        let file = set(self.http_basic_auth_user_file.as_ref());
        match set(self.auth_strategy.as_ref()).unwrap_or("noauth") {
            "noauth" => Ok(Strategy::NoAuth),
            "keystone" => Ok(Strategy::Keystone),
            "http_basic" => file
                .map(|file| Strategy::HttpBasic(PathBuf::from(file)))
                .ok_or_else(|| {
                    Error::invalid(
                        "http_basic_auth_user_file in [access] must name a file for the \
                         auth_strategy http_basic",
                    )
                }),
            _ => Err(Error::invalid(
                "auth_strategy in [access] must be noauth, http_basic or keystone",
            )),
        }
    }
}

fn secret(setting: Option<&Secret<String>>) -> Option<Secret<String>> {
    setting
        .filter(|secret| !secret.expose().is_empty())
        .cloned()
}

/// A domain, by default the one that every Identity service has.
fn domain(id: Option<&str>, name: Option<&str>) -> Named {
    match id {
        Some(id) => Named::Id(id.to_owned()),
        None => Named::Domain(name.unwrap_or("Default").to_owned()),
    }
}

/// Something in a domain.
fn named(id: Option<&str>, name: Option<&str>, domain: Named) -> Option<Named> {
    match (id, name) {
        (Some(id), _) => Some(Named::Id(id.to_owned())),
        (None, Some(name)) => Some(Named::Name {
            name: name.to_owned(),
            domain: Box::new(domain),
        }),
        (None, None) => None,
    }
}

fn wrong(what: &str) -> Error {
    Error::invalid(format!("{what} for the auth_strategy keystone"))
}

impl KeystoneSection {
    /// Where and how tokens are validated.
    ///
    /// # Errors
    /// Something is missing, or does not go together.
    pub(crate) fn settings(&self) -> Result<KeystoneSettings, Error> {
        let url = set(self.auth_url.as_ref()).ok_or_else(|| {
            wrong("auth_url in [keystone] must be the URL of the Identity service")
        })?;
        let is_http = url.starts_with("http://") || url.starts_with("https://");
        if !is_http || reqwest::Url::parse(url).is_err() {
            return Err(wrong("auth_url in [keystone] must be an http or https URL"));
        }
        let mut settings = KeystoneSettings::new(url, self.login()?);
        if let Some(uri) = set(self.www_authenticate_uri.as_ref()) {
            uri.clone_into(&mut settings.www_authenticate_uri);
        }
        let readable = |c: char| c.is_ascii_graphic() && c != '"';
        if !settings.www_authenticate_uri.chars().all(readable) {
            return Err(wrong("www_authenticate_uri in [keystone] must be a URL"));
        }
        settings.ca_file = set(self.ca_file.as_ref()).map(PathBuf::from);
        settings.insecure = self.insecure.unwrap_or(settings.insecure);
        if let Some(Seconds(timeout)) = self.timeout {
            settings.timeout = timeout;
        }
        settings.attempts = self.attempts.unwrap_or(settings.attempts);
        if settings.timeout.is_zero() || !(1..=10).contains(&settings.attempts) {
            return Err(wrong(
                "timeout in [keystone] must be more than 0, and attempts from 1 to 10",
            ));
        }
        if let Some(Seconds(time)) = self.token_cache_time {
            settings.cache_time = time;
        }
        settings.cache_size = self.token_cache_size.unwrap_or(settings.cache_size);
        if let Some(roles) = &self.service_token_roles {
            let roles = roles.iter().map(|role| role.to_lowercase());
            settings.service_token_roles = roles.collect();
        }
        if let Some(required) = self.service_token_roles_required {
            settings.service_token_roles_required = required;
        }
        if let Some(service) = set(self.service_type.as_ref()) {
            service.clone_into(&mut settings.service_type);
        }
        Ok(settings)
    }

    fn login(&self) -> Result<KeystoneLogin, Error> {
        let secret_of_credential = secret(self.application_credential_secret.as_ref());
        let usual = match &secret_of_credential {
            Some(_) => "v3applicationcredential",
            None => "password",
        };
        match set(self.auth_type.as_ref()).unwrap_or(usual) {
            "password" | "v3password" => self.password_login(),
            "v3applicationcredential" => {
                let secret = secret_of_credential.ok_or_else(|| {
                    wrong("application_credential_secret in [keystone] must be given")
                })?;
                self.credential_login(secret)
            }
            _ => Err(wrong(
                "auth_type in [keystone] must be password or v3applicationcredential",
            )),
        }
    }

    fn user(&self) -> Option<Named> {
        let domain = domain(
            set(self.user_domain_id.as_ref()),
            set(self.user_domain_name.as_ref()),
        );
        named(
            set(self.user_id.as_ref()),
            set(self.username.as_ref()),
            domain,
        )
    }

    fn password_login(&self) -> Result<KeystoneLogin, Error> {
        let (user, password) = (self.user(), secret(self.password.as_ref()));
        let (Some(user), Some(password)) = (user, password) else {
            return Err(wrong(
                "username and password in [keystone] must be those of this service",
            ));
        };
        let domain = domain(
            set(self.project_domain_id.as_ref()),
            set(self.project_domain_name.as_ref()),
        );
        let project = named(
            set(self.project_id.as_ref()),
            set(self.project_name.as_ref()),
            domain,
        );
        let scope = match (set(self.system_scope.as_ref()), project) {
            (Some("all"), None) => KeystoneScope::system(),
            (None, Some(project)) => KeystoneScope::named_project(project),
            (None | Some("all"), _) => {
                return Err(wrong(
                    "either project_name or system_scope = \"all\" must be given in [keystone]",
                ));
            }
            (Some(_), _) => return Err(wrong("system_scope in [keystone] must be all")),
        };
        Ok(KeystoneLogin::named_password(user, password, scope))
    }

    fn credential_login(&self, secret: Secret<String>) -> Result<KeystoneLogin, Error> {
        let id = set(self.application_credential_id.as_ref());
        let name = set(self.application_credential_name.as_ref());
        match (id, name, self.user()) {
            (Some(id), _, _) => Ok(KeystoneLogin::application_credential(id, secret)),
            (None, Some(name), Some(user)) => Ok(KeystoneLogin::named_application_credential(
                name, user, secret,
            )),
            _ => Err(wrong(
                "application_credential_id in [keystone] must be given, or \
                 application_credential_name and the user",
            )),
        }
    }
}

/// Refuses what does not go together.
pub(super) fn check(access: &AccessSection, keystone: &KeystoneSection) -> Result<(), ConfigError> {
    if access.strategy()? == Strategy::Keystone {
        keystone.settings()?;
    }
    Ok(())
}
