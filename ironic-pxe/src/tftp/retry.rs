use std::time::Duration;

/// When to send again what was not answered: after a time that doubles with every attempt.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct RetryPolicy {
    /// Time until the first repetition, default 1 s; a negotiated `timeout` option replaces it.
    pub first: Duration,
    /// Longest time between repetitions, default 16 s.
    pub longest: Duration,
    /// Number of repetitions before giving up, default 6.
    pub repetitions: u32,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            first: Duration::from_secs(1),
            longest: Duration::from_secs(16),
            repetitions: 6,
        }
    }
}

impl RetryPolicy {
    /// Makes a policy.
    pub fn new(first: Duration, longest: Duration, repetitions: u32) -> Self {
        Self {
            first,
            longest,
            repetitions,
        }
    }
}

/// Counts repetitions since the last progress, and knows when the next is due.
#[derive(Debug)]
pub(crate) struct RetryTimer {
    policy: RetryPolicy,
    repeated: u32,
    due: Option<Duration>,
}

impl RetryTimer {
    pub(crate) fn new(policy: RetryPolicy) -> Self {
        Self {
            policy,
            repeated: 0,
            due: None,
        }
    }

    pub(crate) fn set_first(&mut self, first: Duration) {
        self.policy.first = first;
        self.policy.longest = self.policy.longest.max(first);
    }

    /// Something new was sent, after progress.
    pub(crate) fn restart(&mut self, now: Duration) {
        self.repeated = 0;
        self.due = Some(now.saturating_add(self.policy.first));
    }

    pub(crate) fn stop(&mut self) {
        self.due = None;
    }

    pub(crate) fn due(&self) -> Option<Duration> {
        self.due
    }

    /// Takes a repetition that is due.
    pub(crate) fn take(&mut self, now: Duration) -> Retry {
        if self.due.is_none_or(|due| now < due) {
            return Retry::NotYet;
        }
        if self.repeated >= self.policy.repetitions {
            self.due = None;
            return Retry::GiveUp {
                attempts: self.repeated.saturating_add(1),
            };
        }
        self.repeated = self.repeated.saturating_add(1);
        let factor = 1u32.checked_shl(self.repeated).unwrap_or(u32::MAX);
        let wait = self
            .policy
            .first
            .saturating_mul(factor)
            .min(self.policy.longest);
        self.due = Some(now.saturating_add(wait));
        Retry::Repeat
    }
}

pub(crate) enum Retry {
    NotYet,
    Repeat,
    GiveUp { attempts: u32 },
}
