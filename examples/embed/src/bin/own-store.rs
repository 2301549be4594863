//! A store of one's own, wrapped around another: it says what the engine writes, as it writes.
//! One that keeps the fleet in a file is beside this: `embed-kv`.
#![allow(clippy::print_stdout, reason = "its purpose")]

use std::sync::Arc;

use ironic_core::driver::fake::{self, FakeBehaviour};
use ironic_core::store::{Batch, Filter, Kind, Op, Query, Record, Revision, StoreError, UniqueKey};
use ironic_core::{Client, Conductor, Error, MemoryStore, Node, Registry, Store, Uuid, Verb};

/// A store in memory that talks.
#[derive(Default)]
struct Talking(MemoryStore);

#[async_trait::async_trait]
impl Store for Talking {
    async fn get(&self, kind: Kind, id: Uuid) -> Result<Option<Record>, StoreError> {
        self.0.get(kind, id).await
    }

    async fn find(&self, kind: Kind, key: &UniqueKey) -> Result<Option<Record>, StoreError> {
        self.0.find(kind, key).await
    }

    async fn list(&self, query: &Query) -> Result<Vec<Record>, StoreError> {
        self.0.list(query).await
    }

    async fn count(&self, kind: Kind, filter: &Filter) -> Result<u64, StoreError> {
        self.0.count(kind, filter).await
    }

    async fn commit(&self, batch: Batch) -> Result<Vec<Revision>, StoreError> {
        let word = |op: &Op| match op {
            Op::Put { record, .. } => format!("+{}", record.kind),
            Op::Delete { kind, .. } => format!("-{kind}"),
        };
        let words: Vec<_> = batch.ops.iter().map(word).collect();
        let fence = batch.fence.map(|fence| format!("lock {}", fence.epoch));
        println!("  {:<8}{}", fence.unwrap_or_default(), words.join(" "));
        self.0.commit(batch).await
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let drivers = fake::register(Registry::builder(), &FakeBehaviour::new()).build()?;
    let store = Arc::new(Talking::default());
    let conductor = Conductor::builder().store(store).registry(drivers);
    let conductor = conductor.start().await?;
    let client = Client::local(&conductor);
    let node = Node::new(Uuid::nil(), "fake-hardware");
    let node = client.create_node(node).await?.uuid;
    for verb in [Verb::Manage, Verb::Provide, Verb::Deploy] {
        println!("{verb}:");
        client.run(node, verb, Default::default()).await?;
    }
    conductor.stop().await
}
