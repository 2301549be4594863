//! Waking what is due: cost follows what is due, not the size of the fleet.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;
use uuid::Uuid;

use super::Inner;
use crate::flow::Flow;

/// The shortest time until a flow is looked at again.
const SHORTEST: Duration = Duration::from_millis(50);

/// What a node is woken for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Wake {
    /// Its flow wants to be looked at.
    Flow,
    /// Its power is to be read.
    Power,
    /// Its instance is to be taken over.
    Instance,
}

/// When which node is woken, at most once per node and reason.
#[derive(Debug, Default)]
pub(super) struct Wakes {
    due: Mutex<Due>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct Due {
    by_time: BTreeMap<(Instant, Uuid, Wake), ()>,
    by_node: BTreeMap<(Uuid, Wake), Instant>,
}

impl Wakes {
    /// Wakes the node at `at`, instead of when it would have been.
    pub(super) fn at(&self, node: Uuid, wake: Wake, at: Instant) {
        let mut due = Inner::lock(&self.due);
        if let Some(old) = due.by_node.insert((node, wake), at) {
            due.by_time.remove(&(old, node, wake));
        }
        due.by_time.insert((at, node, wake), ());
        if due
            .by_time
            .first_key_value()
            .is_some_and(|((first, _, _), ())| *first == at)
        {
            self.changed.notify_one();
        }
    }

    /// Lets the node sleep.
    pub(super) fn cancel(&self, node: Uuid, wake: Wake) {
        let mut due = Inner::lock(&self.due);
        if let Some(old) = due.by_node.remove(&(node, wake)) {
            due.by_time.remove(&(old, node, wake));
        }
    }

    fn first(&self) -> Option<Instant> {
        Inner::lock(&self.due)
            .by_time
            .first_key_value()
            .map(|((at, _, _), ())| *at)
    }

    /// Whom to wake by now, for what, and since when.
    fn take_due(&self, now: Instant) -> Option<(Uuid, Wake, Instant)> {
        let mut due = Inner::lock(&self.due);
        let ((at, node, wake), ()) = due.by_time.first_key_value().map(|(key, ())| (*key, ()))?;
        if at > now {
            return None;
        }
        due.by_time.remove(&(at, node, wake));
        due.by_node.remove(&(node, wake));
        Some((node, wake, at))
    }
}

impl Inner {
    pub(super) async fn run_wakes(self: Arc<Self>) {
        loop {
            let changed = self.wakes.changed.notified();
            let next = self.wakes.first();
            tokio::select! {
                biased;
                () = self.stopping.cancelled() => return,
                () = changed => continue,
                () = sleep_until(next) => {}
            }
            while let Some((node, wake, due)) = self.wakes.take_due(Instant::now()) {
                let inner = Arc::clone(&self);
                match wake {
                    Wake::Flow => self.spawn(async move { inner.flow_due(node).await }),
                    Wake::Power => self.spawn(async move { inner.sync_power(node, due).await }),
                    Wake::Instance => {
                        self.spawn(async move { inner.take_over_instance(node).await });
                    }
                }
            }
        }
    }

    /// Wakes the node when its flow wants to be looked at next.
    pub(super) fn arm(&self, node: Uuid, flow: Option<&Flow>) {
        let Some(due) = flow.filter(|flow| flow.is_waiting()).and_then(Flow::due) else {
            self.wakes.cancel(node, Wake::Flow);
            return;
        };
        // A stored time becomes an instant once, here; afterwards wall clocks may do as they like.
        // A moment at least, so that a flow that is due but may not go on (maintenance) does not spin.
        let delay = due.since(self.manager.context().clock.now()).max(SHORTEST);
        self.wakes.at(node, Wake::Flow, Instant::now() + delay);
    }

    pub(super) fn wake_flow_in(&self, node: Uuid, delay: Duration) {
        self.wakes.at(node, Wake::Flow, Instant::now() + delay);
    }

    pub(super) fn wake_power_at(&self, node: Uuid, at: Instant) {
        self.wakes.at(node, Wake::Power, at);
    }

    pub(super) fn forget(&self, node: Uuid) {
        self.wakes.cancel(node, Wake::Flow);
        self.wakes.cancel(node, Wake::Power);
        self.wakes.cancel(node, Wake::Instance);
        Self::lock(&self.called).remove(&node);
        Self::lock(&self.unread).remove(&node);
        self.watch.answers(node);
    }
}

async fn sleep_until(instant: Option<Instant>) {
    match instant {
        Some(instant) => tokio::time::sleep_until(instant).await,
        None => std::future::pending().await,
    }
}
