//! Says what a deployment would do, then deploys, and shows how far it is.
#![allow(clippy::print_stdout, reason = "its purpose")]

use std::{io::Write as _, pin::pin, sync::Arc, time::Duration};

use ironic_core::driver::fake::{self, FakeBehaviour, FakeOperation, FakeRule};
use ironic_core::notify::{ChannelNotifier, Event};
use ironic_core::states::InterfaceKind as Kind;
use ironic_core::{Client, Conductor, Error, MemoryStore, Node, Registry, Uuid, Verb};
use ironic_core::{flow::Flow, steps::UserStep, transport::ProvisionArgs};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let fakes = FakeBehaviour::new();
    let slow = Duration::from_millis(300);
    fakes.add(FakeRule::takes(FakeOperation::Deploy, slow));
    fakes.add(FakeRule::takes(FakeOperation::PrepareInstance, slow));
    let (notifier, mut events) = ChannelNotifier::new(100);
    let conductor = Conductor::builder()
        .store(Arc::new(MemoryStore::new()))
        .registry(fake::register(Registry::builder(), &fakes).build()?)
        .notifier(Arc::new(notifier))
        .start()
        .await?;
    let client = Client::local(&conductor);
    let node = Node::new(Uuid::nil(), "fake-hardware");
    let node = client.create_node(node).await?.uuid;
    for verb in [Verb::Manage, Verb::Provide] {
        client.run(node, verb, Default::default()).await?;
    }
    while events.try_recv().is_ok() {}

    let wait = UserStep::new(Kind::Deploy, "wait").with_arg("seconds", 1);
    let reboot = UserStep::new(Kind::Power, "reboot").with_priority(20);
    let args = ProvisionArgs::default().with_steps(vec![reboot, wait.with_priority(50)]);
    println!("{}", client.plan(node, Verb::Deploy, args.clone()).await?);
    let mut deployed = pin!(client.run(node, Verb::Deploy, args));
    loop {
        tokio::select! { biased;
            Some(told) = events.recv() => if let Event::ProvisionSet { to, .. } = told.event {
                println!("\r→ {to:<50}");
            },
            node = &mut deployed => break println!("\r{} is deployed", node?.uuid),
            () = tokio::time::sleep(slow / 4) => if let Some(flow) = client.flow(node).await? {
                print!("\r  {:<50}", bar(&flow));
                let _ = std::io::stdout().flush();
            },
        }
    }
    conductor.stop().await
}

fn bar(flow: &Flow) -> String {
    let (done, all) = (flow.cursor as usize, flow.plan.len());
    let step = flow.plan.get(flow.cursor).map(|step| step.to_string());
    let bar = "■".repeat(done) + &"□".repeat(all.saturating_sub(done));
    format!("{bar} {}", step.unwrap_or_default())
}
