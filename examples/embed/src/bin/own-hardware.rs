//! A machine of one's own: a hardware type, and a step that nobody else has.
#![allow(clippy::print_stdout, reason = "its purpose")]

use std::sync::Arc;

use ironic_core::driver::fake::{self, FakeBehaviour, FakeHardware};
use ironic_core::driver::{HardwareLike, Interface, SharedTask, Task, Vendor};
use ironic_core::states::{FlowKind as Flow, InterfaceKind as Kind};
use ironic_core::steps::{Impact, Replay, Step, StepDef, UserStep};
use ironic_core::{Client, Conductor, Error, Node, Registry, Uuid, Verb};
use ironic_core::{flow::Progress, transport::ProvisionArgs};

/// What only a lighthouse has.
struct Lamp;

#[async_trait::async_trait]
impl Interface for Lamp {
    async fn validate(&self, _: &SharedTask) -> Result<(), Error> {
        Ok(())
    }

    fn steps(&self, _: &Node, _: Flow) -> Vec<StepDef> {
        let blink = StepDef::new(Kind::Vendor, "blink", 0, Replay::Never, Impact::NONE);
        vec![blink.arg("times", true).without_ramdisk()]
    }

    async fn execute_step(&self, task: &mut Task, _: Flow, step: &Step) -> Result<Progress, Error> {
        let times = step.args.get("times").cloned().unwrap_or_default();
        task.node_mut().extra.insert("blinked".to_owned(), times);
        Ok(Progress::Done)
    }
}

impl Vendor for Lamp {}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let lighthouse = HardwareLike::new("lighthouse", FakeHardware).with(Kind::Vendor, ["lamp"]);
    let drivers = fake::register(Registry::builder(), &FakeBehaviour::new())
        .vendor("lamp", Arc::new(Lamp))
        .hardware(Arc::new(lighthouse))
        .enable(Kind::Vendor, ["lamp", "no-vendor"])
        .enable_hardware_types(["lighthouse"]);
    let conductor = Conductor::in_memory(drivers.build()?).await?;
    let client = Client::local(&conductor);

    let node = Node::new(Uuid::nil(), "lighthouse");
    let node = client.create_node(node).await?.uuid;
    client.run(node, Verb::Manage, Default::default()).await?;
    let blink = UserStep::new(Kind::Vendor, "blink").with_arg("times", 3);
    let args = ProvisionArgs::default().with_steps(vec![blink]);
    println!("{}", client.plan(node, Verb::Clean, args.clone()).await?);
    let node = client.run(node, Verb::Clean, args).await?;
    println!("now {}: extra has {:?}", node.provision_state, node.extra);
    conductor.stop().await
}
