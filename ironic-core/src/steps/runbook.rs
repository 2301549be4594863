use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::Map;
use uuid::Uuid;

use super::UserStep;
use super::template::check_steps;
use crate::Error;
use crate::model::managed::{check_length, check_name, header};
use crate::model::{JsonMap, Managed, is_default, is_valid_trait};
use crate::runtime::Timestamp;

/// A step of a [`Runbook`].
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RunbookStep {
    /// The step.
    #[serde(flatten)]
    pub step: UserStep,
    /// Where it runs: lower first; among equals in the order in which they stand.
    pub order: u32,
}

masked_debug!(RunbookStep);

impl RunbookStep {
    /// The step, to run in this place.
    pub fn new(step: UserStep, order: u32) -> Self {
        Self { step, order }
    }
}

/// Steps that somebody has approved of, to be run by name on the machines for which they are
/// meant.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Runbook {
    /// Its identity.
    #[serde(default)]
    pub uuid: Uuid,
    /// Its name; no two runbooks share one.
    pub name: String,
    /// The steps.
    pub steps: Vec<RunbookStep>,
    /// Which machines it is meant for: those that have at least one of these traits.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub traits: Vec<String>,
    /// Whose it is; `None` for the operator's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// Whether every project may use it, rather than its owner alone.
    #[serde(default, skip_serializing_if = "is_default")]
    pub public: bool,
    /// Whether no ramdisk is booted for it.
    #[serde(default, skip_serializing_if = "is_default")]
    pub disable_ramdisk: bool,
    /// Free text, 255 characters at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Anything that the owner wants to remember.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub extra: JsonMap,
    /// When it was created.
    #[serde(default, skip_serializing_if = "is_default")]
    pub created_at: Timestamp,
    /// When it was last changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<Timestamp>,
}

masked_debug!(Runbook);

impl Runbook {
    /// A runbook of these steps, for machines that have a trait of its name.
    pub fn new(name: impl Into<String>, steps: Vec<RunbookStep>) -> Self {
        let name = name.into();
        Self {
            uuid: Uuid::nil(),
            traits: Some(name.clone())
                .filter(|name| is_valid_trait(name))
                .into_iter()
                .collect(),
            name,
            steps,
            owner: None,
            public: false,
            disable_ramdisk: false,
            description: None,
            extra: Map::new(),
            created_at: Timestamp::EPOCH,
            updated_at: None,
        }
    }

    /// The steps in the order in which they run.
    pub fn ordered(&self) -> Vec<UserStep> {
        let mut steps: Vec<_> = self.steps.iter().collect();
        steps.sort_by_key(|step| step.order);
        steps.into_iter().map(|step| step.step.clone()).collect()
    }

    /// Whether the caller of this project may use it; no project stands for the system itself.
    pub fn is_open_to(&self, project: Option<&str>) -> bool {
        self.public || project.is_none() || self.owner.as_deref() == project
    }

    /// Whether it is meant for a machine with these traits.
    pub fn is_meant_for(&self, traits: &BTreeSet<String>) -> bool {
        self.traits.iter().any(|name| traits.contains(name))
    }
}

impl Managed for Runbook {
    const SETTABLE: &'static [&'static str] = &[
        "name",
        "steps",
        "traits",
        "owner",
        "public",
        "disable_ramdisk",
        "description",
        "extra",
    ];

    header!();

    fn check(&mut self) -> Result<(), Error> {
        let what = "runbook";
        check_name(what, Some(&self.name))?;
        check_length(what, "owner", self.owner.as_deref(), 255)?;
        check_length(what, "description", self.description.as_deref(), 255)?;
        if let Some(name) = self.traits.iter().find(|name| !is_valid_trait(name)) {
            return Err(Error::invalid(format!("{name:?} is no trait")));
        }
        // A public runbook is everybody's.
        if self.public {
            self.owner = None;
        }
        let steps: Vec<_> = self.steps.iter().map(|step| step.step.clone()).collect();
        check_steps(what, &steps)
    }
}

#[cfg(test)]
mod tests {
    use super::{Runbook, RunbookStep, UserStep};
    use crate::model::Managed;
    use crate::states::InterfaceKind as I;

    fn step(name: &str, order: u32) -> RunbookStep {
        RunbookStep::new(UserStep::new(I::Bios, name), order)
    }

    #[test]
    fn steps_run_by_their_order() {
        let runbook = Runbook::new("CUSTOM_R", vec![step("c", 2), step("a", 1), step("b", 1)]);
        let names: Vec<_> = runbook.ordered().into_iter().map(|s| s.step).collect();
        assert_eq!(names, ["a", "b", "c"]);
    }

    #[test]
    fn who_may_use_it_on_what() {
        let mut runbook = Runbook::new("CUSTOM_R", vec![step("a", 1)]);
        let traits = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        assert!(runbook.is_meant_for(&traits(&["X", "CUSTOM_R"])));
        assert!(!runbook.is_meant_for(&traits(&["X"])));
        assert!(runbook.is_open_to(None) && !runbook.is_open_to(Some("p")));
        runbook.owner = Some("p".to_owned());
        assert!(runbook.is_open_to(Some("p")) && !runbook.is_open_to(Some("q")));
        runbook.public = true;
        assert!(runbook.is_open_to(Some("q")));
        runbook.check().unwrap();
        assert_eq!(runbook.owner, None);
        let mut other = Runbook::new("nightly", vec![step("a", 1)]);
        assert!(other.check().is_ok() && !other.is_meant_for(&traits(&["nightly"])));
        let json = serde_json::to_value(&runbook.steps).unwrap();
        assert_eq!(json[0]["order"], 1);
        assert_eq!(json[0]["step"], "a");
    }

    #[test]
    fn what_a_runbook_may_be() {
        for (runbook, part) in [
            (Runbook::new("a b", vec![step("a", 1)]), "name of a runbook"),
            (Runbook::new("r", vec![]), "at least one step"),
            (
                Runbook::new("r", vec![step("a", 1), step("a", 2)]),
                "bios.a more than once",
            ),
        ] {
            let error = runbook.clone().check().unwrap_err().to_string();
            assert!(error.contains(part), "{error}");
        }
        let mut wrong = Runbook::new("r", vec![step("a", 1)]);
        wrong.traits = vec!["x".to_owned()];
        assert!(wrong.check().is_err());
    }
}
