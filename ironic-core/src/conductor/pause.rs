//! Waiting that ends when the conductor stops.

use std::time::Duration;

use super::Inner;

impl Inner {
    /// What comes of this; nothing when the conductor stops before that, and then it is dropped.
    pub(super) async fn unless_stopping<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            () = self.stopping.cancelled() => None,
            done = work => Some(done),
        }
    }

    /// Waits; false when the conductor stops before the time is over.
    pub(super) async fn pause(&self, time: Duration) -> bool {
        let over = self.unless_stopping(tokio::time::sleep(time)).await;
        over.is_some()
    }
}
