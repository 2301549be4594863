//! What becomes of a change of power whose outcome got lost when the flow beside it is given up.

use std::sync::Arc;
use std::time::Duration;

use ironic_core::driver::fake::{Completion, FakeOperation, FakeRule};
use ironic_core::states::{PowerTarget, ProvisionState, Verb};
use ironic_core::store::MemoryStore;
use ironic_core::testing::{FaultyStore, Injected};
use tokio::time::sleep;

use crate::house::{House, ask, enrolled, go};

#[tokio::test(start_paused = true)]
async fn the_node_is_not_on_its_way_to_a_power_state_for_ever() {
    let faulty = Arc::new(FaultyStore::new(Arc::new(MemoryStore::new())));
    let house = House::over(faulty.clone());
    let conductor = house.conductor("cond-a").await;
    let client = house.client(&conductor);
    let node = enrolled(&client).await;
    go(&client, node, Verb::Manage, ProvisionState::Manageable).await;
    let waits = FakeRule::completes(FakeOperation::PrepareSteps, Completion::Heartbeat);
    house.fakes.add(waits.nth(1));
    ask(&client, node, Verb::Provide).await.unwrap();
    sleep(Duration::from_secs(1)).await;
    // The lock, what begins, and what came of it.
    faulty.inject(faulty.commits() + 3, Injected::Before);
    client
        .set_power(node, PowerTarget::Off, None)
        .await
        .unwrap();
    sleep(Duration::from_millis(100)).await;
    let record = client.node(node).await.unwrap();
    assert_eq!(record.provision_state, ProvisionState::CleanWait);
    assert_eq!(record.target_power_state, Some(PowerTarget::Off));
    ask(&client, node, Verb::Abort).await.unwrap();
    sleep(Duration::from_secs(30)).await;
    let record = client.node(node).await.unwrap();
    assert_eq!(record.provision_state, ProvisionState::CleanFailed);
    assert_eq!(record.target_power_state, None);
    conductor.stop().await.unwrap();
}
