//! What is asked of one machine costs the same however many others there are.

use std::sync::Arc;
use std::time::Duration;

use ironic_core::client::Client;
use ironic_core::driver::fake::{Completion, FakeOperation as Op, FakeRule};
use ironic_core::model::{Allocation, AllocationState, Node, Port};
use ironic_core::states::{PowerState, PowerTarget, ProvisionState as S, Verb};
use ironic_core::store::{
    Batch, Expect, Filter, Kind, MemoryStore, Op as StoreOp, Query, Record, Revision, Store,
};
use ironic_core::transport::HeartbeatArgs;
use serde_json::value::to_raw_value;
use tokio::time::sleep;
use uuid::Uuid;

use crate::hold::reaches;
use crate::house::{House, ask, go, powered};

/// Machines that nobody asks anything of.
async fn fill(store: &MemoryStore, present: usize) {
    let numbers: Vec<_> = (0..present as u128).collect();
    for some in numbers.chunks(500) {
        let ops = some.iter().map(|number| {
            let mut node = Node::new(Uuid::from_u128(*number), "fake-hardware");
            node.provision_state = S::Available;
            node.power_state = Some(PowerState::Off);
            node.resource_class = Some("others".to_owned());
            let record = Record {
                kind: Kind::Node,
                id: node.uuid,
                created: Revision::default(),
                revision: Revision::default(),
                schema: 1,
                keys: Vec::new(),
                body: to_raw_value(&node).unwrap().into(),
            };
            let expect = Expect::Absent;
            StoreOp::Put { record, expect }
        });
        let ops = ops.collect();
        store.commit(Batch { fence: None, ops }).await.unwrap();
    }
}

/// From enrolment over an allocation and a deployment with an agent to removal.
async fn live(house: &House, client: &Client) {
    let mut node = Node::new(Uuid::nil(), "fake-hardware");
    node.resource_class = Some("mine".to_owned());
    let node = client.create_node(node).await.unwrap().uuid;
    let mac = "52:54:00:00:00:01".parse().unwrap();
    let port = Port::new(Uuid::nil(), node, mac);
    client.create_port(port).await.unwrap();
    go(client, node, Verb::Manage, S::Manageable).await;
    go(client, node, Verb::Provide, S::Available).await;
    powered(client, node, PowerTarget::Off).await;

    let allocation = Allocation::new(Uuid::nil(), "mine");
    let allocation = client.create_record(allocation).await.unwrap().uuid;
    let claimed = async || {
        let allocation = client.record::<Allocation>(allocation).await.unwrap();
        assert_ne!(allocation.state, AllocationState::Error, "{allocation:?}");
        allocation.state == AllocationState::Active
    };
    while !claimed().await {
        sleep(Duration::from_millis(10)).await;
    }
    let agent = FakeRule::completes(Op::PrepareDeploy, Completion::Heartbeat);
    house.fakes.add(agent);
    ask(client, node, Verb::Deploy).await.unwrap();
    reaches(client, node, S::DeployWait).await;
    let mac = "52:54:00:00:00:01".parse().unwrap();
    let found = client.lookup(None, &[mac]).await.unwrap();
    assert_eq!(found.node.uuid, node);
    let call = HeartbeatArgs::new("http://192.0.2.9:9999", found.agent_token);
    client.heartbeat(node, call).await.unwrap();
    reaches(client, node, S::Active).await;
    go(client, node, Verb::Undeploy, S::Available).await;
    go(client, node, Verb::Manage, S::Manageable).await;
    client.delete_node(node).await.unwrap();
}

/// How many bodies queries have read in that life, and how many a list of a user's nodes reads.
async fn cost(present: usize) -> (u64, u64) {
    let store = Arc::new(MemoryStore::new());
    let house = House::over(store.clone());
    let conductor = house.conductor("cond-a").await;
    let client = house.client(&conductor);
    fill(&store, present).await;
    let before = store.bodies_read();
    live(&house, &client).await;
    let lived = store.bodies_read() - before;
    let mine = Query::all(Kind::Node).filter(Filter::text("owner", "me"));
    assert!(client.nodes(&mine).await.unwrap().is_empty());
    let listed = store.bodies_read() - before - lived;
    conductor.stop().await.unwrap();
    (lived, listed)
}

#[tokio::test(start_paused = true)]
async fn a_machine_among_thousands_costs_what_one_among_few_does() {
    let (among_few, among_thousands) = (cost(64).await, cost(13_500).await);
    assert_eq!(among_few, among_thousands);
    let (lived, listed) = among_few;
    assert!(lived > 0, "nothing was counted");
    assert_eq!(listed, 0, "nobody's machines are not looked at");
}
