use std::sync::Arc;
use std::time::Duration;

use ironic_core::driver::fake::{FakeOperation, FakeRule};
use ironic_core::notify::{ChannelNotifier, Notification};
use ironic_core::{Error, ErrorKind};

use ironic_core::client::Client;
use ironic_core::states::{ProvisionState as S, Verb};
use ironic_core::transport::Change;
use uuid::Uuid;

use crate::house::{House, LONG, available, enrolled, go};

/// Starts the node's console, and waits until it is on.
async fn switched_on(client: &Client, node: Uuid) {
    client.set_console(node, true).await.unwrap();
    client
        .wait_until(node, LONG, |node| node.console_enabled.then_some(Ok(())))
        .await
        .unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_console_is_started_once_told_and_stopped() {
    let house = House::new();
    house.fakes.record();
    let conductor = house.conductor("cond-a").await;
    let client = house.client(&conductor);
    let node = enrolled(&client).await;
    let error = client.console(node).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidParameter);
    assert!(error.to_string().contains("is not enabled"), "{error}");
    for _ in 0..2 {
        client.set_console(node, true).await.unwrap();
        client
            .wait_until(node, LONG, |node| node.console_enabled.then_some(Ok(())))
            .await
            .unwrap();
    }
    assert!(house.fakes.console_runs(node));
    assert_eq!(house.fakes.call_count(FakeOperation::StartConsole), 1);
    client.console(node).await.unwrap();
    client.set_console(node, false).await.unwrap();
    client
        .wait_until(node, LONG, |node| (!node.console_enabled).then_some(Ok(())))
        .await
        .unwrap();
    assert!(!house.fakes.console_runs(node));
    conductor.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_console_that_does_not_start_is_told_by_the_node() {
    let house = House::new();
    let conductor = house.conductor("cond-a").await;
    let client = house.client(&conductor);
    let node = enrolled(&client).await;
    house.fakes.add(FakeRule::fails(
        FakeOperation::StartConsole,
        Error::driver("fake", "no such terminal"),
    ));
    client.set_console(node, true).await.unwrap();
    let record = client
        .wait_until(node, LONG, |node| node.last_error.as_ref().map(|_| Ok(())))
        .await
        .unwrap();
    assert!(!record.console_enabled);
    let text = record.last_error.unwrap();
    assert!(text.contains("enable the console") && text.contains("no such terminal"));
    let history = client.history(node).await.unwrap();
    assert!(history.iter().any(|event| event.event_type == "console"));
    conductor.stop().await.unwrap();
}

fn of_console(told: &[Notification]) -> Vec<String> {
    let types = told.iter().map(|it| it.event.event_type());
    types.filter(|is| is.contains("console")).collect()
}

#[tokio::test(start_paused = true)]
async fn a_console_is_stopped_with_its_node_and_told_of() {
    let mut house = House::new();
    let (notifier, mut events) = ChannelNotifier::new(100);
    house.notifier = Arc::new(notifier);
    let conductor = house.conductor("cond-a").await;
    let client = house.client(&conductor);
    let node = enrolled(&client).await;
    client.set_console(node, true).await.unwrap();
    client
        .wait_until(node, LONG, |node| node.console_enabled.then_some(Ok(())))
        .await
        .unwrap();
    client.delete_node(node).await.unwrap();
    assert!(!house.fakes.console_runs(node));
    let told: Vec<_> = std::iter::from_fn(|| events.try_recv().ok()).collect();
    let set = |status| format!("baremetal.node.console_set.{status}");
    assert_eq!(
        of_console(&told),
        [set("start"), set("end"), set("start"), set("end")]
    );
    conductor.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_console_follows_its_node_to_another_conductor_and_is_off_where_it_does_not_start() {
    let house = House::new();
    let first = house.conductor("cond-a").await;
    let client = house.client(&first);
    let (followed, lost) = (enrolled(&client).await, enrolled(&client).await);
    for node in [followed, lost] {
        client.set_console(node, true).await.unwrap();
        client
            .wait_until(node, LONG, |node| node.console_enabled.then_some(Ok(())))
            .await
            .unwrap();
    }
    first.stop().await.unwrap();
    house.fakes.record();
    house.fakes.add(
        FakeRule::fails(
            FakeOperation::StartConsole,
            Error::driver("fake", "no port"),
        )
        .on(lost),
    );
    let second = house.conductor("cond-b").await;
    let client = house.client(&second);
    let record = client
        .wait_until(lost, LONG, |node| (!node.console_enabled).then_some(Ok(())))
        .await
        .unwrap();
    let text = record.last_error.unwrap();
    assert!(text.contains("taking over: no port"), "{text}");
    tokio::time::sleep(Duration::from_secs(60)).await;
    let started = |node| {
        let calls = house.fakes.calls(node);
        let starts = calls
            .iter()
            .filter(|it| it.operation == FakeOperation::StartConsole);
        starts.count()
    };
    assert_eq!((started(followed), started(lost)), (1, 1));
    assert!(client.node(followed).await.unwrap().console_enabled);
    second.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_console_is_stopped_where_its_node_is_looked_after_no_more() {
    let house = House::new();
    let first = house.conductor("cond-a").await;
    let client = house.client(&first);
    let mut nodes = Vec::new();
    for _ in 0..8 {
        let node = enrolled(&client).await;
        client.set_console(node, true).await.unwrap();
        client
            .wait_until(node, LONG, |node| node.console_enabled.then_some(Ok(())))
            .await
            .unwrap();
        nodes.push(node);
    }
    house.fakes.record();
    let second = house.conductor("cond-b").await;
    tokio::time::sleep(Duration::from_secs(60)).await;
    let mut moved = 0;
    for node in nodes {
        let record = client.node(node).await.unwrap();
        assert!(record.console_enabled, "it is on, wherever");
        let owner = second.membership().owner(&record).await.unwrap();
        let calls: Vec<_> = house
            .fakes
            .calls(node)
            .into_iter()
            .map(|it| it.operation)
            .collect();
        let called = |operation| calls.contains(&operation);
        let came = owner == "cond-b";
        moved += usize::from(came);
        assert_eq!(called(FakeOperation::StartConsole), came, "{calls:?}");
        assert_eq!(called(FakeOperation::StopConsole), came, "{calls:?}");
    }
    assert!(moved > 0, "of eight nodes some go to the second conductor");
    first.stop().await.unwrap();
    second.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_console_is_stopped_with_the_instance_and_runs_again_with_the_next() {
    let mut house = House::new();
    let (notifier, mut events) = ChannelNotifier::new(1000);
    house.notifier = Arc::new(notifier);
    let conductor = house.conductor("cond-a").await;
    let client = house.client(&conductor);
    let node = available(&client).await;
    go(&client, node, Verb::Deploy, S::Active).await;
    switched_on(&client, node).await;
    while events.try_recv().is_ok() {}

    let back = go(&client, node, Verb::Undeploy, S::Available).await;
    assert!(back.console_enabled, "for the next instance");
    // Nobody watches the machine meanwhile, however often consoles are looked after.
    tokio::time::sleep(Duration::from_secs(300)).await;
    assert!(!house.fakes.console_runs(node));
    let told: Vec<_> = std::iter::from_fn(|| events.try_recv().ok()).collect();
    let stop = |status| format!("baremetal.node.console_stop.{status}");
    assert_eq!(of_console(&told), [stop("start"), stop("end")]);

    go(&client, node, Verb::Deploy, S::Active).await;
    assert!(house.fakes.console_runs(node));
    let told: Vec<_> = std::iter::from_fn(|| events.try_recv().ok()).collect();
    let restore = |status| format!("baremetal.node.console_restore.{status}");
    assert_eq!(of_console(&told), [restore("start"), restore("end")]);
    conductor.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_console_that_does_not_stop_keeps_the_instance_from_being_taken_off() {
    let house = House::new();
    let conductor = house.conductor("cond-a").await;
    let client = house.client(&conductor);
    let node = available(&client).await;
    go(&client, node, Verb::Deploy, S::Active).await;
    switched_on(&client, node).await;
    let stuck = Error::driver("fake", "the terminal is stuck");
    house
        .fakes
        .add(FakeRule::fails(FakeOperation::StopConsole, stuck).nth(1));
    let undeployed = client.provision(node, Verb::Undeploy, Default::default());
    undeployed.await.unwrap();
    let error = client.wait_for(node, S::Available, LONG).await.unwrap_err();
    assert!(error.to_string().contains("terminal is stuck"), "{error}");
    assert!(client.node(node).await.unwrap().console_enabled);
    go(&client, node, Verb::Undeploy, S::Available).await;
    assert!(!house.fakes.console_runs(node));
    conductor.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_console_that_does_not_start_is_off_and_the_instance_taken_in_all_the_same() {
    let house = House::new();
    let conductor = house.conductor("cond-a").await;
    let client = house.client(&conductor);
    let (works, lost) = (enrolled(&client).await, enrolled(&client).await);
    for node in [works, lost] {
        go(&client, node, Verb::Manage, S::Manageable).await;
        let source = Change::set("instance_info/image_source", "http://192.0.2.1/i");
        client.update_node(node, vec![source]).await.unwrap();
        switched_on(&client, node).await;
    }
    conductor.stop().await.unwrap();
    let failing = Error::driver("fake", "no port");
    house
        .fakes
        .add(FakeRule::fails(FakeOperation::StartConsole, failing).on(lost));
    let conductor = house.conductor("cond-a").await;
    let client = house.client(&conductor);
    for node in [works, lost] {
        go(&client, node, Verb::Adopt, S::Active).await;
        let enabled = client.node(node).await.unwrap().console_enabled;
        assert_eq!(enabled, node == works);
        assert_eq!(house.fakes.console_runs(node), node == works);
    }
    let history = client.history(lost).await.unwrap();
    let told = history.iter().any(|event| {
        event.event_type == "takeover" && event.event.contains("taking over: no port")
    });
    assert!(told, "{history:?}");
    conductor.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_stop_ends_the_consoles_that_run_and_the_next_conductor_starts_them() {
    let house = House::new();
    let first = house.conductor("cond-a").await;
    let client = house.client(&first);
    let (runs, starting) = (enrolled(&client).await, enrolled(&client).await);
    switched_on(&client, runs).await;
    let slow = FakeRule::takes(FakeOperation::StartConsole, Duration::from_secs(10));
    house.fakes.add(slow.on(starting));
    client.set_console(starting, true).await.unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await;
    first.stop().await.unwrap();
    for node in [runs, starting] {
        assert!(!house.fakes.console_runs(node), "its process would be gone");
        assert!(client.node(node).await.unwrap().console_enabled);
    }
    let second = house.conductor("cond-b").await;
    tokio::time::sleep(Duration::from_secs(60)).await;
    for node in [runs, starting] {
        assert!(house.fakes.console_runs(node));
    }
    second.stop().await.unwrap();
}
