//! Steps that run on a node's children instead of the node: the machines in its chassis, the
//! cards in its slots.

use std::sync::Arc;

use uuid::Uuid;

use super::Inner;
use crate::Error;
use crate::driver::Task;
use crate::flow::Progress;
use crate::model::Node;
use crate::states::{FlowKind, PowerTarget};
use crate::steps::Step;
use crate::store::{Filter, Kind, Query};

impl Inner {
    /// Runs a step on the children of `parent`, one after the other: on those `chosen`, or with
    /// none chosen on all. The first that fails ends it.
    pub(super) async fn run_on_children(
        self: &Arc<Self>,
        parent: &Task,
        kind: FlowKind,
        step: &Step,
        chosen: &[Uuid],
    ) -> Result<Progress, Error> {
        let id = parent.node_id();
        let query = Query::all(Kind::Node).filter(Filter::text("parent_node", id.to_string()));
        let children = parent.repository().list::<Node>(&query).await?;
        let strangers = chosen
            .iter()
            .filter(|chosen| children.iter().all(|child| child.uuid != **chosen));
        let strangers: Vec<_> = strangers.map(ToString::to_string).collect();
        if !strangers.is_empty() {
            let strangers = strangers.join(", ");
            return Err(Error::invalid(format!("no child nodes: {strangers}")));
        }
        for child in children {
            if chosen.is_empty() || chosen.contains(&child.uuid) {
                self.run_on_child(&child, kind, step).await?;
            }
        }
        Ok(Progress::Done)
    }

    async fn run_on_child(
        self: &Arc<Self>,
        child: &Node,
        kind: FlowKind,
        step: &Step,
    ) -> Result<(), Error> {
        tracing::info!(node = %child.uuid, flow = %kind, %step, "step begins on a child node");
        let mut task = self
            .manager
            .exclusive(child.uuid, &format!("step {step}"))
            .await?;
        let ran = run(&mut task, kind, step).await;
        let saved = task.save().await;
        self.give_up(task).await;
        match ran {
            Ok(()) => saved,
            Err(error) => Err(Error::driver(
                "child node",
                format!("node {}: {error}", child.label()),
            )),
        }
    }
}

/// Runs a step on a child, which has to be done with it before it answers, unless the operator
/// takes it upon himself: nobody listens to what becomes of it later.
async fn run(task: &mut Task, kind: FlowKind, step: &Step) -> Result<(), Error> {
    let driver = task.driver();
    if let Some(target) = step.reserved().and_then(crate::steps::ReservedStep::power) {
        let off = matches!(target, PowerTarget::Off);
        if off && task.node().disable_power_off {
            return Err(Error::invalid("power off is disabled (disable_power_off)"));
        }
        driver.power.validate(task).await?;
        return task.switch_power(target, None).await;
    }
    let offered = driver.steps(task.node(), kind);
    if offered.find(step.interface, &step.step).is_none() {
        return Err(Error::invalid(format!("it has no {kind} step {step}")));
    }
    let interface = driver.interface(step.interface);
    match interface.execute_step(task, kind, step).await? {
        Progress::Done => Ok(()),
        Progress::Wait(wait) if task.config().permit_child_node_step_async_result => {
            let node = task.node_id();
            tracing::info!(%node, %step, why = ?wait.why, "the step goes on by itself on a child node");
            Ok(())
        }
        Progress::Wait(wait) => Err(Error::driver(
            task.interfaces().get(step.interface),
            format!(
                "the step is not done at once, which a parent cannot wait for: {:?}",
                wait.why
            ),
        )),
    }
}
