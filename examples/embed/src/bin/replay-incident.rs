//! Deploys to a machine that fails, and reads in its journal afterwards what happened.
#![allow(clippy::print_stdout, reason = "its purpose")]

use std::{error::Error, fs::File, io::BufReader, sync::Arc};

use ironic_core::driver::fake::{self, FakeBehaviour, FakeOperation, FakeRule};
use ironic_core::journal::{Incident, JsonLines, Story};
use ironic_core::{Client, Conductor, MemoryStore, Node, Registry, Uuid, Verb};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let file = tempfile::NamedTempFile::new()?;
    let node = deploy(file.reopen()?).await?;

    // From here on nothing is needed but the file: no machine, no store, no conductor.
    let incident = Incident::read(BufReader::new(file)).of(node);
    let story: Story = incident.collect();
    println!("{story}\n");
    let differ = story.entries().filter(|entry| !entry.redecide().is_same());
    let (differ, all) = (differ.count(), story.entries().count());
    println!("decided again: {} of {all} the same", all - differ);

    println!("without automated cleaning:");
    for mut entry in story.entries().cloned() {
        entry.saw.policy.automated_clean = false;
        for differs in entry.redecide().differences() {
            println!("  {}: {differs}", entry.question());
        }
    }
    Ok(())
}

/// Somewhere, some time ago: a conductor with a journal, and a machine that lets it down.
async fn deploy(journal: File) -> Result<Uuid, Box<dyn Error>> {
    let fakes = FakeBehaviour::new();
    let broken = ironic_core::Error::driver("fake", "disk sda does not answer");
    fakes.add(FakeRule::fails(FakeOperation::Deploy, broken));
    let journal = Arc::new(JsonLines::to(journal)?);
    let conductor = Conductor::builder()
        .store(Arc::new(MemoryStore::new()))
        .registry(fake::register(Registry::builder(), &fakes).build()?)
        .journal(journal.clone())
        .start()
        .await?;
    let client = Client::local(&conductor);
    let node = Node::new(Uuid::nil(), "fake-hardware");
    let node = client.create_node(node).await?.uuid;
    for verb in [Verb::Manage, Verb::Provide, Verb::Deploy] {
        if let Err(error) = client.run(node, verb, Default::default()).await {
            println!("{verb}: {error}\n");
        }
    }
    conductor.stop().await?;
    journal.flush().await;
    Ok(node)
}
