//! Why a node does not move, in every state in which one can be found.

use std::collections::BTreeSet;

use ironic_core::client::Client;
use ironic_core::driver::fake::{Completion, FakeOperation as Op, FakeRule};
use ironic_core::engine::explain;
use ironic_core::flow::{Blocked, BlockedReason, Effect, Flow};
use ironic_core::states::{FlowKind, InterfaceKind as I, ProvisionState as S, Verb};
use ironic_core::steps::{Replay, UserStep};
use ironic_core::transport::ProvisionArgs;
use ironic_core::{Error, Node, Timestamp};
use uuid::Uuid;

use crate::hold::reaches;
use crate::house::{House, LONG, available, enrolled, go};

/// What goes with a verb here.
fn args(verb: Verb) -> ProvisionArgs {
    let mut args = ProvisionArgs::default();
    match verb {
        Verb::Rescue => args = args.with_rescue_password("let me in"),
        Verb::Clean | Verb::Service => args.steps = vec![UserStep::new(I::Power, "power_on")],
        _ => {}
    }
    args
}

/// How a node is brought to where this verb can be asked for.
async fn before(client: &Client, verb: Verb) -> Uuid {
    match verb {
        Verb::Manage => enrolled(client).await,
        Verb::Inspect | Verb::Clean | Verb::Provide | Verb::Adopt => {
            let node = enrolled(client).await;
            go(client, node, Verb::Manage, S::Manageable).await;
            node
        }
        Verb::Deploy => available(client).await,
        Verb::Unrescue => {
            let node = crate::service::active(client).await;
            client
                .provision(node, Verb::Rescue, args(Verb::Rescue))
                .await
                .unwrap();
            client.wait_for(node, S::Rescue, LONG).await.unwrap();
            node
        }
        _ => crate::service::active(client).await,
    }
}

/// Where a node gets to that is asked for a verb while its machine does this.
async fn stuck(rule: FakeRule, verb: Verb, args: ProvisionArgs, state: S) -> (Node, Blocked) {
    let house = House::new();
    let conductor = house.conductor("cond-a").await;
    let client = house.client(&conductor);
    let node = before(&client, verb).await;
    house.fakes.add(rule);
    client.provision(node, verb, args).await.unwrap();
    reaches(&client, node, state).await;
    // What follows a failure is done before the node is given back.
    while client.reservation(node).await.unwrap().is_some() {
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    let why = client.explain(node).await.unwrap();
    let why = why.unwrap_or_else(|| panic!("{state} is not explained"));
    let node = client.node(node).await.unwrap();
    conductor.stop().await.unwrap();
    (node, why)
}

#[tokio::test(start_paused = true)]
async fn every_wait_says_for_what_since_when_until_when_and_what_to_do() {
    let waits = [
        (Op::InspectHardware, Verb::Inspect, S::InspectWait),
        (Op::PrepareSteps, Verb::Clean, S::CleanWait),
        (Op::PrepareDeploy, Verb::Deploy, S::DeployWait),
        (Op::Rescue, Verb::Rescue, S::RescueWait),
        (Op::LogPassthrough, Verb::Service, S::ServiceWait),
    ];
    let mut walked = BTreeSet::new();
    for (operation, verb, state) in waits {
        let mut asked = args(verb);
        // Steps that need the ramdisk have it booted.
        if verb == Verb::Clean {
            asked.steps = vec![UserStep::new(I::Bios, "factory_reset")];
        } else if verb == Verb::Service {
            asked.steps = vec![UserStep::new(I::Vendor, "log_passthrough")];
        }
        let rule = FakeRule::completes(operation, Completion::Heartbeat);
        let (node, why) = stuck(rule, verb, asked, state).await;
        assert!(
            matches!(why.reason, BlockedReason::Agent { .. }),
            "{state}: {why}"
        );
        assert!(why.until.unwrap() > why.since, "{state}: {why}");
        assert!(why.unblock.contains("abort"), "{state}: {why}");
        assert!(
            state.takes(Verb::Abort),
            "{state}: what it says can be done"
        );
        assert_eq!(node.provision_updated_at, Some(why.since), "{state}");
        walked.insert(state);
    }
    for (verb, state) in [
        (Verb::Clean, S::CleanHold),
        (Verb::Deploy, S::DeployHold),
        (Verb::Service, S::ServiceHold),
    ] {
        let mut asked = args(verb);
        let hold = UserStep::new(I::Power, "hold");
        asked.steps = vec![hold.with_priority(if verb == Verb::Deploy { 50 } else { 0 })];
        if verb != Verb::Deploy {
            asked.steps = vec![UserStep::new(I::Power, "hold")];
        }
        let nothing = FakeRule::takes(Op::LogPassthrough, std::time::Duration::ZERO);
        let (_, why) = stuck(nothing, verb, asked, state).await;
        assert_eq!(why.reason, BlockedReason::Hold, "{state}");
        assert_eq!(why.until, None, "a hold is not given up");
        assert!(
            why.unblock.contains("unhold") && state.takes(Verb::Unhold),
            "{state}"
        );
        walked.insert(state);
    }
    let all: BTreeSet<_> = S::ALL
        .iter()
        .copied()
        .filter(|state| state.is_waiting())
        .collect();
    assert_eq!(
        all.difference(&walked).collect::<Vec<_>>(),
        Vec::<&S>::new()
    );
}

#[tokio::test(start_paused = true)]
async fn every_failure_says_what_went_wrong_and_what_to_ask_for_next() {
    let failures = [
        (Op::GetPowerState, Verb::Manage, S::Enroll),
        (Op::InspectHardware, Verb::Inspect, S::InspectFailed),
        (Op::PrepareSteps, Verb::Provide, S::CleanFailed),
        (Op::Deploy, Verb::Deploy, S::DeployFailed),
        (Op::Rescue, Verb::Rescue, S::RescueFailed),
        (Op::Unrescue, Verb::Unrescue, S::UnrescueFailed),
        (Op::SetPowerState, Verb::Service, S::ServiceFailed),
        (Op::TakeOver, Verb::Adopt, S::AdoptFailed),
        (Op::TearDown, Verb::Undeploy, S::Error),
    ];
    let mut walked = BTreeSet::new();
    for (operation, verb, state) in failures {
        let error = Error::driver("fake", "the machine is on fire");
        let rule = FakeRule::fails(operation, error);
        let (node, why) = stuck(rule, verb, args(verb), state).await;
        let BlockedReason::Failed { error } = &why.reason else {
            panic!("{state}: {why}")
        };
        assert!(error.contains("the machine is on fire"), "{state}: {error}");
        assert_eq!(node.last_error.as_deref(), Some(error.as_str()), "{state}");
        assert_eq!(why.until, None, "{state}: nobody but a person moves it");
        let (_, verbs) = why.unblock.split_once("ask for one of: ").unwrap();
        for verb in verbs.split(", ") {
            let verb: Verb = verb.parse().unwrap_or_else(|_| panic!("{state}: {verb}"));
            assert!(state.takes(verb), "{state}: {verb}");
        }
        walked.insert(state);
    }
    let all: BTreeSet<_> = S::ALL
        .iter()
        .copied()
        .filter(|state| state.is_failure())
        .collect();
    assert_eq!(
        all.difference(&walked).collect::<Vec<_>>(),
        Vec::<&S>::new()
    );
}

#[test]
fn what_goes_on_with_nobody_at_it_is_explained_as_that() {
    let mut node = Node::new(Uuid::from_u128(1), "fake-hardware");
    node.provision_state = S::Deploying;
    let now = Timestamp::EPOCH;
    let mut flow = Flow::new(node.uuid, FlowKind::Deploy, node.generation, now);
    flow.begin(Effect::Prepare, Replay::Idempotent, now);
    let why = explain(&node, Some(&flow), None).unwrap();
    assert_eq!(why.reason, BlockedReason::Conductor, "{why}");
    let why = explain(&node, None, None).unwrap();
    assert!(why.to_string().contains("nothing is recorded"), "{why}");
}
