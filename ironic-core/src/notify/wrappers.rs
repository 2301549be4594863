use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::mpsc;

use super::{Level, Notification, Notifier, SensorReadings};

/// Passes on what is grave enough.
#[derive(Debug)]
pub struct FromLevel {
    least: Level,
    inner: Arc<dyn Notifier>,
}

impl FromLevel {
    /// Passes on to `inner` what is of this level or graver.
    pub fn new(least: Level, inner: Arc<dyn Notifier>) -> Self {
        Self { least, inner }
    }
}

impl Notifier for FromLevel {
    fn notify(&self, notification: &Notification) {
        if self.wants(notification.level()) {
            self.inner.notify(notification);
        }
    }

    fn sensors(&self, readings: &SensorReadings) {
        self.inner.sensors(readings);
    }

    fn wants(&self, level: Level) -> bool {
        level >= self.least && self.inner.wants(level)
    }

    fn wants_payload(&self) -> bool {
        self.inner.wants_payload()
    }
}

/// Tells several.
#[derive(Debug)]
pub struct Several(Vec<Arc<dyn Notifier>>);

impl Several {
    /// Tells each of these, in this order.
    pub fn new(notifiers: impl IntoIterator<Item = Arc<dyn Notifier>>) -> Self {
        Self(notifiers.into_iter().collect())
    }
}

impl Notifier for Several {
    fn notify(&self, notification: &Notification) {
        for notifier in &self.0 {
            if notifier.wants(notification.level()) {
                notifier.notify(notification);
            }
        }
    }

    fn sensors(&self, readings: &SensorReadings) {
        for notifier in &self.0 {
            notifier.sensors(readings);
        }
    }

    fn wants(&self, level: Level) -> bool {
        self.0.iter().any(|notifier| notifier.wants(level))
    }

    fn wants_payload(&self) -> bool {
        self.0.iter().any(|notifier| notifier.wants_payload())
    }
}

/// Writes each event into the log, at its level, without its payload.
#[derive(Debug, Default, Clone, Copy)]
pub struct LogNotifier;

impl Notifier for LogNotifier {
    fn notify(&self, notification: &Notification) {
        let event_type = notification.event.event_type();
        let (subject, name) = (notification.subject, notification.name.as_deref());
        match notification.level() {
            Level::Debug => tracing::debug!(event_type, %subject, name, "notification"),
            Level::Info => tracing::info!(event_type, %subject, name, "notification"),
            Level::Warning => tracing::warn!(event_type, %subject, name, "notification"),
            Level::Error | Level::Critical => {
                tracing::error!(event_type, %subject, name, "notification");
            }
        }
    }

    fn wants_payload(&self) -> bool {
        false
    }
}

/// Puts events into a queue of bounded length; while it is full, events are dropped and counted.
#[derive(Debug)]
pub struct ChannelNotifier {
    queue: mpsc::Sender<Notification>,
    dropped: AtomicU64,
}

impl ChannelNotifier {
    /// A notifier, and the end of the queue where events come out; at least one fits into it.
    pub fn new(capacity: usize) -> (Self, mpsc::Receiver<Notification>) {
        let (queue, events) = mpsc::channel(capacity.max(1));
        let dropped = AtomicU64::new(0);
        (Self { queue, dropped }, events)
    }

    /// How many events found no room, or nobody who takes them.
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }
}

impl Notifier for ChannelNotifier {
    fn notify(&self, notification: &Notification) {
        if self.queue.try_send(notification.clone()).is_err() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }
}
