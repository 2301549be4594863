//! What holds of every catalogue and every request.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::catalog::rank;
use super::{
    DeployTemplate, Impact, PriorityOverrides, Replay, StepCatalog, StepDef, StepName, StepPlan,
    UserStep,
};
use crate::states::{FlowKind, InterfaceKind};

const STEPS: [&str; 4] = ["a", "b", "c", "deploy"];

fn interface() -> impl Strategy<Value = InterfaceKind> {
    prop::sample::select(InterfaceKind::ALL)
}

fn name() -> impl Strategy<Value = StepName> {
    (interface(), prop::sample::select(&STEPS[..])).prop_map(|(i, step)| StepName::new(i, step))
}

fn flow() -> impl Strategy<Value = FlowKind> {
    prop::sample::select(FlowKind::ALL)
}

prop_compose! {
    fn def()(name in name(), priority in -2_i64..4, ramdisk: bool, arg: Option<bool>) -> StepDef {
        let (kind, step) = (name.interface(), name.step());
        let mut def = StepDef::new(kind, step, priority, Replay::Never, Impact::NONE);
        def.requires_ramdisk = ramdisk;
        match arg {
            Some(required) => def.arg("x", required),
            None => def,
        }
    }
}

prop_compose! {
    /// Like an interface's own list: no name twice.
    fn defs()(defs in prop::collection::vec(def(), 0..24)) -> Vec<StepDef> {
        let mut seen = BTreeSet::new();
        defs.into_iter().filter(|def| seen.insert(def.name())).collect()
    }
}

prop_compose! {
    fn user()(name in name(), priority in 0_i64..4, reserved in 0..8, arg: bool) -> UserStep {
        let step = match reserved {
            0 => "reboot",
            1 => "power_off",
            _ => name.step(),
        };
        let user = UserStep::new(name.interface(), step).with_priority(priority);
        if arg { user.with_arg("x", 1) } else { user }
    }
}

fn users() -> impl Strategy<Value = Vec<UserStep>> {
    prop::collection::vec(user(), 0..6)
}

fn ranks(catalog: &StepCatalog, plan: &StepPlan) -> Vec<(i64, Option<u8>)> {
    let steps = plan.steps().iter();
    steps
        .map(|step| rank(catalog.flow(), step.priority, step.interface))
        .collect()
}

proptest! {
    #[test]
    fn the_order_is_total_and_stable(flow in flow(), defs in defs()) {
        let catalog = StepCatalog::new(flow, defs);
        let plan = StepPlan::automated(&catalog);
        let ranks = ranks(&catalog, &plan);
        prop_assert!(ranks.is_sorted_by(|a, b| a >= b), "{ranks:?}");
        let given: Vec<_> = catalog.iter().map(StepDef::name).collect();
        for (pair, ranks) in plan.steps().windows(2).zip(ranks.windows(2)) {
            let at = |n: usize| given.iter().position(|name| *name == pair[n].name());
            prop_assert!(ranks[0] != ranks[1] || at(0) < at(1), "as given: {pair:?}");
        }
        let enabled = catalog.iter().filter(|def| def.priority != 0).count();
        prop_assert_eq!(plan.len(), enabled);
    }

    #[test]
    fn the_order_of_interfaces_does_not_matter(flow in flow(), defs in defs()) {
        let mut by_interface = defs.clone();
        by_interface.sort_by_key(|def| std::cmp::Reverse(def.interface));
        prop_assert_eq!(
            StepPlan::automated(&StepCatalog::new(flow, defs)),
            StepPlan::automated(&StepCatalog::new(flow, by_interface))
        );
    }

    #[test]
    fn an_override_changes_only_the_step_that_it_names(
        flow in flow(), defs in defs(), step in name(), priority in -2_i64..4,
    ) {
        let before = StepCatalog::new(flow, defs);
        let overrides = PriorityOverrides::default().with(step.clone(), priority);
        let after = before.clone().overridden(&overrides);
        for (old, new) in before.iter().zip(after.iter()) {
            let mut wanted = old.clone();
            if old.name() == step {
                wanted.priority = priority;
            }
            prop_assert_eq!(new, &wanted);
        }
        let others = |plan: &StepPlan| {
            let steps = plan.steps().iter().filter(|s| s.name() != step);
            steps.cloned().collect::<Vec<_>>()
        };
        let (old, new) = (StepPlan::automated(&before), StepPlan::automated(&after));
        prop_assert_eq!(others(&old), others(&new));
        prop_assert_eq!(after.clone().overridden(&overrides), after);
    }

    #[test]
    fn a_request_is_kept_in_its_order_or_refused(
        flow in flow(), defs in defs(), asked in users(), disable_ramdisk: bool,
    ) {
        let catalog = StepCatalog::new(flow, defs);
        if let Ok(plan) = StepPlan::requested(&catalog, &asked, disable_ramdisk) {
            let names: Vec<_> = plan.steps().iter().map(|step| step.name()).collect();
            let wanted: Vec<_> = asked.iter().map(UserStep::name).collect();
            prop_assert_eq!(names, wanted);
            let needy = plan.steps().iter().find(|step| step.requires_ramdisk);
            prop_assert!(!disable_ramdisk || needy.is_none(), "{needy:?}");
            prop_assert_eq!(
                catalog.runs_without_ramdisk(&asked),
                plan.steps().iter().all(|step| !step.requires_ramdisk)
            );
        }
    }

    #[test]
    fn merging_keeps_every_promise(
        defs in defs(), asked in users(), theirs in users(), skip_missing: bool,
    ) {
        let catalog = StepCatalog::new(FlowKind::Deploy, defs);
        let template = DeployTemplate::new("CUSTOM_A", theirs.clone());
        let merge = || StepPlan::merged(&catalog, &asked, &[&template], skip_missing);
        let Ok(plan) = merge() else {
            return Ok(());
        };
        prop_assert_eq!(&merge().unwrap(), &plan, "the same again");
        let ranks = ranks(&catalog, &plan);
        prop_assert!(ranks.is_sorted_by(|a, b| a >= b), "{ranks:?}");
        let runs = |name: &StepName| plan.steps().iter().any(|step| step.name() == *name);
        let known = |user: &UserStep| {
            user.reserved().is_some() || catalog.find(user.interface, &user.step).is_some()
        };
        for user in asked.iter().filter(|user| user.reserved().is_none() && known(user)) {
            prop_assert_eq!(runs(&user.name()), user.priority > Some(0), "{:?}", user);
        }
        let chosen: BTreeSet<_> = asked.iter().chain(&theirs).map(UserStep::name).collect();
        for def in catalog.iter().filter(|def| !chosen.contains(&def.name())) {
            prop_assert_eq!(runs(&def.name()), def.priority != 0, "{:?}", def);
        }
        let again = plan.completed(0, plan.clone());
        prop_assert_eq!(&again, &plan);
    }

    #[test]
    fn what_was_merged_merges_into_itself(defs in defs(), asked in users()) {
        let catalog = StepCatalog::new(FlowKind::Deploy, defs);
        let Ok(plan) = StepPlan::merged(&catalog, &asked, &[], false) else {
            return Ok(());
        };
        // What runs, asked for once more beside what was taken out, is the same plan.
        let once_more: Vec<_> = asked.iter().filter(|user| user.reserved().is_none()).cloned()
            .chain(plan.steps().iter().filter(|s| s.reserved().is_some()).map(|step| {
                UserStep { args: step.args.clone(), ..UserStep::new(step.interface, &step.step) }
                    .with_priority(step.priority)
            }))
            .collect();
        let again = StepPlan::merged(&catalog, &once_more, &[], false).unwrap();
        let mut names = [&plan, &again].map(|plan| {
            plan.steps().iter().map(|step| (step.priority, step.name())).collect::<Vec<_>>()
        });
        names.iter_mut().for_each(|names| names.sort());
        prop_assert_eq!(&names[0], &names[1]);
    }

    #[test]
    fn disallowed_steps_never_run(flow in flow(), defs in defs(), names in prop::collection::btree_set(name(), 0..4)) {
        let plan = StepPlan::automated(&StepCatalog::new(flow, defs));
        let left = plan.clone().without(&names);
        prop_assert!(left.steps().iter().all(|step| !names.contains(&step.name())));
        let kept: Vec<_> = plan.steps().iter().filter(|s| !names.contains(&s.name())).collect();
        prop_assert_eq!(left.steps().iter().collect::<Vec<_>>(), kept);
    }

    #[test]
    fn any_names_and_priorities_are_read_or_refused(step in ".*", priority in ".*") {
        let read = PriorityOverrides::parse([(step.as_str(), priority.as_str())]);
        if let Ok(overrides) = read {
            prop_assert_eq!(overrides.is_empty(), priority.is_empty());
        }
    }
}
