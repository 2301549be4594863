use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::life::Life;
use super::world::World;
use crate::notify::{Notification, Notifier};

/// The world as a notifier.
pub(super) struct Ear {
    pub(super) world: Arc<World>,
    pub(super) life: Arc<Life>,
    /// How often it was asked whether it wants payloads.
    pub(super) asked: AtomicU64,
}

impl std::fmt::Debug for Ear {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ear")
            .field("host", &self.life.host)
            .finish_non_exhaustive()
    }
}

impl Notifier for Ear {
    fn notify(&self, notification: &Notification) {
        if !self.life.is_dead() {
            self.world.told(notification);
        }
    }

    /// Payloads are looked at for secrets, of which a part shows as much as all.
    fn wants_payload(&self) -> bool {
        self.asked.fetch_add(1, Ordering::Relaxed).is_multiple_of(8)
    }
}
