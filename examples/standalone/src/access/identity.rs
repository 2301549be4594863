/// Who asks, and on behalf of whom, as far as was found out.
///
/// What a token of the Identity API says of its owner, by the names of its policies
/// (`user_id`, `project_id`, `system_scope`, …).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Identity {
    /// The user's id; with HTTP basic authentication their name.
    pub user_id: Option<String>,
    /// The user's name.
    pub user_name: Option<String>,
    /// The id of the domain that the user belongs to.
    pub user_domain_id: Option<String>,
    /// The project that the token is scoped to.
    pub project_id: Option<String>,
    /// That project's name.
    pub project_name: Option<String>,
    /// The id of the domain that this project belongs to.
    pub project_domain_id: Option<String>,
    /// The id of the domain that the token is scoped to.
    pub domain_id: Option<String>,
    /// `all` when the token is scoped to the system.
    pub system_scope: Option<String>,
    /// The roles, in lower case as policies compare them.
    pub roles: Vec<String>,
    /// Whether nothing was asked of them, and so nothing is kept from them.
    pub trusted: bool,
}

impl Identity {
    /// Somebody of whom nothing is known.
    #[must_use]
    pub fn anonymous() -> Self {
        Self::default()
    }

    /// Everybody, where no authentication is asked for.
    #[must_use]
    pub fn trusted() -> Self {
        Self {
            trusted: true,
            ..Self::default()
        }
    }
}
