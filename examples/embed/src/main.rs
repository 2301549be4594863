//! A whole provisioning engine in a 20-line program.
#![allow(clippy::print_stdout, reason = "its purpose")]

use std::{sync::Arc, time::Duration};

use ironic_core::driver::{fake, noop};
use ironic_core::{
    Client, Conductor, Error, MemoryStore, Node, ProvisionState as State, Registry, Uuid, Verb,
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let machines = fake::FakeBehaviour::new();
    let drivers = fake::register(noop::register(Registry::builder()), &machines).build()?;
    let store = Arc::new(MemoryStore::new());
    let conductor = Conductor::builder()
        .store(store)
        .registry(Arc::new(drivers))
        .start()
        .await?;
    let client = Client::local(&conductor);

    let node = client
        .create_node(Node::new(Uuid::nil(), "fake-hardware"))
        .await?
        .uuid;
    let life = [
        (Verb::Manage, State::Manageable),
        (Verb::Provide, State::Available),
        (Verb::Deploy, State::Active),
        (Verb::Undeploy, State::Available),
    ];
    for (verb, state) in life {
        println!(
            "{verb}:\n{}",
            client.plan(node, verb, Default::default()).await?
        );
        client.provision(node, verb, Default::default()).await?;
        client
            .wait_for(node, state, Duration::from_secs(60))
            .await?;
    }
    conductor.stop().await
}
