//! Keeping the record of each machine's power in step with the machine.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use uuid::Uuid;

use super::Inner;
use crate::Error;
use crate::driver::SharedTask;
use crate::engine::{Input, POWER_FAILURE};
use crate::model::Node;
use crate::notify;
use crate::states::{PowerState, PowerTarget};

impl Inner {
    /// Reads a node's power for the first time somewhere within the interval, so that a fleet
    /// spreads over it.
    pub(super) fn begin_power_sync(&self, node: Uuid) {
        let interval = self.config.sync_power_state_interval;
        if interval.is_zero() {
            return;
        }
        let micros = u64::try_from(interval.as_micros()).unwrap_or(u64::MAX);
        let spread = self.manager.context().entropy.below(micros);
        self.wake_power_at(node, Instant::now() + Duration::from_micros(spread));
    }

    /// Reads a node's power, and again an interval after it was `due`.
    pub(super) async fn sync_power(self: &Arc<Self>, node: Uuid, due: Instant) {
        let Ok(slot) = self.watch.power_readers.acquire().await else {
            return;
        };
        let recovering = match self.read_power(node).await {
            Err(Error::NotFound { .. }) => return self.forget(node),
            Err(error) => {
                tracing::debug!(%node, %error, "power is read again later");
                false
            }
            Ok(recovering) => recovering,
        };
        drop(slot);
        let (usual, tries) = (
            self.config.sync_power_state_interval,
            self.config.power_failure_recovery_interval,
        );
        // An operator may end the maintenance at any time, so it is looked at as often as ever.
        let pace = if recovering && !tries.is_zero() {
            usual.min(tries)
        } else {
            usual
        };
        self.wake_power_at(node, next(due, pace, Instant::now()));
    }

    /// Reads a node's power where that is due; whether the node waits for its BMC to answer again.
    async fn read_power(self: &Arc<Self>, id: Uuid) -> Result<bool, Error> {
        let task = self.manager.shared(id, "power sync").await?;
        let node = task.node();
        let recovering = node.maintenance && node.fault.as_deref() == Some(POWER_FAILURE);
        let skipped = node.provision_state.excluded_from_power_sync()
            || node.target_power_state.is_some()
            || (node.maintenance && !recovering)
            || !task.driver().power.supports_sync(&task);
        if skipped
            || self.membership.owner(node).await? != self.config.host
            || task.flow().is_some()
        {
            return Ok(recovering);
        }
        let tries = self.config.power_failure_recovery_interval;
        if recovering && (tries.is_zero() || !self.watch.is_time_to_try(id, tries)) {
            return Ok(true);
        }
        match read(&task).await {
            Ok(state) => {
                Self::lock(&self.unread).remove(&id);
                self.watch.answers(id);
                if recovering {
                    self.recovered(id, state).await?;
                    return Ok(false);
                }
                if let Some(state) = state {
                    self.compare(&task, state).await?;
                }
                self.sync_health(&task).await;
                Ok(false)
            }
            Err(error) => {
                self.could_not_read(id, &error).await?;
                Ok(true)
            }
        }
    }

    async fn compare(self: &Arc<Self>, task: &SharedTask, state: PowerState) -> Result<(), Error> {
        let (id, recorded) = (task.node().uuid, task.node().power_state);
        if recorded == Some(state) {
            return Ok(());
        }
        let force = self.config.force_power_state_during_sync && !task.node().disable_power_off;
        match recorded.filter(|_| force) {
            Some(PowerState::On) => self.put_back(id, PowerTarget::On).await,
            Some(PowerState::Off) => self.put_back(id, PowerTarget::Off).await,
            _ => self.adopt(id, state).await,
        }
    }

    async fn put_back(self: &Arc<Self>, node: Uuid, target: PowerTarget) -> Result<(), Error> {
        tracing::info!(%node, %target, "the machine is not in the recorded power state; it is put back");
        self.input(
            node,
            "power sync",
            &Input::Power {
                target,
                timeout: None,
                user: None,
            },
        )
        .await
    }

    /// The record follows the machine.
    async fn adopt(&self, id: Uuid, state: PowerState) -> Result<(), Error> {
        let repository = &self.manager.context().repository;
        let (node, from) = repository
            .update::<Node, _>(id, None, |node| Ok(node.power_state.replace(state)))
            .await?;
        if from != Some(state) {
            self.notify(
                &node,
                notify::Event::PowerStateCorrected { from, to: state },
            )
            .await;
        }
        Ok(())
    }

    async fn recovered(&self, id: Uuid, state: Option<PowerState>) -> Result<(), Error> {
        let repository = &self.manager.context().repository;
        repository
            .update::<Node, ()>(id, None, |node| {
                if node.fault.as_deref() == Some(POWER_FAILURE) {
                    node.maintenance = false;
                    node.maintenance_reason = None;
                    node.fault = None;
                    node.power_state = state.or(node.power_state);
                }
                Ok(())
            })
            .await?;
        tracing::info!(node = %id, "the BMC answers again; the node is out of maintenance");
        Ok(())
    }

    async fn could_not_read(&self, id: Uuid, error: &Error) -> Result<(), Error> {
        let failures = {
            let mut unread = Self::lock(&self.unread);
            let count = unread.entry(id).or_default();
            *count += 1;
            *count
        };
        tracing::info!(node = %id, %error, failures, "power could not be read");
        if failures <= self.config.power_state_sync_max_retries {
            return Ok(());
        }
        let reason = format!(
            "power could not be read {failures} times in a row: {error}; the node leaves maintenance by itself when it can be"
        );
        self.manager
            .context()
            .repository
            .update::<Node, ()>(id, None, |node| {
                if !node.maintenance {
                    node.maintenance = true;
                    node.maintenance_reason = Some(reason.clone());
                    node.fault = Some(POWER_FAILURE.to_owned());
                    node.last_error = Some(reason.clone());
                }
                Ok(())
            })
            .await?;
        // The reading that has just failed was a try.
        let interval = self.config.power_failure_recovery_interval;
        self.watch.is_time_to_try(id, interval);
        Ok(())
    }
}

async fn read(task: &SharedTask) -> Result<Option<PowerState>, Error> {
    let power = &task.driver().power;
    power.validate(task).await?;
    match power.get_power_state(task).await? {
        Some(PowerState::Error) => Err(Error::driver(
            "power",
            "the BMC reports the power state \"error\"",
        )),
        state => Ok(state),
    }
}

/// When a node is next to be read that was `due`: in its own rhythm, however long the reading took
/// or was waited for, so that the fleet stays spread. What was missed is not caught up with.
fn next(due: Instant, pace: Duration, now: Instant) -> Instant {
    let late = now.saturating_duration_since(due);
    let into = late.as_nanos().checked_rem(pace.as_nanos()).unwrap_or(0);
    // Less than the pace, which is a `Duration`.
    let into = Duration::from_nanos(u64::try_from(into).unwrap_or(u64::MAX));
    now.max(due) - into + pace
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::Instant;

    use super::next;

    #[test]
    fn a_node_keeps_its_rhythm() {
        let (due, ms) = (Instant::now(), Duration::from_millis);
        let pace = ms(1000);
        for (late, then) in [
            (0, 1000),
            (1, 1000),
            (999, 1000),
            (1000, 2000),
            (1001, 2000),
            (4500, 5000),
        ] {
            assert_eq!(next(due, pace, due + ms(late)), due + ms(then), "{late} ms");
        }
        assert_eq!(next(due + ms(5), pace, due), due + ms(1005), "woken early");
    }
}
