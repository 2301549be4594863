//! What interfaces foresee, held against what they then do.

use super::rig::{Rig, Verdict, lack};
use super::steps::offers;
use crate::driver::Task;
use crate::flow::{Deed, Forecast, Outlook, Part, Progress};
use crate::model::JsonMap;
use crate::states::{FlowKind, InterfaceKind, PowerState, PowerTarget};
use crate::steps::Step;

pub(super) async fn forecasts_are_made_without_a_word(rig: &Rig) -> Verdict {
    let (task, before) = (rig.look().await, rig.machine.messages());
    for (kind, interface) in rig.interfaces(&task).await {
        for flow in FlowKind::ALL.iter().copied() {
            let defs = interface.steps(task.node(), flow).into_iter();
            let steps: Vec<Step> = defs.map(|def| def.planned(JsonMap::new())).collect();
            let parts = [Part::Prepare, Part::Finish].into_iter();
            for part in parts.chain(steps.iter().map(Part::Step)) {
                let outlook = Outlook::new(task.node(), flow, part);
                let said = interface.forecast(&outlook);
                let again = interface.forecast(&outlook);
                assert_eq!(again, said, "{kind} foresees one thing and then another");
            }
        }
    }
    rig.expect_nothing_sent(before.unwrap_or(0), "a forecast");
    Ok(())
}

pub(super) async fn a_forecast_of_lost_power_is_declared(rig: &Rig) -> Verdict {
    let task = rig.task().await;
    for (interface, flow, def) in offers(rig, &task).await? {
        let step = def.planned(JsonMap::new());
        let outlook = Outlook::new(task.node(), flow, Part::Step(&step));
        let said = interface.forecast(&outlook);
        assert!(
            step.impact.power_cycles || losses(&said) == 0,
            "{step} is declared to leave the power alone, and foresees {:?}",
            said.deeds
        );
    }
    Ok(())
}

pub(super) async fn what_a_step_does_was_foreseen(rig: &Rig) -> Verdict {
    let mut task = rig.task().await;
    let mut seen = 0;
    for (interface, flow, def) in offers(rig, &task).await? {
        let Some(args) = rig.machine.step_args(&def) else {
            continue;
        };
        seen += 1;
        let step = def.planned(args);
        powered(rig, &mut task).await;
        let said = interface.forecast(&Outlook::new(task.node(), flow, Part::Step(&step)));
        let before = rig.machine.power_losses();
        let ran = interface.execute_step(&mut task, flow, &step).await;
        let what = format!("{flow} step {step}");
        expect(rig, &task, &said, before, rig.done(ran, &what), &what).await;
    }
    match seen {
        0 => Err(lack("no step can be run")),
        _ => Ok(()),
    }
}

pub(super) async fn what_comes_before_steps_was_foreseen(rig: &Rig) -> Verdict {
    let mut task = rig.task().await;
    let driver = task.driver();
    let kinds = rig.interfaces(&task).await;
    let mut seen = 0;
    for (kind, interface) in &kinds {
        let flows: &[FlowKind] = match kind {
            InterfaceKind::Inspect => &[FlowKind::Inspect],
            InterfaceKind::Deploy => &[FlowKind::Clean, FlowKind::Service],
            InterfaceKind::Rescue => &[FlowKind::Rescue, FlowKind::Unrescue],
            _ => &[],
        };
        for flow in flows.iter().copied() {
            seen += 1;
            powered(rig, &mut task).await;
            let said = interface.forecast(&Outlook::new(task.node(), flow, Part::Prepare));
            let before = rig.machine.power_losses();
            let done = match (kind, flow) {
                (InterfaceKind::Inspect, _) => driver.inspect.inspect_hardware(&mut task).await,
                (InterfaceKind::Deploy, _) => driver.deploy.prepare_steps(&mut task, flow).await,
                (_, FlowKind::Rescue) => driver.rescue.rescue(&mut task).await,
                _ => driver.rescue.unrescue(&mut task).await,
            };
            let what = format!("what the {kind} interface does to {flow}");
            expect(rig, &task, &said, before, rig.done(done, &what), &what).await;
        }
    }
    match seen {
        0 => Err(lack("no interface under test prepares a machine")),
        _ => Ok(()),
    }
}

/// A machine that has power, and a node that says so.
async fn powered(rig: &Rig, task: &mut Task) {
    rig.switch(task, PowerTarget::On).await;
    task.node_mut().power_state = Some(PowerState::On);
}

/// Fails unless what has been done to a machine that had power was foreseen, as far as can be
/// seen.
async fn expect(
    rig: &Rig,
    task: &Task,
    said: &Forecast,
    before: Option<u64>,
    progress: Progress,
    what: &str,
) {
    if let Progress::Wait(wait) = progress {
        assert!(
            said.wait.is_some(),
            "{what} waits unforeseen: {:?}",
            wait.why
        );
        // What else was foreseen may be yet to come.
        return;
    }
    assert_eq!(said.wait, None, "{what} does not wait as was foreseen");
    let mut switched = said.deeds.iter().filter_map(power_of);
    let ends = switched
        .next_back()
        .map_or(PowerState::On, PowerTarget::result);
    rig.expect_power(task, ends, what).await;
    if let (Some(before), Some(after)) = (before, rig.machine.power_losses()) {
        assert_eq!(
            after - before,
            losses(said),
            "how often {what} took the power"
        );
    }
}

fn power_of(deed: &Deed) -> Option<PowerTarget> {
    match deed {
        Deed::Power { target } => Some(*target),
        _ => None,
    }
}

/// How often a machine that has power is to lose it.
fn losses(said: &Forecast) -> u64 {
    let (mut on, mut losses) = (true, 0);
    for target in said.deeds.iter().filter_map(power_of) {
        losses += u64::from(on && target != PowerTarget::On);
        on = target.result() == PowerState::On;
    }
    losses
}
