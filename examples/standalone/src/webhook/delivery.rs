use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use http::StatusCode;
use ironic_core::Entropy;
use sha2::Sha256;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::{Counts, Message, SIGNATURE_HEADER, WebhookSettings};

/// The longest pause between two attempts.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// One sender: what is in its queue goes out in its order.
pub(super) struct Delivery {
    pub(super) settings: WebhookSettings,
    pub(super) http: reqwest::Client,
    pub(super) entropy: Arc<dyn Entropy>,
    pub(super) counts: Arc<Counts>,
    pub(super) closing: CancellationToken,
}

/// Why an attempt did not deliver.
enum Failure {
    /// Another attempt may.
    Passing(String),
    /// No other will.
    Final(String),
}

impl Delivery {
    pub(super) async fn run(self, mut queue: mpsc::Receiver<Message>) {
        while let Some(message) = self.next(&mut queue).await {
            let body = message.to_wire(self.entropy.uuid()).to_string();
            let counts = &self.counts;
            match self.deliver(body.into_bytes()).await {
                Ok(()) => {
                    counts.delivered.fetch_add(1, Ordering::Relaxed);
                    if counts.dropping.swap(false, Ordering::Relaxed) {
                        let dropped = counts.dropped.load(Ordering::Relaxed);
                        tracing::warn!(dropped, "the webhook's receiver takes notifications again");
                    }
                }
                Err(why) => {
                    let refused = counts.refused.fetch_add(1, Ordering::Relaxed) + 1;
                    tracing::warn!(%why, refused, "the webhook's receiver has not taken a notification");
                }
            }
        }
    }

    /// The next message; once this is to come to an end, of those that are queued.
    async fn next(&self, queue: &mut mpsc::Receiver<Message>) -> Option<Message> {
        tokio::select! {
            biased;
            message = queue.recv() => message,
            () = self.closing.cancelled() => {
                queue.close();
                queue.recv().await
            }
        }
    }

    /// Tries until it is taken, or for good not.
    async fn deliver(&self, body: Vec<u8>) -> Result<(), String> {
        let signature = self.signature(&body);
        let body = bytes::Bytes::from(body);
        let mut pause = self.settings.retry_interval;
        let mut attempt = 1;
        loop {
            match self.attempt(body.clone(), signature.as_deref()).await {
                Ok(()) => return Ok(()),
                Err(Failure::Final(why)) => return Err(why),
                Err(Failure::Passing(why)) if attempt >= self.settings.attempts => {
                    return Err(format!("{why}, in attempt {attempt}"));
                }
                Err(Failure::Passing(why)) => {
                    tracing::debug!(attempt, %why, "the webhook's receiver is asked again");
                }
            }
            attempt += 1;
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    async fn attempt(&self, body: bytes::Bytes, signature: Option<&str>) -> Result<(), Failure> {
        let mut request = self
            .http
            .post(self.settings.url.expose())
            .timeout(self.settings.timeout)
            .header(http::header::CONTENT_TYPE, "application/json")
            .body(body);
        if let Some(signature) = signature {
            request = request.header(SIGNATURE_HEADER, signature);
        }
        // A URL may have credentials in it.
        let answer = request.send().await;
        let answer = answer.map_err(|error| Failure::Passing(error.without_url().to_string()))?;
        let status = answer.status();
        if status.is_success() {
            return Ok(());
        }
        let why = format!("it answers with status {status}");
        let passing = status.is_server_error()
            || status == StatusCode::TOO_MANY_REQUESTS
            || status == StatusCode::REQUEST_TIMEOUT;
        Err(if passing {
            Failure::Passing(why)
        } else {
            Failure::Final(why)
        })
    }

    fn signature(&self, body: &[u8]) -> Option<String> {
        let secret = self.settings.secret.as_ref()?;
        // A key of any length is one (RFC 2104 §2).
        let mut mac = Hmac::<Sha256>::new_from_slice(secret.expose().as_bytes()).ok()?;
        mac.update(body);
        let code = mac.finalize().into_bytes();
        let hex: String = code.iter().map(|byte| format!("{byte:02x}")).collect();
        Some(format!("sha256={hex}"))
    }
}
