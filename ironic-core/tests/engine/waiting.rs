use std::time::Duration;

use ironic_core::ErrorKind;
use ironic_core::driver::fake::{Completion, FakeOperation, FakeRule};
use ironic_core::model::{MacAddress, Port};
use ironic_core::states::{ProvisionState, Verb};
use ironic_core::transport::HeartbeatArgs;
use tokio::time::sleep;
use uuid::Uuid;

use crate::house::{House, LONG, ask, available, enrolled, go};

const AGENT: &str = "http://192.0.2.9:9999";

#[tokio::test(start_paused = true)]
async fn a_waiting_node_holds_no_lock_says_why_and_goes_on_when_its_agent_calls() {
    let house = House::new();
    let conductor = house.conductor("cond-a").await;
    let client = house.client(&conductor);
    let node = available(&client).await;
    let mac: MacAddress = "52:54:00:00:00:01".parse().unwrap();
    client
        .create_port(Port::new(Uuid::nil(), node, mac.clone()))
        .await
        .unwrap();
    house.fakes.add(FakeRule::completes(
        FakeOperation::Deploy,
        Completion::Heartbeat,
    ));
    ask(&client, node, Verb::Deploy).await.unwrap();
    sleep(Duration::from_secs(1)).await;
    let waiting = client.node(node).await.unwrap();
    assert_eq!(waiting.provision_state, ProvisionState::DeployWait);
    assert_eq!(client.reservation(node).await.unwrap(), None);
    let why = client.explain(node).await.unwrap().unwrap();
    assert!(why.until.is_some(), "{why}");

    let found = client
        .lookup(None, std::slice::from_ref(&mac))
        .await
        .unwrap();
    assert_eq!(found.node.uuid, node);
    let token = found.agent_token.unwrap();
    assert!(
        client
            .lookup(None, &[mac])
            .await
            .unwrap()
            .agent_token
            .is_none(),
        "the token is given once"
    );

    let wrong = client
        .heartbeat(node, HeartbeatArgs::new(AGENT, Some("guess".into())))
        .await
        .unwrap_err();
    assert_eq!(wrong.kind(), ErrorKind::InvalidParameter);
    let none = client
        .heartbeat(node, HeartbeatArgs::new(AGENT, None))
        .await
        .unwrap_err();
    assert_eq!(none.kind(), ErrorKind::MissingParameter);
    assert_eq!(
        client.node(node).await.unwrap().provision_state,
        ProvisionState::DeployWait
    );

    client
        .heartbeat(node, HeartbeatArgs::new(AGENT, Some(token)))
        .await
        .unwrap();
    client
        .wait_for(node, ProvisionState::Active, LONG)
        .await
        .unwrap();
    let secret = client
        .node(node)
        .await
        .unwrap()
        .driver_internal_info
        .contains_key("agent_secret_token");
    assert!(!secret, "the token does not outlive its ramdisk");
    conductor.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn an_agent_of_a_node_that_waits_for_none_learns_nothing() {
    let house = House::new();
    let conductor = house.conductor("cond-a").await;
    let client = house.client(&conductor);
    let node = available(&client).await;
    let mac: MacAddress = "52:54:00:00:00:02".parse().unwrap();
    client
        .create_port(Port::new(Uuid::nil(), node, mac.clone()))
        .await
        .unwrap();
    let known = client.lookup(None, &[mac]).await.unwrap_err();
    let unknown = client
        .lookup(None, &["52:54:00:00:00:03".parse().unwrap()])
        .await
        .unwrap_err();
    assert_eq!(
        (known.kind(), unknown.kind()),
        (ErrorKind::NotFound, ErrorKind::NotFound)
    );
    conductor.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_node_whose_agent_never_calls_fails_at_its_deadline() {
    let mut house = House::new();
    house.config.policy.deploy_callback_timeout = Duration::from_secs(900);
    let conductor = house.conductor("cond-a").await;
    let client = house.client(&conductor);
    let node = available(&client).await;
    house.fakes.add(FakeRule::completes(
        FakeOperation::Deploy,
        Completion::Heartbeat,
    ));
    let began = tokio::time::Instant::now();
    ask(&client, node, Verb::Deploy).await.unwrap();
    let error = client
        .wait_for(node, ProvisionState::Active, LONG)
        .await
        .unwrap_err();
    assert!(
        error.to_string().contains("timed out after 900 s"),
        "{error}"
    );
    let took = began.elapsed().as_secs();
    assert!((900..905).contains(&took), "{took}");
    let history = client.history(node).await.unwrap();
    assert!(history.iter().any(|event| event.code == "timeout"));
    conductor.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_step_that_polls_is_asked_until_it_is_done_without_a_write() {
    let house = House::new();
    let conductor = house.conductor("cond-a").await;
    let client = house.client(&conductor);
    let node = available(&client).await;
    let polls = Completion::Polls {
        times: 50,
        every: Duration::from_secs(10),
    };
    house
        .fakes
        .add(FakeRule::completes(FakeOperation::Deploy, polls));
    ask(&client, node, Verb::Deploy).await.unwrap();
    sleep(Duration::from_secs(100)).await;
    let before = house
        .repository()
        .load::<ironic_core::model::Node>(node)
        .await
        .unwrap()
        .revision;
    assert_eq!(
        client.node(node).await.unwrap().provision_state,
        ProvisionState::DeployWait
    );
    sleep(Duration::from_secs(300)).await;
    let after = house
        .repository()
        .load::<ironic_core::model::Node>(node)
        .await
        .unwrap()
        .revision;
    assert_eq!(
        before, after,
        "asking a step that only goes on writes nothing"
    );
    client
        .wait_for(node, ProvisionState::Active, LONG)
        .await
        .unwrap();
    conductor.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn what_waits_can_be_aborted() {
    let house = House::new();
    let conductor = house.conductor("cond-a").await;
    let client = house.client(&conductor);
    let node = enrolled(&client).await;
    go(&client, node, Verb::Manage, ProvisionState::Manageable).await;
    house.fakes.record();
    house
        .fakes
        .add(FakeRule::completes(FakeOperation::PrepareSteps, Completion::Heartbeat).nth(1));
    ask(&client, node, Verb::Provide).await.unwrap();
    sleep(Duration::from_secs(1)).await;
    assert_eq!(
        client.node(node).await.unwrap().provision_state,
        ProvisionState::CleanWait
    );
    ask(&client, node, Verb::Abort).await.unwrap();
    let error = client
        .wait_for(node, ProvisionState::Available, LONG)
        .await
        .unwrap_err();
    assert!(error.to_string().contains("aborted"), "{error}");
    assert_eq!(
        house.fakes.call_count(FakeOperation::TearDownSteps),
        1,
        "what was prepared is undone"
    );
    let record = client.node(node).await.unwrap();
    assert!(!record.maintenance);
    go(&client, node, Verb::Manage, ProvisionState::Manageable).await;
    go(&client, node, Verb::Provide, ProvisionState::Available).await;
    conductor.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn power_can_be_switched_while_a_node_waits() {
    let house = House::new();
    let conductor = house.conductor("cond-a").await;
    let client = house.client(&conductor);
    let node = available(&client).await;
    house.fakes.add(FakeRule::completes(
        FakeOperation::Deploy,
        Completion::Heartbeat,
    ));
    ask(&client, node, Verb::Deploy).await.unwrap();
    sleep(Duration::from_secs(1)).await;
    let before = client.explain(node).await.unwrap();
    client
        .set_power(node, ironic_core::states::PowerTarget::On, None)
        .await
        .unwrap();
    sleep(Duration::from_secs(1)).await;
    let record = client.node(node).await.unwrap();
    assert_eq!(
        record.power_state,
        Some(ironic_core::states::PowerState::On)
    );
    assert_eq!(record.provision_state, ProvisionState::DeployWait);
    assert_eq!(
        client.explain(node).await.unwrap(),
        before,
        "it goes on waiting as it did"
    );
    conductor.stop().await.unwrap();
}
