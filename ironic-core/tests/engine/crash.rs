mod everywhere;
mod flows;

use std::sync::Arc;
use std::task::{Context, Waker};
use std::time::Duration;

use ironic_core::driver::fake::{Completion, FakeOperation, FakeRule};
use ironic_core::model::{Lock, Node};
use ironic_core::states::{ProvisionState, Verb};
use ironic_core::store::{Kind, MemoryStore, Query, Store};
use ironic_core::testing::{FaultyStore, Injected};
use tokio::time::sleep;
use uuid::Uuid;

use crate::house::{House, LONG, ask, available};

async fn settle(house: &House, node: Uuid, expected: &[ProvisionState]) -> Node {
    let conductor = house.conductor("cond-a").await;
    let client = house.client(&conductor);
    let reached = |node: &Node| expected.contains(&node.provision_state).then_some(Ok(()));
    let settled = client.wait_until(node, LONG, reached).await.unwrap();
    let locks = house
        .repository()
        .list::<Lock>(&Query::all(Kind::Lock))
        .await
        .unwrap();
    assert!(
        locks.iter().all(|lock| lock.holder.is_none()),
        "no lock outlives its holder"
    );
    conductor.stop().await.unwrap();
    settled
}

async fn make_available(house: &House) -> Uuid {
    let conductor = house.conductor("cond-a").await;
    let node = available(&house.client(&conductor)).await;
    conductor.stop().await.unwrap();
    node
}

#[tokio::test(start_paused = true)]
async fn what_must_not_run_twice_fails_its_flow_cleanly() {
    let house = House::new();
    let node = make_available(&house).await;
    house
        .fakes
        .add(FakeRule::hangs(FakeOperation::PrepareDeploy).nth(1));
    let conductor = house.conductor("cond-a").await;
    let client = house.client(&conductor);
    ask(&client, node, Verb::Deploy).await.unwrap();
    sleep(Duration::from_secs(1)).await;
    // What the record says is all that a successor knows: that the effect must not be repeated.
    house
        .repository()
        .update::<ironic_core::flow::Flow, ()>(node, None, |flow| {
            flow.pending[0].replay = ironic_core::steps::Replay::Never;
            Ok(())
        })
        .await
        .unwrap();
    let failed = settle(&house, node, &[ProvisionState::DeployFailed]).await;
    assert!(
        failed
            .last_error
            .unwrap()
            .contains("must not be carried out twice")
    );
}

#[tokio::test(start_paused = true)]
async fn a_node_that_waits_for_its_agent_goes_on_waiting_after_a_restart() {
    let mut house = House::new();
    house.config.policy.deploy_callback_timeout = Duration::from_secs(600);
    let node = make_available(&house).await;
    house.fakes.add(FakeRule::completes(
        FakeOperation::Deploy,
        Completion::Heartbeat,
    ));
    let conductor = house.conductor("cond-a").await;
    let client = house.client(&conductor);
    ask(&client, node, Verb::Deploy).await.unwrap();
    sleep(Duration::from_secs(60)).await;
    assert_eq!(
        client.node(node).await.unwrap().provision_state,
        ProvisionState::DeployWait
    );
    conductor.stop().await.unwrap();

    let again = house.conductor("cond-a").await;
    let client = house.client(&again);
    sleep(Duration::from_secs(500)).await;
    assert_eq!(
        client.node(node).await.unwrap().provision_state,
        ProvisionState::DeployWait
    );
    sleep(Duration::from_secs(60)).await;
    let failed = client.node(node).await.unwrap();
    assert_eq!(
        failed.provision_state,
        ProvisionState::DeployFailed,
        "the deadline is the one set before the restart"
    );
    again.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn another_conductor_takes_over_what_a_dead_one_held() {
    let house = House::new();
    let node = make_available(&house).await;
    let faulty = Arc::new(FaultyStore::new(Arc::clone(&house.store)));
    let doomed = house.with_store(faulty.clone());
    doomed
        .fakes
        .add(FakeRule::takes(FakeOperation::PrepareDeploy, Duration::from_secs(400)).nth(1));
    let first = doomed.conductor("cond-a").await;
    ask(&doomed.client(&first), node, Verb::Deploy)
        .await
        .unwrap();
    sleep(Duration::from_secs(1)).await;
    faulty.fail_after(0);

    let second = house.conductor("cond-b").await;
    let client = house.client(&second);
    client
        .wait_for(node, ProvisionState::Active, LONG)
        .await
        .unwrap();
    // The first one wakes up and wants to record its outcome: it is not let.
    faulty.heal();
    sleep(Duration::from_secs(600)).await;
    let record = client.node(node).await.unwrap();
    assert_eq!(
        (record.provision_state, record.last_error),
        (ProvisionState::Active, None)
    );
    assert_eq!(client.reservation(node).await.unwrap(), None);
    second.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_store_that_fails_or_loses_its_answer_at_any_commit_only_delays() {
    for lost in [false, true] {
        for commit in 1..10 {
            let inner: Arc<dyn Store> = Arc::new(MemoryStore::new());
            let faulty = Arc::new(FaultyStore::new(Arc::clone(&inner)));
            let house = House::over(faulty.clone());
            let conductor = house.conductor("cond-a").await;
            let client = house.client(&conductor);
            let node = available(&client).await;
            let what = if lost {
                Injected::After
            } else {
                Injected::Before
            };
            faulty.inject(faulty.commits() + commit, what);
            let asked = ask(&client, node, Verb::Deploy).await;
            sleep(Duration::from_secs(30)).await;
            let state = client.node(node).await.unwrap().provision_state;
            let refused = asked.is_err() && state == ProvisionState::Available;
            assert!(
                refused || state == ProvisionState::Active,
                "commit {commit}, lost: {lost}: {state}, {asked:?}"
            );
            assert_eq!(
                client.reservation(node).await.unwrap(),
                None,
                "commit {commit}, lost: {lost}"
            );
            faulty.heal();
            conductor.stop().await.unwrap();
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_stops_waiting_leaves_nothing_half_done() {
    let house = House::new();
    let conductor = house.conductor("cond-a").await;
    let client = house.client(&conductor);
    let node = available(&client).await;
    for polls in 1..40 {
        let mut request = Box::pin(ask(&client, node, Verb::Deploy));
        for _ in 0..polls {
            if request
                .as_mut()
                .poll(&mut Context::from_waker(Waker::noop()))
                .is_ready()
            {
                break;
            }
            tokio::task::yield_now().await;
        }
        drop(request);
        sleep(Duration::from_secs(30)).await;
        match client.node(node).await.unwrap().provision_state {
            ProvisionState::Available => {}
            ProvisionState::Active => {
                crate::house::go(&client, node, Verb::Undeploy, ProvisionState::Available).await;
            }
            other => panic!("dropped after {polls} polls: {other}"),
        }
        assert_eq!(client.reservation(node).await.unwrap(), None);
    }
    conductor.stop().await.unwrap();
}
