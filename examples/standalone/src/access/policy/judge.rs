//! Whether a check holds of somebody who asks about something.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::super::authorizer::Target;
use super::super::identity::Identity;
use super::Rule;
use super::check::{Check, Left, Piece, Template};

/// Who asks about what, and the rules by which that is judged.
#[derive(Debug, Clone, Copy)]
pub(super) struct Question<'a> {
    pub(super) who: &'a Identity,
    pub(super) target: &'a Target<'a>,
    /// The name of the project whose services have elevated access.
    pub(super) service_project: Option<&'a str>,
    pub(super) rules: &'a BTreeMap<String, Rule>,
}

impl Question<'_> {
    pub(super) fn holds(&self, check: &Check) -> bool {
        match check {
            Check::Always => true,
            Check::Never => false,
            Check::Not(inner) => !self.holds(inner),
            Check::All(parts) => parts.iter().all(|part| self.holds(part)),
            Check::Any(parts) => parts.iter().any(|part| self.holds(part)),
            // Rules refer to each other to a depth that is bounded when they are read.
            Check::Rule(name) => {
                let rule = self.rules.get(name);
                rule.is_some_and(|rule| self.holds(&rule.check))
            }
            Check::Role(role) => self.filled(role).is_some_and(|role| {
                let roles = &self.who.roles;
                roles.iter().any(|own| own.eq_ignore_ascii_case(&role))
            }),
            Check::Same(left, right) => self
                .filled(right)
                .is_some_and(|right| self.is_same(left, &right)),
        }
    }

    fn is_same(&self, left: &Left, right: &str) -> bool {
        match left {
            Left::Literal(_, value) => value == right,
            Left::Credential(name) if name == "roles" => {
                self.who.roles.iter().any(|role| role == right)
            }
            Left::Credential(name) => match self.credential(name) {
                Some(value) => value.unwrap_or("None") == right,
                None => false,
            },
        }
    }

    /// The text behind the colon, unless something in it is unknown.
    fn filled<'t>(&'t self, template: &'t Template) -> Option<Cow<'t, str>> {
        if let [Piece::Text(text)] = template.0.as_slice() {
            return Some(Cow::Borrowed(text));
        }
        if let [Piece::Target(name)] = template.0.as_slice() {
            return self.of_target(name).map(Cow::Borrowed);
        }
        let mut filled = String::new();
        for piece in &template.0 {
            filled.push_str(match piece {
                Piece::Text(text) => text,
                Piece::Target(name) => self.of_target(name)?,
            });
        }
        Some(Cow::Owned(filled))
    }

    /// What is known of the target; of who asks, too, as in `user_id:%(user_id)s`.
    ///
    /// What is not set is unknown, and so equals nothing: a node without an owner does not belong
    /// to those who have no project.
    fn of_target(&self, name: &str) -> Option<&str> {
        match name {
            "config.service_project_name" => self.service_project,
            _ => self
                .target
                .get(name)
                .or_else(|| self.credential(name).flatten()),
        }
    }

    /// What is known of who asks: `None` where there is nothing of the name to be known,
    /// `Some(None)` where it is not set.
    fn credential(&self, name: &str) -> Option<Option<&str>> {
        let who = self.who;
        Some(match name {
            "user_id" => who.user_id.as_deref(),
            "user_domain_id" => who.user_domain_id.as_deref(),
            "project_id" => who.project_id.as_deref(),
            "project_name" => who.project_name.as_deref(),
            "project_domain_id" => who.project_domain_id.as_deref(),
            "domain_id" => who.domain_id.as_deref(),
            "system_scope" => who.system_scope.as_deref(),
            // Nothing says that there is a single project of administrators.
            "is_admin_project" => Some("True"),
            "is_public_api" => Some(if self.target.is_public() {
                "True"
            } else {
                "False"
            }),
            _ => return None,
        })
    }
}
