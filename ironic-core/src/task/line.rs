use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::futures::Notified;
use tokio::sync::{Notify, OwnedMutexGuard};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// Who of this conductor wants which node, in the order in which they asked.
///
/// Only whoever is in front asks the store; the others are asleep until it is their turn. So a
/// node that is given back costs the store one attempt, however many wait for it, and nobody
/// overtakes. There is a line for a node only as long as somebody holds it or waits for it.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    lines: Mutex<BTreeMap<Uuid, Arc<Line>>>,
    /// Told whenever a line ends.
    ended: Notify,
    closed: CancellationToken,
}

#[derive(Debug, Default)]
struct Line {
    /// Fair: whoever waits for it gets it in the order of asking, and who gives up is left out.
    turn: Arc<tokio::sync::Mutex<()>>,
    /// Told when somebody gives the node back without having stood in line.
    released: Notify,
}

impl Lines {
    /// Stands in line for a node, without its turn.
    pub(super) fn enter(self: &Arc<Self>, node: Uuid) -> Place {
        let line = Arc::clone(self.lock().entry(node).or_default());
        Place {
            lines: Arc::clone(self),
            node,
            line: Some(line),
            turn: None,
            bypasses: false,
        }
    }

    /// The node may be free, though nobody of this line has given it back.
    pub(super) fn notify(&self, node: Uuid) {
        if let Some(line) = self.lock().get(&node) {
            line.released.notify_waiters();
        }
    }

    /// How many nodes are held or waited for.
    pub(super) fn len(&self) -> usize {
        self.lock().len()
    }

    /// Nobody gets a node from here on; who waits for one is told so.
    pub(super) fn close(&self) {
        self.closed.cancel();
    }

    pub(super) fn is_closed(&self) -> bool {
        self.closed.is_cancelled()
    }

    pub(super) async fn closed(&self) {
        self.closed.cancelled().await;
    }

    /// Until nobody holds or waits for any node.
    pub(super) async fn idle(&self) {
        loop {
            let ended = self.ended.notified();
            if self.len() == 0 {
                return;
            }
            ended.await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Uuid, Arc<Line>>> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A place in the line for a node; with its turn, the right of this conductor's tasks to it.
#[derive(Debug)]
#[must_use = "a place that is dropped is given up"]
pub(super) struct Place {
    lines: Arc<Lines>,
    node: Uuid,
    line: Option<Arc<Line>>,
    turn: Option<OwnedMutexGuard<()>>,
    bypasses: bool,
}

impl Place {
    /// Goes ahead without its turn: for taking over from those who do not live any more.
    pub(super) fn bypassing(mut self) -> Self {
        self.bypasses = true;
        self
    }

    /// Whether it is this one's turn, as nobody holds the node or stands before.
    pub(super) fn try_turn(&mut self) -> bool {
        if self.turn.is_none() {
            let turn = self.line.as_ref().map(|line| Arc::clone(&line.turn));
            self.turn = turn.and_then(|turn| turn.try_lock_owned().ok());
        }
        self.turn.is_some()
    }

    /// Until it is this one's turn. Given up midway, the place is lost.
    pub(super) async fn turn(&mut self) {
        let turn = self.line.as_ref().map(|line| Arc::clone(&line.turn));
        if let Some(turn) = turn.filter(|_| self.turn.is_none()) {
            self.turn = Some(turn.lock_owned().await);
        }
    }

    /// Told when the node is given back by somebody who did not stand in line, from this call on.
    pub(super) fn released(&self) -> Option<Notified<'_>> {
        self.line.as_ref().map(|line| line.released.notified())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let Some(line) = self.line.take() else { return };
        drop(self.turn.take());
        if self.bypasses {
            line.released.notify_waiters();
        }
        let mut lines = self.lines.lock();
        drop(line);
        // References are made under this lock only, so the last one is known to be the last.
        let last = lines
            .get(&self.node)
            .is_some_and(|line| Arc::strong_count(line) == 1);
        if last {
            lines.remove(&self.node);
            drop(lines);
            self.lines.ended.notify_waiters();
        }
    }
}
