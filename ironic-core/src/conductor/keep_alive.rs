//! Saying that this conductor lives, and ending what ends with it.

use std::sync::Arc;

use tokio::time::{Instant, MissedTickBehavior};

use super::{Inner, watched};
use crate::Error;
use crate::model::{ConductorRecord, Lock};
use crate::store::{Filter, Kind, Query};
use crate::task::TaskEnds;

impl Inner {
    /// Takes the conductor's name, and with it the nodes that an earlier life of it held.
    pub(super) async fn register(self: &Arc<Self>) -> Result<(), Error> {
        let began = Instant::now();
        let repository = &self.manager.context().repository;
        let mut record = self.record();
        match repository.get::<ConductorRecord>(record.uuid).await? {
            None => {
                repository.create(&record).await?;
            }
            Some(old) => {
                record.beat = old.value.beat + 1;
                let fresh = record.clone();
                repository
                    .update::<ConductorRecord, ()>(record.uuid, None, |stored| {
                        *stored = fresh.clone();
                        Ok(())
                    })
                    .await?;
            }
        }
        self.manager
            .context()
            .governor
            .extend_lease(began, self.config.heartbeat_timeout);
        self.membership.refresh().await
    }

    /// Gives back what is still held in this conductor's name, and leaves the ring at once rather
    /// than when others notice.
    pub(super) async fn deregister(&self) -> Result<(), Error> {
        let repository = &self.manager.context().repository;
        let (id, mine) = (ConductorRecord::id(&self.config.host), self.incarnation);
        let record = repository.get::<ConductorRecord>(id).await?;
        if record.is_none_or(|record| record.incarnation != mine) {
            return Ok(());
        }
        let held = Query::all(Kind::Lock).filter(Filter::text("holder", &self.config.host));
        for lock in repository.list::<Lock>(&held).await? {
            tracing::warn!(node = %lock.uuid, purpose = ?lock.purpose, "given back by force");
            self.manager.revoke(&lock.value).await?;
        }
        self.take_leave(true).await
    }

    /// Tells the others that this conductor takes no more, while it still holds nodes.
    pub(super) async fn leave_ring(&self) -> Result<(), Error> {
        self.take_leave(false).await
    }

    async fn take_leave(&self, stopped: bool) -> Result<(), Error> {
        let (id, mine) = (ConductorRecord::id(&self.config.host), self.incarnation);
        let repository = &self.manager.context().repository;
        let left = repository
            .update::<ConductorRecord, ()>(id, None, |record| {
                if record.incarnation == mine {
                    record.online = false;
                    record.stopped = stopped;
                }
                Ok(())
            })
            .await;
        match left {
            // Whoever is not recorded is not on the ring.
            Ok(_) | Err(Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    pub(super) fn start_loops(self: &Arc<Self>, ends: TaskEnds) {
        let me = || Arc::clone(self);
        let loops = &self.loops;
        loops.spawn(watched("keep-alive", me().keep_alive()));
        loops.spawn(watched("reclaiming nodes", me().reclaim_dropped(ends)));
        loops.spawn(watched("waking nodes", me().run_wakes()));
        loops.spawn(watched(
            "forgetting conductors",
            me().forget_stale_conductors(),
        ));
        loops.spawn(watched("pruning histories", me().prune_histories()));
        loops.spawn(watched("reading sensors", me().read_sensors()));
    }

    async fn keep_alive(self: Arc<Self>) {
        let mut ticks = tokio::time::interval(self.config.heartbeat_interval);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        ticks.tick().await;
        loop {
            tokio::select! {
                biased;
                () = self.finished.cancelled() => return,
                _ = ticks.tick() => {}
            }
            // The lease counts from before the beat was written: whatever others see came later.
            let began = Instant::now();
            match self.beat().await {
                Ok(true) => self
                    .manager
                    .context()
                    .governor
                    .extend_lease(began, self.config.heartbeat_timeout),
                Ok(false) => {
                    tracing::error!(host = %self.config.host, "another process runs under this conductor's name; giving up its nodes");
                    self.manager.context().governor.revoke_lease();
                    self.take_no_more();
                }
                Err(error) => tracing::warn!(%error, "keep-alive failed"),
            }
            if let Err(error) = self.membership.refresh().await {
                tracing::warn!(%error, "the other conductors cannot be read");
            } else if !self.stopping.is_cancelled() {
                self.sweep().await;
            }
        }
    }

    /// Raises the beat; false when the name belongs to somebody else by now.
    async fn beat(&self) -> Result<bool, Error> {
        let context = self.manager.context();
        let now = context.clock.now();
        let (id, mine) = (ConductorRecord::id(&self.config.host), self.incarnation);
        let beaten = context
            .repository
            .update::<ConductorRecord, ()>(id, None, |record| {
                if record.incarnation == mine {
                    record.beat += 1;
                    record.updated_at = Some(now);
                }
                Ok(())
            })
            .await;
        match beaten {
            Ok((record, ())) => Ok(record.incarnation == mine),
            Err(Error::NotFound { .. }) => self.register_anew().await.map(|()| true),
            Err(error) => Err(error),
        }
    }

    /// Somebody who had not heard of this conductor for long has removed its record.
    async fn register_anew(&self) -> Result<(), Error> {
        tracing::warn!(host = %self.config.host, "this conductor's record was removed; it registers anew");
        let mut record = self.record();
        record.online = !self.stopping.is_cancelled();
        let repository = &self.manager.context().repository;
        repository.create(&record).await.map(drop)
    }

    /// Gives back the nodes of tasks that were dropped.
    async fn reclaim_dropped(self: Arc<Self>, mut ends: TaskEnds) {
        loop {
            let end = tokio::select! {
                biased;
                end = ends.recv() => end,
                // Whatever was dropped has been sent by now, so it was seen above.
                () = self.finished.cancelled() => return,
            };
            let Some(mut end) = end else { return };
            if self.stopping.is_cancelled() {
                if let Err(error) = self.manager.give_back(&end).await {
                    tracing::warn!(node = %end.fence.node, %error, "a node could not be given back");
                }
                continue;
            }
            if end.running.is_some() {
                tracing::error!(node = %end.fence.node, "work on the node ended without an answer");
            }
            match self.manager.reclaim(&mut end).await {
                Ok(Some((task, decision))) => {
                    self.drive_in_background(task, decision.effects, None);
                }
                Ok(None) => self.after_release(end.fence.node),
                Err(error) => {
                    let node = end.fence.node;
                    tracing::warn!(%node, %error, "a node could not be given back; trying again");
                    let inner = Arc::clone(&self);
                    self.spawn(async move {
                        inner.pause(inner.config.node_locked_retry_interval).await;
                        inner.manager.return_later(end);
                    });
                }
            }
        }
    }
}
