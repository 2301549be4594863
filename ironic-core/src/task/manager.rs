use std::sync::Arc;

use tokio::sync::{Notify, mpsc};
use uuid::Uuid;

use crate::Error;
use crate::driver::{BareDriver, Registry, SharedTask, Task, TaskContext, TaskCore, TaskEnd};
use crate::engine::{Decision, Input, Outcome};
use crate::flow::Flow;
use crate::model::{InterfaceNames, Lock, Node, Port};
use crate::notify::Notifier;
use crate::store::{Batch, Expect, Fence, Filter, Kind, Op, Query, Repository, StoreError, Stored};

/// Hands out nodes: to read by anybody, to write by one.
#[derive(Clone)]
pub struct TaskManager {
    pub(super) context: Arc<TaskContext>,
    pub(super) registry: Arc<Registry>,
    pub(super) notifier: Arc<dyn Notifier>,
    ends: mpsc::UnboundedSender<TaskEnd>,
    released: Arc<Notify>,
}

impl std::fmt::Debug for TaskManager {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TaskManager")
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
                context,
                registry,
                notifier,
                ends,
                released: Arc::default(),
            },
            queue,
        )
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
        &self.notifier
    }

    fn repository(&self) -> &Repository {
        &self.context.repository
    }

    /// The node as it is now, for reading. Takes no lock.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::InvalidParameter`] when no driver can be made for the node.
    pub async fn shared(&self, node: Uuid, purpose: &str) -> Result<SharedTask, Error> {
        let (_, core) = self.load(node, purpose).await?;
        Ok(SharedTask::new(core))
    }

    /// The node, for this task alone. A node that somebody else holds is tried again as
    /// `node_locked_retry_attempts` and `node_locked_retry_interval` say, and at once when this
    /// conductor gives it back.
    ///
    /// # Errors
    /// [`Error::NodeLocked`] names who holds it; otherwise as [`TaskManager::shared`].
    pub async fn exclusive(&self, node: Uuid, purpose: &str) -> Result<Task, Error> {
        let config = &self.context.config;
        let mut attempts = config.node_locked_retry_attempts;
        loop {
            let released = self.released.notified();
            match self.try_exclusive(node, purpose).await {
                Err(Error::NodeLocked { .. }) if attempts > 0 => {
                    attempts -= 1;
                    let _ = tokio::time::timeout(config.node_locked_retry_interval, released).await;
                }
                other => return other,
            }
        }
    }

    /// The node, for this task alone, or not at all.
    ///
    /// # Errors
    /// As [`TaskManager::exclusive`].
    pub async fn try_exclusive(&self, node: Uuid, purpose: &str) -> Result<Task, Error> {
        self.acquire(node, purpose, |_| false).await
    }

    /// The node, taken from `holder`, which does not live any more: its writes are refused from
    /// here on.
    ///
    /// # Errors
    /// [`Error::NodeLocked`] when somebody else holds it; otherwise as [`TaskManager::shared`].
    pub async fn take_over(&self, node: Uuid, purpose: &str, holder: &str) -> Result<Task, Error> {
        self.acquire(node, purpose, |held_by| held_by == holder)
            .await
    }

    async fn acquire(
        &self,
        node: Uuid,
        purpose: &str,
        steal: impl Fn(&str) -> bool,
    ) -> Result<Task, Error> {
        let host = &self.context.config.host;
        let now = self.context.clock.now();
        let stored = self.repository().get::<Lock>(node).await?;
        let free = stored
            .as_ref()
            .map_or_else(|| Lock::free(node), |lock| lock.value.clone());
        if let Some(holder) = free.holder.as_deref().filter(|holder| !steal(holder)) {
            return Err(Error::NodeLocked {
                node,
                host: holder.to_owned(),
            });
        }
        // The lock of a node that has gone is never made. Whoever holds a node in between changes
        // the revision of a lock that was free, so then this is what the last holder has left.
        let loaded = self.load(node, purpose).await?;
        let current = stored.is_some() && free.holder.is_none();
        let claim = self.context.entropy.uuid();
        let taken = free.taken(host, claim, purpose, now);
        let op = match &stored {
            Some(stored) => crate::store::put_over(stored, &taken)?,
            None => crate::store::put_new(&taken)?,
        };
        let fence = Fence {
            node,
            epoch: taken.epoch,
        };
        // From here on the lock is given back whatever happens, if it has been acquired at all.
        let guard = LockGuard {
            manager: self,
            end: TaskEnd {
                fence,
                claim: Some(claim),
                running: None,
            },
            armed: true,
        };
        match self
            .repository()
            .commit(Batch {
                fence: None,
                ops: vec![op],
            })
            .await
        {
            Ok(_) => {}
            Err(StoreError::Conflict { .. }) => {
                guard.disarm();
                let lock = self.repository().get::<Lock>(node).await?;
                let holder = lock
                    .and_then(|lock| lock.value.holder)
                    .unwrap_or_else(|| "another task".to_owned());
                return Err(Error::NodeLocked { node, host: holder });
            }
            Err(error) => return Err(error.into()),
        }
        let (base, core) = if current {
            loaded
        } else {
            self.load(node, purpose).await?
        };
        guard.disarm();
        Ok(Task::new(core, base, fence, self.ends.clone()))
    }

    async fn load(&self, id: Uuid, purpose: &str) -> Result<(Stored<Node>, TaskCore), Error> {
        let base = self.repository().load::<Node>(id).await?;
        let flow = self.repository().get::<Flow>(id).await?;
        let query = Query::all(Kind::Port).filter(Filter::text("node_uuid", id.to_string()));
        let ports = self.repository().list::<Port>(&query).await?;
        let (interfaces, driver) = self.compose(&base.value)?;
        let core = TaskCore {
            context: Arc::clone(&self.context),
            node: base.value.clone(),
            flow,
            ports: ports.into_iter().map(|port| port.value).collect(),
            interfaces,
            driver: Arc::new(driver),
            purpose: purpose.to_owned(),
        };
        Ok((base, core))
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
        self.give_back(&TaskEnd {
            fence: task.fence,
            claim: None,
            running: None,
        })
        .await?;
        task.ends = None;
        Ok(())
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

    /// Tells those who wait for a node of this conductor that one has been given back.
    pub(super) fn notify_released(&self) {
        self.released.notify_waiters();
    }

    /// Puts a node into the release queue.
    pub(crate) fn return_later(&self, end: TaskEnd) {
        // Without a queue the conductor is gone, and a take-over will find the node.
        let _ = self.ends.send(end);
    }

    /// Gives back what was dropped. An effect that was running is first recorded as failed, so
    /// that the node does not stay in the middle of it; what that leads to is for the caller to
    /// carry out.
    pub(crate) async fn reclaim(&self, end: &TaskEnd) -> Result<Option<(Task, Decision)>, Error> {
        if let Some((generation, seq)) = end.running {
            let (base, core) = self.load(end.fence.node, "reclaim").await?;
            let mut task = Task::new(core, base, end.fence, self.ends.clone());
            let outcome = Outcome::Failed {
                code: "internal".to_owned(),
                message: "the work on it ended unexpectedly; see the conductor's log".to_owned(),
            };
            return match self
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
                Ok(decision) => Ok(Some((task, decision))),
                Err(_) => self.release(task).await.map(|()| None),
            };
        }
        self.give_back(end).await.map(|()| None)
    }

    /// Gives back what was dropped, whatever was running: for a conductor that stops, as what it
    /// leaves in the middle is recovered by the next.
    pub(crate) async fn give_back(&self, end: &TaskEnd) -> Result<(), Error> {
        if let Some(claim) = end.claim {
            let lock = self.repository().get::<Lock>(end.fence.node).await?;
            if lock.is_none_or(|lock| lock.claim != Some(claim)) {
                return Ok(());
            }
        }
        let op = self.release_op(end.fence)?;
        match self
            .context
            .repository
            .commit(Batch {
                fence: Some(end.fence),
                ops: vec![op],
            })
            .await
        {
            Ok(_) | Err(StoreError::Fenced { .. }) => {
                self.released.notify_waiters();
                Ok(())
            }
            Err(error) => Err(error.into()),
        }
    }
}

/// Gives a lock back when acquiring the rest of a task fails or is cancelled.
struct LockGuard<'a> {
    manager: &'a TaskManager,
    end: TaskEnd,
    armed: bool,
}

impl LockGuard<'_> {
    fn disarm(mut self) {
        self.armed = false;
    }
}

impl Drop for LockGuard<'_> {
    fn drop(&mut self) {
        if self.armed {
            self.manager.return_later(self.end.clone());
        }
    }
}
