use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{StepDef, StepName};
use crate::Error;

/// The priorities that an operator gives to steps that run unasked, instead of their own.
///
/// One for a step that a node does not offer has no effect on that node.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PriorityOverrides {
    by_step: BTreeMap<StepName, i64>,
}

impl PriorityOverrides {
    /// The same overrides, and this one; 0 keeps the step from running.
    #[must_use]
    pub fn with(mut self, step: StepName, priority: i64) -> Self {
        self.by_step.insert(step, priority);
        self
    }

    /// Reads pairs of a step's name and its priority. The last of a name counts; an empty text
    /// stands for the step's own priority.
    ///
    /// # Errors
    /// [`Error::InvalidParameter`] that names the step whose name or priority is wrong.
    pub fn parse<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Self, Error> {
        let mut overrides = Self::default();
        for (step, priority) in pairs {
            let step: StepName = step.trim().parse()?;
            if priority.is_empty() {
                overrides.by_step.remove(&step);
                continue;
            }
            let number = priority.trim().parse().map_err(|_| {
                Error::invalid(format!(
                    "the priority of step {step} must be a whole number, not {priority:?}"
                ))
            })?;
            overrides.by_step.insert(step, number);
        }
        Ok(overrides)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.by_step.is_empty()
    }

    /// Each step that has one, with its priority.
    pub fn iter(&self) -> impl Iterator<Item = (&StepName, i64)> {
        self.by_step
            .iter()
            .map(|(step, priority)| (step, *priority))
    }

    /// Gives a step the priority that it has here, if it has one.
    pub(super) fn apply(&self, def: &mut StepDef) {
        if let Some(priority) = self.by_step.get(&def.name()) {
            def.priority = *priority;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::PriorityOverrides;

    #[test]
    fn pairs_are_read_and_the_last_of_a_name_counts() {
        let read = |pairs: &[(&str, &str)]| {
            PriorityOverrides::parse(pairs.iter().copied()).map(|overrides| {
                let shown = overrides.iter().map(|(step, n)| format!("{step}:{n}"));
                shown.collect::<Vec<_>>().join(",")
            })
        };
        assert_eq!(read(&[]).unwrap(), "");
        assert!(PriorityOverrides::default().is_empty());
        let both = [("raid.b", " -3 "), ("deploy.a", "5"), ("deploy.a", "+77")];
        assert_eq!(read(&both).unwrap(), "deploy.a:77,raid.b:-3");
        assert!(!PriorityOverrides::parse(both).unwrap().is_empty());
        assert_eq!(read(&[("deploy.a", "5"), ("deploy.a", "")]).unwrap(), "");
        for (step, priority) in [("deploy.a", "abc"), ("deploy.a", "1.5"), ("deploy.a", " ")] {
            let error = read(&[(step, priority)]).unwrap_err().to_string();
            assert!(
                error.contains("deploy.a") && error.contains(priority),
                "{error}"
            );
        }
        assert!(read(&[("nosuch.a", "1")]).is_err());
    }
}
