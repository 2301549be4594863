use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Step, StepCatalog, UserStep, catalog::tie_break};
use crate::Error;
use crate::model::JsonMap;
use crate::states::FlowKind;

/// The steps of one flow, in the order in which they run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct StepPlan {
    steps: Vec<Step>,
}

impl StepPlan {
    /// The steps that run unasked.
    pub fn automated(catalog: &StepCatalog, flow: FlowKind) -> Self {
        Self {
            steps: catalog
                .automated(flow)
                .into_iter()
                .map(|def| def.planned(JsonMap::new()))
                .collect(),
        }
    }

    /// Exactly the steps that a caller asked for, in the caller's order.
    ///
    /// # Errors
    /// [`Error::InvalidParameter`] when a step is not in the catalogue, an argument is not one
    /// of the step's, or a required one is missing; it names every such step.
    pub fn requested(
        catalog: &StepCatalog,
        flow: FlowKind,
        asked: &[UserStep],
    ) -> Result<Self, Error> {
        let mut wrong = Vec::new();
        let mut steps = Vec::new();
        for user in asked {
            match resolve(catalog, flow, user) {
                Ok(step) => steps.push(step),
                Err(error) => wrong.push(error),
            }
        }
        if wrong.is_empty() {
            Ok(Self { steps })
        } else {
            Err(Error::invalid(wrong.join("; ")))
        }
    }

    /// The unasked deploy steps with those asked for put among them by priority: one asked for
    /// replaces the unasked one of the same name, and with priority 0 removes it.
    ///
    /// # Errors
    /// [`Error::InvalidParameter`] as [`StepPlan::requested`].
    pub fn merged(
        catalog: &StepCatalog,
        flow: FlowKind,
        asked: &[UserStep],
    ) -> Result<Self, Error> {
        let requested = Self::requested(catalog, flow, asked)?;
        let named = |step: &Step| {
            asked
                .iter()
                .any(|user| user.interface == step.interface && user.step == step.step)
        };
        let mut steps: Vec<_> = requested
            .steps
            .into_iter()
            .filter(|step| step.priority > 0)
            .collect();
        steps.extend(
            Self::automated(catalog, flow)
                .steps
                .into_iter()
                .filter(|step| !named(step)),
        );
        steps.sort_by_key(|step| {
            std::cmp::Reverse((step.priority, tie_break(flow, step.interface)))
        });
        Ok(Self { steps })
    }

    /// The steps in their order.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// The step at `index`, counted from 0.
    pub fn get(&self, index: u32) -> Option<&Step> {
        self.steps.get(usize::try_from(index).ok()?)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.steps.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// This plan up to and without `cursor`, followed by those steps of `fresh` that it does not
    /// hold yet: what has run stays as it ran when the agent's steps become known.
    #[must_use]
    pub fn completed(&self, cursor: u32, fresh: Self) -> Self {
        let done = self
            .steps
            .get(..usize::try_from(cursor).unwrap_or(usize::MAX))
            .unwrap_or(&self.steps);
        let mut steps = done.to_vec();
        let ran = |step: &Step| {
            done.iter()
                .any(|d| d.interface == step.interface && d.step == step.step)
        };
        steps.extend(fresh.steps.into_iter().filter(|step| !ran(step)));
        Self { steps }
    }
}

fn resolve(catalog: &StepCatalog, flow: FlowKind, user: &UserStep) -> Result<Step, String> {
    let name = format!("{}.{}", user.interface, user.step);
    let def = catalog.find(user.interface, &user.step).ok_or_else(|| {
        let offered: Vec<_> = catalog
            .iter()
            .map(|def| format!("{}.{}", def.interface, def.step))
            .collect();
        format!(
            "node does not support the {flow} step {name}; it supports {}",
            offered.join(", ")
        )
    })?;
    if let Some(extra) = user.args.keys().find(|key| !def.args.contains_key(*key)) {
        return Err(format!("{flow} step {name} takes no argument {extra:?}"));
    }
    let missing = |key: &String| user.args.get(key).is_none_or(Value::is_null);
    if let Some((key, _)) = def
        .args
        .iter()
        .find(|(key, required)| **required && missing(key))
    {
        return Err(format!("{flow} step {name} requires the argument {key:?}"));
    }
    let mut step = def.planned(user.args.clone());
    if let Some(priority) = user.priority {
        step.priority = priority;
    }
    Ok(step)
}

#[cfg(test)]
mod tests {
    use super::{StepPlan, UserStep};
    use crate::states::{FlowKind, InterfaceKind as I};
    use crate::steps::{Impact, Replay, StepCatalog, StepDef};

    fn catalog() -> StepCatalog {
        let def =
            |kind, name, priority| StepDef::new(kind, name, priority, Replay::Never, Impact::NONE);
        StepCatalog::new(vec![
            def(I::Raid, "a", 10),
            def(I::Power, "b", 10),
            def(I::Deploy, "c", 99),
            def(I::Bios, "asked", 0).arg("settings", true),
        ])
    }

    fn names(plan: &StepPlan) -> Vec<String> {
        plan.steps().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn unasked_steps_run_by_priority_then_interface() {
        assert_eq!(
            names(&StepPlan::automated(&catalog(), FlowKind::Clean)),
            ["deploy.c", "power.b", "raid.a"]
        );
    }

    #[test]
    fn asked_steps_are_checked_and_keep_their_order() {
        let unknown = StepPlan::requested(
            &catalog(),
            FlowKind::Clean,
            &[UserStep::new(I::Deploy, "zap")],
        );
        assert!(unknown.unwrap_err().to_string().contains("deploy.zap"));
        let bare = [
            UserStep::new(I::Bios, "asked"),
            UserStep::new(I::Deploy, "c"),
        ];
        let missing = StepPlan::requested(&catalog(), FlowKind::Clean, &bare);
        assert!(missing.unwrap_err().to_string().contains("settings"));
        let mut full = bare.clone();
        full[0].args.insert("settings".into(), 1.into());
        assert_eq!(
            names(&StepPlan::requested(&catalog(), FlowKind::Clean, &full).unwrap()),
            ["bios.asked", "deploy.c"]
        );
        full[0].args.insert("other".into(), 1.into());
        assert!(StepPlan::requested(&catalog(), FlowKind::Clean, &full).is_err());
    }

    #[test]
    fn merging_places_replaces_and_removes() {
        let mut first = UserStep::new(I::Raid, "a");
        first.priority = Some(150);
        let mut out = UserStep::new(I::Power, "b");
        out.priority = Some(0);
        let plan = StepPlan::merged(&catalog(), FlowKind::Deploy, &[first, out]).unwrap();
        assert_eq!(names(&plan), ["raid.a", "deploy.c"]);
    }

    #[test]
    fn completing_keeps_what_has_run() {
        let plan = StepPlan::automated(&catalog(), FlowKind::Clean);
        let fresh = StepPlan::automated(
            &StepCatalog::new(vec![
                StepDef::new(I::Deploy, "c", 1, Replay::Never, Impact::NONE),
                StepDef::new(I::Deploy, "agent", 5, Replay::Probe, Impact::ERASE),
            ]),
            FlowKind::Clean,
        );
        assert_eq!(
            names(&plan.completed(1, fresh)),
            ["deploy.c", "deploy.agent"]
        );
    }
}
