//! What a conductor remembers about the machines that it watches; gone with it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::Instant;
use uuid::Uuid;

use crate::config::Config;

/// See the module.
#[derive(Debug)]
pub(super) struct Watch {
    /// Slots for reading power.
    pub(super) power_readers: Semaphore,
    /// When a node whose BMC does not answer was last tried.
    tried: Mutex<BTreeMap<Uuid, Instant>>,
    /// The consoles that this conductor has started.
    pub(super) consoles: Mutex<BTreeSet<Uuid>>,
    /// Slots for taking instances over.
    pub(super) instance_takers: Semaphore,
    /// At which of its changes the ring was when instances were last looked for, and when.
    looked: Mutex<Option<(u64, Instant)>>,
}

impl Watch {
    pub(super) fn new(config: &Config) -> Self {
        Self {
            power_readers: Semaphore::new(config.sync_power_state_workers),
            tried: Mutex::default(),
            consoles: Mutex::default(),
            instance_takers: Semaphore::new(config.periodic_max_workers),
            looked: Mutex::default(),
        }
    }

    /// Whether instances are to be looked for: the ring has changed so often by now, or the last
    /// look is so long ago.
    pub(super) fn is_time_to_look(&self, ring_changes: u64, interval: Duration) -> bool {
        let now = Instant::now();
        let mut looked = self.looked.lock().unwrap_or_else(PoisonError::into_inner);
        let due = looked.is_none_or(|(changes, at)| {
            changes != ring_changes || now.duration_since(at) >= interval
        });
        if due {
            *looked = Some((ring_changes, now));
        }
        due
    }

    /// Whether a BMC that does not answer is to be tried again; then it counts as tried.
    pub(super) fn is_time_to_try(&self, node: Uuid, interval: Duration) -> bool {
        let now = Instant::now();
        let mut tried = self.tried.lock().unwrap_or_else(PoisonError::into_inner);
        if tried
            .get(&node)
            .is_some_and(|last| now.duration_since(*last) < interval)
        {
            return false;
        }
        tried.insert(node, now);
        true
    }

    /// A BMC answers, or its node is gone.
    pub(super) fn answers(&self, node: Uuid) {
        let mut tried = self.tried.lock().unwrap_or_else(PoisonError::into_inner);
        tried.remove(&node);
    }
}
