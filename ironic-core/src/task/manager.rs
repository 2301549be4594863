use std::sync::Arc;

use tokio::sync::mpsc;
use uuid::Uuid;

use crate::Error;
use crate::driver::{
    BareDriver, Hold, Registry, Reservation, Task, TaskContext, TaskCore, TaskEnd, Teller,
};
use crate::engine::{Decision, Input, Outcome};
use crate::flow::Flow;
use crate::journal::Journal;
use crate::model::{InterfaceNames, Lock, Node, Port};
use crate::notify::Notifier;
use crate::store::{Batch, Expect, Fence, Filter, Kind, Op, Query, Repository, StoreError};

use super::line::Lines;

/// Hands out nodes: to read by anybody, to write by one.
#[derive(Clone)]
pub struct TaskManager {
    pub(super) context: Arc<TaskContext>,
    pub(super) registry: Arc<Registry>,
    pub(super) teller: Teller,
    pub(super) ends: mpsc::UnboundedSender<TaskEnd>,
    pub(super) lines: Arc<Lines>,
    /// Where decisions are recorded, if anywhere.
    pub(super) journal: Option<Arc<dyn Journal>>,
}

impl std::fmt::Debug for TaskManager {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TaskManager")
            .field("busy", &self.busy())
            .finish_non_exhaustive()
    }
}

/// The tasks that were dropped rather than released, in that order.
pub(crate) type TaskEnds = mpsc::UnboundedReceiver<TaskEnd>;

impl TaskManager {
    pub(crate) fn new(
        context: Arc<TaskContext>,
        registry: Arc<Registry>,
        notifier: Arc<dyn Notifier>,
    ) -> (Self, TaskEnds) {
        let (ends, queue) = mpsc::unbounded_channel();
        (
            Self {
                teller: Teller::new(Arc::clone(&context), notifier),
                context,
                registry,
                ends,
                lines: Arc::default(),
                journal: None,
            },
            queue,
        )
    }

    /// The same manager, which records what it decides.
    pub(crate) fn with_journal(mut self, journal: Option<Arc<dyn Journal>>) -> Self {
        self.journal = journal;
        self
    }

    /// What the tasks share.
    pub fn context(&self) -> &Arc<TaskContext> {
        &self.context
    }

    /// The drivers.
    pub fn registry(&self) -> &Arc<Registry> {
        &self.registry
    }

    /// Whom to tell what happens.
    pub fn notifier(&self) -> &Arc<dyn Notifier> {
        self.teller.notifier()
    }

    pub(super) fn repository(&self) -> &Repository {
        &self.context.repository
    }

    /// What a task has besides the node.
    pub(super) async fn load(&self, node: &Node, purpose: &str) -> Result<TaskCore, Error> {
        let id = node.uuid;
        let flow = self.repository().get::<Flow>(id).await?;
        let query = Query::all(Kind::Port).filter(Filter::text("node_uuid", id.to_string()));
        let ports = self.repository().list::<Port>(&query).await?;
        let (interfaces, driver) = self.compose(node)?;
        let host = self.context.config.host.as_str();
        let request = super::request::current();
        let span =
            tracing::info_span!("task", node = %id, purpose, host, request = request.as_deref());
        Ok(TaskCore {
            context: Arc::clone(&self.context),
            node: node.clone(),
            flow,
            ports: ports.into_iter().map(|port| port.value).collect(),
            interfaces,
            driver: Arc::new(driver),
            teller: self.teller.clone(),
            purpose: purpose.to_owned(),
            request,
            span,
            held: None,
        })
    }

    /// The driver that fits the node as it is.
    ///
    /// # Errors
    /// [`Error::InvalidParameter`] when the node's driver or one of its interfaces is not enabled.
    pub fn compose(&self, node: &Node) -> Result<(InterfaceNames, BareDriver), Error> {
        let names = self.registry.resolve_node(node)?;
        let driver = self.registry.compose(&names)?;
        Ok((names, driver))
    }

    /// Gives the node back.
    ///
    /// # Errors
    /// When the store cannot be reached: then the release queue tries again.
    pub async fn release(&self, mut task: Task) -> Result<(), Error> {
        self.free(task.fence, None).await?;
        task.hold.settle();
        tracing::debug!(parent: task.span(), "given back");
        Ok(())
    }

    /// Gives a reserved node back.
    ///
    /// # Errors
    /// As [`TaskManager::release`].
    pub async fn unreserve(&self, mut reservation: Reservation) -> Result<(), Error> {
        self.free(reservation.fence(), None).await?;
        reservation.hold.settle();
        Ok(())
    }

    /// How many nodes are held, or waited for, by way of this manager and its clones.
    pub fn busy(&self) -> usize {
        self.lines.len()
    }

    /// Hands out no node from here on; who waits for one is told so.
    pub(crate) fn close(&self) {
        self.lines.close();
    }

    /// Until no node is held or waited for.
    pub(crate) async fn idle(&self) {
        self.lines.idle().await;
    }

    pub(super) fn release_op(&self, fence: Fence) -> Result<Op, Error> {
        let mut lock = Lock::free(fence.node);
        lock.epoch = fence.epoch;
        // The fence has made sure that the lock is this task's, so nothing else is expected of it.
        match crate::store::put_new(&lock)? {
            Op::Put { record, .. } => Ok(Op::Put {
                record,
                expect: Expect::Any,
            }),
            other => Ok(other),
        }
    }

    /// Puts a node into the release queue.
    pub(crate) fn return_later(&self, end: TaskEnd) {
        // Without a queue the conductor is gone, and a take-over will find the node.
        let _ = self.ends.send(end);
    }

    /// Gives back what was dropped. An effect that was running is first recorded as failed, so
    /// that the node does not stay in the middle of it; what that leads to is for the caller to
    /// carry out.
    pub(crate) async fn reclaim(
        &self,
        end: &mut TaskEnd,
    ) -> Result<Option<(Task, Decision)>, Error> {
        let Some((generation, seq)) = end.running else {
            return self.give_back(end).await.map(|()| None);
        };
        let loaded = match self.repository().load::<Node>(end.fence.node).await {
            Ok(base) => self
                .load(&base.value, "reclaim")
                .await
                .map(|core| (base, core)),
            Err(error) => Err(error),
        };
        let (base, core) = match loaded {
            Ok(loaded) => loaded,
            Err(error) if error.is_retryable() => return Err(error),
            // Without the node or its driver nothing can be decided.
            Err(error) => {
                tracing::warn!(node = %end.fence.node, %error, "what ran on the node is not recorded");
                return self.give_back(end).await.map(|()| None);
            }
        };
        let hold = Hold::held(end.fence, end.place.take(), self.ends.clone());
        // In which lease it was acquired is not known any more.
        let mut task = Task::new(core, Reservation::new(base, hold, 0));
        let outcome = Outcome::Failed {
            code: "internal".to_owned(),
            message: "the work on it ended unexpectedly; see the conductor's log".to_owned(),
        };
        let input = Input::Outcome {
            generation,
            seq,
            outcome,
        };
        match self.commit(&mut task, &input).await {
            Ok(decision) => Ok(Some((task, decision))),
            // Where that fails, the task that is dropped is in the queue itself.
            Err(_) => {
                let _ = self.release(task).await;
                Ok(None)
            }
        }
    }

    /// Gives back what was dropped, whatever was running: for a conductor that stops, as what it
    /// leaves in the middle is recovered by the next.
    pub(crate) async fn give_back(&self, end: &TaskEnd) -> Result<(), Error> {
        self.free(end.fence, end.claim).await?;
        // A node that was being acquired has no place yet by which those who wait are told.
        self.lines.notify(end.fence.node);
        Ok(())
    }

    /// Frees a lock that this conductor holds, whoever works under it.
    pub(crate) async fn revoke(&self, lock: &Lock) -> Result<(), Error> {
        let fence = Fence {
            node: lock.uuid,
            epoch: lock.epoch,
        };
        self.free(fence, None).await
    }

    /// Frees the lock, if it is still held under this fence and, where given, by this claim.
    async fn free(&self, fence: Fence, claim: Option<Uuid>) -> Result<(), Error> {
        if claim.is_some() {
            let lock = self.repository().get::<Lock>(fence.node).await?;
            if lock.is_none_or(|lock| lock.claim != claim) {
                return Ok(());
            }
        }
        let op = self.release_op(fence)?;
        let batch = Batch {
            fence: Some(fence),
            ops: vec![op],
        };
        match self.repository().commit(batch).await {
            Ok(_) | Err(StoreError::Fenced { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}
