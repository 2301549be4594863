//! The engine over a store of one's own: machines that are there again at the next start.
#![allow(clippy::print_stdout, reason = "its purpose")]

use std::{path::Path, process::ExitCode, sync::Arc, time::Duration};

use ironic_core::driver::{fake, noop};
use ironic_core::store::{Kind, Query};
use ironic_core::{Client, Conductor, Error, Node, ProvisionState as State, Registry, Uuid, Verb};
use ironic_embed::KvStore;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let Some(path) = std::env::args_os().nth(1) else {
        println!("usage: embed-kv FILE");
        return ExitCode::from(2);
    };
    let store = match KvStore::open(Path::new(&path)) {
        Ok(store) => store,
        Err(error) => {
            println!("the file cannot be used: {error}");
            return ExitCode::FAILURE;
        }
    };
    match add_one(store).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// Shows the machines that there are, and deploys one more.
async fn add_one(store: KvStore) -> Result<(), Error> {
    let machines = fake::FakeBehaviour::new();
    let drivers = fake::register(noop::register(Registry::builder()), &machines).build()?;
    let conductor = Conductor::builder()
        .store(Arc::new(store))
        .registry(Arc::new(drivers))
        .start()
        .await?;
    let client = Client::local(&conductor);
    for node in client.nodes(&Query::all(Kind::Node)).await? {
        println!("{} was {}", node.uuid, node.provision_state);
    }
    let node = client
        .create_node(Node::new(Uuid::nil(), "fake-hardware"))
        .await?
        .uuid;
    for (verb, state) in [
        (Verb::Manage, State::Manageable),
        (Verb::Provide, State::Available),
        (Verb::Deploy, State::Active),
    ] {
        client.provision(node, verb, Default::default()).await?;
        client
            .wait_for(node, state, Duration::from_secs(60))
            .await?;
    }
    println!("{node} is {}", client.node(node).await?.provision_state);
    conductor.stop().await
}
