//! Getting nodes: in the order of asking, with patience, or from those who live no more.

use std::pin::pin;

use tokio::time::{Instant, sleep_until};
use uuid::Uuid;

use super::{Patience, TaskManager};
use crate::Error;
use crate::driver::{Hold, Reservation, SharedTask, Task};
use crate::metrics;
use crate::model::{ConductorRecord, Lock, Node};
use crate::store::{Batch, Expect, Fence, Kind, Op, StoreError};

/// From whom a node may be taken that is held.
enum Former<'a> {
    /// From nobody.
    Nobody,
    /// From an earlier life of this conductor, which left this lock behind.
    Left(&'a Lock),
    /// From the conductor of this record, by which it was judged.
    Seen(&'a ConductorRecord),
}

impl TaskManager {
    /// The node as it is now, for reading. Takes no lock.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::InvalidParameter`] when no driver can be made for the node.
    pub async fn shared(&self, node: Uuid, purpose: &str) -> Result<SharedTask, Error> {
        let base = self.repository().load::<Node>(node).await?;
        let core = self.load(&base.value, purpose).await?;
        Ok(SharedTask::new(core))
    }

    /// The node, for this task alone, with the usual patience.
    ///
    /// # Errors
    /// As [`TaskManager::acquire`].
    pub async fn exclusive(&self, node: Uuid, purpose: &str) -> Result<Task, Error> {
        self.acquire(node, purpose, Patience::Configured).await
    }

    /// The node, for this task alone, or not at all.
    ///
    /// # Errors
    /// As [`TaskManager::acquire`].
    pub async fn try_exclusive(&self, node: Uuid, purpose: &str) -> Result<Task, Error> {
        self.acquire(node, purpose, Patience::None).await
    }

    /// The node, for this task alone. Among the tasks of one conductor those that wait get it in
    /// the order in which they asked, each as soon as the one before has given it back; what
    /// another conductor holds is tried again every `node_locked_retry_interval`. A call that is
    /// dropped leaves the line, and whatever it has got of the node is given back.
    ///
    /// # Errors
    /// [`Error::NodeLocked`] when patience ends names who holds the node, what for and since
    /// when; [`Error::NoFreeWorker`] when the conductor stops; otherwise as
    /// [`TaskManager::shared`].
    pub async fn acquire(
        &self,
        node: Uuid,
        purpose: &str,
        patience: Patience,
    ) -> Result<Task, Error> {
        let reservation = self.reserve(node, purpose, patience).await?;
        self.with_driver(reservation, purpose).await
    }

    /// The node, without its driver: for what concerns its record alone. It is also to be had
    /// when no driver can be made for the node.
    ///
    /// # Errors
    /// As [`TaskManager::acquire`], but for what is wrong with the driver.
    pub async fn reserve(
        &self,
        node: Uuid,
        purpose: &str,
        patience: Patience,
    ) -> Result<Reservation, Error> {
        let asked = Instant::now();
        let reserved = self.wait_for(node, purpose, patience, asked).await;
        metrics::lock_waited(reserved.is_ok(), asked.elapsed());
        reserved
    }

    async fn wait_for(
        &self,
        node: Uuid,
        purpose: &str,
        patience: Patience,
        asked: Instant,
    ) -> Result<Reservation, Error> {
        let config = &self.context.config;
        let end = patience.ends(config, asked);
        let mut usual = Some(asked + Patience::usual(config)).filter(|usual| Some(*usual) != end);
        let mut place = self.lines.enter(node);
        if !place.try_turn() {
            let mut turn = pin!(place.turn());
            loop {
                if end.is_some_and(|end| end <= Instant::now()) {
                    return Err(self.locked(node).await);
                }
                self.warn_of_waiting(node, purpose, asked, &mut usual);
                let until = [usual, end].into_iter().flatten().min();
                tokio::select! {
                    biased;
                    () = self.lines.closed() => return Err(self.stopping()),
                    () = &mut turn => break,
                    () = reached(until) => {}
                }
            }
        }
        loop {
            let free = place.released();
            let refused = match self.take(node, purpose, &Former::Nobody).await {
                Ok(mut reservation) => {
                    drop(free);
                    reservation.hold.acquired(Box::new(place));
                    let waited_ms = asked.elapsed().as_millis();
                    tracing::debug!(%node, purpose, waited_ms, "reserved");
                    return Ok(reservation);
                }
                Err(refused @ Error::NodeLocked { .. }) => refused,
                Err(error) => return Err(error),
            };
            let now = Instant::now();
            if end.is_some_and(|end| end <= now) {
                return Err(refused);
            }
            self.warn_of_waiting(node, purpose, asked, &mut usual);
            let again = now + config.node_locked_retry_interval;
            tokio::select! {
                biased;
                () = self.lines.closed() => return Err(self.stopping()),
                () = async { if let Some(free) = free { free.await } } => {}
                () = sleep_until(end.map_or(again, |end| end.min(again))) => {}
            }
        }
    }

    /// The node, taken from a conductor that was seen to live no more, by this record of it: its
    /// writes are refused from here on. Whoever waits for the node goes on waiting. A conductor
    /// that has shown itself since the record was read keeps the node.
    ///
    /// # Errors
    /// [`Error::NodeLocked`] when it lives, or somebody else holds the node; otherwise as
    /// [`TaskManager::shared`].
    pub async fn take_over_from(
        &self,
        node: Uuid,
        purpose: &str,
        dead: &ConductorRecord,
    ) -> Result<Task, Error> {
        self.take_from(node, purpose, &Former::Seen(dead)).await
    }

    /// The node that an earlier life of this conductor held under this lock.
    ///
    /// # Errors
    /// As [`TaskManager::take_over_from`]; [`Error::NodeLocked`] also when it is held under another
    /// lock by now.
    pub(crate) async fn take_back(&self, left: &Lock, purpose: &str) -> Result<Task, Error> {
        self.take_from(left.uuid, purpose, &Former::Left(left))
            .await
    }

    async fn take_from(
        &self,
        node: Uuid,
        purpose: &str,
        former: &Former<'_>,
    ) -> Result<Task, Error> {
        let place = self.lines.enter(node).bypassing();
        let mut reservation = self.take(node, purpose, former).await?;
        reservation.hold.acquired(Box::new(place));
        self.with_driver(reservation, purpose).await
    }

    /// A task that reads becomes one that writes, with the node as it is now; with the usual
    /// patience, and for the same purpose unless there is another.
    ///
    /// # Errors
    /// As [`TaskManager::acquire`].
    pub async fn upgrade(&self, task: SharedTask, purpose: Option<&str>) -> Result<Task, Error> {
        let purpose = purpose.unwrap_or(task.purpose());
        self.exclusive(task.node().uuid, purpose).await
    }

    /// A task that writes gives the node back and goes on reading, with the node as it is then.
    /// What it changed and did not save is lost.
    ///
    /// # Errors
    /// As [`TaskManager::release`] and [`TaskManager::shared`].
    pub async fn downgrade(&self, task: Task) -> Result<SharedTask, Error> {
        let (node, purpose) = (task.node_id(), task.purpose().to_owned());
        self.release(task).await?;
        self.shared(node, &purpose).await
    }

    async fn with_driver(&self, reservation: Reservation, purpose: &str) -> Result<Task, Error> {
        let core = self.load(reservation.node(), purpose).await?;
        Ok(Task::new(core, reservation))
    }

    /// One attempt to get the lock, and the node as it is from then on.
    async fn take(
        &self,
        node: Uuid,
        purpose: &str,
        former: &Former<'_>,
    ) -> Result<Reservation, Error> {
        if self.lines.is_closed() {
            return Err(self.stopping());
        }
        let term = self.context.governor.term();
        let repository = self.repository();
        let stored = repository.get::<Lock>(node).await?;
        let lock = match &stored {
            Some(stored) => stored.value.clone(),
            // A lock goes with its node. Each taking of it is a revision of the store, so where a
            // node is enrolled again under its old uuid, no fence of before is met again.
            None => Lock {
                epoch: repository.load::<Node>(node).await?.revision.0,
                ..Lock::free(node)
            },
        };
        let mut ops = Vec::new();
        if let Some(holder) = &lock.holder {
            ops.extend(self.proof_of_death(&lock, holder, former).await?);
        }
        let claim = self.context.entropy.uuid();
        let now = self.context.clock.now();
        let taken = lock.taken(&self.context.config.host, claim, purpose, now);
        ops.push(match &stored {
            Some(stored) => crate::store::put_over(stored, &taken)?,
            None => crate::store::put_new(&taken)?,
        });
        let epoch = taken.epoch;
        let fence = Fence { node, epoch };
        // From here on the lock is given back whatever happens, if it has been acquired at all.
        let mut hold = Hold::claimed(fence, claim, self.ends.clone());
        let batch = Batch { fence: None, ops };
        match repository.commit(batch).await {
            Ok(_) => {}
            Err(StoreError::Conflict { .. }) => {
                hold.settle();
                return Err(self.locked(node).await);
            }
            Err(error) => return Err(error.into()),
        }
        match repository.get::<Node>(node).await? {
            Some(base) => Ok(Reservation::new(base, hold, term)),
            None => {
                self.remove_stray(&mut hold).await?;
                Err(Error::not_found("node", node))
            }
        }
    }

    /// What must still be so when `holder` loses the node to this conductor, as an operation of
    /// the same batch: its record, by which it was judged. Between the judgement and the batch it
    /// may have come back to life. `None` where there is nothing that could change.
    async fn proof_of_death(
        &self,
        lock: &Lock,
        holder: &str,
        former: &Former<'_>,
    ) -> Result<Option<Op>, Error> {
        let judged = match former {
            Former::Left(left) if *left == lock => return Ok(None),
            Former::Seen(record) if record.hostname == holder => record,
            Former::Left(_) | Former::Seen(_) | Former::Nobody => return Err(lock.refusal()),
        };
        let repository = self.repository();
        let Some(now) = repository.get::<ConductorRecord>(judged.uuid).await? else {
            return Ok(None);
        };
        if now.beat != judged.beat || now.incarnation != judged.incarnation {
            return Err(lock.refusal());
        }
        crate::store::put_over(&now, &now.value).map(Some)
    }

    /// Removes the lock of a node that went while its lock was being made.
    async fn remove_stray(&self, hold: &mut Hold) -> Result<(), Error> {
        let fence = hold.fence();
        let op = Op::Delete {
            kind: Kind::Lock,
            id: fence.node,
            expect: Expect::Any,
        };
        let batch = Batch {
            fence: Some(fence),
            ops: vec![op],
        };
        match self.repository().commit(batch).await {
            Ok(_) | Err(StoreError::Fenced { .. }) => {
                hold.settle();
                Ok(())
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Why the node is not to be had.
    async fn locked(&self, node: Uuid) -> Error {
        match self.repository().get::<Lock>(node).await {
            Ok(lock) => {
                let mut lock = lock.map_or_else(|| Lock::free(node), |lock| lock.value);
                // Between two of this conductor's tasks nobody holds it, and yet it is promised.
                let host = &self.context.config.host;
                lock.holder.get_or_insert_with(|| host.clone());
                lock.refusal()
            }
            Err(error) => error,
        }
    }

    fn stopping(&self) -> Error {
        Error::NoFreeWorker {
            host: self.context.config.host.clone(),
        }
    }

    /// Says once that somebody has waited for longer than is usual.
    fn warn_of_waiting(
        &self,
        node: Uuid,
        purpose: &str,
        asked: Instant,
        usual: &mut Option<Instant>,
    ) {
        if usual.is_some_and(|usual| usual <= Instant::now()) {
            *usual = None;
            let waited_s = asked.elapsed().as_secs();
            tracing::warn!(%node, purpose, waited_s, "still waiting for the node to be given back");
        }
    }
}

async fn reached(time: Option<Instant>) {
    match time {
        Some(time) => sleep_until(time).await,
        None => std::future::pending().await,
    }
}
