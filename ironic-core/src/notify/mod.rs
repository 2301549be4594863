//! Telling others what happens.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::runtime::Timestamp;
use crate::states::{PowerState, ProvisionState};

/// Something that others may want to know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Event {
    /// A node moved from one provision state to another.
    ProvisionSet {
        /// Where it was.
        from: ProvisionState,
        /// Where it is.
        to: ProvisionState,
        /// What went wrong, if that is why.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        error: Option<String>,
    },
    /// A node's power was switched, or seen to have changed.
    PowerSet {
        /// What it was, as far as known.
        from: Option<PowerState>,
        /// What it is.
        to: PowerState,
    },
    /// A node was created.
    NodeCreated,
    /// A node was removed.
    NodeDeleted,
}

/// An [`Event`], of which node, when and by whom.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Notification {
    /// The node.
    pub node: Uuid,
    /// Its name, if it has one.
    pub name: Option<String>,
    /// When it happened.
    pub at: Timestamp,
    /// The conductor that tells.
    pub conductor: String,
    /// What happened.
    pub event: Event,
}

impl Notification {
    /// A notification.
    pub fn new(
        node: Uuid,
        name: Option<String>,
        at: Timestamp,
        conductor: &str,
        event: Event,
    ) -> Self {
        Self {
            node,
            name,
            at,
            conductor: conductor.to_owned(),
            event,
        }
    }
}

/// Where notifications go.
///
/// # Contract
/// `notify` is called after the change has been committed, in the order of one node's changes,
/// and must not block: queue what takes time. After a crash an event may be missing; the
/// node's history is what is never lost.
pub trait Notifier: Send + Sync + std::fmt::Debug + 'static {
    /// Takes note.
    fn notify(&self, notification: &Notification);
}

/// Tells nobody.
#[derive(Debug, Default, Clone, Copy)]
pub struct NoNotifier;

impl Notifier for NoNotifier {
    fn notify(&self, _: &Notification) {}
}
