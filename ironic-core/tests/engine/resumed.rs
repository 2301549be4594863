//! Conductors that were cut off for longer than others wait, and come back.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use ironic_core::driver::fake::{FakeOperation, FakeRule};
use ironic_core::states::{PowerState, PowerTarget};
use ironic_core::store::{Batch, Kind, Op, Revision, Store, StoreError};
use ironic_core::testing::FaultyStore;
use tokio::time::sleep;
use uuid::Uuid;

use crate::hooked::{Hook, Hooked};
use crate::house::{House, enrolled};

/// A house with a node whose power `cond-a` is about to switch for 300 s, while it cannot write
/// to its store.
async fn cut_off() -> (House, Uuid, ironic_core::Conductor, Arc<FaultyStore>) {
    let house = House::new();
    let before = house.conductor("cond-a").await;
    let node = enrolled(&house.client(&before)).await;
    before.stop().await.unwrap();
    house.fakes.record();
    // It is checked when that is asked for, and again before the machine is told.
    let slow = FakeRule::takes(FakeOperation::ValidatePower, Duration::from_secs(300));
    house.fakes.add(slow.nth(2));
    let faulty = Arc::new(FaultyStore::new(Arc::clone(&house.store)));
    let cut = house.with_store(faulty.clone());
    let first = cut.conductor("cond-a").await;
    let client = cut.client(&first);
    client.set_power(node, PowerTarget::On, None).await.unwrap();
    sleep(Duration::from_secs(1)).await;
    faulty.fail_after(0);
    (house, node, first, faulty)
}

fn switched(house: &House) -> usize {
    house.fakes.call_count(FakeOperation::SetPowerState)
}

#[tokio::test(start_paused = true)]
async fn one_whose_node_was_taken_over_tells_the_machine_nothing_more() {
    let (house, node, first, faulty) = cut_off().await;
    let second = house.conductor("cond-b").await;
    sleep(Duration::from_secs(200)).await;
    assert_eq!(switched(&house), 1, "the second one has gone on with it");
    // The first one beats again, and has a lease again, before its driver gets to the machine.
    faulty.heal();
    sleep(Duration::from_secs(200)).await;
    assert_eq!(switched(&house), 1);
    let client = house.client(&second);
    let record = client.node(node).await.unwrap();
    assert_eq!(
        (record.power_state, record.last_error),
        (Some(PowerState::On), None)
    );
    first.stop().await.unwrap();
    second.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn one_that_comes_back_just_before_its_node_is_taken_keeps_it() {
    let (house, node, first, faulty) = cut_off().await;
    let late = Late {
        meanwhile: Arc::clone(&faulty),
        was_late: AtomicBool::new(false),
    };
    let late = Hooked::new(Arc::clone(&house.store), late);
    let second = house.with_store(late.clone()).conductor("cond-b").await;
    sleep(Duration::from_secs(150)).await;
    assert!(
        late.hook.was_late.load(Ordering::Relaxed),
        "nobody took the node over"
    );
    let client = house.client(&second);
    let holder = client.reservation(node).await.unwrap();
    assert_eq!(holder.as_deref(), Some("cond-a"));
    assert_eq!(switched(&house), 0);
    sleep(Duration::from_secs(200)).await;
    assert_eq!(switched(&house), 1);
    assert_eq!(client.reservation(node).await.unwrap(), None);
    first.stop().await.unwrap();
    second.stop().await.unwrap();
}

/// Is late with taking a node over: meanwhile the other conductor comes back.
struct Late {
    meanwhile: Arc<FaultyStore>,
    was_late: AtomicBool,
}

#[async_trait]
impl Hook for Late {
    async fn commit(&self, store: &dyn Store, batch: Batch) -> Result<Vec<Revision>, StoreError> {
        let takes = |op: &Op| match op {
            Op::Put { record, .. } => {
                record.kind == Kind::Lock && record.body.get().contains("recovery")
            }
            Op::Delete { .. } => false,
        };
        if batch.ops.iter().any(takes) && !self.was_late.swap(true, Ordering::Relaxed) {
            self.meanwhile.heal();
            sleep(Duration::from_secs(15)).await;
        }
        store.commit(batch).await
    }
}
