//! A node in a task's hands, without a conductor: for the tests of interfaces.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use uuid::Uuid;

use super::{Registry, RegistryBuilder, Task, TaskContext};
use crate::config::Config;
use crate::governor::Governor;
use crate::model::Node;
use crate::notify::NoNotifier;
use crate::runtime::{ManualClock, SeededEntropy, Timestamp};
use crate::states::FlowKind;
use crate::steps::{Step, StepDef};
use crate::store::{MemoryStore, Repository};
use crate::task::TaskManager;

/// The first node of a test.
pub(super) const NODE: Uuid = Uuid::from_u128(0x11);

/// A conductor's task manager with a lease that does not end during a test.
pub(super) async fn manager(builder: RegistryBuilder, nodes: &[Node]) -> TaskManager {
    let repository = Repository::new(Arc::new(MemoryStore::new()));
    for node in nodes {
        repository.create(node).await.unwrap();
    }
    let governor = Governor::new(1, Duration::from_secs(30));
    governor.extend_lease(Instant::now(), Duration::from_secs(1_000_000));
    let context = TaskContext::new(
        repository,
        Arc::new(ManualClock::new(Timestamp::EPOCH)),
        Arc::new(SeededEntropy::new(1)),
        Arc::new(Config::new("test")),
        Arc::new(governor),
    );
    let registry: Arc<Registry> = Arc::new(builder.build().unwrap());
    TaskManager::new(Arc::new(context), registry, Arc::new(NoNotifier)).0
}

/// A task that holds a node.
pub(super) async fn task(builder: RegistryBuilder, node: Node) -> Task {
    let id = node.uuid;
    let manager = manager(builder, &[node]).await;
    manager.exclusive(id, "a test").await.unwrap()
}

/// A step of a task's driver, as it would be planned.
pub(super) fn step(task: &Task, flow: FlowKind, name: &str) -> Step {
    let catalog = task.driver().steps(task.node(), flow);
    let is = |def: &&StepDef| format!("{}.{}", def.interface, def.step) == name;
    catalog.iter().find(is).unwrap().planned(Default::default())
}
