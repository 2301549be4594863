use ironic_core::driver::fake::{FakeOperation, FakeRule};
use ironic_core::{Error, ErrorKind};

use crate::house::{House, LONG, enrolled};

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
