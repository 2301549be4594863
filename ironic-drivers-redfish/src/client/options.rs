//! How patient a client is.

use std::time::Duration;

use crate::error::RedfishError;

/// Limits and patience of a [`Client`](crate::Client).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClientOptions {
    /// Requests at the same time to one BMC, sessions included. Default 4, at least 1, at most 64.
    pub concurrency: usize,
    /// From sending a request to the end of its response. Default 60 s, at least 1 ms.
    pub request_timeout: Duration,
    /// How long one request, with all its tries and the pauses between them, waits for a BMC that
    /// says nothing at all; the last try is cut short. An operation is over with its first
    /// request that fails, so this is how long a silent BMC holds it up. Any response, a refusal
    /// too, starts this anew. Default 60 s, at least 1 ms.
    pub silence_limit: Duration,
    /// Tries of one request, the first included. Default 5, at least 1, at most 100.
    pub attempts: u32,
    /// Pause before the second try; it doubles with each further one. Default 1 s.
    pub retry_delay: Duration,
    /// The longest pause between tries. Default 16 s, at least `retry_delay`.
    pub retry_delay_limit: Duration,
    /// The longest `Retry-After` that is waited out; with a longer one the response is handed to
    /// the caller. Default 120 s.
    pub retry_after_limit: Duration,
    /// How long a task of the BMC's is followed. Default 300 s.
    pub task_timeout: Duration,
    /// Pause between looks at a task when the BMC names none. Default 1 s, at least 1 ms.
    pub task_poll: Duration,
    /// Members of one collection. Default 4096, at least 1.
    pub member_limit: usize,
    /// Whether connections are kept for the next request. Default no: some BMCs choke on
    /// connections that stay.
    pub keep_alive: bool,
}

impl Default for ClientOptions {
    fn default() -> Self {
        Self {
            concurrency: 4,
            request_timeout: Duration::from_secs(60),
            silence_limit: Duration::from_secs(60),
            attempts: 5,
            retry_delay: Duration::from_secs(1),
            retry_delay_limit: Duration::from_secs(16),
            retry_after_limit: Duration::from_secs(120),
            task_timeout: Duration::from_secs(300),
            task_poll: Duration::from_secs(1),
            member_limit: 4096,
            keep_alive: false,
        }
    }
}

impl ClientOptions {
    /// The defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the requests at the same time to one BMC.
    #[must_use]
    pub const fn concurrency(mut self, requests: usize) -> Self {
        self.concurrency = requests;
        self
    }

    /// Sets the time for one request.
    #[must_use]
    pub const fn request_timeout(mut self, timeout: Duration) -> Self {
        self.request_timeout = timeout;
        self
    }

    /// Sets how long one request waits, over all its tries, for a BMC that says nothing.
    #[must_use]
    pub const fn silence_limit(mut self, limit: Duration) -> Self {
        self.silence_limit = limit;
        self
    }

    /// Sets the tries of one request, and the first and the longest pause between them.
    #[must_use]
    pub const fn retries(mut self, attempts: u32, delay: Duration, limit: Duration) -> Self {
        self.attempts = attempts;
        self.retry_delay = delay;
        self.retry_delay_limit = limit;
        self
    }

    /// Sets how long a task is followed, and the pause between looks at it.
    #[must_use]
    pub const fn tasks(mut self, timeout: Duration, poll: Duration) -> Self {
        self.task_timeout = timeout;
        self.task_poll = poll;
        self
    }

    /// Sets whether connections are kept.
    #[must_use]
    pub const fn keep_alive(mut self, keep: bool) -> Self {
        self.keep_alive = keep;
        self
    }

    pub(crate) fn check(&self) -> Result<(), RedfishError> {
        let problem = if !(1..=64).contains(&self.concurrency) {
            "concurrency must be 1 to 64"
        } else if !(1..=100).contains(&self.attempts) {
            "attempts must be 1 to 100"
        } else if [self.request_timeout, self.silence_limit, self.task_poll]
            .iter()
            .any(|time| *time < Duration::from_millis(1))
        {
            "request_timeout, silence_limit and task_poll must be at least 1 ms"
        } else if self.retry_delay_limit < self.retry_delay {
            "retry_delay_limit is below retry_delay"
        } else if self.member_limit == 0 {
            "member_limit must be at least 1"
        } else {
            return Ok(());
        };
        Err(RedfishError::InvalidSettings {
            reason: problem.to_owned(),
        })
    }
}
