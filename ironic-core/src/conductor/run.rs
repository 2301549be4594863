//! Driving flows: carry an effect out, commit what follows, until the node is given back.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::OwnedSemaphorePermit;
use tracing::Instrument as _;
use uuid::Uuid;

use super::Inner;
use crate::Error;
use crate::driver::Task;
use crate::engine::{Input, Outcome, Rejected};
use crate::flow::{Effect, Flow, StepProgress};

/// How long a flow may be neither waiting nor driven before it is recovered.
pub(super) const RECOVER_AFTER: Duration = Duration::from_secs(1);

/// How long until a flow is looked at again that is due and stands still, as its node is in
/// maintenance.
const LOOK_AGAIN: Duration = Duration::from_secs(10);

/// What of a decision is to be carried out, each by its `seq`.
type Effects = Vec<(u64, Effect)>;

impl Inner {
    /// Goes on with a node in the background. A worker that was taken for it is free again when the
    /// node is given back.
    pub(super) fn drive_in_background(
        self: &Arc<Self>,
        task: Task,
        effects: Effects,
        worker: Option<OwnedSemaphorePermit>,
    ) {
        let inner = Arc::clone(self);
        self.spawn(async move {
            inner.drive(task, effects).await;
            drop(worker);
        });
    }

    /// Carries a decision's effects out, and those of every decision that follows.
    async fn drive(self: &Arc<Self>, task: Task, effects: Effects) {
        let span = task.span().clone();
        self.carry_out(task, effects).instrument(span).await;
    }

    async fn carry_out(self: &Arc<Self>, mut task: Task, effects: Effects) {
        let node = task.node_id();
        let mut effects = VecDeque::from(effects);
        while let Some((seq, effect)) = effects.pop_front() {
            let Some((generation, kind)) = task.flow().map(|flow| (flow.generation, flow.kind))
            else {
                break;
            };
            task.hold.run(Some((generation, seq)));
            tracing::debug!(%node, flow = %kind, effect = effect.name(), "begin");
            let outcome = match super::effects::perform(self, &mut task, kind, &effect).await {
                Ok(outcome) => outcome,
                Err(error) => {
                    tracing::warn!(%node, flow = %kind, effect = effect.name(), %error, "failed");
                    Outcome::Failed {
                        code: error.code().to_owned(),
                        message: error.to_string(),
                    }
                }
            };
            match self
                .manager
                .commit(
                    &mut task,
                    &Input::Outcome {
                        generation,
                        seq,
                        outcome,
                    },
                )
                .await
            {
                Ok(decision) => {
                    task.hold.run(None);
                    if decision.releases() {
                        drop(task);
                        return self.after_release(node);
                    }
                    effects.extend(decision.effects);
                }
                Err(rejected) => {
                    task.hold.run(None);
                    tracing::warn!(%node, %rejected, "what came of the work is not recorded");
                    break;
                }
            }
        }
        self.give_up(task).await;
    }

    /// Gives a node back of which nothing is left to do, or nothing can be done.
    pub(super) async fn give_up(self: &Arc<Self>, task: Task) {
        let node = task.node_id();
        if let Err(error) = self.manager.release(task).await {
            // The dropped task is in the release queue, which tries again.
            tracing::warn!(%node, %error, "a node could not be given back");
        }
        self.after_release(node);
    }

    /// Looks at what has come up while the node was held. A flow that neither waits nor is driven
    /// (its last commit failed, or its answer was lost) is recovered after a moment.
    pub(super) fn after_release(self: &Arc<Self>, node: Uuid) {
        let inner = Arc::clone(self);
        self.spawn(async move {
            match inner.manager.context().repository.get::<Flow>(node).await {
                Ok(Some(flow)) if flow.is_waiting() => inner.arm(node, Some(&flow.value)),
                Ok(None) => inner.arm(node, None),
                Ok(Some(_)) | Err(_) => inner.wake_flow_in(node, RECOVER_AFTER),
            }
            inner.follow_up(node);
        });
    }

    /// Listens to an agent that called while the node was held.
    pub(super) fn follow_up(self: &Arc<Self>, node: Uuid) {
        if Self::lock(&self.called).remove(&node) {
            let inner = Arc::clone(self);
            self.spawn(async move { inner.agent_called(node).await });
        }
    }

    /// Decides an input for a node and goes on with it in the background; `Nothing` and `Stale`
    /// are no errors here.
    pub(super) async fn input(
        self: &Arc<Self>,
        node: Uuid,
        purpose: &str,
        input: &Input,
    ) -> Result<(), Error> {
        let task = self.manager.exclusive(node, purpose).await?;
        self.decide_and_drive(task, input).await
    }

    /// The same, for a node that is held already.
    pub(super) async fn decide_and_drive(
        self: &Arc<Self>,
        task: Task,
        input: &Input,
    ) -> Result<(), Error> {
        self.decide_and_go_on(task, input, None).await
    }

    /// The same, by a worker that is free again when the node is given back.
    pub(super) async fn decide_and_work(
        self: &Arc<Self>,
        task: Task,
        input: &Input,
        worker: OwnedSemaphorePermit,
    ) -> Result<(), Error> {
        self.decide_and_go_on(task, input, Some(worker)).await
    }

    async fn decide_and_go_on(
        self: &Arc<Self>,
        mut task: Task,
        input: &Input,
        worker: Option<OwnedSemaphorePermit>,
    ) -> Result<(), Error> {
        let node = task.node_id();
        match self.manager.commit(&mut task, input).await {
            Ok(decision) if decision.releases() => {
                drop(task);
                self.after_release(node);
                Ok(())
            }
            Ok(decision) => {
                self.drive_in_background(task, decision.effects, worker);
                Ok(())
            }
            Err(rejected) => {
                self.manager.release(task).await?;
                self.after_release(node);
                match rejected {
                    Rejected::Stale | Rejected::Nothing => Ok(()),
                    Rejected::Refused(error) => Err(error),
                }
            }
        }
    }

    /// A node's flow wants to be looked at: its step is asked how far it is, or its time is up.
    pub(super) async fn flow_due(self: &Arc<Self>, node: Uuid) {
        if let Err(error) = self.look_at_flow(node).await {
            if matches!(error, Error::NotFound { .. }) {
                return self.forget(node);
            }
            tracing::info!(%node, %error, "looking again later");
            self.wake_flow_in(node, Duration::from_secs(1));
        }
    }

    async fn look_at_flow(self: &Arc<Self>, node: Uuid) -> Result<(), Error> {
        let repository = &self.manager.context().repository;
        let Some(flow) = repository.get::<Flow>(node).await? else {
            return Ok(());
        };
        if !flow.is_waiting() {
            // Whoever drives it holds the node; otherwise nobody does.
            return self.recover_abandoned(node).await;
        }
        let now = self.manager.context().clock.now();
        let generation = flow.generation;
        let timed_out = flow.deadline.is_some_and(|deadline| deadline <= now);
        if !timed_out && flow.asked_step().is_some() {
            return self.ask_step(node).await;
        }
        let (purpose, input) = ("look at a flow that is due", Input::Due { generation });
        let task = self.manager.shared(node, purpose).await?;
        let stands = task.node().maintenance
            && matches!(self.manager.decide(&task, &input), Err(Rejected::Nothing));
        if stands {
            self.wake_flow_in(node, LOOK_AGAIN);
            return Ok(());
        }
        drop(task);
        self.input(node, purpose, &input).await
    }

    /// Asks a step that runs elsewhere how far it is. Nothing is written, and no lock taken, as
    /// long as it only goes on.
    pub(super) async fn ask_step(self: &Arc<Self>, node: Uuid) -> Result<(), Error> {
        let task = self.manager.shared(node, "ask a step").await?;
        let Some((flow, (seq, index))) = task
            .flow()
            .and_then(|flow| Some((flow, flow.asked_step()?)))
        else {
            return Ok(());
        };
        let Some(step) = flow.plan.get(index) else {
            return Ok(());
        };
        let poll = flow
            .pending(seq)
            .and_then(|p| p.waiting.as_ref()?.poll_ms)
            .unwrap_or(5000);
        let interface = task.driver().interface(step.interface);
        let asked = if task.node().maintenance {
            Ok(StepProgress::Running {
                detail: "in maintenance, so not asked".to_owned(),
            })
        } else {
            interface.step_progress(&task, flow.kind, step).await
        };
        match asked {
            Err(error) => {
                // Not to be reached now is no answer; the flow's deadline decides when it is.
                tracing::info!(%node, %step, %error, "the step could not be asked");
                self.rearm(node, flow, poll);
                Ok(())
            }
            Ok(progress @ StepProgress::Running { .. }) => {
                let decided = flow.blocked.as_ref().map(|blocked| &blocked.reason);
                let same = matches!((decided, &progress),
                    (Some(crate::flow::BlockedReason::Step { detail, .. }), StepProgress::Running { detail: now }) if detail == now);
                if !same {
                    let outcome = Outcome::Progress(progress);
                    let input = Input::Outcome {
                        generation: flow.generation,
                        seq,
                        outcome,
                    };
                    self.input(node, "note a step's progress", &input).await?;
                }
                self.rearm(node, flow, poll);
                Ok(())
            }
            Ok(progress) => {
                let outcome = Outcome::Progress(progress);
                let input = Input::Outcome {
                    generation: flow.generation,
                    seq,
                    outcome,
                };
                self.input(node, "go on after a step", &input).await
            }
        }
    }

    /// Asks again after the step's own interval, or when the flow's time is up.
    fn rearm(&self, node: Uuid, flow: &Flow, poll_ms: u64) {
        let poll = Duration::from_millis(poll_ms);
        let now = self.manager.context().clock.now();
        let left = flow.deadline.map_or(poll, |deadline| deadline.since(now));
        self.wake_flow_in(node, poll.min(left));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conductor::panics::watched;
    use crate::task::on_behalf_of;
    use crate::transport::{Call, RequestContext};

    /// How many bytes the state of work takes that is begun by this.
    fn room<I, F: Future>(_begin: impl FnOnce(I) -> F) -> usize {
        size_of::<F>()
    }

    // As many of them wait at once as a slow disk lets pile up, and the allocator keeps what they
    // took.
    #[test]
    fn a_request_and_a_flow_take_a_few_kibibytes() {
        type Of = &'static Arc<Inner>;
        let flow = room(|(inner, task): (Of, Task)| inner.drive(task, Vec::new()));
        let request = room(
            |(inner, call, context): (Of, Call, &'static RequestContext)| {
                inner.announced(call, context)
            },
        );
        let watched = room(|work: [u64; 1024]| watched("large", async move { work.len() }));
        let named = room(|work: [u64; 1024]| on_behalf_of("req", async move { work.len() }));
        assert!(named <= 8 * 1024 + 128, "{named} bytes");
        assert!(flow <= 8 * 1024, "{flow} bytes");
        assert!(request <= 8 * 1024, "{request} bytes");
        assert!(watched <= 64, "{watched} bytes");
    }
}
