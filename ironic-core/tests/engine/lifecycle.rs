use ironic_core::ErrorKind;
use ironic_core::driver::fake::{Completion, FakeOperation, FakeRule};
use ironic_core::states::{InterfaceKind, PowerState, ProvisionState, Verb};
use ironic_core::steps::UserStep;
use ironic_core::transport::{Change, HeartbeatArgs, ProvisionArgs};
use uuid::Uuid;

use crate::house::{House, LONG, ask, available, enrolled, go};

#[tokio::test(start_paused = true)]
async fn a_node_goes_from_enrolment_to_an_instance_and_back() {
    let house = House::new();
    let conductor = house.conductor("cond-a").await;
    let client = house.client(&conductor);
    house.fakes.record();

    let node = enrolled(&client).await;
    house.fakes.set_power_state(node, PowerState::On);
    let managed = go(&client, node, Verb::Manage, ProvisionState::Manageable).await;
    assert_eq!(
        managed.power_state,
        Some(PowerState::On),
        "verification reads the power"
    );
    assert_eq!(managed.target_provision_state, None);

    go(&client, node, Verb::Inspect, ProvisionState::Manageable).await;
    go(&client, node, Verb::Provide, ProvisionState::Available).await;
    let instance = Uuid::from_u128(7);
    client
        .update_node(
            node,
            vec![Change::set("instance_uuid", instance.to_string())],
        )
        .await
        .unwrap();
    let active = go(&client, node, Verb::Deploy, ProvisionState::Active).await;
    assert_eq!(active.instance_uuid, Some(instance));
    assert!(active.last_error.is_none() && active.provision_updated_at.is_some());

    let gone = go(&client, node, Verb::Undeploy, ProvisionState::Available).await;
    assert_eq!(gone.instance_uuid, None, "the instance is forgotten");
    assert!(gone.instance_info.is_empty());
    assert!(
        house.fakes.call_count(FakeOperation::TearDown) == 1,
        "the instance was torn down"
    );

    client.delete_node(node).await.unwrap();
    assert_eq!(
        client.node(node).await.unwrap_err().kind(),
        ErrorKind::NotFound
    );
    conductor.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn given_clean_steps_run_in_their_order_and_end_in_manageable() {
    let house = House::new();
    let conductor = house.conductor("cond-a").await;
    let client = house.client(&conductor);
    let node = enrolled(&client).await;
    go(&client, node, Verb::Manage, ProvisionState::Manageable).await;

    let steps = vec![UserStep::new(InterfaceKind::Deploy, "no_such_step")];
    client
        .provision(
            node,
            Verb::Clean,
            ProvisionArgs::default().with_steps(steps),
        )
        .await
        .unwrap();
    let failed = client
        .wait_for(node, ProvisionState::Manageable, LONG)
        .await
        .unwrap_err();
    assert!(failed.to_string().contains("no_such_step"), "{failed}");
    let record = client.node(node).await.unwrap();
    assert_eq!(
        record.target_provision_state,
        Some(ProvisionState::Manageable)
    );
    assert!(!record.maintenance, "nothing was done to the machine");
    go(&client, node, Verb::Manage, ProvisionState::Manageable).await;
    let record = client.node(node).await.unwrap();
    assert!(record.last_error.is_some(), "what went wrong is still seen");
    conductor.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_failed_deployment_says_why_and_can_be_tried_again() {
    let house = House::new();
    let conductor = house.conductor("cond-a").await;
    let client = house.client(&conductor);
    let node = available(&client).await;
    let broken = ironic_core::Error::driver("fake", "the disk is on fire");
    house
        .fakes
        .add(FakeRule::fails(FakeOperation::PrepareDeploy, broken).nth(1));

    ask(&client, node, Verb::Deploy).await.unwrap();
    let error = client
        .wait_for(node, ProvisionState::Active, LONG)
        .await
        .unwrap_err();
    assert!(error.to_string().contains("the disk is on fire"), "{error}");
    let failed = client.node(node).await.unwrap();
    assert_eq!(failed.provision_state, ProvisionState::DeployFailed);
    assert_eq!(failed.target_provision_state, Some(ProvisionState::Active));
    let history = client.history(node).await.unwrap();
    assert!(
        history
            .iter()
            .any(|event| event.code == "driver" && event.event.contains("on fire")),
        "{history:?}"
    );
    let blocked = client.explain(node).await.unwrap().unwrap().to_string();
    assert!(
        blocked.contains("on fire") && blocked.contains("deploy"),
        "{blocked}"
    );

    go(&client, node, Verb::Deploy, ProvisionState::Active).await;
    assert!(client.explain(node).await.unwrap().is_none());
    conductor.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_driver_that_panics_fails_its_flow_and_leaves_no_lock() {
    let house = House::new();
    let conductor = house.conductor("cond-a").await;
    let client = house.client(&conductor);
    let node = available(&client).await;
    house
        .fakes
        .add(FakeRule::panics(FakeOperation::PrepareDeploy, "boom").nth(1));

    ask(&client, node, Verb::Deploy).await.unwrap();
    let error = client
        .wait_for(node, ProvisionState::Active, LONG)
        .await
        .unwrap_err();
    assert!(error.to_string().contains("ended unexpectedly"), "{error}");
    assert_eq!(client.reservation(node).await.unwrap(), None);
    go(&client, node, Verb::Deploy, ProvisionState::Active).await;
    conductor.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_plan_says_what_a_verb_would_do_and_does_nothing() {
    let house = House::new();
    let conductor = house.conductor("cond-a").await;
    let client = house.client(&conductor);
    let node = available(&client).await;
    house.fakes.record();

    let plan = client
        .plan(node, Verb::Deploy, ProvisionArgs::default())
        .await
        .unwrap()
        .to_string();
    let deploying = plan.find("→ deploying").unwrap();
    let step = plan.find("step deploy.deploy").unwrap();
    let active = plan.find("→ active").unwrap();
    assert!(deploying < step && step < active, "{plan}");
    assert_eq!(
        client.node(node).await.unwrap().provision_state,
        ProvisionState::Available
    );
    assert!(
        house
            .fakes
            .calls(node)
            .iter()
            .all(|call| call.operation != FakeOperation::PrepareDeploy)
    );
    conductor.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn given_clean_steps_stay_the_given_ones_through_a_wait() {
    let house = House::new();
    let conductor = house.conductor("cond-a").await;
    let client = house.client(&conductor);
    let node = enrolled(&client).await;
    go(&client, node, Verb::Manage, ProvisionState::Manageable).await;
    house.fakes.record();
    let agent = Completion::Polls {
        times: 1,
        every: std::time::Duration::from_secs(1),
    };
    let waits = FakeRule::completes(FakeOperation::FactoryReset, agent);
    house.fakes.add(waits);
    house.fakes.add(FakeRule::completes(
        FakeOperation::PrepareSteps,
        Completion::Heartbeat,
    ));

    let reset = UserStep::new(InterfaceKind::Bios, "factory_reset");
    let args = ProvisionArgs::default().with_steps(vec![reset]);
    client.provision(node, Verb::Clean, args).await.unwrap();
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    let waiting = client.node(node).await.unwrap();
    assert_eq!(waiting.provision_state, ProvisionState::CleanWait);
    let token = client.lookup(Some(node), &[]).await.unwrap().agent_token;
    let call = HeartbeatArgs::new("http://192.0.2.9:9999", token);
    client.heartbeat(node, call).await.unwrap();
    let cleaned = client
        .wait_for(node, ProvisionState::Manageable, LONG)
        .await
        .unwrap();
    assert_eq!(cleaned.target_provision_state, None);
    assert_eq!(house.fakes.call_count(FakeOperation::FactoryReset), 1);
    let asked_for: Vec<_> = house.fakes.calls(node);
    let unasked = |call: &&ironic_core::driver::fake::FakeCall| {
        call.operation.to_string().contains("log_passthrough")
    };
    assert_eq!(
        asked_for.iter().find(unasked),
        None,
        "no automated step runs"
    );
    conductor.stop().await.unwrap();
}
