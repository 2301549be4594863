//! Notifications to whoever takes them by HTTP.

mod delivery;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use ironic_core::notify::{Notification, Notifier, SensorReadings};
use ironic_core::{Entropy, Secret, Uuid};
use serde_json::Value;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use delivery::Delivery;

/// The header that tells who sent a notification: `sha256=` and the hexadecimal HMAC-SHA256 (RFC
/// 2104, FIPS 180-4) of the body under the secret.
pub const SIGNATURE_HEADER: &str = "x-ironic-signature";

/// Where notifications go, and how hard it is tried.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct WebhookSettings {
    /// Where they are posted: who knows the URL of a webhook may often post to it.
    pub url: Secret<String>,
    /// What they are signed with, if they are.
    pub secret: Option<Secret<String>>,
    /// How long one attempt may take. Default 10 s.
    pub timeout: Duration,
    /// How often a notification is tried, at least once. Default 5.
    pub attempts: u32,
    /// The pause before the second attempt; it doubles with each further one, up to a minute.
    /// Default 1 s.
    pub retry_interval: Duration,
    /// How many notifications wait at most, over all senders; further ones are dropped. Default
    /// 10 000, at least one per sender.
    pub queue: usize,
    /// How many are sent at a time; those about one node are never. Default 4, at least 1.
    pub senders: usize,
}

impl WebhookSettings {
    /// The defaults, to this URL.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: Secret::new(url.into()),
            secret: None,
            timeout: Duration::from_secs(10),
            attempts: 5,
            retry_interval: Duration::from_secs(1),
            queue: 10_000,
            senders: 4,
        }
    }
}

/// What is told.
#[derive(Debug)]
enum Message {
    Notification(Box<Notification>),
    Sensors(Box<SensorReadings>),
}

impl Message {
    fn to_wire(&self, id: Uuid) -> Value {
        match self {
            Self::Notification(notification) => notification.to_wire(id),
            Self::Sensors(readings) => readings.to_wire(id),
        }
    }
}

/// What became of notifications.
#[derive(Debug, Default)]
struct Counts {
    delivered: AtomicU64,
    dropped: AtomicU64,
    refused: AtomicU64,
    /// Some were dropped since the last that was delivered.
    dropping: AtomicBool,
}

/// Posts each notification to a URL, in the form of the original's message bus, in the order of
/// each node's.
///
/// Telling takes no time: a notification is put into a queue, and dropped (and counted) where that
/// is full. A receiver that fails or does not answer is asked again, with growing pauses; one that
/// refuses (a status of 300 to 499, but for 408 and 429) is not.
#[derive(Debug)]
pub struct WebhookNotifier {
    lanes: Vec<mpsc::Sender<Message>>,
    counts: Arc<Counts>,
}

/// The senders of a [`WebhookNotifier`].
#[derive(Debug)]
pub struct WebhookSenders {
    running: JoinSet<()>,
    closing: CancellationToken,
}

impl WebhookNotifier {
    /// A notifier, whose senders run on this runtime until they are told to finish.
    /// `http` must not follow redirects: what is signed for one receiver is not for another.
    pub fn start(
        settings: &WebhookSettings,
        http: &reqwest::Client,
        entropy: &Arc<dyn Entropy>,
    ) -> (Self, WebhookSenders) {
        let counts = Arc::new(Counts::default());
        let senders = settings.senders.max(1);
        let room = (settings.queue / senders).max(1);
        let mut running = JoinSet::new();
        let closing = CancellationToken::new();
        let lanes = (0..senders)
            .map(|_| {
                let (lane, queue) = mpsc::channel(room);
                let delivery = Delivery {
                    settings: settings.clone(),
                    http: http.clone(),
                    entropy: Arc::clone(entropy),
                    counts: Arc::clone(&counts),
                    closing: closing.clone(),
                };
                running.spawn(delivery.run(queue));
                lane
            })
            .collect();
        (Self { lanes, counts }, WebhookSenders { running, closing })
    }

    /// How many were delivered.
    pub fn delivered(&self) -> u64 {
        self.counts.delivered.load(Ordering::Relaxed)
    }

    /// How many found no room in the queue.
    pub fn dropped(&self) -> u64 {
        self.counts.dropped.load(Ordering::Relaxed)
    }

    /// How many the receiver refused, or did not take in any attempt.
    pub fn refused(&self) -> u64 {
        self.counts.refused.load(Ordering::Relaxed)
    }

    /// Queues what is about `subject`, behind everything else that is.
    fn queue(&self, subject: Uuid, message: Message) {
        let lanes = self.lanes.len().max(1) as u128;
        let lane = usize::try_from(subject.as_u128() % lanes).unwrap_or_default();
        let queued = self
            .lanes
            .get(lane)
            .is_some_and(|lane| lane.try_send(message).is_ok());
        if queued {
            return;
        }
        self.counts.dropped.fetch_add(1, Ordering::Relaxed);
        if !self.counts.dropping.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                "the webhook's receiver is too slow: notifications are dropped until it takes more"
            );
        }
    }
}

impl Notifier for WebhookNotifier {
    fn notify(&self, notification: &Notification) {
        let message = Message::Notification(Box::new(notification.clone()));
        self.queue(notification.subject, message);
    }

    fn sensors(&self, readings: &SensorReadings) {
        let subject = match &readings.source {
            ironic_core::notify::SensorSource::Node { node, .. } => *node,
            _ => Uuid::nil(),
        };
        self.queue(subject, Message::Sensors(Box::new(readings.clone())));
    }
}

impl WebhookSenders {
    /// Takes nothing more, waits so long for what is queued to be sent, and gives the rest up.
    pub async fn finish(mut self, patience: Duration) {
        self.closing.cancel();
        let sent = async { while self.running.join_next().await.is_some() {} };
        if tokio::time::timeout(patience, sent).await.is_err() {
            tracing::warn!("notifications are left that the webhook's receiver has not taken");
            self.running.shutdown().await;
        }
    }
}
