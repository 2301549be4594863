use std::any::Any;
use std::fmt;

use tokio::sync::mpsc;
use uuid::Uuid;

use crate::model::Node;
use crate::store::{Fence, Stored};

/// What ends when a node is given back, whatever it is to whoever handed the node out.
type Place = Box<dyn Any + Send + Sync>;

/// How the holding of a node ended, for the release queue.
pub(crate) struct TaskEnd {
    pub(crate) fence: Fence,
    /// Set where it is not known whether the lock was acquired at all: its claim.
    pub(crate) claim: Option<Uuid>,
    /// The flow's generation and the effect that was running, if one was.
    pub(crate) running: Option<(u64, u64)>,
    /// Given up once the lock is.
    pub(crate) place: Option<Place>,
}

impl fmt::Debug for TaskEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TaskEnd")
            .field("fence", &self.fence)
            .field("running", &self.running)
            .finish_non_exhaustive()
    }
}

/// The holding of a node: what is dropped without having been settled goes into the release
/// queue.
#[derive(Debug)]
pub(crate) struct Hold {
    end: Option<TaskEnd>,
    fence: Fence,
    ends: mpsc::UnboundedSender<TaskEnd>,
}

impl Hold {
    /// The holding of a lock that is being acquired under this claim.
    pub(crate) fn claimed(fence: Fence, claim: Uuid, ends: mpsc::UnboundedSender<TaskEnd>) -> Self {
        Self::new(fence, Some(claim), None, ends)
    }

    /// The holding of a lock that has been acquired.
    pub(crate) fn held(
        fence: Fence,
        place: Option<Place>,
        ends: mpsc::UnboundedSender<TaskEnd>,
    ) -> Self {
        Self::new(fence, None, place, ends)
    }

    fn new(
        fence: Fence,
        claim: Option<Uuid>,
        place: Option<Place>,
        ends: mpsc::UnboundedSender<TaskEnd>,
    ) -> Self {
        let end = TaskEnd {
            fence,
            claim,
            running: None,
            place,
        };
        Self {
            end: Some(end),
            fence,
            ends,
        }
    }

    /// The lock is known to have been acquired.
    pub(crate) fn acquired(&mut self, place: Place) {
        if let Some(end) = &mut self.end {
            end.claim = None;
            end.place = Some(place);
        }
    }

    /// This effect runs, or none.
    pub(crate) fn run(&mut self, running: Option<(u64, u64)>) {
        if let Some(end) = &mut self.end {
            end.running = running;
        }
    }

    /// There is nothing to give back, or no longer.
    pub(crate) fn settle(&mut self) {
        self.end = None;
    }

    pub(crate) fn fence(&self) -> Fence {
        self.fence
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        if let Some(end) = self.end.take() {
            // Without a queue the conductor is gone, and a take-over will find the node.
            let _ = self.ends.send(end);
        }
    }
}

/// A node in this conductor's hands, without a driver: to change its record, or to remove it.
///
/// It is there whether or not a driver can be made for the node, so a node whose hardware type is
/// no longer enabled can still be mended. As a [`Task`](super::Task) it comes from a
/// [`TaskManager`](crate::task::TaskManager) alone, and cannot be copied.
#[derive(Debug)]
#[must_use = "a reservation that is dropped gives the node back"]
pub struct Reservation {
    pub(crate) base: Box<Stored<Node>>,
    pub(crate) hold: Hold,
    /// The term of the conductor's lease in which the node is known to have been held.
    pub(crate) term: u64,
}

impl Reservation {
    pub(crate) fn new(base: Stored<Node>, hold: Hold, term: u64) -> Self {
        let base = Box::new(base);
        Self { base, hold, term }
    }

    /// The node, as it was when it was reserved.
    pub fn node(&self) -> &Node {
        &self.base.value
    }

    /// The proof of holding the node, for a batch or an update of one's own.
    pub fn fence(&self) -> Fence {
        self.hold.fence()
    }

    /// The lock has gone together with the node: there is nothing to give back.
    pub(crate) fn forget_lock(&mut self) {
        self.hold.settle();
    }
}
