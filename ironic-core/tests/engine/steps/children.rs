//! Steps that run on the children of a node.

use std::time::Duration;

use ironic_core::Error;
use ironic_core::client::Client;
use ironic_core::driver::fake::{Completion, FakeOperation as Op, FakeRule};
use ironic_core::model::Node;
use ironic_core::states::{InterfaceKind as I, PowerState, ProvisionState as S, Verb};
use ironic_core::steps::UserStep;
use ironic_core::transport::ProvisionArgs;
use uuid::Uuid;

use crate::hold::reaches;
use crate::house::{House, LONG, enrolled, go};

async fn child(house: &House, client: &Client, parent: Uuid) -> Uuid {
    let mut node = Node::new(Uuid::nil(), "fake-hardware");
    node.parent_node = Some(parent);
    let id = client.create_node(node).await.unwrap().uuid;
    house.fakes.set_power_state(id, PowerState::Off);
    id
}

fn on_children(interface: I, name: &str, chosen: &[Uuid]) -> UserStep {
    let mut step = UserStep::new(interface, name);
    step.execute_on_child_nodes = true;
    step.limit_child_node_execution = chosen.to_vec();
    step
}

async fn family(house: &House, client: &Client) -> (Uuid, [Uuid; 2]) {
    let parent = enrolled(client).await;
    house.fakes.set_power_state(parent, PowerState::Off);
    go(client, parent, Verb::Manage, S::Manageable).await;
    let children = [
        child(house, client, parent).await,
        child(house, client, parent).await,
    ];
    (parent, children)
}

#[tokio::test(start_paused = true)]
async fn steps_run_on_all_children_or_on_those_chosen_and_not_on_the_node() {
    let house = House::new();
    let conductor = house.conductor("cond-a").await;
    let client = house.client(&conductor);
    let (parent, [one, other]) = family(&house, &client).await;
    let stranger = enrolled(&client).await;
    let args = ProvisionArgs::default().with_steps(vec![
        on_children(I::Power, "power_on", &[]),
        on_children(I::Power, "power_off", &[other]),
        on_children(I::Vendor, "log_passthrough", &[one]),
    ]);
    house.fakes.record();
    client.provision(parent, Verb::Clean, args).await.unwrap();
    client.wait_for(parent, S::Manageable, LONG).await.unwrap();
    let power = |node| house.fakes.power_state(node);
    assert_eq!(power(one), Some(PowerState::On));
    assert_eq!(power(other), Some(PowerState::Off));
    assert_eq!(power(parent), Some(PowerState::Off));
    let record = client.node(one).await.unwrap();
    assert_eq!(record.power_state, Some(PowerState::On), "it is recorded");
    assert_eq!(client.reservation(one).await.unwrap(), None);
    let logged = |node| {
        let calls = house.fakes.calls(node);
        calls
            .iter()
            .filter(|call| call.operation == Op::LogPassthrough)
            .count()
    };
    assert_eq!((logged(one), logged(other), logged(stranger)), (1, 0, 0));
    assert_eq!(house.fakes.call_count(Op::PrepareSteps), 0, "no ramdisk");
    conductor.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_child_that_fails_fails_the_parents_flow_by_name() {
    let house = House::new();
    let conductor = house.conductor("cond-a").await;
    let client = house.client(&conductor);
    let (parent, [one, _]) = family(&house, &client).await;
    let broken = Error::driver("fake", "stuck relay");
    house
        .fakes
        .add(FakeRule::fails(Op::SetPowerState, broken).on(one).nth(1));
    for (step, parts) in [
        (on_children(I::Power, "power_on", &[]), vec!["stuck relay"]),
        (
            on_children(I::Bios, "no_such_step", &[one]),
            vec!["no clean step bios.no_such_step"],
        ),
        (
            on_children(I::Power, "power_on", &[parent]),
            vec!["no child nodes"],
        ),
    ] {
        let args = ProvisionArgs::default().with_steps(vec![step]);
        client.provision(parent, Verb::Clean, args).await.unwrap();
        reaches(&client, parent, S::CleanFailed).await;
        let failed = client.node(parent).await.unwrap();
        let error = failed.last_error.unwrap();
        assert!(parts.iter().all(|part| error.contains(part)), "{error}");
        assert_eq!(client.reservation(one).await.unwrap(), None);
        tokio::time::sleep(std::time::Duration::from_secs(1)).await;
        client.set_maintenance(parent, false, None).await.unwrap();
        go(&client, parent, Verb::Manage, S::Manageable).await;
    }
    conductor.stop().await.unwrap();
}

/// A child's step that goes on by itself fails the parent's flow, unless the operator has said that
/// nobody need know what becomes of it.
#[tokio::test(start_paused = true)]
async fn a_childs_step_is_over_when_it_answers_unless_the_operator_permits_more() {
    for permitted in [false, true] {
        let mut house = House::new();
        house.config.permit_child_node_step_async_result = permitted;
        let conductor = house.conductor("cond-a").await;
        let client = house.client(&conductor);
        let (parent, [one, _]) = family(&house, &client).await;
        let every = Duration::from_secs(5);
        let slow = Completion::Polls { times: 2, every };
        house
            .fakes
            .add(FakeRule::completes(Op::LogPassthrough, slow));
        let step = on_children(I::Vendor, "log_passthrough", &[one]);
        let args = ProvisionArgs::default().with_steps(vec![step]);
        client.provision(parent, Verb::Clean, args).await.unwrap();
        if permitted {
            client.wait_for(parent, S::Manageable, LONG).await.unwrap();
        } else {
            reaches(&client, parent, S::CleanFailed).await;
            let error = client.node(parent).await.unwrap().last_error.unwrap();
            assert!(error.contains("a parent cannot wait for"), "{error}");
        }
        assert_eq!(client.reservation(one).await.unwrap(), None);
        conductor.stop().await.unwrap();
    }
}
