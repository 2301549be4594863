use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use tokio::time::Instant;

use crate::Clock;
use crate::runtime::Timestamp;

/// A conductor's wall clock: it runs too fast or too slow, and is set now and then.
#[derive(Debug)]
pub(super) struct WallClock {
    start: Timestamp,
    began: Instant,
    /// How much faster than time it runs, in millionths.
    drift: i64,
    /// By how much it has been set, in microseconds.
    set: AtomicI64,
}

impl WallClock {
    /// A clock that reads `start` now.
    pub(super) fn new(start: Timestamp, drift: i64) -> Self {
        Self {
            start,
            began: Instant::now(),
            drift,
            set: AtomicI64::new(0),
        }
    }

    /// Somebody sets it by so many microseconds, forward or back.
    pub(super) fn set(&self, by: i64) {
        self.set.fetch_add(by, Ordering::Relaxed);
    }
}

impl Clock for WallClock {
    fn now(&self) -> Timestamp {
        let passed = i64::try_from(self.began.elapsed().as_micros()).unwrap_or(i64::MAX);
        let passed = passed + passed / 1_000_000 * self.drift;
        let moved = passed.saturating_add(self.set.load(Ordering::Relaxed));
        Timestamp::from_micros(self.start.as_micros().saturating_add(moved))
    }
}

/// How long a time is by a clock that runs so much faster, in millionths.
pub(super) fn by_clock(time: Duration, drift: i64) -> Duration {
    let micros = i64::try_from(time.as_micros()).unwrap_or(i64::MAX);
    // A clock that runs fast comes to the end of a time early.
    let micros = micros - micros / 1_000_000 * drift;
    Duration::from_micros(u64::try_from(micros).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_clock_that_is_wrong_is_as_wrong_as_it_is_said_to_be() {
        let hour = Duration::from_secs(3600);
        let clock = WallClock::new(Timestamp::from_micros(0), 10_000);
        tokio::time::advance(hour).await;
        assert_eq!(clock.now(), Timestamp::from_micros(3_636_000_000));
        clock.set(-36_000_000);
        assert_eq!(clock.now(), Timestamp::from_micros(3_600_000_000));
        assert_eq!(by_clock(hour, 10_000), Duration::from_secs(3564));
        assert_eq!(by_clock(hour, -10_000), Duration::from_secs(3636));
    }
}
