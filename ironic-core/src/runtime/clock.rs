use std::sync::Mutex;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::Timestamp;

/// Where wall-clock stamps come from. Waiting is `tokio::time`, never a clock.
///
/// # Contract
/// - **Who calls.** Everything that writes a time into a record or compares one with now. From any
///   thread, often, and in the middle of decisions: `now` does not block.
/// - **It may step back**, jump, or differ between conductors: nothing that must be safe depends on
///   it. Leases and the judgement of who is dead run on `tokio::time`. A deadline that is on record
///   is compared with this clock, so one that is wrong by an hour gives up an hour early or late.
/// - **No errors, nothing to drop, nothing to recover.**
///
/// **Checked by** no suite; the [simulated fleet](crate::guide::simulation) gives each conductor a
/// clock that differs.
///
/// ```
/// use ironic_core::runtime::{Clock, Timestamp};
///
/// #[derive(Debug)]
/// struct Stopped(Timestamp);
///
/// impl Clock for Stopped {
///     fn now(&self) -> Timestamp {
///         self.0
///     }
/// }
/// ```
pub trait Clock: Send + Sync + std::fmt::Debug + 'static {
    /// The wall-clock time, in UTC.
    fn now(&self) -> Timestamp;
}

/// The clock of the operating system.
#[derive(Debug, Default, Clone, Copy)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[allow(
        clippy::disallowed_methods,
        reason = "the one place that reads the system's clock"
    )]
    fn now(&self) -> Timestamp {
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or(Duration::ZERO);
        Timestamp::from_micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
    }
}

/// A clock that stands at a start plus the time that has passed on tokio's clock, so that a test
/// or a simulation with paused time moves both together.
#[derive(Debug)]
pub struct ManualClock {
    start: Mutex<(Timestamp, tokio::time::Instant)>,
}

impl ManualClock {
    /// A clock that reads `start` now and follows `tokio::time` from here on.
    #[must_use]
    pub fn new(start: Timestamp) -> Self {
        Self {
            start: Mutex::new((start, tokio::time::Instant::now())),
        }
    }

    /// Steps the wall clock to `now`, as an operator would.
    pub fn set(&self, now: Timestamp) {
        *lock(&self.start) = (now, tokio::time::Instant::now());
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        let (start, instant) = *lock(&self.start);
        start.saturating_add(instant.elapsed())
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}
