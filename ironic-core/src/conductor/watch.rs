//! What a conductor remembers about the machines that it watches; gone with it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::Instant;
use uuid::Uuid;

/// See the module.
#[derive(Debug)]
pub(super) struct Watch {
    /// Slots for reading power.
    pub(super) power_readers: Semaphore,
    /// When a node whose BMC does not answer was last tried.
    tried: Mutex<BTreeMap<Uuid, Instant>>,
    /// The consoles that this conductor has started.
    pub(super) consoles: Mutex<BTreeSet<Uuid>>,
}

impl Watch {
    pub(super) fn new(power_readers: usize) -> Self {
        Self {
            power_readers: Semaphore::new(power_readers),
            tried: Mutex::default(),
            consoles: Mutex::default(),
        }
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
