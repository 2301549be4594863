//! Policies: named rules, each a check of who asks and of what they ask about.
//!
//! The language is that of `oslo.policy`, the rules are those of the Bare Metal service, and an
//! operator's `policy.yaml` overrides them.

mod check;
mod error;
mod explain;
mod file;
mod judge;
mod live;
mod parse;
mod rules;

pub use error::PolicyError;
pub use explain::Explanation;
pub(crate) use live::LivePolicies;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::authorizer::{Authorizer, Target};
use super::identity::Identity;
use check::{Check, Undefined};
use judge::Question;
use parse::parse;
use rules::DEFAULTS;

use crate::config::nearest;

/// How many rules may refer to each other in a row.
const LONGEST_CHAIN: usize = 32;

/// How many single checks a rule may come to, with those that it refers to.
const MOST_CHECKS: u64 = 4096;

/// The beginning of the names of rules that govern single steps, which there are only if an
/// operator makes them: `baremetal:step:execute:INTERFACE.STEP`.
const STEPS: &str = "baremetal:step:execute:";

/// In which scopes a rule can be met at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scope {
    Any,
    System,
    Project,
    SystemOrProject,
}

impl Scope {
    fn holds(self, who: &Identity) -> bool {
        let system = who.system_scope.is_some();
        let domain = !system && who.domain_id.is_some();
        match self {
            Self::Any => true,
            Self::System => system,
            Self::Project => !system && !domain,
            Self::SystemOrProject => !domain,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Any => "any",
            Self::System => "system",
            Self::Project => "project",
            Self::SystemOrProject => "system or project",
        }
    }
}

/// A rule.
#[derive(Debug, Clone)]
struct Rule {
    text: String,
    check: Check,
    scope: Scope,
    /// Whether an operator's file says so.
    overridden: bool,
}

/// The rules that say who may do what: the Bare Metal service's own, and over them those of an
/// operator's file.
#[derive(Debug, Clone)]
pub struct Policies {
    rules: BTreeMap<String, Rule>,
    service_project: Option<String>,
}

impl Default for Policies {
    fn default() -> Self {
        let rule = |default: &rules::DefaultRule| {
            let rule = Rule {
                text: default.check.to_owned(),
                // They all can be read, as a test makes sure of; one that could not be would let
                // nobody through.
                check: parse(default.check).unwrap_or(Check::Never),
                scope: default.scope,
                overridden: false,
            };
            (default.name.to_owned(), rule)
        };
        Self {
            rules: DEFAULTS.iter().map(rule).collect(),
            service_project: None,
        }
    }
}

impl Policies {
    /// The Bare Metal service's own rules, with those of this file over them: a YAML mapping of
    /// names to checks, one to a line, or a JSON object.
    ///
    /// # Errors
    /// [`PolicyError`] names the file, the line and the rule.
    pub fn load(path: &Path) -> Result<Self, PolicyError> {
        let text = file::read(path)?;
        Self::default().overridden(&path.display().to_string(), &text)
    }

    /// The same with the rules of a text in the format of that file.
    ///
    /// # Errors
    /// As [`Policies::load`].
    pub fn parse(text: &str) -> Result<Self, PolicyError> {
        Self::default().overridden("policies", text)
    }

    /// Lets services of the project of this name see and do what members of the whole system may
    /// (the rule `service_role`).
    #[must_use]
    pub fn with_elevated_services_of(mut self, project_name: impl Into<String>) -> Self {
        self.service_project = Some(project_name.into());
        self
    }

    /// The rules, by name: the name, its check, and whether an operator's file says so.
    pub fn rules(&self) -> impl Iterator<Item = (&str, &str, bool)> {
        let rules = self.rules.iter();
        rules.map(|(name, rule)| (name.as_str(), rule.text.as_str(), rule.overridden))
    }

    /// The name of a rule that may have been meant by one that there is not.
    #[must_use]
    pub fn nearest(&self, name: &str) -> Option<&str> {
        nearest(name, self.rules.keys().map(String::as_str))
    }

    /// Whether the rule lets somebody through, and what of it decides that. `None` where there is
    /// no such rule.
    #[must_use]
    pub fn explain(&self, rule: &str, who: &Identity, target: &Target<'_>) -> Option<Explanation> {
        let found = self.rules.get(rule)?;
        let question = self.question(who, target);
        Some(Explanation::of(found, &question))
    }

    fn question<'a>(&'a self, who: &'a Identity, target: &'a Target<'a>) -> Question<'a> {
        Question {
            who,
            target,
            service_project: self.service_project.as_deref(),
            rules: &self.rules,
        }
    }

    fn overridden(mut self, place: &str, text: &str) -> Result<Self, PolicyError> {
        let entries = file::entries(text)
            .map_err(|(line, message)| PolicyError::syntax(place, line, message))?;
        let mut given: BTreeMap<String, (u32, Rule)> = BTreeMap::new();
        for entry in entries {
            let wrong =
                |message: String| PolicyError::rule(place, entry.line, &entry.name, message);
            let check = entry.value.parse().map_err(wrong)?;
            let was = self.rules.get(&entry.name);
            let rule = Rule {
                text: entry.value.text(),
                check,
                scope: was.map_or(Scope::Any, |rule| rule.scope),
                overridden: true,
            };
            if let Some((first, _)) = given.insert(entry.name.clone(), (entry.line, rule)) {
                return Err(wrong(format!("it is in line {first} already")));
            }
        }
        let lines: Vec<(String, u32)> = given
            .iter()
            .map(|(name, (line, _))| (name.clone(), *line))
            .collect();
        self.check_known(place, &given)?;
        self.put(given);
        for (name, line) in lines {
            self.check_references(&name)
                .map_err(|message| PolicyError::rule(place, line, &name, message))?;
        }
        Ok(self)
    }

    /// Every rule of the file is one that is asked for, or that another one refers to.
    fn check_known(
        &self,
        place: &str,
        given: &BTreeMap<String, (u32, Rule)>,
    ) -> Result<(), PolicyError> {
        let mut referred_to = Vec::new();
        for (_, rule) in given.values() {
            rule.check.references(&mut referred_to);
        }
        let referred_to: BTreeSet<_> = referred_to.into_iter().collect();
        for (name, (line, _)) in given {
            let asked_for = self.rules.contains_key(name) || name.starts_with(STEPS);
            if asked_for || referred_to.contains(name.as_str()) {
                continue;
            }
            let mut message = "there is no rule of this name, and no other refers to it".to_owned();
            if let Some(meant) = self.nearest(name) {
                message += &format!("; did you mean {meant:?}?");
            }
            return Err(PolicyError::rule(place, *line, name, message));
        }
        Ok(())
    }

    /// Puts the rules of a file in place of the defaults, and also of those defaults that another
    /// one of them governed before: who overrides only the old name means the newer ones too.
    fn put(&mut self, given: BTreeMap<String, (u32, Rule)>) {
        for default in DEFAULTS {
            let Some((_, old)) = default.was.and_then(|was| given.get(was)) else {
                continue;
            };
            let itself = old.text == format!("rule:{}", default.name);
            if given.contains_key(default.name) || itself {
                continue;
            }
            if let Some(rule) = self.rules.get_mut(default.name) {
                rule.text.clone_from(&old.text);
                rule.check = old.check.clone();
                rule.overridden = true;
            }
        }
        for (name, (_, rule)) in given {
            self.rules.insert(name, rule);
        }
    }

    /// What a rule refers to is there, and comes to an end soon enough.
    fn check_references(&self, name: &str) -> Result<(), String> {
        let mut chain = vec![name.to_owned()];
        let weighed = self.weigh(name, &mut chain, &mut BTreeMap::new());
        weighed.map(|_| ()).map_err(|undefined| match undefined {
            Undefined::Missing(other) => match self.nearest(&other) {
                Some(meant) => format!("rule:{other} is nowhere; did you mean rule:{meant}?"),
                None => format!("rule:{other} is nowhere"),
            },
            Undefined::Endless(chain) => {
                format!("it refers to itself: {}", chain.join(" to "))
            }
            Undefined::TooLong => {
                format!("more than {LONGEST_CHAIN} rules refer to each other in a row")
            }
            Undefined::TooMuch => {
                format!("it comes to more than {MOST_CHECKS} checks with the rules it refers to")
            }
        })
    }

    /// How many checks a rule comes to with those that it refers to.
    fn weigh(
        &self,
        name: &str,
        chain: &mut Vec<String>,
        known: &mut BTreeMap<String, u64>,
    ) -> Result<u64, Undefined> {
        if let Some(weight) = known.get(name) {
            return Ok(*weight);
        }
        let Some(rule) = self.rules.get(name) else {
            return Err(Undefined::Missing(name.to_owned()));
        };
        let mut referred_to = Vec::new();
        rule.check.references(&mut referred_to);
        let mut weight = rule.check.single_checks();
        for next in referred_to {
            let again = chain.iter().any(|before| before == next);
            chain.push(next.to_owned());
            if again {
                return Err(Undefined::Endless(chain.clone()));
            }
            if chain.len() > LONGEST_CHAIN {
                return Err(Undefined::TooLong);
            }
            weight = weight.saturating_add(self.weigh(next, chain, known)?);
            chain.pop();
        }
        if weight > MOST_CHECKS {
            return Err(Undefined::TooMuch);
        }
        known.insert(name.to_owned(), weight);
        Ok(weight)
    }
}

impl Authorizer for Policies {
    fn allows(&self, rule: &str, who: &Identity, target: &Target<'_>) -> bool {
        let Some(rule) = self.rules.get(rule) else {
            return false;
        };
        rule.scope.holds(who) && self.question(who, target).holds(&rule.check)
    }

    fn governs(&self, rule: &str) -> bool {
        self.rules.contains_key(rule)
    }
}

#[cfg(test)]
mod tests;
