//! Steps in a flow: what the operator and the caller say about them.

mod children;

use ironic_core::client::Client;
use ironic_core::config::Policy;
use ironic_core::driver::fake::FakeOperation as Op;
use ironic_core::engine::{Catalogs, Decision, Forecasts, Input, Outcome, View, decide, plan};
use ironic_core::flow::{BlockedReason, CleaningSteps, Effect, Flow, StepProgress};
use ironic_core::model::{InterfaceNames, Node};
use ironic_core::states::{FlowKind, InterfaceKind as I, PowerState, ProvisionState, Verb};
use ironic_core::steps::{
    Impact, PriorityOverrides, Replay, StepCatalog, StepDef, StepPlan, UserStep,
};
use ironic_core::transport::{Change, ProvisionArgs};
use ironic_core::{Error, ErrorKind, Timestamp};
use uuid::Uuid;

use crate::house::{House, LONG, enrolled, go};

fn steps(names: &[&str]) -> ProvisionArgs {
    let steps = names.iter().map(|name| UserStep::new(I::Power, *name));
    ProvisionArgs::default().with_steps(steps.collect())
}

async fn manageable(client: &Client) -> Uuid {
    let node = enrolled(client).await;
    go(client, node, Verb::Manage, ProvisionState::Manageable).await;
    node
}

async fn clean(client: &Client, node: Uuid, args: ProvisionArgs) -> Result<Node, Error> {
    client.provision(node, Verb::Clean, args).await?;
    client
        .wait_for(node, ProvisionState::Manageable, LONG)
        .await
}

#[tokio::test(start_paused = true)]
async fn power_steps_run_in_their_order_and_without_the_ramdisk() {
    let house = House::new();
    let conductor = house.conductor("cond-a").await;
    let client = house.client(&conductor);
    let node = manageable(&client).await;
    house.fakes.record();
    let args = steps(&["power_on", "reboot", "power_off"]);
    let cleaned = clean(&client, node, args).await.unwrap();
    assert_eq!(cleaned.power_state, Some(PowerState::Off));
    assert_eq!(house.fakes.power_state(node), Some(PowerState::Off));
    let power: Vec<_> = house
        .fakes
        .calls(node)
        .into_iter()
        .filter(|call| call.operation == Op::SetPowerState)
        .map(|call| call.argument)
        .collect();
    assert_eq!(power, ["power on", "rebooting", "power off"]);
    assert_eq!(
        house.fakes.call_count(Op::PrepareSteps),
        0,
        "no ramdisk is needed"
    );
    assert_eq!(house.fakes.call_count(Op::TearDownSteps), 0);
    conductor.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_power_step_beside_one_that_needs_the_ramdisk_runs_with_it() {
    let house = House::new();
    let conductor = house.conductor("cond-a").await;
    let client = house.client(&conductor);
    let node = manageable(&client).await;
    house.fakes.record();
    let reset = UserStep::new(I::Bios, "factory_reset");
    let args = ProvisionArgs::default().with_steps(vec![
        reset.clone(),
        UserStep::new(I::Bios, "reboot"),
        reset,
    ]);
    clean(&client, node, args).await.unwrap();
    let of_interest = [
        Op::PrepareSteps,
        Op::FactoryReset,
        Op::SetPowerState,
        Op::TearDownSteps,
    ];
    let calls: Vec<_> = house
        .fakes
        .calls(node)
        .iter()
        .map(|call| call.operation)
        .filter(|operation| of_interest.contains(operation))
        .collect();
    assert_eq!(
        calls,
        [
            Op::PrepareSteps,
            Op::FactoryReset,
            Op::SetPowerState,
            Op::FactoryReset,
            Op::TearDownSteps,
        ]
    );
    conductor.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn disable_ramdisk_refuses_what_needs_it_and_keeps_to_power() {
    let house = House::new();
    let conductor = house.conductor("cond-a").await;
    let client = house.client(&conductor);
    let node = manageable(&client).await;
    let reset = vec![UserStep::new(I::Bios, "factory_reset")];
    let args = ProvisionArgs::default().with_steps(reset).without_ramdisk();
    let error = clean(&client, node, args).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidParameter);
    assert!(
        error
            .to_string()
            .contains("bios.factory_reset needs the ramdisk"),
        "{error}"
    );
    let unknown = steps(&["nosuch"]).without_ramdisk();
    let error = clean(&client, node, unknown).await.unwrap_err();
    assert!(error.to_string().contains("power.nosuch"), "{error}");
    let state = client.node(node).await.unwrap().provision_state;
    assert_eq!(
        state,
        ProvisionState::Manageable,
        "refused before anything began"
    );

    house.fakes.record();
    clean(&client, node, steps(&["power_on"]).without_ramdisk())
        .await
        .unwrap();
    assert_eq!(
        house.fakes.call_count(Op::ValidateNetwork),
        0,
        "no network is needed"
    );
    let elsewhere = ProvisionArgs::default().without_ramdisk();
    let error = client
        .provision(node, Verb::Provide, elsewhere)
        .await
        .unwrap_err();
    assert!(error.to_string().contains("disable_ramdisk"), "{error}");
    conductor.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn steps_that_cannot_be_run_are_refused_rather_than_left_out() {
    let house = House::new();
    let conductor = house.conductor("cond-a").await;
    let client = house.client(&conductor);
    let node = manageable(&client).await;
    let mut childs = UserStep::new(I::Power, "hold");
    childs.execute_on_child_nodes = true;
    let args = ProvisionArgs::default().with_steps(vec![childs]);
    let error = clean(&client, node, args).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidParameter);
    assert!(error.to_string().contains("child nodes"), "{error}");
    let on = vec![Change::set("disable_power_off", true)];
    client.update_node(node, on).await.unwrap();
    let error = clean(&client, node, steps(&["power_off"]))
        .await
        .unwrap_err();
    assert!(error.to_string().contains("disable_power_off"), "{error}");
    clean(&client, node, steps(&["reboot"])).await.unwrap();
    conductor.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn an_operators_priority_decides_what_cleaning_runs_and_the_plan_shows_it() {
    let mut house = House::new();
    let overrides = [
        ("vendor.log_passthrough", "0"),
        ("bios.factory_reset", "50"),
        ("bios.cache_bios_settings", "70"),
    ];
    house.config.policy.clean_step_priority_override = PriorityOverrides::parse(overrides).unwrap();
    let conductor = house.conductor("cond-a").await;
    let client = house.client(&conductor);
    let node = manageable(&client).await;
    house.fakes.record();
    let plan = client
        .plan(node, Verb::Provide, ProvisionArgs::default())
        .await
        .unwrap();
    let plan = plan.to_string();
    let first = plan
        .find("step bios.cache_bios_settings, priority 70")
        .unwrap();
    let then = plan.find("step bios.factory_reset, priority 50").unwrap();
    assert!(first < then && !plan.contains("log_passthrough"), "{plan}");
    go(&client, node, Verb::Provide, ProvisionState::Available).await;
    let ran = |operation| {
        house
            .fakes
            .calls(node)
            .iter()
            .position(|c| c.operation == operation)
    };
    assert!(ran(Op::CacheBiosSettings).unwrap() < ran(Op::FactoryReset).unwrap());
    assert_eq!(ran(Op::LogPassthrough), None);
    conductor.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_disallowed_step_neither_runs_unasked_nor_may_be_asked_for() {
    let mut house = House::new();
    let name = "vendor.log_passthrough".parse().unwrap();
    house.config.policy.disallow_clean_steps.insert(name);
    let conductor = house.conductor("cond-a").await;
    let client = house.client(&conductor);
    let node = manageable(&client).await;
    house.fakes.record();
    let asked = vec![UserStep::new(I::Vendor, "log_passthrough")];
    let error = clean(&client, node, ProvisionArgs::default().with_steps(asked))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidParameter);
    assert!(
        error.to_string().contains("disallow_clean_steps"),
        "{error}"
    );
    go(&client, node, Verb::Provide, ProvisionState::Available).await;
    assert_eq!(house.fakes.call_count(Op::LogPassthrough), 0);
    let raw = vec![UserStep::new(I::Vendor, "send_raw").with_priority(5)];
    let args = ProvisionArgs::default().with_steps(raw);
    let error = client
        .provision(node, Verb::Deploy, args)
        .await
        .unwrap_err();
    assert!(
        error.to_string().contains("disallow_deploy_steps"),
        "{error}"
    );
    conductor.stop().await.unwrap();
}

/// A machine whose agent offers one clean step, as decisions see it.
fn agents(_: &Node, flow: FlowKind) -> StepCatalog {
    let erase = StepDef::new(I::Deploy, "erase_devices", 10, Replay::Probe, Impact::ERASE);
    StepCatalog::new(flow, vec![erase.by_agent()])
}

fn reboot_then_erase() -> Input {
    Input::Verb {
        verb: Verb::Clean,
        steps: vec![
            UserStep::new(I::Power, "reboot"),
            UserStep::new(I::Deploy, "erase_devices"),
        ],
        disable_ramdisk: false,
        cleaning: CleaningSteps::default(),
        user: None,
    }
}

#[test]
fn a_step_of_the_agent_waits_for_the_ramdisk_that_a_reboot_starts() {
    let names = InterfaceNames::try_from_fn(|_| Ok::<_, Error>("fake".to_owned())).unwrap();
    let mut node = Node::new(Uuid::from_u128(1), "fake-hardware");
    node.provision_state = ProvisionState::Manageable;
    let (policy, now) = (Policy::default(), Timestamp::EPOCH);
    let catalogs = Catalogs::new(&agents);
    let begin = View::new(&node, None, &names, catalogs);
    let mut decision = decide(&begin, &reboot_then_erase(), &policy, now).unwrap();
    let mut done = || {
        let flow = decision.flow.clone().unwrap();
        let (seq, effect) = decision.effects[0].clone();
        let view = View::new(&decision.node, Some(&flow), &names, catalogs);
        let input = Input::Outcome {
            generation: flow.generation,
            seq,
            outcome: Outcome::Done,
        };
        decision = decide(&view, &input, &policy, now).unwrap();
        (effect, decision.clone())
    };
    assert_eq!(done().0, Effect::Prepare);
    let (effect, waiting) = done();
    assert_eq!(effect, Effect::RunStep { index: 0 });
    assert!(waiting.releases());
    assert_eq!(waiting.node.provision_state, ProvisionState::CleanWait);
    let flow = waiting.flow.as_ref().unwrap();
    let why = flow.blocked.as_ref().unwrap();
    assert!(matches!(why.reason, BlockedReason::Agent { .. }), "{why}");
    assert!(why.to_string().contains("deploy.erase_devices"), "{why}");

    let view = View::new(&waiting.node, Some(flow), &names, catalogs);
    let called = decide(&view, &Input::Heartbeat, &policy, now).unwrap();
    assert_eq!(called.effects[0].1, Effect::RefreshSteps);
    assert_eq!(
        called.flow.as_ref().unwrap().cursor,
        1,
        "the reboot is over"
    );

    let whole = plan(
        &begin,
        Forecasts::none(),
        &reboot_then_erase(),
        &policy,
        now,
    )
    .unwrap()
    .to_string();
    let lines: Vec<_> = whole.lines().map(str::trim).collect();
    let at = |part: &str| lines.iter().position(|line| line.contains(part)).unwrap();
    assert!(at("step power.reboot") < at("clean wait"), "{whole}");
    assert!(
        at("the agent says") < at("step deploy.erase_devices, priority"),
        "{whole}"
    );
    let [.., last, summary] = lines.as_slice() else {
        panic!("{whole}")
    };
    assert_eq!(*last, "→ manageable", "{whole}");
    assert!(
        summary.contains("data lost by deploy.erase_devices"),
        "{whole}"
    );
}

#[test]
fn an_abort_that_waits_for_the_agent_to_call_stops_before_the_next_step() {
    let names = InterfaceNames::try_from_fn(|_| Ok::<_, Error>("fake".to_owned())).unwrap();
    let mut node = Node::new(Uuid::from_u128(1), "fake-hardware");
    node.provision_state = ProvisionState::Manageable;
    let (policy, now) = (Policy::default(), Timestamp::EPOCH);
    let catalogs = Catalogs::new(&agents);
    let input = |steps| Input::Verb {
        verb: Verb::Clean,
        steps,
        disable_ramdisk: false,
        cleaning: CleaningSteps::default(),
        user: None,
    };
    let erase = || UserStep::new(I::Deploy, "erase_devices");
    let begin = View::new(&node, None, &names, catalogs);
    let mut decision = decide(&begin, &input(vec![erase(), erase()]), &policy, now).unwrap();
    let mut step = |input: &dyn Fn(u64, u64) -> Input| {
        let flow = decision.flow.clone().unwrap();
        let seq = decision.effects.first().map_or(0, |(seq, _)| *seq);
        let view = View::new(&decision.node, Some(&flow), &names, catalogs);
        decision = decide(&view, &input(flow.generation, seq), &policy, now).unwrap();
        decision.clone()
    };
    let outcome = |outcome: Outcome| {
        move |generation, seq| Input::Outcome {
            generation,
            seq,
            outcome: outcome.clone(),
        }
    };
    let _ = step(&outcome(Outcome::Done));
    let wait = ironic_core::flow::Wait::for_agent("the step ends");
    let _ = step(&outcome(Outcome::Wait(wait)));
    let asked = step(&|_, _| Input::Verb {
        verb: Verb::Abort,
        steps: Vec::new(),
        disable_ramdisk: false,
        cleaning: CleaningSteps::default(),
        user: None,
    });
    assert_eq!(
        asked.node.provision_state,
        ProvisionState::CleanWait,
        "not abortable"
    );
    let stopped = step(&|_, _| Input::Heartbeat);
    assert_eq!(stopped.node.provision_state, ProvisionState::CleanFailed);
    assert_eq!(stopped.effects[0].1, Effect::CleanUp);
}

/// What a decision makes of what came of its first effect.
fn after(decision: &Decision, outcome: Outcome) -> Decision {
    let names = InterfaceNames::try_from_fn(|_| Ok::<_, Error>("fake".to_owned())).unwrap();
    let flow = decision.flow.clone().unwrap();
    let pending = flow.pending.first().unwrap().seq;
    let view = View::new(&decision.node, Some(&flow), &names, Catalogs::new(&agents));
    let input = Input::Outcome {
        generation: flow.generation,
        seq: pending,
        outcome,
    };
    decide(&view, &input, &Policy::default(), Timestamp::EPOCH).unwrap()
}

/// A step that was left in the middle, and is asked what became of it.
fn asked_after_a_crash() -> Decision {
    let names = InterfaceNames::try_from_fn(|_| Ok::<_, Error>("fake".to_owned())).unwrap();
    let mut node = Node::new(Uuid::from_u128(1), "fake-hardware");
    node.provision_state = ProvisionState::Cleaning;
    let mut flow = Flow::new(
        node.uuid,
        FlowKind::Clean,
        node.generation,
        Timestamp::EPOCH,
    );
    flow.plan = StepPlan::automated(&agents(&node, FlowKind::Clean));
    flow.begin(
        Effect::RunStep { index: 0 },
        Replay::Probe,
        Timestamp::EPOCH,
    );
    let view = View::new(&node, Some(&flow), &names, Catalogs::new(&agents));
    let now = Timestamp::EPOCH;
    let decision = decide(&view, &Input::Recover, &Policy::default(), now).unwrap();
    assert_eq!(decision.effects[0].1, Effect::CheckStep { index: 0 });
    decision
}

#[test]
fn a_step_that_cannot_be_asked_after_a_crash_is_asked_again() {
    let failed = |kind: ErrorKind| Outcome::Failed {
        code: kind.as_str().to_owned(),
        message: "no answer".to_owned(),
    };
    let waits = |decision: &Decision| {
        assert!(decision.releases());
        assert_eq!(decision.node.provision_state, ProvisionState::CleanWait);
        let flow = decision.flow.as_ref().unwrap();
        assert!(flow.asked_step().is_some(), "it is asked from time to time");
        assert!(flow.deadline.is_some(), "and not for ever");
    };
    let silent = after(&asked_after_a_crash(), failed(ErrorKind::Unreachable));
    waits(&silent);
    let late = after(&asked_after_a_crash(), failed(ErrorKind::Timeout));
    waits(&late);

    // Whatever it says then counts as it would have counted at once.
    let never = after(&silent, Outcome::Progress(StepProgress::NotStarted));
    assert_eq!(never.effects[0].1, Effect::RunStep { index: 0 });
    assert_eq!(never.node.provision_state, ProvisionState::Cleaning);
    let done = after(&silent, Outcome::Progress(StepProgress::Done));
    assert_eq!(done.effects[0].1, Effect::Finish);
    let running = StepProgress::Running {
        detail: "half".to_owned(),
    };
    let runs = after(&silent, Outcome::Progress(running));
    waits(&runs);
    // What ran, and is not known of any more, is not begun again.
    let lost = after(&runs, Outcome::Progress(StepProgress::NotStarted));
    assert_eq!(lost.node.provision_state, ProvisionState::CleanFailed);
}
