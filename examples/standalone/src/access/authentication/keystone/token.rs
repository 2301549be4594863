//! What the Identity service says of a token (Identity API v3, `GET /v3/auth/tokens`).

use http::Method;
use ironic_core::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::rules::AccessRule;
use crate::access::Identity;

/// A token that holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Token {
    /// Whose it is.
    pub(super) identity: Identity,
    /// Until when it holds.
    pub(super) ends: Timestamp,
    /// Whether it is bound to a Kerberos principal, which nobody can prove here.
    pub(super) bound: bool,
    rules: Option<Vec<AccessRule>>,
}

impl Token {
    /// What an answer says. None for one that is no description of a token.
    pub(super) fn parse(body: &[u8]) -> Option<Self> {
        let Answer { token } = serde_json::from_slice(body).ok()?;
        let ends = token.expires_at.parse().ok()?;
        let project = token.project;
        let domain_of = |owned: &Owned| owned.domain.as_ref().map(|domain| domain.id.clone());
        let mut identity = Identity::anonymous();
        identity.user_domain_id = domain_of(&token.user);
        identity.user_id = Some(token.user.id);
        identity.user_name = Some(token.user.name);
        identity.project_domain_id = project.as_ref().and_then(domain_of);
        if let Some(project) = project {
            identity.project_id = Some(project.id);
            identity.project_name = Some(project.name);
        }
        identity.domain_id = token.domain.map(|domain| domain.id);
        let whole = token.system.is_some_and(|system| system.all);
        identity.system_scope = whole.then(|| "all".to_owned());
        let roles = token.roles.into_iter();
        identity.roles = roles.map(|role| role.name.trim().to_lowercase()).collect();
        let bind = token.bind.unwrap_or_default();
        Some(Self {
            identity,
            ends,
            bound: bind.contains_key("kerberos"),
            rules: token.application_credential.and_then(|it| it.access_rules),
        })
    }

    /// Whether the token is for such a request. One without rules is for any, one with none in
    /// its list for no request at all.
    pub(super) fn allows(&self, method: &Method, path: &str, service: &str) -> bool {
        self.rules.as_ref().is_none_or(|rules| {
            let mut rules = rules.iter();
            rules.any(|rule| rule.allows(method, path, service))
        })
    }
}

#[derive(Deserialize)]
struct Answer {
    token: Description,
}

#[derive(Deserialize)]
struct Description {
    expires_at: String,
    user: Owned,
    project: Option<Owned>,
    domain: Option<Domain>,
    system: Option<System>,
    #[serde(default)]
    roles: Vec<Role>,
    bind: Option<Map<String, Value>>,
    application_credential: Option<ApplicationCredential>,
}

/// A user or a project.
#[derive(Deserialize)]
struct Owned {
    id: String,
    name: String,
    domain: Option<Domain>,
}

#[derive(Deserialize)]
struct Domain {
    id: String,
}

#[derive(Deserialize)]
struct System {
    #[serde(default)]
    all: bool,
}

#[derive(Deserialize)]
struct Role {
    name: String,
}

#[derive(Deserialize)]
struct ApplicationCredential {
    access_rules: Option<Vec<AccessRule>>,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::{Method, Token};

    fn parse(more: &Value) -> Option<Token> {
        let mut token = json!({
            "expires_at": "2026-11-23T10:00:00.000000Z",
            "user": {"id": "u1", "name": "ann", "domain": {"id": "default", "name": "Default"}},
            "methods": ["password"],
        });
        for (key, value) in more.as_object().unwrap() {
            token[key] = value.clone();
        }
        Token::parse(json!({"token": token}).to_string().as_bytes())
    }

    #[test]
    fn scopes_are_told_apart() {
        let unscoped = parse(&json!({})).unwrap().identity;
        assert_eq!(unscoped.user_id.as_deref(), Some("u1"));
        assert_eq!(unscoped.user_domain_id.as_deref(), Some("default"));
        assert_eq!(
            (&unscoped.project_id, &unscoped.system_scope),
            (&None, &None)
        );
        assert!(unscoped.roles.is_empty() && !unscoped.trusted);
        let project = parse(&json!({
            "project": {"id": "p1", "name": "lab", "domain": {"id": "d1", "name": "D"}},
            "roles": [{"id": "1", "name": "Reader"}, {"id": "2", "name": " Member "}],
        }));
        let project = project.unwrap().identity;
        assert_eq!(project.project_id.as_deref(), Some("p1"));
        assert_eq!(project.project_name.as_deref(), Some("lab"));
        assert_eq!(project.project_domain_id.as_deref(), Some("d1"));
        assert_eq!(project.roles, ["reader", "member"]);
        let system = parse(&json!({"system": {"all": true}})).unwrap().identity;
        assert_eq!(system.system_scope.as_deref(), Some("all"));
        let part = parse(&json!({"system": {"all": false}})).unwrap().identity;
        assert_eq!(part.system_scope, None);
        let domain = parse(&json!({"domain": {"id": "d1", "name": "D"}}))
            .unwrap()
            .identity;
        assert_eq!(domain.domain_id.as_deref(), Some("d1"));
    }

    #[test]
    fn rules_restrict_and_an_empty_list_forbids() {
        let with = |rules: Value| {
            let credential = json!({"application_credential": {"id": "c", "access_rules": rules}});
            let token = parse(&credential).unwrap();
            let allows = |method| token.allows(&method, "/v1/nodes", "baremetal");
            (allows(Method::GET), allows(Method::POST))
        };
        let rule = json!({"service": "baremetal", "method": "GET", "path": "/v1/nodes"});
        assert_eq!(with(Value::Null), (true, true));
        assert_eq!(with(json!([rule])), (true, false));
        assert_eq!(with(json!([])), (false, false));
        assert_eq!(
            parse(&json!({"application_credential": {"access_rules": [{}]}})),
            None
        );
    }

    #[test]
    fn kerberos_binds() {
        assert!(!parse(&json!({"bind": null})).unwrap().bound);
        assert!(!parse(&json!({"bind": {"x509": "a"}})).unwrap().bound);
        assert!(parse(&json!({"bind": {"kerberos": "ann"}})).unwrap().bound);
    }

    proptest! {
        #[test]
        fn any_answer_is_read(body in proptest::collection::vec(any::<u8>(), 0..200)) {
            prop_assert!(Token::parse(&body).is_none());
        }
    }
}
