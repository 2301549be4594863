use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::Map;
use uuid::Uuid;

use super::UserStep;
use crate::Error;
use crate::model::managed::{check_length, header};
use crate::model::{JsonMap, Managed, is_default, is_valid_trait};
use crate::runtime::Timestamp;

/// Deploy steps that every instance with the trait of this name gets.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct DeployTemplate {
    /// Its identity.
    #[serde(default)]
    pub uuid: Uuid,
    /// Its name, which is a trait's; no two templates share one.
    pub name: String,
    /// The steps, each with a priority.
    pub steps: Vec<UserStep>,
    /// Free text, 255 characters at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Anything that the operator wants to remember.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub extra: JsonMap,
    /// When it was created.
    #[serde(default, skip_serializing_if = "is_default")]
    pub created_at: Timestamp,
    /// When it was last changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<Timestamp>,
}

masked_debug!(DeployTemplate);

impl DeployTemplate {
    /// A template.
    pub fn new(name: impl Into<String>, steps: Vec<UserStep>) -> Self {
        Self {
            uuid: Uuid::nil(),
            name: name.into(),
            steps,
            description: None,
            extra: Map::new(),
            created_at: Timestamp::EPOCH,
            updated_at: None,
        }
    }

    /// Those of `templates` whose trait the instance has, each once, in the order of `templates`.
    pub fn matching<'a, T: AsRef<str>>(
        templates: &'a [Self],
        instance_traits: &[T],
    ) -> Vec<&'a Self> {
        let has = |name: &str| instance_traits.iter().any(|t| t.as_ref() == name);
        templates.iter().filter(|t| has(&t.name)).collect()
    }
}

impl Managed for DeployTemplate {
    const SETTABLE: &'static [&'static str] = &["name", "steps", "description", "extra"];

    header!();

    fn check(&mut self) -> Result<(), Error> {
        let what = "deploy template";
        if !is_valid_trait(&self.name) {
            return Err(Error::invalid(format!(
                "{:?} is no name of a deploy template: it has to be a trait's",
                self.name
            )));
        }
        check_length(what, "description", self.description.as_deref(), 255)?;
        check_steps(what, &self.steps)?;
        for step in &self.steps {
            if step.priority.is_none_or(|priority| priority < 0) {
                let name = step.name();
                return Err(Error::invalid(format!(
                    "step {name} of a deploy template needs a priority, 0 or above"
                )));
            }
        }
        Ok(())
    }
}

/// What holds for the steps of every record: there are some, each of its own name.
pub(super) fn check_steps(what: &str, steps: &[UserStep]) -> Result<(), Error> {
    if steps.is_empty() {
        return Err(Error::invalid(format!("a {what} needs at least one step")));
    }
    let mut names = BTreeSet::new();
    for step in steps {
        if step.step.is_empty() {
            return Err(Error::invalid(format!("a step of a {what} needs a name")));
        }
        let name = step.name();
        if !names.insert(name.clone()) {
            return Err(Error::invalid(format!(
                "a {what} has every step once, and this one has {name} more than once"
            )));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{DeployTemplate, UserStep};
    use crate::model::Managed;
    use crate::states::InterfaceKind as I;

    #[test]
    fn what_a_template_may_be() {
        let step = |priority| UserStep::new(I::Bios, "apply").with_priority(priority);
        let fits = |name: &str, steps: Vec<UserStep>| DeployTemplate::new(name, steps).check();
        assert!(fits("CUSTOM_A", vec![step(0)]).is_ok());
        for (name, steps, part) in [
            ("a", vec![step(1)], "trait"),
            ("CUSTOM_A", vec![], "at least one"),
            (
                "CUSTOM_A",
                vec![step(1), step(2)],
                "bios.apply more than once",
            ),
            ("CUSTOM_A", vec![step(-1)], "priority"),
            (
                "CUSTOM_A",
                vec![UserStep::new(I::Bios, "apply")],
                "priority",
            ),
            (
                "CUSTOM_A",
                vec![UserStep::new(I::Bios, "").with_priority(1)],
                "needs a name",
            ),
        ] {
            let error = fits(name, steps).unwrap_err().to_string();
            assert!(error.contains(part), "{error}");
        }
    }

    #[test]
    fn a_template_matches_the_trait_of_its_name_once() {
        let all = ["CUSTOM_A", "CUSTOM_B"].map(|name| DeployTemplate::new(name, Vec::new()));
        let names = |traits: &[&str]| {
            let matching = DeployTemplate::matching(&all, traits);
            matching.iter().map(|t| t.name.clone()).collect::<Vec<_>>()
        };
        assert!(names(&[]).is_empty());
        assert!(names(&["HW_CPU_X86_VMX"]).is_empty());
        assert_eq!(names(&["CUSTOM_B", "X", "CUSTOM_B"]), ["CUSTOM_B"]);
        assert_eq!(names(&["CUSTOM_B", "CUSTOM_A"]), ["CUSTOM_A", "CUSTOM_B"]);
    }
}
