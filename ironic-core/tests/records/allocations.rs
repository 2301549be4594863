//! Claims on machines.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use ironic_core::ErrorKind;
use ironic_core::client::Client;
use ironic_core::model::{Allocation, AllocationState};
use ironic_core::states::{PowerTarget, ProvisionState, Verb};
use ironic_core::store::{Kind, MemoryStore, Query};
use ironic_core::testing::{FaultyStore, Injected};
use ironic_core::transport::Change;
use uuid::Uuid;

use crate::house::{House, available, go, powered};

async fn of_class(client: &Client, class: &str) -> Uuid {
    let node = available(client).await;
    let class = vec![Change::set("resource_class", class)];
    client.update_node(node, class).await.unwrap();
    powered(client, node, PowerTarget::Off).await;
    node
}

/// The allocation once it is decided.
async fn settled(client: &Client, id: Uuid) -> Allocation {
    for _ in 0..100_000 {
        let allocation = client.record::<Allocation>(id).await.unwrap();
        if allocation.state != AllocationState::Allocating {
            return allocation;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("allocation {id} is never decided");
}

async fn allocate(client: &Client, allocation: Allocation) -> Allocation {
    let begun = client.create_record(allocation).await.unwrap();
    assert_eq!(begun.state, AllocationState::Allocating);
    settled(client, begun.uuid).await
}

fn any() -> Allocation {
    Allocation::new(Uuid::nil(), "baremetal")
}

#[tokio::test(start_paused = true)]
async fn fifty_at_once_get_forty_machines_each_its_own() {
    let mut house = House::new();
    house.config.policy.automated_clean = false;
    let (first, second) = (
        house.conductor("cond-a").await,
        house.conductor("cond-b").await,
    );
    let client = house.client(&first);
    first.membership().refresh().await.unwrap();
    for _ in 0..40 {
        of_class(&client, "baremetal").await;
    }
    let mut asked = tokio::task::JoinSet::new();
    for _ in 0..50 {
        let client = client.clone();
        asked.spawn(async move { allocate(&client, any()).await });
    }
    let all = asked.join_all().await;
    let (active, failed): (Vec<_>, Vec<_>) = all
        .into_iter()
        .partition(|allocation| allocation.state == AllocationState::Active);
    assert_eq!((active.len(), failed.len()), (40, 10));
    let hosts: BTreeSet<_> = active.iter().map(|one| one.conductor.clone()).collect();
    assert_eq!(hosts.len(), 2, "the work is spread over the conductors");
    let taken: BTreeSet<_> = active.iter().map(|one| one.node_uuid.unwrap()).collect();
    assert_eq!(taken.len(), 40);
    for allocation in &active {
        let node = client.node(allocation.node_uuid.unwrap()).await.unwrap();
        assert_eq!(node.allocation_uuid, Some(allocation.uuid));
        assert_eq!(node.instance_uuid, Some(allocation.uuid));
    }
    for allocation in &failed {
        assert_eq!(allocation.state, AllocationState::Error);
        assert!(allocation.last_error.is_some() && allocation.node_uuid.is_none());
    }
    first.stop().await.unwrap();
    second.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_machine_has_to_fit_and_one_of_the_same_name_is_preferred() {
    let house = House::new();
    let conductor = house.conductor("cond-a").await;
    let client = house.client(&conductor);
    let (plain, owned, named) = (
        of_class(&client, "baremetal").await,
        of_class(&client, "baremetal").await,
        of_class(&client, "baremetal").await,
    );
    let owner = vec![Change::set("owner", "p1")];
    client.update_node(owned, owner).await.unwrap();
    let name = vec![Change::set("name", "db-1")];
    client.update_node(named, name).await.unwrap();

    let other = Allocation::new(Uuid::nil(), "gold");
    let failed = allocate(&client, other).await;
    assert_eq!(failed.state, AllocationState::Error);
    assert!(failed.last_error.unwrap().contains("\"gold\""));
    let error = client
        .create_record(Allocation::backfill(Uuid::nil(), plain))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NoValidHost);
    assert!(error.to_string().contains("\"active\""), "{error}");
    let mut classless = any();
    classless.resource_class = None;
    let error = client.create_record(classless).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::MissingParameter);

    let mut of_project = any();
    of_project.owner = Some("p1".to_owned());
    assert_eq!(
        allocate(&client, of_project.clone()).await.node_uuid,
        Some(owned)
    );
    let again = allocate(&client, of_project).await;
    assert_eq!(again.state, AllocationState::Error);

    let mut by_name = any();
    by_name.name = Some("db-1".to_owned());
    let got = allocate(&client, by_name.clone()).await;
    assert_eq!(got.node_uuid, Some(named));
    assert_eq!(
        client.create_record(by_name).await.unwrap_err().kind(),
        ErrorKind::AlreadyExists
    );
    let mut among = any();
    among.candidate_nodes = vec![named, owned];
    assert_eq!(
        allocate(&client, among.clone()).await.state,
        AllocationState::Error
    );
    among.candidate_nodes.push(plain);
    assert_eq!(allocate(&client, among).await.node_uuid, Some(plain));
    let renamed = vec![Change::set("name", "db-2")];
    let renamed = client
        .update_record::<Allocation>(got.uuid, renamed)
        .await
        .unwrap();
    assert_eq!(renamed.name.as_deref(), Some("db-2"));
    assert_eq!(renamed.state, AllocationState::Active);
    conductor.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_claim_ends_with_the_instance_or_when_it_is_given_up() {
    let house = House::new();
    let conductor = house.conductor("cond-a").await;
    let client = house.client(&conductor);
    let node = of_class(&client, "baremetal").await;
    let got = allocate(&client, any()).await;
    client.delete_record::<Allocation>(got.uuid).await.unwrap();
    let free = client.node(node).await.unwrap();
    assert_eq!((free.allocation_uuid, free.instance_uuid), (None, None));

    let got = allocate(&client, any()).await;
    go(&client, node, Verb::Deploy, ProvisionState::Active).await;
    let error = client
        .delete_record::<Allocation>(got.uuid)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::StateConflict);
    let without = vec![Change::remove("instance_uuid")];
    let error = client.update_node(node, without.clone()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::StateConflict);
    go(&client, node, Verb::Undeploy, ProvisionState::Available).await;
    let free = client.node(node).await.unwrap();
    assert_eq!((free.allocation_uuid, free.instance_uuid), (None, None));
    let error = client.record::<Allocation>(got.uuid).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);

    let got = allocate(&client, any()).await;
    assert_eq!(got.node_uuid, Some(node));
    let free = client.update_node(node, without).await.unwrap();
    assert_eq!(free.allocation_uuid, None);
    let left = client
        .records::<Allocation>(&Query::all(Kind::Allocation))
        .await
        .unwrap();
    assert!(left.is_empty());
    conductor.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_machine_in_use_is_claimed_as_it_is() {
    let house = House::new();
    let conductor = house.conductor("cond-a").await;
    let client = house.client(&conductor);
    let node = of_class(&client, "baremetal").await;
    go(&client, node, Verb::Deploy, ProvisionState::Active).await;
    let claim = Allocation::backfill(Uuid::nil(), node);
    let mut wrong = claim.clone();
    wrong.resource_class = Some("gold".to_owned());
    let error = client.create_record(wrong).await.unwrap_err();
    assert!(error.to_string().contains("resource class"), "{error}");
    let claimed = client.create_record(claim.clone()).await.unwrap();
    assert_eq!(claimed.state, AllocationState::Active);
    assert_eq!(claimed.resource_class.as_deref(), Some("baremetal"));
    let holder = client.node(node).await.unwrap();
    assert_eq!(holder.instance_uuid, Some(claimed.uuid));
    assert_eq!(holder.allocation_uuid, Some(claimed.uuid));
    assert_eq!(
        client.create_record(claim).await.unwrap_err().kind(),
        ErrorKind::Associated
    );
    conductor.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn what_a_conductor_left_unfinished_another_finishes() {
    let house = House::new();
    let survivor = house.conductor("cond-b").await;
    let client = house.client(&survivor);
    let node = of_class(&client, "baremetal").await;
    // As a conductor leaves it that dies between its two writes.
    let leave = async |host: &str, uuid| {
        let mut left = any();
        left.uuid = Uuid::from_u128(uuid);
        left.conductor = Some(host.to_owned());
        house.repository().create(&left).await.unwrap();
    };
    leave("cond-gone", 1).await;
    let dead = ironic_core::model::ConductorRecord::new("cond-gone", Uuid::nil());
    house.repository().create(&dead).await.unwrap();
    let taken = settled(&client, Uuid::from_u128(1)).await;
    assert_eq!(taken.node_uuid, Some(node));
    assert_eq!(taken.conductor.as_deref(), Some("cond-b"));
    survivor.stop().await.unwrap();
    leave("cond-b", 2).await;
    let next = house.conductor("cond-b").await;
    let client = house.client(&next);
    let failed = settled(&client, Uuid::from_u128(2)).await;
    assert_eq!(failed.state, AllocationState::Error, "no machine is left");
    next.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_machine_that_somebody_holds_for_a_moment_is_waited_for() {
    let house = House::new();
    let conductor = house.conductor("cond-a").await;
    let client = house.client(&conductor);
    let node = of_class(&client, "baremetal").await;
    let held = conductor.tasks().exclusive(node, "a moment").await.unwrap();
    let begun = client.create_record(any()).await.unwrap();
    tokio::time::sleep(Duration::from_millis(1500)).await;
    conductor.tasks().release(held).await.unwrap();
    assert_eq!(
        settled(&client, begun.uuid).await.state,
        AllocationState::Active
    );
    let gone = vec![Change::set("maintenance", true)];
    client.update_node(node, gone).await.unwrap();
    client.delete_node(node).await.unwrap();
    let error = client.record::<Allocation>(begun.uuid).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound, "it goes with its node");
    conductor.stop().await.unwrap();
}

/// An allocation and the write whose fate `injected` decides: the one that makes it, or the one
/// that ends its search.
async fn goes_on_after(write: u64, injected: Injected, begun: bool) {
    let store = Arc::new(FaultyStore::new(Arc::new(MemoryStore::new())));
    let house = House::over(store.clone());
    let conductor = house.conductor("cond-a").await;
    let client = house.client(&conductor);
    let mut allocation = any();
    allocation.uuid = Uuid::from_u128(1);
    store.inject(store.commits() + write, injected);
    let told = client.create_record(allocation.clone()).await;
    assert_eq!(told.is_ok(), begun, "{told:?}");
    let failed = settled(&client, allocation.uuid).await;
    assert_eq!(failed.state, AllocationState::Error, "there is no machine");
    conductor.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn an_allocation_is_decided_though_the_answer_got_lost_that_made_it() {
    goes_on_after(1, Injected::After, false).await;
}

#[tokio::test(start_paused = true)]
async fn an_allocation_is_decided_though_its_end_could_not_be_written() {
    goes_on_after(2, Injected::Before, true).await;
}

#[tokio::test(start_paused = true)]
async fn a_claim_of_a_machine_in_use_that_was_interrupted_is_of_that_machine_still() {
    let house = House::new();
    let first = house.conductor("cond-a").await;
    let client = house.client(&first);
    let (free, used) = (
        of_class(&client, "baremetal").await,
        of_class(&client, "baremetal").await,
    );
    go(&client, used, Verb::Deploy, ProvisionState::Active).await;
    let mut left = any();
    left.uuid = Uuid::from_u128(1);
    left.node_uuid = Some(used);
    left.conductor = Some("cond-a".to_owned());
    house.repository().create(&left).await.unwrap();
    let claimed = settled(&client, left.uuid).await;
    assert_eq!(claimed.state, AllocationState::Active, "{claimed:?}");
    assert_eq!(claimed.node_uuid, Some(used), "and not {free}");
    first.stop().await.unwrap();
}
