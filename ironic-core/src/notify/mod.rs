//! Telling others what happens.

mod event;
mod payload;
mod sensors;
mod wrappers;

pub use event::{Event, Level, Object, RecordChange, Status};
pub use payload::Payload;
pub use sensors::{SensorReadings, SensorSource};
pub use wrappers::{ChannelNotifier, FromLevel, LogNotifier, Several};

use serde_json::{Value, json};
use uuid::Uuid;

use crate::runtime::Timestamp;

/// An [`Event`], about what, when, and by whom it is told.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Notification {
    /// The record: the node, unless the event is about a record of another sort.
    pub subject: Uuid,
    /// Its name, if it has one.
    pub name: Option<String>,
    /// When it happened.
    pub at: Timestamp,
    /// The conductor that tells.
    pub conductor: String,
    /// What happened.
    pub event: Event,
    /// The record as it was then, unless the notifier wants none.
    pub payload: Payload,
}

impl Notification {
    /// A notification.
    pub fn new(at: Timestamp, conductor: &str, event: Event, payload: Payload) -> Self {
        let text = |field| payload.data.get(field).and_then(Value::as_str);
        Self {
            subject: text("uuid")
                .and_then(|id| id.parse().ok())
                .unwrap_or_default(),
            name: text("name").map(str::to_owned),
            at,
            conductor: conductor.to_owned(),
            event,
            payload,
        }
    }

    /// How grave it is.
    pub fn level(&self) -> Level {
        self.event.level()
    }

    /// The notification as the original's message bus carries it; `message_id` tells it from all
    /// others.
    pub fn to_wire(&self, message_id: Uuid) -> Value {
        let service = self.event.service();
        json!({
            "message_id": message_id,
            "publisher_id": format!("{service}.{}", self.conductor),
            "event_type": self.event.event_type(),
            "priority": self.level().as_str().to_ascii_uppercase(),
            "timestamp": self.at,
            "payload": self.payload.to_wire(),
        })
    }
}

/// Where notifications go.
///
/// # Contract
/// - **Who calls.** The conductor that made the change; a client, for records that belong to no
///   node. From any thread.
/// - **When.** After the change has been committed; of what only begins (`Status::Start`), before.
///   The events of one piece of work on a node come in the order of its changes. The last of one
///   and the first of the next may cross, as the node is given back in the batch that ends the
///   first; those of different nodes come in any order.
/// - **Must not block**, must not panic: it is called in the middle of the work on the node, without
///   a limit of time, and a panic counts as one of that work. [`ChannelNotifier`] queues.
/// - **At most once.** After a crash between the commit and the call the event is missing, and
///   nothing tells it again. What is never lost is the node's history.
/// - **Secrets.** A payload has the node as callers see it, secrets as `******`.
/// - **Asked before.** `wants` and `wants_payload` are asked before each event is put together,
///   and may change their answer.
///
/// **Checked by** no suite.
///
/// ```
/// use ironic_core::notify::{ChannelNotifier, Level, Notification, Notifier};
///
/// /// Rings a bell when something has failed.
/// #[derive(Debug)]
/// struct Bell(ChannelNotifier);
///
/// impl Notifier for Bell {
///     fn notify(&self, notification: &Notification) {
///         self.0.notify(notification);
///     }
///
///     fn wants(&self, level: Level) -> bool {
///         level >= Level::Error
///     }
/// }
/// ```
pub trait Notifier: Send + Sync + std::fmt::Debug + 'static {
    /// Takes note.
    fn notify(&self, notification: &Notification);

    /// Takes note of what sensors have read. Default: does not.
    fn sensors(&self, readings: &SensorReadings) {
        let _ = readings;
    }

    /// Whether events of this level are of any use; those that are not are not even put
    /// together. Default: all are.
    fn wants(&self, level: Level) -> bool {
        let _ = level;
        true
    }

    /// Whether the payload of events about nodes is of any use: it is made anew for each, from
    /// the whole node and its traits. Where it is not, a payload has `uuid` and `name` alone.
    /// Default: it is.
    fn wants_payload(&self) -> bool {
        true
    }
}

/// Tells nobody.
#[derive(Debug, Default, Clone, Copy)]
pub struct NoNotifier;

impl Notifier for NoNotifier {
    fn notify(&self, _: &Notification) {}

    fn wants(&self, _: Level) -> bool {
        false
    }
}
