//! Going on with what an earlier life of this conductor, or another conductor, left behind.

use std::sync::Arc;

use uuid::Uuid;

use super::Inner;
use super::run::RECOVER_AFTER;
use crate::driver::Task;
use crate::engine::Input;
use crate::flow::Flow;
use crate::model::{Lock, Node};
use crate::store::{Filter, Kind, Query};
use crate::{Error, ErrorKind};

impl Inner {
    /// At the start: the locks that carry this conductor's name are from an earlier life; flows
    /// that wait are woken when they are due, and flows that nobody holds are gone on with.
    pub(super) async fn recover_own(self: &Arc<Self>) -> Result<(), Error> {
        let repository = self.manager.context().repository.clone();
        let held = Query::all(Kind::Lock).filter(Filter::text("holder", &self.config.host));
        for lock in repository.list::<Lock>(&held).await? {
            self.recover_left(lock.value).await;
        }
        for flow in repository.list::<Flow>(&Query::all(Kind::Flow)).await? {
            if flow.is_waiting() {
                self.arm(flow.uuid, Some(&flow.value));
            } else if self.is_free(flow.uuid).await? {
                let taken = self.manager.try_exclusive(flow.uuid, "recovery").await;
                self.recover(flow.uuid, taken).await;
            }
        }
        for node in repository.list::<Node>(&Query::all(Kind::Node)).await? {
            self.begin_power_sync(node.uuid);
        }
        self.adopt_allocations(&self.config.host).await?;
        Ok(())
    }

    async fn is_free(&self, node: Uuid) -> Result<bool, Error> {
        let lock = self.manager.context().repository.get::<Lock>(node).await?;
        Ok(lock.is_none_or(|lock| lock.holder.is_none()))
    }

    /// Goes on with a node that an earlier life of this conductor held. As this conductor lives,
    /// nobody else will: where the store does not let it, it is tried again at the next sweep.
    async fn recover_left(self: &Arc<Self>, lock: Lock) {
        let taken = self.manager.take_back(&lock, "recovery").await;
        if let Err(error) = &taken
            && error.is_retryable()
            && error.kind() != ErrorKind::NodeLocked
        {
            Self::lock(&self.left).insert(lock.uuid, lock.clone());
        }
        self.recover(lock.uuid, taken).await;
    }

    /// Now and then: nodes whose conductor has died or stopped, and that are this one's by the ring now.
    pub(super) async fn sweep(self: &Arc<Self>) {
        let left = std::mem::take(&mut *Self::lock(&self.left));
        for lock in left.into_values() {
            self.recover_left(lock).await;
        }
        if let Err(error) = self.take_over_orphans().await {
            tracing::warn!(%error, "looking for nodes of dead conductors failed");
        }
        if let Err(error) = self.adopt_allocations(&self.config.host).await {
            tracing::warn!(%error, "looking for allocations that are left failed");
        }
        if let Err(error) = self.look_for_instances().await {
            tracing::warn!(%error, "looking for instances to take over failed");
        }
        if let Err(error) = self.look_after_consoles().await {
            tracing::warn!(%error, "looking after consoles failed");
        }
    }

    async fn take_over_orphans(self: &Arc<Self>) -> Result<(), Error> {
        let others = self.membership.conductors();
        for (record, _) in others
            .iter()
            .filter(|(record, _)| record.hostname != self.config.host)
        {
            if !self.membership.is_dead(&record.hostname) {
                Self::lock(&self.dead).remove(&record.hostname);
                continue;
            }
            if !Self::lock(&self.dead).contains(&record.hostname) {
                if record.stopped {
                    tracing::info!(conductor = %record.hostname, "a conductor has stopped");
                } else {
                    tracing::warn!(conductor = %record.hostname, "a conductor has died");
                }
                self.adopt_waiting().await?;
                Self::lock(&self.dead).insert(record.hostname.clone());
            }
            self.adopt_allocations(&record.hostname).await?;
            let repository = &self.manager.context().repository;
            let held = Query::all(Kind::Lock).filter(Filter::text("holder", &record.hostname));
            for lock in repository.list::<Lock>(&held).await? {
                let Some(node) = repository.get::<Node>(lock.uuid).await? else {
                    continue;
                };
                if self.membership.owner(&node.value).await? == self.config.host {
                    tracing::info!(node = %lock.uuid, from = %record.hostname, "taking over");
                    let manager = &self.manager;
                    let taken = manager.take_over_from(lock.uuid, "recovery", record).await;
                    self.recover(lock.uuid, taken).await;
                }
            }
        }
        Ok(())
    }

    /// Goes on with a flow that nobody drives, unless somebody does.
    pub(super) async fn recover_abandoned(self: &Arc<Self>, node: Uuid) -> Result<(), Error> {
        if !self.is_free(node).await? {
            return Ok(());
        }
        let task = self.manager.try_exclusive(node, "recovery").await?;
        self.decide_and_drive(task, &Input::Recover).await
    }

    /// Flows that wait have no lock to be found by: those of a conductor that has died or
    /// stopped are woken here when they are due, and those that it had given back without having recorded what
    /// came of them, soon. A flow that several conductors wake is decided by one.
    async fn adopt_waiting(self: &Arc<Self>) -> Result<(), Error> {
        let repository = &self.manager.context().repository;
        for flow in repository.list::<Flow>(&Query::all(Kind::Flow)).await? {
            if flow.is_waiting() {
                self.arm(flow.uuid, Some(&flow.value));
            } else {
                self.wake_flow_in(flow.uuid, RECOVER_AFTER);
            }
        }
        Ok(())
    }

    /// Goes on with a node that has been taken, if it could be.
    async fn recover(self: &Arc<Self>, node: Uuid, taken: Result<Task, Error>) {
        match taken {
            Ok(task) => {
                if let Err(error) = self.decide_and_drive(task, &Input::Recover).await {
                    tracing::warn!(%node, %error, "the node could not be recovered");
                }
            }
            Err(error) => {
                tracing::warn!(%node, %error, "the node could not be recovered");
                if error.is_retryable() {
                    self.wake_flow_in(node, RECOVER_AFTER);
                }
            }
        }
    }
}
