use crate::Error;
use crate::driver::{SharedTask, Task};
use crate::engine::{Catalogs, Decision, Input, Rejected, View, decide};
use crate::flow::Flow;
use crate::journal::{Decider, Entry, noted};
use crate::metrics;
use crate::model::Node;
use crate::store::{
    Batch, Expect, Kind, Op, Persistent as _, StoreError, Stored, put_new, put_over, rebase,
    written,
};

use super::TaskManager;

/// How often a decision is made anew because somebody else wrote to the node meanwhile.
const ATTEMPTS: u32 = 32;

impl TaskManager {
    /// Decides what follows from `input`, and commits node, flow and history in one batch under
    /// the task's fence; the lock is given back in the same batch when nothing is left to carry
    /// out, and the task with it. When somebody else has written to the node since it was read,
    /// it is read again and decided again, with the changes that the driver has made carried over.
    ///
    /// # Errors
    /// What the decision refuses; [`Rejected::Refused`] with what the store answers. The node is
    /// still held then.
    pub(crate) async fn commit(
        &self,
        task: &mut Task,
        input: &Input,
    ) -> Result<Decision, Rejected> {
        for _ in 0..ATTEMPTS {
            let (mut decision, entry) = self.judge(task, input)?;
            self.shorten(&mut decision.node);
            let batch = self.batch(task, &decision)?;
            let before = task.base.value.provision_state;
            match self.context.repository.commit(batch.batch.clone()).await {
                Ok(revisions) => {
                    let node = batch
                        .node
                        .and_then(|at| Some((batch.batch.ops.get(at)?, *revisions.get(at)?)));
                    if let Some(stored) =
                        node.and_then(|(op, rev)| written(op, decision.node.clone(), rev))
                    {
                        *task.base = stored;
                    }
                    let flow = batch
                        .flow
                        .and_then(|at| Some((batch.batch.ops.get(at)?, *revisions.get(at)?)));
                    let flow = flow.and_then(|(op, rev)| written(op, decision.flow.clone()?, rev));
                    let core = task.core_mut();
                    let ended = core.flow.take().filter(|before| {
                        let now = flow.as_ref().map(|flow| flow.value.generation);
                        now != Some(before.value.generation)
                    });
                    let (from, to) = (before, decision.node.provision_state);
                    if from != to {
                        metrics::transition(from.as_str(), to.as_str());
                    }
                    if let Some(ended) = ended {
                        let took = self.context.clock.now().since(ended.value.started);
                        metrics::flow_ended(ended.value.kind.as_str(), to.is_failure(), took);
                    }
                    core.flow = flow;
                    core.node = decision.node.clone();
                    if decision.releases() {
                        task.hold.settle();
                    }
                    self.record(entry);
                    self.tell_all(&decision).await;
                    return Ok(decision);
                }
                Err(StoreError::Conflict { .. }) => self.reload(task).await?,
                Err(error) => {
                    let error = Error::from(error);
                    self.record(entry.map(|mut entry| {
                        entry.unwritten = Some(error.to_string());
                        entry
                    }));
                    return Err(error.into());
                }
            }
        }
        Err(Error::Conflict {
            what: "node",
            id: task.node_id().to_string(),
        }
        .into())
    }

    /// What would be decided, without committing it.
    pub(crate) fn decide(&self, task: &SharedTask, input: &Input) -> Result<Decision, Rejected> {
        self.judge(task, input).map(|(decision, _)| decision)
    }

    /// Decides; gives the decision and what is to be recorded once it is committed. What is
    /// rejected is recorded at once.
    fn judge(
        &self,
        task: &SharedTask,
        input: &Input,
    ) -> Result<(Decision, Option<Box<Entry>>), Rejected> {
        let driver = task.driver();
        let catalogs = |node: &Node, kind| driver.steps(node, kind);
        let view = View::new(
            task.node(),
            task.flow(),
            task.interfaces(),
            Catalogs::new(&catalogs),
        );
        let config = &self.context.config;
        let (policy, now) = (&config.policy, self.context.clock.now());
        if self.journal.is_none() {
            return decide(&view, input, policy, now).map(|decision| (decision, None));
        }
        let by = Decider {
            conductor: &config.host,
            epoch: task.epoch(),
            purpose: task.purpose(),
            request: task.request(),
        };
        match noted(&view, input, policy, now, by) {
            (Ok(decision), entry) => Ok((decision, entry)),
            (Err(rejected), entry) => {
                self.record(entry);
                Err(rejected)
            }
        }
    }

    /// Puts an entry into the journal.
    fn record(&self, entry: Option<Box<Entry>>) {
        if let (Some(journal), Some(entry)) = (&self.journal, entry) {
            journal.record(entry);
        }
    }

    /// Cuts texts that may be as long as what a machine said.
    fn shorten(&self, node: &mut Node) {
        let most = self.context.config.log_in_db_max_size;
        for text in [&mut node.last_error, &mut node.maintenance_reason]
            .into_iter()
            .flatten()
        {
            if let Some((end, _)) = text.char_indices().nth(most) {
                text.truncate(end);
            }
        }
    }

    async fn reload(&self, task: &mut Task) -> Result<(), Error> {
        let id = task.node_id();
        let fresh = self.context.repository.load::<Node>(id).await?;
        let flow = self.context.repository.get::<Flow>(id).await?;
        let node = rebase(&task.base.value, task.node(), &fresh.value)?;
        *task.base = fresh;
        let core = task.core_mut();
        core.node = node;
        core.flow = flow;
        Ok(())
    }

    fn batch(&self, task: &Task, decision: &Decision) -> Result<DecisionBatch, Error> {
        let mut ops = vec![put_over(&task.base, &decision.node)?];
        let mut flow = None;
        match (&task.core().flow, &decision.flow) {
            (None, None) => {}
            (None, Some(new)) => {
                flow = Some(ops.len());
                ops.push(put_new(new)?);
            }
            (Some(old), Some(new)) => {
                flow = Some(ops.len());
                ops.push(put_over(old, new)?);
            }
            (
                Some(Stored {
                    value, revision, ..
                }),
                None,
            ) => {
                let expect = Expect::Revision(*revision);
                ops.push(Op::Delete {
                    kind: Kind::Flow,
                    id: value.id(),
                    expect,
                });
            }
        }
        // A node that gives its allocation up takes it along.
        if let (Some(allocation), None) = (
            task.base.value.allocation_uuid,
            decision.node.allocation_uuid,
        ) {
            ops.push(Op::Delete {
                kind: Kind::Allocation,
                id: allocation,
                expect: Expect::Any,
            });
        }
        ops.extend(self.history_ops(&decision.history)?);
        if decision.releases() {
            ops.push(self.release_op(task.fence)?);
        }
        Ok(DecisionBatch {
            batch: Batch {
                fence: Some(task.fence),
                ops,
            },
            node: Some(0),
            flow,
        })
    }
}

/// A decision as operations, and which of them write the node and the flow.
struct DecisionBatch {
    batch: Batch,
    node: Option<usize>,
    flow: Option<usize>,
}
