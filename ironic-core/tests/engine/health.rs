//! The health that BMCs report, as nodes and their histories have it.

use std::time::Duration;

use ironic_core::Error;
use ironic_core::client::Client;
use ironic_core::driver::fake::{FakeOperation as Op, FakeRule};
use ironic_core::states::{Health, PowerState, ProvisionState, Verb};
use tokio::time::sleep;
use uuid::Uuid;

use crate::house::{House, enrolled, go};

const INTERVAL: Duration = Duration::from_secs(60);

fn house() -> House {
    let mut house = House::new();
    house.config.sync_power_state_interval = INTERVAL;
    house.fakes.record();
    house
}

async fn machine(house: &House, client: &Client) -> Uuid {
    let node = enrolled(client).await;
    house.fakes.set_power_state(node, PowerState::Off);
    go(client, node, Verb::Manage, ProvisionState::Manageable).await;
    node
}

#[tokio::test(start_paused = true)]
async fn health_is_read_along_with_power_and_each_change_is_in_the_history() {
    let house = house();
    let conductor = house.conductor("cond-a").await;
    let client = house.client(&conductor);
    let (node, silent) = (
        machine(&house, &client).await,
        machine(&house, &client).await,
    );
    let mut seen = Vec::new();
    for health in [Some(Health::Ok), Some(Health::Critical), None] {
        house.fakes.set_health(node, health);
        sleep(2 * INTERVAL).await;
        seen.push(client.node(node).await.unwrap().health);
    }
    let text = |text: &str| Some(text.to_owned());
    assert_eq!(seen, [text("OK"), text("Critical"), None]);
    let history = client.history(node).await.unwrap();
    let told: Vec<_> = history
        .iter()
        .filter(|event| event.event_type == "monitoring")
        .map(|event| event.event.as_str())
        .collect();
    assert_eq!(
        told,
        [
            "the machine's health is \"OK\"; it was unknown",
            "the machine's health is \"Critical\"; it was \"OK\"",
            "the machine's health is unknown; it was \"Critical\"",
        ]
    );
    assert_eq!(client.node(silent).await.unwrap().health, None);
    assert_eq!(client.history(silent).await.unwrap(), []);
    conductor.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn health_that_cannot_be_read_stays_and_spoils_nothing() {
    let house = house();
    let conductor = house.conductor("cond-a").await;
    let client = house.client(&conductor);
    let node = machine(&house, &client).await;
    house.fakes.set_health(node, Some(Health::Warning));
    sleep(2 * INTERVAL).await;
    let broken = Error::driver("fake", "no such resource");
    house.fakes.add(FakeRule::fails(Op::GetHealth, broken));
    house.fakes.set_power_state(node, PowerState::On);
    sleep(10 * INTERVAL).await;
    let record = client.node(node).await.unwrap();
    assert_eq!(record.health.as_deref(), Some("Warning"));
    assert!(!record.maintenance, "power could be read");
    conductor.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn nobody_asks_for_health_where_it_is_not_wanted() {
    let mut house = house();
    house.config.enable_health_monitoring = false;
    let conductor = house.conductor("cond-a").await;
    let client = house.client(&conductor);
    let node = machine(&house, &client).await;
    house.fakes.set_health(node, Some(Health::Critical));
    sleep(5 * INTERVAL).await;
    assert!(house.fakes.call_count(Op::GetPowerState) > 2);
    assert_eq!(house.fakes.call_count(Op::GetHealth), 0);
    assert_eq!(client.node(node).await.unwrap().health, None);
    conductor.stop().await.unwrap();
}
