use std::collections::BTreeSet;
use std::sync::Arc;

use super::hostile::{MARK, values};
use super::rig::{Lack, Rig, Verdict, lack};
use crate::ErrorKind;
use crate::driver::{Interface, Task};
use crate::flow::Progress;
use crate::model::JsonMap;
use crate::states::FlowKind;
use crate::steps::{Impact, Replay, StepDef, StepSource};

pub(super) type Offer = (Arc<dyn Interface>, FlowKind, StepDef);

/// Every step of every interface under test, for every kind of flow.
///
/// # Errors
/// When there are none.
pub(super) async fn offers(rig: &Rig, task: &Task) -> Result<Vec<Offer>, Lack> {
    let mut offers: Vec<Offer> = Vec::new();
    for (_, interface) in rig.interfaces(task).await {
        for flow in FlowKind::ALL.iter().copied() {
            let defs = interface.steps(task.node(), flow).into_iter();
            offers.extend(defs.map(|def| (Arc::clone(&interface), flow, def)));
        }
    }
    if offers.is_empty() {
        return Err(lack("it offers no steps"));
    }
    Ok(offers)
}

pub(super) async fn step_names_are_unique(rig: &Rig) -> Verdict {
    let task = rig.task().await;
    offers(rig, &task).await?;
    for (kind, interface) in rig.interfaces(&task).await {
        for flow in FlowKind::ALL.iter().copied() {
            let mut names = BTreeSet::new();
            for def in interface.steps(task.node(), flow) {
                assert_eq!(def.interface, kind, "{}", def.step);
                let plain = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
                let named = !def.step.is_empty() && def.step.chars().all(plain);
                assert!(named, "{kind} has a step {:?}", def.step);
                let args = def.args.keys().all(|arg| !arg.is_empty());
                assert!(args, "{kind}.{} has an argument without a name", def.step);
                assert!(
                    names.insert(def.step.clone()),
                    "{kind}.{} is offered twice for {flow}",
                    def.step
                );
            }
        }
    }
    Ok(())
}

pub(super) async fn steps_are_the_same_for_the_same_node(rig: &Rig) -> Verdict {
    let (task, before) = (rig.task().await, rig.machine.messages());
    let once = offers(rig, &task).await?;
    let twice = offers(rig, &task).await?;
    let defs = |offers: &[Offer]| -> Vec<_> {
        let all = offers.iter().map(|(_, flow, def)| (*flow, def.clone()));
        all.collect()
    };
    assert_eq!(defs(&once), defs(&twice));
    rig.expect_nothing_sent(before.unwrap_or(0), "listing steps");
    Ok(())
}

pub(super) async fn unknown_steps_are_refused(rig: &Rig) -> Verdict {
    let mut task = rig.task().await;
    let before = rig.machine.messages();
    for (kind, interface) in rig.interfaces(&task).await {
        for flow in FlowKind::ALL.iter().copied() {
            for name in ["no_such_step", "validate", ""] {
                let def = StepDef::new(kind, name, 0, Replay::Never, Impact::NONE);
                let step = def.planned(JsonMap::new());
                let answer = interface.execute_step(&mut task, flow, &step).await;
                let error = rig.refused(answer, &format!("{flow} step {step}"));
                let refusal = error.kind();
                assert!(
                    matches!(
                        refusal,
                        ErrorKind::Unsupported | ErrorKind::InvalidParameter
                    ),
                    "{step} is refused as {refusal}: {error}"
                );
                let text = error.to_string();
                assert!(text.contains(name), "which step? {text}");
            }
        }
    }
    rig.expect_nothing_sent(before.unwrap_or(0), "unknown steps");
    Ok(())
}

pub(super) async fn required_arguments_are_missed(rig: &Rig) -> Verdict {
    let mut task = rig.task().await;
    let mut seen = 0;
    let before = rig.machine.messages();
    for (interface, flow, def) in offers(rig, &task).await? {
        let required = def.args.iter().filter(|(_, required)| **required);
        for (arg, _) in required {
            seen += 1;
            let mut args = rig.machine.step_args(&def).unwrap_or_default();
            args.remove(arg);
            let step = def.planned(args);
            let what = format!("{step} without {arg}");
            let answer = interface.execute_step(&mut task, flow, &step).await;
            let error = rig.refused(answer, &what);
            assert!(
                super::rig::is_refusal(error.kind()),
                "{what} is refused as {}: {error}",
                error.kind()
            );
            assert!(error.to_string().contains(arg), "{what}: {error}");
            rig.expect_nothing_sent(before.unwrap_or(0), &what);
        }
    }
    if seen == 0 {
        return Err(lack("no step has a required argument"));
    }
    Ok(())
}

pub(super) async fn hostile_arguments_are_survived(rig: &Rig) -> Verdict {
    let mut task = rig.task().await;
    let mut seen = 0;
    for (interface, flow, def) in offers(rig, &task).await? {
        for arg in def.args.keys() {
            for value in values() {
                seen += 1;
                let mut args = rig.machine.step_args(&def).unwrap_or_default();
                args.insert(arg.clone(), value);
                let step = def.planned(args);
                let ran = interface.execute_step(&mut task, flow, &step);
                if let Err(error) = rig.soon("a step", ran).await {
                    rig.expect_discreet(&error, &[MARK.to_owned()]);
                }
            }
        }
    }
    if seen == 0 {
        return Err(lack("no step has an argument"));
    }
    rig.expect_working(&mut task, "hostile arguments").await;
    Ok(())
}

pub(super) async fn every_step_can_be_run(rig: &Rig) -> Verdict {
    let mut task = rig.task().await;
    let mut ran = 0;
    for (interface, flow, def) in offers(rig, &task).await? {
        let args = rig.machine.step_args(&def);
        let Some(args) = args.filter(|_| def.source == StepSource::Driver) else {
            continue;
        };
        ran += 1;
        let step = def.planned(args);
        let answer = interface.execute_step(&mut task, flow, &step).await;
        match rig.done(answer, &format!("{flow} step {step}")) {
            Progress::Done => {}
            Progress::Wait(wait) => assert!(
                def.replay != Replay::Probe || wait.poll.is_some() || wait.deadline.is_some(),
                "{step} waits for nothing that could come"
            ),
        }
    }
    if ran == 0 {
        return Err(lack("no step runs without the agent"));
    }
    rig.expect_working(&mut task, "all steps").await;
    Ok(())
}

pub(super) async fn idempotent_steps_may_run_twice(rig: &Rig) -> Verdict {
    let mut task = rig.task().await;
    let mut ran = 0;
    for (interface, flow, def) in offers(rig, &task).await? {
        let idempotent = def.replay == Replay::Idempotent && def.source == StepSource::Driver;
        let Some(args) = rig.machine.step_args(&def).filter(|_| idempotent) else {
            continue;
        };
        ran += 1;
        let step = def.planned(args);
        let mut seen = Vec::new();
        for time in ["once", "twice"] {
            let answer = interface.execute_step(&mut task, flow, &step).await;
            let progress = rig.done(answer, &format!("{step}, {time}"));
            let power = rig.machine.power().await;
            seen.push((progress, task.node().clone(), power));
        }
        assert_eq!(seen[0], seen[1], "{step} says that it may run twice");
    }
    if ran == 0 {
        return Err(lack("no step is idempotent"));
    }
    Ok(())
}

pub(super) async fn progress_can_be_asked_of_every_step(rig: &Rig) -> Verdict {
    let task = rig.task().await;
    for (interface, flow, def) in offers(rig, &task).await? {
        let args = rig.machine.step_args(&def).unwrap_or_default();
        let step = def.planned(args);
        let before = task.node().clone();
        let asked = interface.step_progress(&task, flow, &step);
        match rig.soon("asking how far a step is", asked).await {
            Ok(_) => {}
            Err(error) => {
                rig.expect_discreet(&error, &[]);
                assert!(error.is_retryable(), "asking of {step}: {error}");
            }
        }
        assert_eq!(*task.node(), before);
    }
    Ok(())
}
