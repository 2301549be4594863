use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::catalog::rank;
use super::check::{Checked, check, repeated};
use super::{DeployTemplate, Step, StepCatalog, StepName, UserStep};
use crate::Error;
use crate::model::JsonMap;

/// The steps of one flow, in the order in which they run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct StepPlan {
    steps: Vec<Step>,
}

impl StepPlan {
    /// The steps that run unasked.
    pub fn automated(catalog: &StepCatalog) -> Self {
        Self {
            steps: catalog
                .automated()
                .into_iter()
                .map(|def| def.planned(JsonMap::new()))
                .collect(),
        }
    }

    /// Exactly the steps that a caller asked for, in the caller's order; of those for the node's
    /// children only the children know whether they fit.
    ///
    /// # Errors
    /// [`Error::InvalidParameter`] when a step is not in the catalogue, an argument is not one
    /// of the step's, a required one is missing, or a step needs the ramdisk though
    /// `disable_ramdisk` is set; it names every such step.
    pub fn requested(
        catalog: &StepCatalog,
        asked: &[UserStep],
        disable_ramdisk: bool,
    ) -> Result<Self, Error> {
        let (steps, wrong) = checked(catalog, asked.iter(), disable_ramdisk, false);
        refuse_wrong(&wrong)?;
        Ok(Self { steps })
    }

    /// The unasked deploy steps with those of the caller and of deploy templates put among them by
    /// priority: each replaces the unasked one of the same name, and with priority 0 removes it;
    /// the caller's win over the templates'. Among equals the unasked run first, then the caller's.
    ///
    /// With `skip_missing` a step that nobody offers is left out rather than refused: until the
    /// agent has been asked it may be one of the agent's.
    ///
    /// # Errors
    /// [`Error::InvalidParameter`] as [`StepPlan::requested`], and when a step has no priority,
    /// when a name is repeated within the caller's or within all templates' steps, and when the
    /// core step `deploy.deploy` is replaced rather than removed.
    pub fn merged(
        catalog: &StepCatalog,
        asked: &[UserStep],
        templates: &[&DeployTemplate],
        skip_missing: bool,
    ) -> Result<Self, Error> {
        let named: Vec<_> = templates.iter().map(|t| t.name.as_str()).collect();
        let origin = format!("deploy templates {}", named.join(", "));
        let from_templates = templates.iter().flat_map(|template| &template.steps);
        let from_templates = chosen(catalog, from_templates, skip_missing, &origin)?;
        let mut chosen = chosen(catalog, asked.iter(), skip_missing, "deploy steps")?;
        let by_caller: BTreeSet<_> = chosen.iter().filter(own).map(Step::name).collect();
        chosen.extend(
            from_templates
                .into_iter()
                .filter(|step| !own(&step) || !by_caller.contains(&step.name())),
        );
        let named: BTreeSet<_> = chosen.iter().filter(own).map(Step::name).collect();
        let mut steps = Self::automated(catalog).steps;
        steps.retain(|step| !named.contains(&step.name()));
        steps.extend(chosen.into_iter().filter(|step| step.priority > 0));
        let flow = catalog.flow();
        steps.sort_by_key(|step| std::cmp::Reverse(rank(flow, step.priority, step.interface)));
        Ok(Self { steps })
    }

    /// The same plan without the steps of these names.
    #[must_use]
    pub fn without(mut self, names: &BTreeSet<StepName>) -> Self {
        self.steps.retain(|step| !names.contains(&step.name()));
        self
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

    /// This plan up to and without `cursor`, followed by the steps of `fresh` that are not done by
    /// that: what has run stays as it ran when the agent's steps become known. A step that
    /// `fresh` has more often than it has run runs again.
    #[must_use]
    pub fn completed(&self, cursor: u32, fresh: Self) -> Self {
        let done = self
            .steps
            .get(..usize::try_from(cursor).unwrap_or(usize::MAX))
            .unwrap_or(&self.steps);
        let mut left = fresh.steps;
        for ran in done {
            if let Some(at) = left
                .iter()
                .position(|step| step.name() == ran.name() && step.children == ran.children)
            {
                left.remove(at);
            }
        }
        Self {
            steps: done.iter().cloned().chain(left).collect(),
        }
    }
}

/// The deploy steps that `origin` chooses.
fn chosen<'a>(
    catalog: &StepCatalog,
    asked: impl Iterator<Item = &'a UserStep>,
    skip_missing: bool,
    origin: &str,
) -> Result<Vec<Step>, Error> {
    let (steps, mut wrong) = checked(catalog, asked, false, skip_missing);
    wrong.extend(repeated(&steps));
    refuse_wrong(&wrong).map_err(|error| Error::invalid(format!("{origin}: {error}")))?;
    Ok(steps)
}

/// The steps that fit, and what is wrong with the others.
fn checked<'a>(
    catalog: &StepCatalog,
    asked: impl Iterator<Item = &'a UserStep>,
    disable_ramdisk: bool,
    skip_missing: bool,
) -> (Vec<Step>, Vec<String>) {
    let (mut steps, mut wrong) = (Vec::new(), Vec::new());
    for user in asked {
        match check(catalog, user, disable_ramdisk) {
            Checked::Fits(step) => steps.push(step),
            Checked::Unknown(_) if skip_missing => {}
            Checked::Unknown(what) => wrong.push(what),
            Checked::Wrong(what) => wrong.extend(what),
        }
    }
    (steps, wrong)
}

/// Whether the step runs on the node itself.
fn own(step: &&Step) -> bool {
    step.children.is_none()
}

fn refuse_wrong(wrong: &[String]) -> Result<(), Error> {
    if wrong.is_empty() {
        Ok(())
    } else {
        Err(Error::invalid(wrong.join("; ")))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{StepPlan, UserStep};
    use crate::states::{FlowKind, InterfaceKind as I};
    use crate::steps::{
        DeployTemplate, Impact, PriorityOverrides, Replay, StepCatalog, StepDef, StepSource,
    };

    fn def(kind: I, name: &str, priority: i64) -> StepDef {
        StepDef::new(kind, name, priority, Replay::Never, Impact::NONE)
    }

    fn catalog(flow: FlowKind) -> StepCatalog {
        let defs = vec![
            def(I::Raid, "a", 10),
            def(I::Power, "b", 10).without_ramdisk(),
            def(I::Deploy, "c", 99),
            def(I::Bios, "asked", 0).arg("settings", true),
            def(I::Vendor, "last", -1),
            def(I::Network, "join", 10),
        ];
        StepCatalog::new(flow, defs)
    }

    fn names(plan: &StepPlan) -> Vec<String> {
        plan.steps().iter().map(ToString::to_string).collect()
    }

    fn requested(asked: &[UserStep]) -> Result<StepPlan, String> {
        StepPlan::requested(&catalog(FlowKind::Clean), asked, false).map_err(|e| e.to_string())
    }

    fn merged(asked: &[UserStep], templates: &[&DeployTemplate]) -> Result<StepPlan, String> {
        let plan = StepPlan::merged(&catalog(FlowKind::Deploy), asked, templates, false);
        plan.map_err(|error| error.to_string())
    }

    #[test]
    fn unasked_steps_run_by_priority_then_interface() {
        let clean = StepPlan::automated(&catalog(FlowKind::Clean));
        let order = ["deploy.c", "power.b", "raid.a", "vendor.last"];
        assert_eq!(names(&clean), order);
        let verify = StepPlan::automated(&catalog(FlowKind::Verify));
        let order = [
            "deploy.c",
            "power.b",
            "raid.a",
            "network.join",
            "vendor.last",
        ];
        assert_eq!(names(&verify), order);
        assert!(StepPlan::automated(&catalog(FlowKind::Inspect)).is_empty());
        let overrides = [("raid.a", "100"), ("deploy.c", "0"), ("deploy.nosuch", "7")];
        let overrides = PriorityOverrides::parse(overrides).unwrap();
        let changed = catalog(FlowKind::Clean).overridden(&overrides);
        let order = ["raid.a", "power.b", "vendor.last"];
        assert_eq!(names(&StepPlan::automated(&changed)), order);
        let disallowed = BTreeSet::from(["power.b".parse().unwrap()]);
        assert_eq!(
            names(&StepPlan::automated(&changed).without(&disallowed)),
            ["raid.a", "vendor.last"]
        );
    }

    #[test]
    fn asked_steps_are_checked_and_keep_their_order() {
        let bare = UserStep::new(I::Bios, "asked");
        let error = requested(&[UserStep::new(I::Deploy, "zap"), bare.clone()]).unwrap_err();
        for part in [
            "deploy.zap",
            "supports raid.a, power.b",
            "bios.asked",
            "\"settings\"",
        ] {
            assert!(error.contains(part), "{part} in {error}");
        }
        let null = bare.clone().with_arg("settings", serde_json::Value::Null);
        let plan = requested(&[null.clone(), UserStep::new(I::Deploy, "c")]).unwrap();
        assert_eq!(names(&plan), ["bios.asked", "deploy.c"]);
        let error = requested(&[null.with_arg("other", 1)]).unwrap_err();
        for part in ["bios.asked", "\"other\"", "takes settings"] {
            assert!(error.contains(part), "{part} in {error}");
        }
        let error = requested(&[UserStep::new(I::Deploy, "c").with_arg("x", 1)]).unwrap_err();
        assert!(error.contains("takes none"), "{error}");
        let error = requested(&[UserStep::new(I::Network, "join")]).unwrap_err();
        assert!(error.contains("network.join"), "{error}");
        let none = StepCatalog::new(FlowKind::Clean, Vec::new());
        let error = StepPlan::requested(&none, &[bare], false).unwrap_err();
        assert!(error.to_string().ends_with("it supports none"), "{error}");
    }

    #[test]
    fn a_priority_asked_for_counts_for_deploy_steps_only() {
        let asked = [UserStep::new(I::Deploy, "c").with_priority(3)];
        assert_eq!(requested(&asked).unwrap().get(0).unwrap().priority, 99);
        assert_eq!(names(&merged(&asked, &[]).unwrap())[2], "deploy.c");
        let error = merged(&[UserStep::new(I::Deploy, "c")], &[]).unwrap_err();
        assert!(error.contains("deploy.c needs a priority"), "{error}");
        let error = merged(&[UserStep::new(I::Power, "reboot")], &[]).unwrap_err();
        assert!(error.contains("power.reboot needs a priority"), "{error}");
    }

    #[test]
    fn without_the_ramdisk_only_steps_run_that_can_do_without() {
        let catalog = catalog(FlowKind::Clean);
        let (b, c) = (UserStep::new(I::Power, "b"), UserStep::new(I::Deploy, "c"));
        let off = UserStep::new(I::Power, "power_off");
        let can = [off, b.clone()];
        assert!(StepPlan::requested(&catalog, &can, true).is_ok());
        assert!(catalog.runs_without_ramdisk(&can));
        let error = StepPlan::requested(&catalog, &[b, c.clone()], true).unwrap_err();
        let error = error.to_string();
        assert!(error.contains("deploy.c needs the ramdisk"), "{error}");
        assert!(!error.contains("power.b"), "{error}");
        assert!(!catalog.runs_without_ramdisk(std::slice::from_ref(&c)));
        assert!(!catalog.runs_without_ramdisk(&[UserStep::new(I::Deploy, "nosuch")]));
        let mut childs = c;
        childs.execute_on_child_nodes = true;
        assert!(catalog.runs_without_ramdisk(std::slice::from_ref(&childs)));
        let plan = StepPlan::requested(&catalog, &[childs], true).unwrap();
        assert_eq!(names(&plan), ["deploy.c on child nodes"]);
    }

    #[test]
    fn reserved_steps_are_the_conductors_own() {
        let reboot = UserStep::new(I::Deploy, "reboot").with_priority(7);
        let wait = UserStep::new(I::Deploy, "wait").with_arg("seconds", 5);
        let plan = requested(&[reboot, wait]).unwrap();
        assert_eq!(names(&plan), ["deploy.reboot", "deploy.wait"]);
        let [reboot, wait] = plan.steps() else {
            panic!("two steps")
        };
        assert_eq!(reboot.source, StepSource::Conductor);
        assert_eq!((reboot.priority, reboot.impact), (0, Impact::POWER));
        assert_eq!((wait.impact, wait.requires_ramdisk), (Impact::NONE, false));
        assert_eq!(wait.args.get("seconds"), Some(&5.into()));
        for (step, key) in [("power_on", "seconds"), ("hold", "x"), ("wait", "x")] {
            let error = requested(&[UserStep::new(I::Power, step).with_arg(key, 1)]).unwrap_err();
            assert!(error.contains(step) && error.contains(key), "{error}");
        }
        let forever = UserStep::new(I::Power, "wait").with_arg("seconds", -1);
        let error = requested(&[forever]).unwrap_err();
        assert!(error.contains("seconds, not -1"), "{error}");
    }

    #[test]
    fn merging_places_replaces_and_removes() {
        let first = UserStep::new(I::Raid, "a").with_priority(150);
        let out = UserStep::new(I::Power, "b").with_priority(0);
        let off = UserStep::new(I::Power, "power_off").with_priority(120);
        let never = UserStep::new(I::Power, "reboot").with_priority(0);
        let plan = merged(&[first, out, off, never], &[]).unwrap();
        let order = ["raid.a", "power.power_off", "deploy.c", "vendor.last"];
        assert_eq!(names(&plan), order);
    }

    #[test]
    fn among_equals_the_unasked_run_first_then_the_callers() {
        let defs = ["x", "own", "y", "z"]
            .map(|name| def(I::Deploy, name, 10))
            .to_vec();
        let catalog = StepCatalog::new(FlowKind::Deploy, defs);
        let equal = |name: &str| UserStep::new(I::Deploy, name).with_priority(10);
        let template = DeployTemplate::new("CUSTOM_A", vec![equal("x"), equal("z")]);
        let asked = [equal("y"), equal("z")];
        let plan = StepPlan::merged(&catalog, &asked, &[&template], false).unwrap();
        assert_eq!(
            names(&plan),
            ["deploy.own", "deploy.y", "deploy.z", "deploy.x"]
        );
    }

    #[test]
    fn a_name_is_chosen_once_and_the_core_step_is_not_replaced() {
        let a = UserStep::new(I::Raid, "a").with_priority(5);
        let error = merged(&[a.clone(), a.clone().with_priority(0)], &[]).unwrap_err();
        assert!(
            error.contains("deploy steps: ") && error.contains("raid.a"),
            "{error}"
        );
        let one = DeployTemplate::new("CUSTOM_1", vec![a.clone()]);
        let other = DeployTemplate::new("CUSTOM_2", vec![a.clone()]);
        let error = merged(&[], &[&one, &other]).unwrap_err();
        assert!(
            error.contains("CUSTOM_1, CUSTOM_2") && error.contains("raid.a"),
            "{error}"
        );
        let plan = merged(&[a.with_priority(0)], &[&one]).unwrap();
        assert_eq!(names(&plan)[0], "deploy.c", "the caller's wins");
        let twice = UserStep::new(I::Power, "reboot").with_priority(5);
        assert_eq!(merged(&[twice.clone(), twice], &[]).unwrap().len(), 7 - 1);

        let core = StepCatalog::new(FlowKind::Deploy, vec![def(I::Deploy, "deploy", 100)]);
        let deploy = UserStep::new(I::Deploy, "deploy");
        let merge = |step| StepPlan::merged(&core, &[step], &[], false);
        let error = merge(deploy.clone().with_priority(1))
            .unwrap_err()
            .to_string();
        assert!(error.contains("deploy.deploy is a core step"), "{error}");
        assert!(merge(deploy.with_priority(0)).unwrap().is_empty());
    }

    #[test]
    fn a_removed_step_needs_no_arguments_but_takes_no_wrong_ones() {
        let asked = UserStep::new(I::Bios, "asked");
        assert!(merged(&[asked.clone().with_priority(0)], &[]).is_ok());
        assert!(merged(&[asked.clone().with_priority(1)], &[]).is_err());
        assert!(merged(&[asked.with_priority(0).with_arg("x", 1)], &[]).is_err());
    }

    #[test]
    fn a_step_that_nobody_offers_is_left_out_until_the_agent_was_asked() {
        let unknown = [UserStep::new(I::Deploy, "agents").with_priority(5)];
        let catalog = catalog(FlowKind::Deploy);
        let plan = StepPlan::merged(&catalog, &unknown, &[], true).unwrap();
        assert_eq!(plan, StepPlan::automated(&catalog));
        let error = merged(&unknown, &[]).unwrap_err();
        assert!(error.contains("deploy.agents"), "{error}");
    }

    #[test]
    fn completing_keeps_what_has_run() {
        let plan = StepPlan::automated(&catalog(FlowKind::Clean));
        let fresh = vec![def(I::Deploy, "c", 1), def(I::Deploy, "agent", 5)];
        let fresh = StepPlan::automated(&StepCatalog::new(FlowKind::Clean, fresh));
        let whole = plan.completed(1, fresh.clone());
        assert_eq!(names(&whole), ["deploy.c", "deploy.agent"]);
        assert_eq!(whole.get(0).unwrap().priority, 99, "as it ran");
        let all = names(&plan).len();
        assert_eq!(plan.completed(99, fresh).len(), all + 1);
    }

    #[test]
    fn a_step_asked_for_twice_runs_twice() {
        let twice = ["b", "b"].map(|name| UserStep::new(I::Power, name));
        let plan = requested(&twice).unwrap();
        assert_eq!(plan.completed(1, plan.clone()), plan);
    }
}
