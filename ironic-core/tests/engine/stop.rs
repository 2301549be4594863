use std::sync::Arc;
use std::time::Duration;

use ironic_core::ErrorKind;
use ironic_core::driver::fake::{Completion, FakeOperation, FakeRule};
use ironic_core::model::{ConductorRecord, Lock};
use ironic_core::states::{ProvisionState, Verb};
use ironic_core::store::{Kind, Query};

use ironic_core::task::Patience;
use ironic_core::testing::FaultyStore;
use ironic_core::transport::Change;
use tokio::time::sleep;

use crate::hold::reaches;
use crate::house::{House, LONG, ask, available};

#[tokio::test(start_paused = true)]
async fn a_stop_waits_for_what_runs_and_gives_every_node_back() {
    let house = House::new();
    let conductor = house.conductor("cond-a").await;
    let client = house.client(&conductor);
    let node = available(&client).await;
    house.fakes.add(FakeRule::takes(
        FakeOperation::PrepareDeploy,
        Duration::from_secs(20),
    ));
    ask(&client, node, Verb::Deploy).await.unwrap();
    conductor.stop().await.unwrap();
    assert_eq!(
        client.node(node).await.unwrap().provision_state,
        ProvisionState::Active
    );
    let record = house
        .repository()
        .load::<ConductorRecord>(ConductorRecord::id("cond-a"))
        .await
        .unwrap();
    assert!(!record.online);
    assert!(
        ask(&client, node, Verb::Undeploy).await.is_err(),
        "nobody takes work any more"
    );
}

/// Whoever asks may do so from a runtime of its own, and end with it.
#[tokio::test(start_paused = true)]
async fn what_was_asked_for_goes_on_when_the_runtime_of_who_asked_has_ended() {
    let house = House::new();
    let conductor = house.conductor("cond-a").await;
    let client = house.client(&conductor);
    let node = available(&client).await;
    house.fakes.add(FakeRule::takes(
        FakeOperation::PrepareDeploy,
        Duration::from_secs(20),
    ));
    let asking = client.clone();
    let asked = tokio::task::spawn_blocking(move || {
        let elsewhere = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        elsewhere.block_on(ask(&asking, node, Verb::Deploy))
    });
    asked.await.unwrap().unwrap();
    let node = client.wait_for(node, ProvisionState::Active, LONG).await;
    assert_eq!(node.unwrap().last_error, None);
}

#[tokio::test(start_paused = true)]
async fn what_takes_too_long_is_left_and_gone_on_with_after_the_restart() {
    let mut house = House::new();
    house.config.graceful_shutdown_timeout = Duration::from_secs(5);
    let conductor = house.conductor("cond-a").await;
    let client = house.client(&conductor);
    let node = available(&client).await;
    house
        .fakes
        .add(FakeRule::hangs(FakeOperation::PrepareDeploy).nth(1));
    ask(&client, node, Verb::Deploy).await.unwrap();
    conductor.stop().await.unwrap();
    let held = house
        .repository()
        .list::<Lock>(&Query::all(Kind::Lock))
        .await
        .unwrap();
    assert!(
        held.iter().all(|lock| lock.holder.is_none()),
        "every node is given back"
    );
    assert_eq!(
        client.node(node).await.unwrap().provision_state,
        ProvisionState::Deploying
    );

    let again = house.conductor("cond-a").await;
    let client = house.client(&again);
    client
        .wait_for(node, ProvisionState::Active, LONG)
        .await
        .unwrap();
    let history = client.history(node).await.unwrap();
    assert!(
        history.iter().any(|event| event.code == "resumed"),
        "{history:?}"
    );
    again.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn no_task_outlives_a_stop_whatever_the_nodes_were_doing() {
    let mut house = House::new();
    house.config.graceful_shutdown_timeout = Duration::from_secs(30);
    let conductor = house.conductor("cond-a").await;
    let client = house.client(&conductor);
    let tasks = conductor.tasks().clone();
    let operation = FakeOperation::PrepareDeploy;
    let mut nodes = Vec::new();
    for _ in 0..6 {
        nodes.push(available(&client).await);
    }
    let [slow, hangs, panics, waits, wanted, broken] = nodes[..] else {
        unreachable!()
    };
    house
        .fakes
        .add(FakeRule::takes(operation, Duration::from_secs(20)).on(slow));
    house.fakes.add(FakeRule::hangs(operation).on(hangs));
    for (node, pause) in [(panics, 10), (broken, 40)] {
        house
            .fakes
            .add(FakeRule::takes(operation, Duration::from_secs(pause)).on(node));
        house
            .fakes
            .add(FakeRule::panics(operation, "a defect").on(node));
    }
    house
        .fakes
        .add(FakeRule::completes(FakeOperation::Deploy, Completion::Heartbeat).on(waits));
    house
        .fakes
        .add(FakeRule::hangs(FakeOperation::ValidateDeploy).on(wanted));
    for node in &nodes {
        let client = client.clone();
        let node = *node;
        tokio::spawn(async move { ask(&client, node, Verb::Deploy).await });
    }
    sleep(Duration::from_secs(1)).await;
    // Those who wait in line with all the patience there is, and those who came by way of a request.
    let mut patient = Vec::new();
    for node in [slow, hangs, wanted] {
        for _ in 0..3 {
            let tasks = tasks.clone();
            patient.push(tokio::spawn(async move {
                tasks
                    .acquire(node, "patient", Patience::Unlimited)
                    .await
                    .map(drop)
            }));
        }
        let client = client.clone();
        patient.push(tokio::spawn(async move {
            let changes = vec![Change::set("extra/a", 1)];
            client.update_node(node, changes).await.map(drop)
        }));
    }
    sleep(Duration::from_millis(100)).await;
    assert_eq!(tasks.busy(), 5, "all but the one that waits for its agent");

    conductor.stop().await.unwrap();
    assert_eq!(tasks.busy(), 0, "{tasks:?}");
    for waiter in patient {
        let refused = waiter.await.unwrap().unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::NoFreeWorker, "{refused}");
    }
    assert!(house.locks().await.iter().all(|lock| lock.holder.is_none()));
    for patience in [Patience::None, Patience::Configured, Patience::Unlimited] {
        let refused = tasks.acquire(slow, "too late", patience).await.unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::NoFreeWorker);
    }
    // Nothing goes on behind its back.
    let states = async || {
        let mut states = Vec::new();
        for node in &nodes {
            let stored = house
                .repository()
                .load::<ironic_core::model::Node>(*node)
                .await
                .unwrap();
            states.push((stored.provision_state, stored.revision));
        }
        states
    };
    let before = states().await;
    sleep(Duration::from_secs(3600)).await;
    assert_eq!(states().await, before);
    let expected = [
        ProvisionState::Active,
        ProvisionState::Deploying,
        ProvisionState::Deploying,
        ProvisionState::DeployWait,
        ProvisionState::Available,
        ProvisionState::Deploying,
    ];
    assert_eq!(
        before.iter().map(|(state, _)| *state).collect::<Vec<_>>(),
        expected
    );
}

#[tokio::test(start_paused = true)]
async fn what_the_host_still_holds_is_taken_from_it() {
    let mut house = House::new();
    house.config.graceful_shutdown_timeout = Duration::from_secs(5);
    let conductor = house.conductor("cond-a").await;
    let node = available(&house.client(&conductor)).await;
    let mut task = conductor
        .tasks()
        .exclusive(node, "the host's own")
        .await
        .unwrap();
    conductor.stop().await.unwrap();
    assert!(house.locks().await.iter().all(|lock| lock.holder.is_none()));
    task.node_mut().description = Some("too late".into());
    task.save().await.unwrap_err();
    let endpoint = ironic_core::governor::BmcEndpoint::new("192.0.2.1:623");
    assert!(
        task.bmc_permit(&endpoint).await.is_err(),
        "no command is begun"
    );
    drop(task);
    assert_eq!(conductor.tasks().busy(), 0);
    let record = house
        .repository()
        .load::<ironic_core::model::Node>(node)
        .await
        .unwrap();
    assert_eq!(record.description, None);
}

#[tokio::test(start_paused = true)]
async fn a_node_that_could_not_be_given_back_is_by_the_stop() {
    let house = House::new();
    let faulty = Arc::new(FaultyStore::new(Arc::clone(&house.store)));
    let flaky = house.with_store(faulty.clone());
    let conductor = flaky.conductor("cond-a").await;
    let node = available(&flaky.client(&conductor)).await;
    let task = conductor.tasks().exclusive(node, "test").await.unwrap();
    faulty.fail_after(0);
    drop(task);
    sleep(Duration::from_millis(100)).await;
    faulty.heal();
    conductor.stop().await.unwrap();
    assert!(house.locks().await.iter().all(|lock| lock.holder.is_none()));
    assert_eq!(conductor.tasks().busy(), 0);
}

#[tokio::test(start_paused = true)]
async fn what_waited_with_a_conductor_that_has_stopped_is_looked_after_by_the_others_at_once() {
    let mut house = House::new();
    house.config.policy.deploy_callback_timeout = Duration::from_secs(40);
    assert!(house.config.take_over_after() > Duration::from_secs(60));
    let (one, other) = (
        house.conductor("cond-a").await,
        house.conductor("cond-b").await,
    );
    let client = house.client(&one);
    client.membership().refresh().await.unwrap();
    let node = available(&client).await;
    let completes = FakeRule::completes(FakeOperation::Deploy, Completion::Heartbeat);
    house.fakes.add(completes.on(node));
    ask(&client, node, Verb::Deploy).await.unwrap();
    reaches(&client, node, ProvisionState::DeployWait).await;
    let waits = client.node(node).await.unwrap();
    let owner = client.membership().owner(&waits);
    let (owner, heir) = match owner.await.unwrap().as_str() {
        "cond-a" => (&one, &other),
        _ => (&other, &one),
    };
    owner.stop().await.unwrap();
    sleep(Duration::from_secs(55)).await;
    let state = client.node(node).await.unwrap().provision_state;
    assert_eq!(state, ProvisionState::DeployFailed, "its time was up");
    heir.stop().await.unwrap();
}
