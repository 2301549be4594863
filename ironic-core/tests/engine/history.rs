//! What a node's history says of its flows of steps, and whether it says anything.

use ironic_core::Error;
use ironic_core::client::Client;
use ironic_core::driver::fake::{FakeOperation as Op, FakeRule};
use ironic_core::model::{HistoryEvent, Severity};
use ironic_core::states::{InterfaceKind as I, ProvisionState as S, Verb};
use ironic_core::steps::UserStep;
use ironic_core::transport::{ProvisionArgs, RequestContext};
use uuid::Uuid;

use crate::hold::reaches;
use crate::house::{House, LONG, available, enrolled, go};

/// The entries about steps: type, severity and text.
async fn about_steps(client: &Client, node: Uuid) -> Vec<(String, Severity, String)> {
    let events = client.history(node).await.unwrap().into_iter();
    events
        .filter(|event| event.code == "steps")
        .map(|event| (event.event_type, event.severity, event.event))
        .collect()
}

fn types(entries: &[(String, Severity, String)]) -> Vec<&str> {
    entries.iter().map(|(kind, ..)| kind.as_str()).collect()
}

#[tokio::test(start_paused = true)]
async fn history_has_the_steps_with_which_a_flow_begins_and_how_it_ends() {
    let house = House::new();
    let conductor = house.conductor("cond-a").await;
    let client = house.client(&conductor);
    let node = enrolled(&client).await;
    go(&client, node, Verb::Manage, S::Manageable).await;
    let secret = UserStep::new(I::Bios, "apply_configuration").with_arg(
        "settings",
        serde_json::json!([{"name": "AdminPassword", "value": "1", "password": "swordfish"}]),
    );
    let reset = UserStep::new(I::Bios, "factory_reset");
    let args = ProvisionArgs::default().with_steps(vec![secret, reset]);
    client.provision(node, Verb::Clean, args).await.unwrap();
    client.wait_for(node, S::Manageable, LONG).await.unwrap();
    let manual = about_steps(&client, node).await;
    assert_eq!(
        types(&manual),
        ["manual_cleaning_start", "manual_cleaning_end"]
    );
    for (_, severity, text) in &manual {
        assert_eq!(*severity, Severity::Info);
        assert!(text.contains("bios.apply_configuration"), "{text}");
        assert!(text.contains("bios.factory_reset"), "{text}");
        assert!(!text.contains("swordfish"), "{text}");
    }

    go(&client, node, Verb::Provide, S::Available).await;
    go(&client, node, Verb::Deploy, S::Active).await;
    let log = vec![UserStep::new(I::Vendor, "log_passthrough")];
    let args = ProvisionArgs::default().with_steps(log);
    client.provision(node, Verb::Service, args).await.unwrap();
    client.wait_for(node, S::Active, LONG).await.unwrap();
    let all = about_steps(&client, node).await;
    let later = types(&all[2..]);
    for of in ["automated_cleaning", "deployment", "servicing"] {
        let count = |status: &str| {
            let name = format!("{of}_{status}");
            later.iter().filter(|kind| **kind == name).count()
        };
        assert_eq!((count("start"), count("end")), (1, 1), "{of}: {later:?}");
    }
    conductor.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_flow_that_fails_is_told_of_with_the_step_that_it_was_at() {
    let house = House::new();
    let conductor = house.conductor("cond-a").await;
    let client = house.client(&conductor);
    let node = available(&client).await;
    let before = about_steps(&client, node).await.len();
    let broken = Error::driver("fake", "no disk");
    house.fakes.add(FakeRule::fails(Op::Deploy, broken));
    client
        .provision(node, Verb::Deploy, ProvisionArgs::default())
        .await
        .unwrap();
    reaches(&client, node, S::DeployFailed).await;
    let failed = about_steps(&client, node).await.split_off(before);
    assert_eq!(types(&failed), ["deployment_start", "deployment_end"]);
    let (_, severity, text) = &failed[1];
    assert_eq!(*severity, Severity::Error);
    assert!(text.contains("at deploy.deploy"), "{text}");
    conductor.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn steps_or_all_of_history_can_be_left_out() {
    for (history, steps) in [(true, false), (false, true)] {
        let mut house = House::new();
        house.config.node_history = history;
        house.config.policy.record_step_flows_in_history = steps;
        let conductor = house.conductor("cond-a").await;
        let client = house.client(&conductor);
        let node = available(&client).await;
        let broken = Error::driver("fake", "no disk");
        house.fakes.add(FakeRule::fails(Op::Deploy, broken));
        let no_console = Error::driver("fake", "no such terminal");
        house
            .fakes
            .add(FakeRule::fails(Op::StartConsole, no_console));
        client
            .provision(node, Verb::Deploy, ProvisionArgs::default())
            .await
            .unwrap();
        reaches(&client, node, S::DeployFailed).await;
        tokio::time::sleep(std::time::Duration::from_secs(1)).await;
        client.set_console(node, true).await.unwrap();
        let told = |node: &ironic_core::Node| {
            let error = node.last_error.as_ref()?;
            error.contains("terminal").then_some(Ok(()))
        };
        client.wait_until(node, LONG, told).await.unwrap();
        assert_eq!(about_steps(&client, node).await, []);
        let events = client.history(node).await.unwrap();
        assert_eq!(events.is_empty(), !history, "{events:?}");
        conductor.stop().await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn what_goes_wrong_is_told_in_order_and_of_whom() {
    let house = House::new();
    let conductor = house.conductor("cond-a").await;
    let anybody = house.client(&conductor);
    let mut context = RequestContext::default();
    context.user = Some("ada".to_owned());
    let client = house.client(&conductor).with_context(context);
    let broken = Error::driver("fake", "no disk");
    house.fakes.add(FakeRule::fails(Op::Deploy, broken));
    // By chance alone these would hardly all be in order.
    for _ in 0..12 {
        let node = available(&anybody).await;
        let before = client.history(node).await.unwrap().len();
        let args = ProvisionArgs::default();
        client.provision(node, Verb::Deploy, args).await.unwrap();
        reaches(&client, node, S::DeployFailed).await;
        let events = client.history(node).await.unwrap();
        let told = |event: &HistoryEvent| (event.event_type.clone(), event.user.clone());
        let user = Some("ada".to_owned());
        assert!(events[..before].iter().all(|event| event.user.is_none()));
        assert_eq!(
            events[before..].iter().map(told).collect::<Vec<_>>(),
            ["deployment_start", "deployment_end", "deploying"]
                .map(|name| (name.to_owned(), user.clone()))
        );
    }
    conductor.stop().await.unwrap();
}
