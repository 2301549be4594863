//! When the next heartbeat is due.

use std::time::Duration;

use ironic_core::Entropy;
use tokio::time::Instant;

use crate::chance::uniform;

/// A regular heartbeat comes after this part of the conductor's time-out, by chance.
const REGULAR: (f64, f64) = (0.3, 0.6);
/// One that failed is repeated after this many of the shortest intervals, by chance.
const FAILED: (f64, f64) = (1.0, 2.0);

/// The rhythm of heartbeats; knows the time only as it is told.
#[derive(Debug)]
pub(crate) struct HeartbeatSchedule {
    shortest: Duration,
    timeout: Duration,
    previous: Option<(Instant, Duration)>,
    forced: bool,
}

impl HeartbeatSchedule {
    /// The first heartbeat is due at once.
    pub(crate) const fn new(timeout: Duration, shortest: Duration) -> Self {
        Self {
            shortest,
            timeout,
            previous: None,
            forced: false,
        }
    }

    /// When the next one is due.
    pub(crate) fn due(&self, now: Instant) -> Instant {
        let Some((sent, interval)) = self.previous else {
            return now;
        };
        let wait = if self.forced {
            interval.min(self.shortest)
        } else {
            interval
        };
        sent + wait
    }

    /// Something happened that the conductor should know soon.
    pub(crate) const fn force(&mut self) {
        self.forced = true;
    }

    /// One was sent, and got through or not.
    pub(crate) fn sent(&mut self, now: Instant, arrived: bool, entropy: &dyn Entropy) {
        let interval = if arrived {
            self.forced = false;
            self.timeout.mul_f64(uniform(entropy, REGULAR.0, REGULAR.1))
        } else {
            self.shortest.mul_f64(uniform(entropy, FAILED.0, FAILED.1))
        };
        self.previous = Some((now, interval));
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use ironic_core::runtime::SeededEntropy;
    use tokio::time::Instant;

    use super::HeartbeatSchedule;

    const SHORTEST: Duration = Duration::from_secs(5);

    #[test]
    fn heartbeats_come_after_a_third_to_two_thirds_of_the_time_out() {
        let entropy = SeededEntropy::new(3);
        let start = Instant::now();
        let mut schedule = HeartbeatSchedule::new(Duration::from_secs(300), SHORTEST);
        assert_eq!(schedule.due(start), start);
        let waits: Vec<_> = (0..200)
            .map(|_| {
                schedule.sent(start, true, &entropy);
                (schedule.due(start) - start).as_secs_f64()
            })
            .collect();
        assert!(waits.iter().all(|wait| (90.0..=180.0).contains(wait)));
        assert!(waits.iter().any(|wait| *wait < 110.0) && waits.iter().any(|wait| *wait > 160.0));
    }

    #[test]
    fn a_failure_is_repeated_soon_and_news_do_not_wait() {
        let entropy = SeededEntropy::new(3);
        let start = Instant::now();
        let mut schedule = HeartbeatSchedule::new(Duration::from_secs(300), SHORTEST);
        schedule.sent(start, false, &entropy);
        let wait = schedule.due(start) - start;
        assert!(wait >= SHORTEST && wait <= SHORTEST * 2);
        schedule.sent(start, true, &entropy);
        schedule.force();
        assert_eq!(schedule.due(start) - start, SHORTEST);
        // News stay news until a heartbeat brought them.
        schedule.sent(start, false, &entropy);
        assert_eq!(schedule.due(start) - start, SHORTEST);
        schedule.sent(start, true, &entropy);
        assert!(schedule.due(start) - start > SHORTEST * 2);
    }
}
